"""The numerical core: numpy, scipy and numba only, never scikit-learn.

Submodules load on first access, so that an estimator module can name the core
at its top without paying for numba's import before the first fit.
"""

from importlib import import_module

_SUBMODULES = (
    "base_search",
    "calibration",
    "certificates",
    "columns",
    "concrete",
    "content_folds",
    "coordinate_descent",
    "crammer_singer",
    "cross_validation",
    "design",
    "dual_descent",
    "elastic_net",
    "frequencies",
    "gram_solver",
    "gumbel",
    "hinge",
    "hinge_interior",
    "inclusion",
    "inverse_cdf",
    "jit",
    "kernel_loops",
    "kernels",
    "linear_machine",
    "linear_svm",
    "log_loss",
    "log_loss_hessian",
    "logistic",
    "logistic_classes",
    "logistic_cross_validation",
    "logistic_implicit_model",
    "logistic_newton_model",
    "logistic_problem",
    "logistic_reduction",
    "logistic_ridge",
    "logistic_ridge_preconditioner",
    "logistic_ridge_rows",
    "logistic_ridge_sample",
    "logistic_ridge_system",
    "logistic_sweeps",
    "logistic_working_set",
    "losses",
    "multi_task",
    "multi_task_kernels",
    "multi_task_newton",
    "multi_task_working_set",
    "newton",
    "one_vs_one",
    "penalties",
    "phases",
    "philox",
    "platt",
    "problem",
    "products",
    "quadratic_model",
    "residual_solver",
    "ridge",
    "ridge_folds",
    "ridge_iterative",
    "ridge_loo",
    "ridge_positive",
    "rotary",
    "rotary_scaling",
    "row_checks",
    "smo",
    "smo_blocks",
    "smo_cache",
    "squared_hinge_lasso",
    "squared_hinge_newton",
    "support_vectors",
    "threads",
    "top_k",
    "unwrapping",
    "vector_math",
    "working_set",
)

__all__ = list(_SUBMODULES)


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f"skextra._core.{name}")
    raise AttributeError(f"module 'skextra._core' has no attribute {name!r}")
