"""The numerical core: numpy, scipy and numba only, never scikit-learn.

Submodules load on first access, so that an estimator module can name the core
at its top without paying for numba's import before the first fit.
"""

from importlib import import_module

_SUBMODULES = (
    "base_search",
    "certificates",
    "columns",
    "concrete",
    "coordinate_descent",
    "cross_validation",
    "design",
    "elastic_net",
    "em",
    "em_acceleration",
    "em_collapse",
    "em_data",
    "em_frame",
    "em_kernels",
    "em_kmeans",
    "em_linalg",
    "em_missing",
    "em_moves",
    "em_parameters",
    "em_start",
    "em_statistics",
    "em_steps",
    "frequencies",
    "gram_solver",
    "gumbel",
    "inclusion",
    "inverse_cdf",
    "jit",
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
    "penalties",
    "phases",
    "philox",
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
