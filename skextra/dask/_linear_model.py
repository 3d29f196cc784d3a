"""Linear models on Dask collections."""

from skextra import linear_model
from skextra.dask._base import DaskClassifier, DaskEstimator, DaskRegressor


class Ridge(DaskRegressor, linear_model.Ridge):
    __doc__ = DaskEstimator.describe(linear_model.Ridge)


class RidgeCV(DaskRegressor, linear_model.RidgeCV):
    __doc__ = DaskEstimator.describe(linear_model.RidgeCV)


class Lasso(DaskRegressor, linear_model.Lasso):
    __doc__ = DaskEstimator.describe(linear_model.Lasso)


class ElasticNet(DaskRegressor, linear_model.ElasticNet):
    __doc__ = DaskEstimator.describe(linear_model.ElasticNet)


class LassoCV(DaskRegressor, linear_model.LassoCV):
    __doc__ = DaskEstimator.describe(linear_model.LassoCV)


class ElasticNetCV(DaskRegressor, linear_model.ElasticNetCV):
    __doc__ = DaskEstimator.describe(linear_model.ElasticNetCV)


class LogisticRegression(DaskClassifier, linear_model.LogisticRegression):
    __doc__ = DaskEstimator.describe(linear_model.LogisticRegression)
