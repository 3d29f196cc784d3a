"""Fit every estimator of the installed package, and fail if numba compiles anything.

Run by the wheel's continuous integration in a fresh environment with ``SKEXTRA_CACHE=0``.
Compilations are counted by numba's own events: each pass of its compiler over a function.
"""

import sys
import time
import warnings

import numpy as np
from numba.core import event
from scipy import sparse

import skextra

_METHODS = (
    "predict", "predict_proba", "predict_log_proba", "decision_function", "transform",
    "apply", "score_samples",
)  # fmt: skip
_FEW = {"n_estimators": 5, "max_components": 2}
_SHAPES = ((200, 10), (60, 400))


class _Compilations(event.Listener):
    def __init__(self):
        self.names = set()

    def on_start(self, event):
        self.names.add(f"{event.data['qualname']}{event.data['args']}")

    def on_end(self, event):
        pass


def _make_layouts(X, takes_sparse):
    for dtype in (np.float64, np.float32):
        dense = X.astype(dtype)
        read_only = dense.copy()
        read_only.flags.writeable = False
        yield from (dense, np.asfortranarray(dense), read_only, np.repeat(dense, 2, axis=1)[:, ::2])
        if takes_sparse:
            yield from (sparse.csr_array(dense), sparse.csc_array(dense), sparse.csr_matrix(dense))


def _make_targets(tags, X):
    y = X[:, 0] + np.random.default_rng(1).standard_normal(len(X))
    if not tags.target_tags.single_output:
        y = np.column_stack([y, X[:, 1]])
    if tags.estimator_type != "classifier":
        return [y, y.astype(np.float32)]
    ranks = y.argsort().argsort()
    multi_class = tags.classifier_tags.multi_class
    return [ranks % 2, ranks % 3] if multi_class else [ranks % 2]


def _use(estimator_class):
    """Fit and predict; the number of fits."""
    default = estimator_class()
    tags, parameters = default.__sklearn_tags__(), default.get_params(deep=False)
    # Few trees and components run the code of many.
    few = {name: value for name, value in _FEW.items() if name in parameters}
    is_mixture = "reg_covar" in parameters
    n_fits = 0
    for shape in _SHAPES[:1] if is_mixture else _SHAPES:
        data = np.random.default_rng(0).standard_normal(shape)
        data[np.abs(data) < 0.3] = 0.0
        targets = _make_targets(tags, data)
        for X in _make_layouts(data, tags.input_tags.sparse):
            for y in targets:
                model = estimator_class(**few).fit(X, y)
                n_fits += 1
                for method in _METHODS:
                    if hasattr(model, method):
                        getattr(model, method)(X)
    return n_fits


def main():
    """Check all estimators; exit status 1 if anything was compiled."""
    compilations = _Compilations()
    event.register("numba:run_pass", compilations)
    failed = False
    for name, estimator_class in skextra.all_estimators():
        compilations.names.clear()
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            n_fits = _use(estimator_class)
        seconds = time.perf_counter() - start
        n_compiled = len(compilations.names)
        print(f"{name}: {n_fits} fits in {seconds:.1f} s, {n_compiled} compiled", flush=True)
        for kernel in sorted(compilations.names):
            print(f"    {kernel}")
        failed |= bool(compilations.names)
    sys.exit(failed)


if __name__ == "__main__":
    main()
