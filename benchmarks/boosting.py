"""AdaBoost: ``python -m benchmarks.boosting [--quick] [--repeat N] [--case NAME]``.

Ours and scikit-learn's AdaBoost with the same parameters on the same split, in turns:
medians of the time to fit and to predict the test rows, and what the models reach there.
Both do the same rounds with the same learners, so that the test scores agree but for
splits of equal gain; ``rounds`` says how many both took.
"""

import argparse
import os
import statistics
import sys
from dataclasses import dataclass
from functools import partial

# Read when the libraries load.
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import _data, _report
from skextra._compare._timing import time_in_turns


@dataclass(frozen=True)
class Case:
    """Data and parameters; `max_depth` None is the default estimator."""

    name: str
    load: object
    kind: str = "classifier"
    max_depth: int | None = None
    n_estimators: int = 50


def _make_classification(n_samples, n_features, n_classes=2):
    def load():
        from sklearn.datasets import make_classification

        return make_classification(
            n_samples, n_features, n_informative=max(3, n_features // 3), n_classes=n_classes,
            flip_y=0.1, random_state=0,
        )  # fmt: skip

    return load


def _make_friedman(n_samples):
    def load():
        from sklearn.datasets import make_friedman1

        return make_friedman1(n_samples, n_features=20, noise=1.0, random_state=0)

    return load


def _load_sklearn(name):
    def load():
        from sklearn import datasets

        return getattr(datasets, f"load_{name}")(return_X_y=True)

    return load


def _load_table(name, target):
    def load():
        path = _data.find_file(f"{name}.csv.gz")
        if path is None:
            return None
        import pandas as pd

        table = pd.read_csv(path).dropna()
        y = table.pop(target)
        return table.select_dtypes("number").to_numpy(np.float64), y.to_numpy()

    return load


def _load_covtype():
    path = _data.find_file("covtype.npz")
    if path is None:
        return None
    data = np.load(path)
    rows = np.random.default_rng(0).choice(len(data["y"]), 20_000, replace=False)
    return data["X"][rows].astype(np.float64), data["y"][rows]


CASES = (
    Case("iris, stumps", _load_sklearn("iris")),
    Case("cancer, stumps", _load_sklearn("breast_cancer")),
    Case("tiny 200 x 5, stumps", _make_classification(200, 5)),
    Case("digits, stumps", _load_sklearn("digits")),
    Case("synthetic 10,000 x 20, stumps", _make_classification(10_000, 20)),
    Case("elec2, stumps", _load_table("elec2", "up"), n_estimators=20),
    Case("covtype 20,000 rows, stumps", _load_covtype, n_estimators=10),
    Case("cancer, depth 3", _load_sklearn("breast_cancer"), max_depth=3),
    Case("synthetic 10,000 x 20, depth 3", _make_classification(10_000, 20), max_depth=3),
    Case("elec2, depth 3", _load_table("elec2", "up"), max_depth=3, n_estimators=20),
    Case("covtype 20,000 rows, depth 3", _load_covtype, max_depth=3, n_estimators=10),
    Case("diabetes, R2", _load_sklearn("diabetes"), "regressor"),
    Case("friedman 10,000 x 20, R2", _make_friedman(10_000), "regressor", n_estimators=20),
    Case("california, R2", _load_table("california_housing", "MedHouseVal"), "regressor",
         n_estimators=20),
)  # fmt: skip


def make_models(case):
    """Unfitted models by contestant."""
    import sklearn.ensemble
    import sklearn.tree

    import skextra.ensemble

    suffix = "Classifier" if case.kind == "classifier" else "Regressor"
    models = {}
    for name, module in (("skextra", skextra.ensemble), ("scikit-learn", sklearn.ensemble)):
        tree = None
        if case.max_depth is not None:
            tree = getattr(sklearn.tree, f"DecisionTree{suffix}")(max_depth=case.max_depth)
        cls = getattr(module, f"AdaBoost{suffix}")
        models[name] = cls(tree, n_estimators=case.n_estimators, random_state=0)
    return models


def run_case(case, repeat, quick):
    """Medians and scores of each contestant, or None without the data."""
    from sklearn.model_selection import train_test_split

    data = case.load()
    if data is None:
        return None
    X, y = data
    if quick and len(X) > 4000:
        rows = np.random.default_rng(0).choice(len(X), 4000, replace=False)
        X, y = X[rows], y[rows]
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
    models = make_models(case)
    models["skextra"].fit(X, y).predict(X_test)  # compiles, loads
    fits = time_in_turns({k: partial(model.fit, X, y) for k, model in models.items()}, repeat)
    predictions = time_in_turns(
        {k: partial(model.predict, X_test) for k, model in models.items()}, repeat
    )
    return {
        name: (
            statistics.median(fits[name]),
            statistics.median(predictions[name]),
            model.score(X_test, y_test),
            int((model.estimator_weights_ > 0).sum()),
        )
        for name, model in models.items()
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boosting")
    parser.add_argument("--quick", action="store_true", help="4,000 rows at most")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds (3)")
    parser.add_argument("--case", action="append", metavar="NAME", help="part of a case's name")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = " ".join(["python -m benchmarks.boosting", *given])
    print(*_report.describe_machine(command), sep="\n", flush=True)
    columns = ("fit", "scikit-learn", "predict", "scikit-learn")
    print(f"\n{'case':32}" + "".join(f"{name:>13}" for name in columns), end="")
    print(f"{'test score':>12}{'scikit-learn':>13}{'rounds':>9}")
    for case in CASES:
        if options.case and not any(part in case.name for part in options.case):
            continue
        results = run_case(case, options.repeat, options.quick)
        if results is None:
            print(f"{case.name:32}  its data set is not on this machine")
            continue
        ours, theirs = results["skextra"], results["scikit-learn"]
        cells = []
        for part in (0, 1):
            cells += [_report.format_seconds(ours[part]), f"{theirs[part] / ours[part]:.2g}x"]
        rounds = str(ours[3]) if ours[3] == theirs[3] else f"{ours[3]}/{theirs[3]}"
        print(f"{case.name:32}" + "".join(f"{cell:>13}" for cell in cells), end="")
        print(f"{ours[2]:12.4f}{theirs[2]:13.4f}{rounds:>9}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
