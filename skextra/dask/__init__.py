"""Estimators that fit Dask collections: same names and parameters, plain fitted attributes.

``fit`` takes Dask arrays or data frames of any number of partitions, which stay on the workers:
only sums over partitions travel. What is fitted are NumPy arrays, ``predict`` and its like
return Dask collections for Dask collections, and ``to_local`` gives the estimator of the same
name from `skextra.linear_model`. Needs ``pip install skextra[dask]``.
"""

from skextra.dask._linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LogisticRegression,
    Ridge,
    RidgeCV,
)

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LogisticRegression",
    "Ridge",
    "RidgeCV",
]
