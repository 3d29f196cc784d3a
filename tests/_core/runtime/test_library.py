"""Compiled and loaded kernels give the same bits, in fresh processes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# Its kernel calls others that are vectorized differently on their own and within it.
FIT = """
from skextra._core.svm.interior_point import minimize_squared
from skextra.svm import LinearSVC
from tests.common.estimators import make, make_data

coef = make(LinearSVC).fit(*make_data(LinearSVC, 1200, 12)).coef_
print(coef.tobytes().hex(), sum(minimize_squared.stats.cache_hits.values()))
"""


def fit_in_new_process(folder):
    environment = {**os.environ, "SKEXTRA_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", FIT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    coef, n_loaded = done.stdout.split()
    return coef, int(n_loaded)


def test_loaded_kernels_give_the_bits_of_compiled_ones(tmp_path):
    compiled, n_loaded = fit_in_new_process(tmp_path)
    assert n_loaded == 0
    loaded, n_loaded = fit_in_new_process(tmp_path)
    assert n_loaded == 1
    assert loaded == compiled
