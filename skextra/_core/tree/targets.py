"""Targets of trees, as `skextra._core.tree.problem` prepares them."""

from skextra._core.tree.problem import Target, classification_target, regression_target

__all__ = ["Target", "classification_target", "regression_target"]
