"""First fits: what a user waits for in a fresh process, ours beside scikit-learn's.

    python -m benchmarks.first_fits [--rounds N] [--cpu-time] [ESTIMATOR ...]

Every row is a fresh process that imports one estimator and fits it on 200 x 10 data; then it
fits it once more (hot). The installed package is measured, with no cache of kernels: what a wheel
carries is loaded, all else is compiled. Rounds are interleaved, medians are printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

# Estimators that scikit-learn does not have, beside what one would use there.
_NEAREST = {
    "GaussianMixtureIC": "mixture.GaussianMixture",
    "DensityForest": "mixture.GaussianMixture",
    "VectorQuantizer": "cluster.KMeans",
    "KernelLogisticRegression": "svm.SVC",
    "KernelLogisticRegressionCV": "svm.SVC",
    "GumbelMaxSampler": "preprocessing.Normalizer",
    "GumbelSoftmaxSampler": "preprocessing.Normalizer",
    "GumbelTopKSampler": "preprocessing.Normalizer",
    "RotaryEncoder": "preprocessing.SplineTransformer",
    "SinusoidalEncoder": "preprocessing.SplineTransformer",
}
_LIST = """
import json, skextra
print(json.dumps([[name, c.__module__.split(".")[1]] for name, c in skextra.all_estimators()]))
"""
_FIT = """
import json, sys, time
package, module, name, clock = sys.argv[1:]
clock = time.process_time if clock == "cpu" else time.perf_counter
import numpy as np
rng = np.random.default_rng(0)
X = rng.standard_normal((200, 10))
y = X[:, 0] + rng.standard_normal(200)
begin = clock()
from importlib import import_module
Estimator = getattr(import_module(f"{package}.{module}"), name)
imported = clock()
def fit():
    start = clock()
    model = Estimator()
    classes = getattr(model, "_estimator_type", None) == "classifier" or hasattr(
        Estimator, "predict_proba") or name in ("SVC", "LinearSVC")
    several = name.startswith("MultiTask")
    model.fit(X, (y > 0).astype(int) if classes else np.column_stack([y, -y]) if several else y)
    if hasattr(model, "transform"):
        model.transform(X)
    return clock() - start
first, hot = fit(), min(fit() for _ in range(3))
print(json.dumps({"import": imported - begin, "first": first, "hot": hot}))
"""


def _run(code, *arguments):
    process = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", code, *arguments],
        cwd=tempfile.gettempdir(),
        env={**os.environ, "SKEXTRA_CACHE": "0", "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(process.stderr)
    return json.loads(process.stdout)


def _measure(names, rounds, clock):
    modules = dict(_run(_LIST))
    for name in names or modules:
        module = modules[name]
        peer = _NEAREST.get(name, f"{module}.{name}")
        times = {"skextra": [], "sklearn": []}
        for _ in range(rounds):
            times["skextra"].append(_run(_FIT, "skextra", module, name, clock))
            times["sklearn"].append(_run(_FIT, "sklearn", *peer.split("."), clock))
        medians = {
            package: {key: statistics.median(t[key] for t in runs) for key in runs[0]}
            for package, runs in times.items()
        }
        yield name, peer.split(".")[1], medians["skextra"], medians["sklearn"]


def main(arguments=None):
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_fits")
    parser.add_argument("estimators", nargs="*", metavar="ESTIMATOR")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--cpu-time", action="store_true", help="for a busy machine")
    options = parser.parse_args(arguments)
    clock = "cpu" if options.cpu_time else "wall"
    print("| estimator | import | first fit | hot | scikit-learn's | import | first fit | above |")
    print("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |")
    for name, peer, ours, theirs in _measure(options.estimators, options.rounds, clock):
        above = ours["import"] + ours["first"] - theirs["import"] - theirs["first"]
        print(
            f"| `{name}` | {ours['import']:.2f} | {ours['first']:.2f} | {ours['hot']:.3f} "
            f"| `{peer}` | {theirs['import']:.2f} | {theirs['first']:.3f} | {above:+.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
