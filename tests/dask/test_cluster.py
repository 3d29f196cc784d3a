"""Fits on worker processes: the bits of local blocks, also when a worker dies."""

import os
import signal

import joblib
import numpy as np
import pytest
from sklearn.base import clone

import skextra.dask as skd
from skextra._parallel import map_tasks
from tests.dask.data import REGRESSORS, assert_same_bits, fit_local, make_data, to_arrays

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


@pytest.mark.parametrize("model", REGRESSORS[1:4], ids=str)
def test_fit_on_a_cluster_has_the_bits_of_local_blocks(model, cluster):
    data = make_data()
    fitted = clone(model).fit(*to_arrays(*data))
    assert_same_bits(fitted, fit_local(model, *data))
    X, y, _ = to_arrays(*data)
    np.testing.assert_allclose(fitted.predict(X).compute(), fitted.predict(data[0]), rtol=1e-12)


class Data:
    """Counts how often it is pickled in this process."""

    n_pickles = 0

    def __init__(self, values):
        self.values = values

    def __getstate__(self):
        Data.n_pickles += 1
        return {"values": self.values}

    def add(self, number):
        return self.values.sum() + number


def test_data_of_many_tasks_are_sent_once(cluster):
    data = Data(np.ones(100_000))
    with joblib.parallel_config(backend="dask", n_jobs=2):
        results = map_tasks(data.add, [(i,) for i in range(12)])
    assert results == [100_000 + i for i in range(12)]
    assert data.n_pickles <= 2


def kill_its_worker_once(block, marker):
    """End the process that works on a block, unless the marker is there already."""
    try:
        with open(marker, "x"):
            pass
    except FileExistsError:
        return block
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a process ends itself")
def test_a_worker_that_dies_during_the_fit_loses_nothing(cluster, tmp_path):
    data = make_data()
    X, y, weight = to_arrays(*data)
    marker = str(tmp_path / "killed")
    X = da.concatenate(
        [
            X[:300],
            X[300:].map_blocks(kill_its_worker_once, marker, dtype=X.dtype, meta=np.empty((0, 4))),
        ]
    )
    fitted = skd.Ridge().fit(X, y, weight)
    assert os.path.exists(marker)
    assert_same_bits(fitted, fit_local(skd.Ridge(), *data))
