"""What a bug report needs, and kernels compiled ahead of time."""

import os
import platform
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

_REQUIRED = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "numba", "llvmlite")
_OPTIONAL = ("pandas", "polars", "matplotlib", "dask", "celer", "skglm", "glum", "adelie")
# Constructor parameters that do not select a kernel.
_NOT_CODE = ("copy_X", "scoring", "verbose", "warm_start")
# A few trees, components and penalties run all the code.
_FEW = {"n_estimators": 3, "max_components": 2, "alphas": 10, "Cs": 2, "gammas": 2}
# Tall and wide: linear models change their algorithm at 300 features.
_SHAPES = ((24, 5), (12, 320))


def show_versions():
    """Print versions, threads and the kernel cache: what a bug report needs.

    Examples
    --------
    >>> import skextra
    >>> skextra.show_versions()  # doctest: +ELLIPSIS
    System
        python: 3...
    """
    sections = {
        "System": _describe_system(),
        "Packages": _describe_packages(_REQUIRED),
        "Optional packages": _describe_packages(_OPTIONAL),
        "Threads": _describe_threads(),
        "Kernel cache": _describe_cache(),
    }
    for title, rows in sections.items():
        print(title)
        for name, value in rows:
            print(f"    {name}: {value}")


def _describe_system():
    from skextra._version import __version__

    return [
        ("python", sys.version.replace("\n", " ")),
        ("executable", sys.executable),
        ("platform", platform.platform()),
        ("skextra", f"{__version__} in {Path(__file__).resolve().parent}"),
    ]


def _describe_packages(names):
    # Read from the metadata: importing eight packages to print eight numbers is slow.
    rows = []
    for name in names:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "not installed"))
    return rows


def _describe_threads():
    import joblib
    import numba
    import scipy.linalg  # noqa: F401  threadpoolctl sees loaded libraries only
    from threadpoolctl import threadpool_info

    rows = [("cores", joblib.cpu_count()), ("numba", numba.config.NUMBA_NUM_THREADS)]
    for pool in threadpool_info():
        name = f"{pool['user_api']} ({pool['internal_api']})"
        library = f"{pool['num_threads']}, version {pool['version']}, {pool['filepath']}"
        rows.append((name, library))
    return rows


def _describe_cache():
    from skextra._core.runtime import jit
    from skextra._core.runtime.families import IMPORTS

    folder = jit.find_cache_base()
    if folder is None:
        return [("folder", "none: kernels are compiled anew in every process")]
    families = [jit.find_cache_folder(family) for family in IMPORTS]
    return [
        ("folder", folder),
        ("writable", "yes" if os.access(folder, os.W_OK) else "no"),
        ("kernels", sum(1 for family in families for _ in family.glob("*.kernel"))),
    ]


class WarmupSummary(NamedTuple):
    """What :func:`warmup` did.

    Attributes
    ----------
    n_kernels : int
        Kernels that ran.
    n_compiled : int
        Signatures compiled by this call.
    n_loaded : int
        Signatures found in the cache instead.
    seconds : float
        Wall time.
    cache_folder : pathlib.Path or None
        Where the compiled kernels are kept; None if no folder is usable.
    """

    n_kernels: int
    n_compiled: int
    n_loaded: int
    seconds: float
    cache_folder: Path | None


def warmup(verbose=False, *, estimators=None):
    """Compile kernels into the cache, so that no later first call waits.

    Meant for the build of a container image or the start of a pool of workers.
    Every public estimator is fitted on tiny data in each layout that is
    compiled apart (C- and F-ordered and sparse, float64 and float32), with and
    without weights, once for each option of its constructor.

    Parameters
    ----------
    verbose : bool, default=False
        Print one line per estimator.
    estimators : list of str, default=None
        Names of the estimators to make ready. None stands for all of them, and for
        the solvers that only data larger than a warm-up reach.

    Returns
    -------
    summary : WarmupSummary
        How many kernels and signatures, in how many seconds, and where.

    Raises
    ------
    ValueError
        If a name is not that of an estimator.

    Examples
    --------
    >>> import skextra
    >>> summary = skextra.warmup(estimators=["Lasso"])
    >>> summary.n_kernels > 0
    True
    """
    from skextra._core.runtime import jit
    from skextra._core.runtime.threads import single_threaded_blas
    from skextra._core.warmup import run_solvers_of_large_data
    from skextra._discovery import all_estimators

    chosen = _choose_estimators(estimators, dict(all_estimators()))
    start = time.perf_counter()
    compiled, loaded = _count_cache_events(jit)
    # Warnings about tiny data say nothing to whoever warms a cache.
    with warnings.catch_warnings(), single_threaded_blas():
        warnings.simplefilter("ignore")
        if estimators is None:
            run_solvers_of_large_data()
        for name, estimator_class in chosen.items():
            begin, before = time.perf_counter(), _count_cache_events(jit)[0]
            _warm_estimator(estimator_class)
            if verbose:
                new = _count_cache_events(jit)[0] - before
                print(f"{name}: {new} compiled in {time.perf_counter() - begin:.1f} s", flush=True)
    compiled_now, loaded_now = _count_cache_events(jit)
    return WarmupSummary(
        n_kernels=sum(bool(kernel.signatures) for kernel in jit.list_kernels()),
        n_compiled=compiled_now - compiled,
        n_loaded=loaded_now - loaded,
        seconds=time.perf_counter() - start,
        cache_folder=jit.find_cache_base(),
    )


