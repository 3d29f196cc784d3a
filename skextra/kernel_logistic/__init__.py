"""Kernel logistic regression."""

from skextra.kernel_logistic._kernel_logistic import KernelLogisticRegression

__all__ = ["KernelLogisticRegression"]
