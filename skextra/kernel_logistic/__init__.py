"""Kernel logistic regression."""

from skextra.kernel_logistic._kernel_logistic import KernelLogisticRegression
from skextra.kernel_logistic._kernel_logistic_cv import KernelLogisticRegressionCV

__all__ = ["KernelLogisticRegression", "KernelLogisticRegressionCV"]
