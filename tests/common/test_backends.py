"""Every joblib backend gives the bits of a fit in one thread.

The data are above every size from which work is cut into blocks: on small data nothing
runs in parallel, and a function that writes into a copy would go unnoticed.
"""

import warnings
from functools import cache

import joblib
import numpy as np
import pytest

from tests.common.estimators import CLASSES, compute_outputs, is_parallel, make, make_data

# Rows and columns of the training data, by the sub-package or by the class: dense trees encode
# 400,000 values at a time, Gram matrices are cut from 2,500 rows on, samplers from 131,072 values.
SHAPES = {
    "tree": (9000, 50),
    "ensemble": (9000, 50),
    "kernel_logistic": (2600, 4),
    "KernelLogisticRegressionCV": (300, 4),
    "sampling": (4000, 40),
    "mixture": (20_000, 3),
}
PARAMETERS = {
    "RandomForest": {"n_estimators": 4},
    "ExtraTrees": {"n_estimators": 4},
    "KernelLogisticRegressionCV": {"Cs": [0.1, 1.0], "gammas": [0.1, 1.0], "cv": 2},
}
BACKENDS = {
    "loky": {"backend": "loky"},
    "loky without memory maps": {"backend": "loky", "max_nbytes": None},
    "multiprocessing": {"backend": "multiprocessing"},
    "threading": {"backend": "threading"},
}


def find_shape(cls):
    family = cls.__module__.split(".")[1]
    return SHAPES.get(cls.__name__, SHAPES.get(family, (1200, 12)))


def find_parameters(cls):
    names = [name for name in PARAMETERS if cls.__name__.startswith(name)]
    return PARAMETERS[max(names, key=len)] if names else {}


def list_parallel_classes():
    return [cls for cls in CLASSES if is_parallel(cls)]


def compute_all(cls, data):
    X, y = data
    with warnings.catch_warnings():
        # Dask warns of large arguments in a thread of its own, where an error would be lost and
        # the fit would wait for ever.
        warnings.simplefilter("default")
        model = make(cls, **find_parameters(cls)).fit(X, y)
    return compute_outputs(model, X)


@cache
def fit_locally(cls):
    data = make_data(cls, *find_shape(cls))
    return data, compute_all(cls, data)


def assert_local_results(cls, **backend):
    data, expected = fit_locally(cls)
    with joblib.parallel_config(**backend, n_jobs=2):
        outputs = compute_all(cls, data)
    assert outputs.keys() == expected.keys()
    for method, values in outputs.items():
        np.testing.assert_array_equal(values, expected[method], err_msg=method)


each_class = pytest.mark.parametrize("cls", list_parallel_classes(), ids=lambda cls: cls.__name__)


# All classes on one backend before the next: joblib then keeps its worker processes, whose
# start takes longer than the fits.
@each_class
@pytest.mark.parametrize("backend", BACKENDS)
def test_results_are_those_of_one_thread(cls, backend):
    assert_local_results(cls, **BACKENDS[backend])


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, as on one machine of a cluster."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


@each_class
def test_results_of_a_dask_cluster_are_those_of_one_thread(cls, cluster):
    assert cluster.nthreads()
    assert_local_results(cls, backend="dask")
