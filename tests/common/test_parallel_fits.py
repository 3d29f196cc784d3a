"""One result for every number of threads and processes, and nothing compiled twice."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from tests.common.estimators import (
    CLASSES,
    assert_same_outputs,
    fit,
    for_each,
    get_fitted_attributes,
    in_turn,
    is_parallel,
    is_sparse,
    list_parameters,
    make,
    make_data,
)

REPOSITORY = Path(__file__).resolve().parents[2]
GRIDS = {
    "alpha": [0.01, 0.1, 1.0],
    "C": [0.1, 1.0],
    "n_estimators": [3, 5],
    "max_depth": [1, 3],
    "n_components": [1, 2],
    "fit_intercept": [True, False],
}


def choose_grid(cls):
    name = next(name for name in GRIDS if name in list_parameters(cls))
    return {name: GRIDS[name]}


def is_searchable(cls):
    return hasattr(cls, "score") and any(name in list_parameters(cls) for name in GRIDS)


@for_each(is_searchable)
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_in_workers_equals_serial(cls, backend):
    X, y = make_data(cls)
    search = GridSearchCV(make(cls), choose_grid(cls), cv=3, error_score="raise")
    serial = fit(search, X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend=backend):
        parallel = search.set_params(n_jobs=2).fit(X, y)
    assert np.isfinite(serial).all()
    np.testing.assert_allclose(parallel.cv_results_["mean_test_score"], serial, rtol=1e-7)


@for_each(is_parallel)
@in_turn("convert", [np.asarray, np.asfortranarray, sparse.csr_array])
@in_turn("shape", [(400, 30), (40, 90)])
def test_results_are_bitwise_equal_for_every_n_jobs(cls, convert, shape):
    if convert is sparse.csr_array and not is_sparse(cls):
        return
    X, y = make_data(cls, *shape)
    X = convert(X)
    before = [module["num_threads"] for module in threadpool_info()]
    fits = [fit(make(cls, n_jobs=n_jobs), X, y) for n_jobs in (1, 2, -1)]
    with joblib.parallel_config(backend="threading", n_jobs=2):
        fits.append(fit(make(cls), X, y))
    assert [module["num_threads"] for module in threadpool_info()] == before
    reference = get_fitted_attributes(fits[0])
    for other in fits[1:]:
        for name, value in get_fitted_attributes(other).items():
            if np.asarray(value).dtype.kind in "fiub":
                np.testing.assert_array_equal(value, reference[name], err_msg=name)
        assert_same_outputs(fits[0], other, X, exact=True)


@for_each(is_parallel)
def test_zero_jobs_are_refused(cls):
    X, y = make_data(cls)
    with pytest.raises(ValueError, match="n_jobs"):
        make(cls, n_jobs=0).fit(X, y)


@for_each()
def test_thread_pools_change_nothing_that_counts(cls):
    X, y = make_data(cls, n_samples=500, n_features=40)
    with threadpool_limits(1):
        reference = fit(make(cls, tight=True), X, y)
    with threadpool_limits(2):
        assert_same_outputs(reference, fit(make(cls, tight=True), X, y), X)


@for_each()
def test_fits_in_concurrent_threads(cls):
    problems = [make_data(cls, seed=seed) for seed in range(4)]
    serial = [fit(make(cls), X, y) for X, y in problems]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        concurrent = joblib.Parallel(n_jobs=4, backend="threading")(
            joblib.delayed(make(cls).fit)(X, y) for X, y in problems
        )
    for (X, _), first, second in zip(problems, serial, concurrent, strict=True):
        assert_same_outputs(first, second, X, exact=True)


FIT_ALL = """
import json, warnings
warnings.simplefilter("ignore")
from tests.common.estimators import CLASSES, compute_outputs, make, make_data
from skextra._core.runtime import jit

results = {}
for cls in CLASSES:
    X, y = make_data(cls, n_samples=20, n_features=3)
    outputs = compute_outputs(make(cls).fit(X, y), X)
    results[cls.__name__] = {name: value.tolist() for name, value in outputs.items()}
compiled = [
    [kernel.py_func.__qualname__, str(signature)]
    for kernel in jit.list_kernels()
    for signature in getattr(getattr(kernel, "stats", None), "cache_misses", ())
]
print(json.dumps({"results": results, "compiled": compiled}))
"""


def fit_all_in_fresh_process(**environment):
    process = subprocess.run(
        [sys.executable, "-c", FIT_ALL],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def assert_close(first, second):
    assert first.keys() == second.keys() == {cls.__name__ for cls in CLASSES}
    for cls, outputs in first.items():
        for method, values in outputs.items():
            np.testing.assert_allclose(
                second[cls][method], values, rtol=1e-6, atol=1e-6, err_msg=f"{cls}.{method}"
            )


@pytest.fixture(scope="module")
def warm_process():
    fit_all_in_fresh_process()
    return fit_all_in_fresh_process()


def test_second_process_compiles_nothing(warm_process):
    assert warm_process["compiled"] == []


@pytest.mark.long
def test_results_without_compilation_are_the_same(warm_process):
    interpreted = fit_all_in_fresh_process(NUMBA_DISABLE_JIT="1")
    assert_close(warm_process["results"], interpreted["results"])
