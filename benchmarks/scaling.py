"""``python -m benchmarks.scaling``: data in blocks beside data in memory.

Writes standard normal features, a linear target and two classes to parquet files, then fits each
model in a fresh process: from the files in blocks, and, with ``--in-memory``, from arrays that
are read whole. Printed are processor time, wall time, how far the process grew beyond what it
held with all packages loaded, the certificate, and the largest difference from the coefficients
in blocks relative to the largest.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks._worker import _measure_peak

GROUP_ROWS = 250_000
MODELS = {
    "Ridge": "Ridge()",
    "RidgeCV": "RidgeCV(alphas=(1, 10, 100))",
    "LassoCV": "LassoCV()",
    "LogisticRegression": "LogisticRegression()",
}


def write_data(folder, n_rows, n_features):
    """Parquet files of at most a million rows each, in row groups."""
    import pyarrow
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    weights = np.arange(n_features) % 5
    for part in range(-(-n_rows // 1_000_000)):
        n = min(1_000_000, n_rows - part * 1_000_000)
        X = rng.standard_normal((n, n_features))
        table = {f"x{j}": X[:, j] for j in range(n_features)}
        signal = X @ weights
        table["y"] = signal + rng.standard_normal(n)
        table["label"] = (signal + rng.standard_normal(n) * 5 > 0).astype(np.int64)
        path = Path(folder) / f"part-{part:04}.parquet"
        parquet.write_table(pyarrow.table(table), path, row_group_size=GROUP_ROWS)


def measure(folder, model, n_features, in_memory):
    """Fit in this process; what it took as a dictionary."""
    import pyarrow.dataset  # noqa: F401

    from skextra.linear_model import (  # noqa: F401
        ElasticNet,
        Lasso,
        LassoCV,
        LogisticRegression,
        Ridge,
        RidgeCV,
    )
    from skextra.utils import Blocks

    estimator = eval(model)
    target = "label" if "Logistic" in model else "y"
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    type(estimator)().fit(X, X[:, 0] > 0 if target == "label" else X[:, 0])
    names = [f"x{j}" for j in range(n_features)]

    def fit():
        data = [Blocks.from_parquet(folder, columns) for columns in (names, target)]
        if in_memory:
            data = [np.concatenate(list(blocks)) for blocks in data]
        return estimator.fit(*data)

    cpu = time.process_time()
    _, wall, peak = _measure_peak(fit)
    return {
        "cpu": time.process_time() - cpu,
        "wall": wall,
        "peak": peak,
        "coef": estimator.coef_.ravel().tolist(),
        "gap": float(np.max(estimator.dual_gap_)),
    }


def main():
    """Measure every model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--model", action="append", choices=list(MODELS))
    parser.add_argument("--in-memory", action="store_true", help="also read whole")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, model, where = options.measure
        print(json.dumps(measure(folder, model, options.features, where == "memory")))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_data(folder, options.rows, options.features)
        print(f"{options.rows:,} rows of {options.features} features")
        print(
            f"{'model':40} {'where':8} {'CPU':>8} {'wall':>8} {'MiB':>7} {'gap':>8} {'differs':>8}"
        )
        for name in options.model or MODELS:
            coefs = {}
            for where in ("blocks", *(["memory"] if options.in_memory else [])):
                command = [sys.executable, "-m", "benchmarks.scaling", "--features"]
                command += [str(options.features), "--measure", folder, MODELS[name], where]
                result = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                coefs[where] = np.array(result["coef"])
                differs = (
                    np.abs(coefs[where] - coefs["blocks"]).max() / np.abs(coefs["blocks"]).max()
                )
                print(
                    f"{MODELS[name]:40} {where:8} {result['cpu']:7.2f}s {result['wall']:7.2f}s "
                    f"{result['peak']:7.0f} {result['gap']:8.1e} {differs:8.1e}"
                )


if __name__ == "__main__":
    main()
