"""Data in Dask collections, and the same fit to local blocks."""

import numpy as np
import pandas as pd
import pytest

import skextra.dask as skd
from skextra import linear_model
from skextra.utils import Blocks

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

SIZE = 60
REGRESSORS = [skd.Ridge(), skd.RidgeCV(), skd.RidgeCV(cv=3), skd.Lasso(alpha=0.1), skd.LassoCV()]


def make_data(n=500, p=4):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) @ rng.standard_normal((p, p)) + 3
    return X, X @ np.arange(p) + rng.standard_normal(n), rng.random(n)


def to_arrays(*arrays, chunks=SIZE):
    return [da.from_array(a, chunks=(chunks,) + (-1,) * (a.ndim - 1)) for a in arrays]


def to_frames(X, y, n=4):
    frame = pd.DataFrame(X, columns=list("abcd"))
    return dd.from_pandas(frame, npartitions=n), dd.from_pandas(pd.Series(y), npartitions=n)


def fit_local(model, X, y, weight):
    local = getattr(linear_model, type(model).__name__)(**model.get_params())
    return local.fit(*(Blocks.from_array(a, SIZE) for a in (X, y, weight)))


def assert_same_bits(model, local):
    assert vars(model).keys() == vars(local).keys()
    for name, value in vars(local).items():
        if name.endswith("_"):
            np.testing.assert_array_equal(getattr(model, name), value, err_msg=name)
