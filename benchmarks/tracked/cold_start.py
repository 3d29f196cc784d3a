"""What the first call of a process costs: import, and a first fit without and with a cache."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_CODE = """
import sys
sys.path.append({checkout!r})
sys.path.append({benchmarks!r})
import time
import numpy, scipy.sparse, sklearn.base
from tracked._cases import CASES
start = time.perf_counter()
CASES[{case!r}]()()
print(time.perf_counter() - start)
"""
_IMPORT = """
import numpy, scipy.sparse, sklearn.linear_model
import time
start = time.perf_counter()
import skextra.linear_model
print(time.perf_counter() - start)
"""
#: One case per family, small: the rest of a first call is what all sizes share.
FIRST_FITS = (
    "linear_model tiny",
    "logistic tiny-iris",
    "SVC dense-500-20 {'C': 100.0}",
    "DecisionTree synthetic-5k",
    "AdaBoost cancer, stumps",
    "GaussianMixture iris-full",
)


def _run(code, cache):
    caches = dict.fromkeys(("SKEXTRA_CACHE_DIR", "NUMBA_CACHE_DIR"), cache)
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | caches,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(process.stdout)


def _time_first_fit(case, cache):
    paths = {"checkout": str(_CHECKOUT), "benchmarks": str(_CHECKOUT / "benchmarks")}
    return _run(_CODE.format(case=case, **paths), cache)


class FirstFit:
    """Seconds to import an estimator, make its data and fit it, in a fresh process."""

    params = list(FIRST_FITS)
    param_names = ["case"]
    timeout = 900
    unit = "s"

    def setup(self, case):
        self._cache = tempfile.TemporaryDirectory()

    def teardown(self, case):
        self._cache.cleanup()

    def track_with_empty_cache(self, case):
        return _time_first_fit(case, self._cache.name)

    def track_with_compiled_kernels(self, case):
        _time_first_fit(case, self._cache.name)
        return min(_time_first_fit(case, self._cache.name) for _ in range(3))


def track_import():
    """Seconds of ``import skextra.linear_model`` beyond those of scikit-learn."""
    return min(_run(_IMPORT, "") for _ in range(5))


track_import.unit = "s"
