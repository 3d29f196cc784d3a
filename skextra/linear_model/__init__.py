"""Linear models."""

from skextra._lazy import forward_to_sklearn
from skextra.linear_model._display.path import RegularizationPathDisplay
from skextra.linear_model._elastic_net import ElasticNet, Lasso
from skextra.linear_model._elastic_net_cv import ElasticNetCV, LassoCV
from skextra.linear_model._logistic import LogisticRegression
from skextra.linear_model._logistic_cv import LogisticRegressionCV
from skextra.linear_model._logistic_path import logistic_path
from skextra.linear_model._multi_task import MultiTaskElasticNet, MultiTaskLasso
from skextra.linear_model._multi_task_cv import MultiTaskElasticNetCV, MultiTaskLassoCV
from skextra.linear_model._paths import enet_path, lasso_path
from skextra.linear_model._ridge import Ridge
from skextra.linear_model._ridge_cv import RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "RegularizationPathDisplay",
    "Ridge",
    "RidgeCV",
    "enet_path",
    "lasso_path",
    "logistic_path",
]

# Whole imports can be changed: what we do not have is scikit-learn's.
__getattr__ = forward_to_sklearn(__name__)