def _choose_estimators(names, known):
    if names is None:
        return known
    unknown = [names] if isinstance(names, str) else [n for n in names if n not in known]
    if unknown:
        raise ValueError(
            f"estimators must be a list of names among {', '.join(known)}, got {unknown[0]!r}"
        )
    return {name: known[name] for name in names}


def _count_cache_events(jit):
    stats = [kernel.stats for kernel in jit.list_kernels()]
    return (
        sum(sum(s.cache_misses.values()) for s in stats),
        sum(sum(s.cache_hits.values()) for s in stats),
    )


def _warm_estimator(estimator_class):
    from sklearn.base import clone

    default = estimator_class()
    parameters = default.get_params(deep=False)
    default.set_params(**{k: v for k, v in _FEW.items() if isinstance(parameters.get(k), int)})
    if "max_components" in parameters:
        default.set_params(max_iter=2)
    tags = default.__sklearn_tags__()
    # To mixtures a wide table is a large covariance matrix, and no code of its own.
    shapes = _SHAPES[:1] if "covariance_type" in parameters else _SHAPES
    for X in _make_layouts(shapes, sparse=tags.input_tags.sparse):
        targets = _make_targets(tags, X)
        for y in targets:
            _fit_and_predict(default, X, y, weighted=False)
            _fit_and_predict(default, X, y, weighted=True)
        # An option selects code, not a layout of its own: crossing options with
        # layouts is enough, crossing them with each other is not needed.
        for options in _list_options(default, n_features=X.shape[1]):
            for y in targets if tags.estimator_type == "classifier" else targets[:1]:
                _fit_and_predict(clone(default).set_params(**options), X, y, weighted=True)


def _make_targets(tags, X):
    """One and two targets, or two and three classes, as far as the estimator takes them."""
    y = np.random.default_rng(1).standard_normal((X.shape[0], 2)).astype(X.dtype)
    if tags.estimator_type != "classifier":
        return [y[:, 0], y] if tags.target_tags.multi_output else [y[:, 0]]
    ranks = y[:, 0].argsort().argsort()
    return [ranks % 2, ranks % 3] if tags.classifier_tags.multi_class else [ranks % 2]


def _make_layouts(shapes, sparse):
    """Data of these shapes in every layout and precision that is compiled apart."""
    from scipy.sparse import csc_matrix, csr_matrix

    rng = np.random.default_rng(0)
    for shape in shapes:
        X = rng.standard_normal(shape)
        X[np.abs(X) < 0.5] = 0.0
        for dtype in (np.float64, np.float32):
            yield np.ascontiguousarray(X, dtype=dtype)
            yield np.asfortranarray(X, dtype=dtype)
            if sparse:
                yield csc_matrix(X, dtype=dtype)
                yield csr_matrix(X, dtype=dtype)


def _list_options(estimator, n_features):
    """Yield constructor arguments: each flag and named choice, one at a time."""
    defaults = estimator.get_params(deep=False)
    if "penalty_weights" in defaults:
        yield {"penalty_weights": np.ones(n_features)}
    if "cv" in defaults:
        yield {"cv": 2}
    for name, constraints in estimator._parameter_constraints.items():
        if name in defaults and name not in _NOT_CODE:
            for choice in _list_choices(constraints):
                if choice != defaults[name]:
                    yield {name: choice}


def _list_choices(constraints):
    if not isinstance(constraints, list):
        return
    for constraint in constraints:
        if isinstance(constraint, str) and constraint == "boolean":
            yield from (False, True)
        elif isinstance(getattr(constraint, "options", None), set):
            yield from sorted(o for o in constraint.options if isinstance(o, str))


def _fit_and_predict(estimator, X, y, weighted):
    from sklearn.utils.validation import has_fit_parameter

    parameters = {}
    if weighted and has_fit_parameter(estimator, "sample_weight"):
        parameters["sample_weight"] = np.random.default_rng(1).uniform(0.5, 1.5, X.shape[0])
    try:
        estimator.fit(X, y, **parameters)
    except (TypeError, ValueError):
        # Options and data that do not go together are refused before any kernel.
        return
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(estimator, method):
            getattr(estimator, method)(X)
