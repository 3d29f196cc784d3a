"""Portable kernels beside native ones, hot.

    python -m benchmarks.targets [--rounds N] [--target NAME] [CASE ...]

One process per target stays alive; processor times of equal calls are taken in turn, and the
ratio of their medians is printed. The kernels of both are compiled first where they are missing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

_SERVE = """
import json, sys, time, warnings
from functools import cache
warnings.simplefilter("ignore")
import numpy as np
import skextra
from skextra import ensemble, kernel_logistic, linear_model as lm, mixture, preprocessing as pp
from skextra import sampling, svm, tree
rng = np.random.default_rng(0)
X = rng.standard_normal((3000, 30)); wide = rng.standard_normal((100, 2000))
y = X[:, :5].sum(axis=1) + rng.standard_normal(3000); c = (y > 0).astype(int)
yw = wide[:, :5].sum(axis=1); cw = (yw > 0).astype(int); k = np.digitize(y, [-1, 1])
small, cs, ys = X[:500], c[:500], y[:500]
logits = rng.standard_normal((20000, 20)); positions = rng.uniform(0, 1000, (50000, 1))
forest = cache(lambda: ensemble.RandomForestClassifier(20, random_state=0).fit(X, c))
boosted = cache(lambda: ensemble.AdaBoostClassifier(n_estimators=20).fit(X, c))
cases = {
    "Lasso": lambda: lm.Lasso(0.01).fit(X, y),
    "Lasso, wide": lambda: lm.Lasso(0.05).fit(wide, yw),
    "LassoCV": lambda: lm.LassoCV().fit(small, ys),
    "ElasticNet, float32": lambda: lm.ElasticNet(0.01).fit(wide.astype(np.float32), yw),
    "MultiTaskLasso": lambda: lm.MultiTaskLasso(0.01).fit(X[:, 3:], X[:, :3]),
    "Ridge": lambda: lm.Ridge().fit(X, y),
    "LogisticRegression": lambda: lm.LogisticRegression().fit(X, c),
    "LogisticRegression, 3 classes": lambda: lm.LogisticRegression().fit(X, k),
    "LogisticRegression, L1, wide": lambda: lm.LogisticRegression(l1_ratio=1).fit(wide, cw),
    "SVC": lambda: svm.SVC().fit(small, cs),
    "LinearSVC": lambda: svm.LinearSVC().fit(X, c),
    "LinearSVC, hinge": lambda: svm.LinearSVC(loss="hinge").fit(X, c),
    "KernelLogisticRegression": lambda: kernel_logistic.KernelLogisticRegression().fit(small, cs),
    "DecisionTreeClassifier": lambda: tree.DecisionTreeClassifier(random_state=0).fit(X, c),
    "DecisionTreeRegressor": lambda: tree.DecisionTreeRegressor(random_state=0).fit(X, y),
    "RandomForestClassifier": lambda: ensemble.RandomForestClassifier(10, random_state=0).fit(X, c),
    "ExtraTreesRegressor": lambda: ensemble.ExtraTreesRegressor(10, random_state=0).fit(X, y),
    "forest, predict": lambda: forest().predict_proba(X),
    "AdaBoostClassifier": lambda: ensemble.AdaBoostClassifier(n_estimators=20).fit(X, c),
    "AdaBoost, predict": lambda: boosted().predict(X),
    "GaussianMixture": lambda: mixture.GaussianMixture(4, random_state=0, max_iter=10).fit(X),
    "GaussianMixture, diag": lambda: mixture.GaussianMixture(
        4, covariance_type="diag", random_state=0, max_iter=10).fit(X),
    "GumbelMaxSampler": lambda: sampling.GumbelMaxSampler().fit(logits).transform(logits),
    "GumbelSoftmaxSampler": lambda: sampling.GumbelSoftmaxSampler().fit(logits).transform(logits),
    "GumbelTopKSampler": lambda: sampling.GumbelTopKSampler(k=3).fit(logits).transform(logits),
    "SinusoidalEncoder": lambda: pp.SinusoidalEncoder().fit(positions).transform(positions),
    "RotaryEncoder": lambda: pp.RotaryEncoder().fit(logits).transform(logits),
}
print(json.dumps(list(cases)), flush=True)
for line in sys.stdin:
    case = cases[json.loads(line)]
    start, n = time.process_time(), 0
    while n < 1 or time.process_time() - start < 0.1:
        case(); n += 1
    print(json.dumps((time.process_time() - start) / n), flush=True)
"""


class _Process:
    def __init__(self, environment):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.cases = json.loads(self._process.stdout.readline())

    def time(self, case):
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def main(arguments=None):
    """Print the table, in Markdown."""
    from skextra._core.runtime.targets import describe_target, list_supported_targets

    parser = argparse.ArgumentParser(prog="python -m benchmarks.targets")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument(
        "--target", action="append", choices=list_supported_targets(), help="default: all"
    )
    options = parser.parse_args(arguments)
    targets = [None, *(options.target or list_supported_targets())]
    processes = [_Process(describe_target(target)) for target in targets]
    names = ["native", *targets[1:]]
    print(f"| case | native, ms | {' | '.join(f'{name} / native' for name in names[1:])} |")
    print(f"| --- | ---: |{' ---: |' * (len(names) - 1)}")
    for case in options.cases or processes[0].cases:
        for process in processes:
            process.time(case)
        rounds = [[process.time(case) for process in processes] for _ in range(options.rounds)]
        native, *others = (statistics.median(times) for times in zip(*rounds, strict=True))
        ratios = " | ".join(f"{other / native:.2f}" for other in others)
        print(f"| {case} | {1000 * native:.2f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
