"""Trees and forests: ``python -m benchmarks.ensemble [--quick] [--cpu] [--repeat N] [--accuracy]``.

Times of ours and of scikit-learn's on the same rows, one thread each, in turns; medians and
their ratio, with the held-out score of both. scikit-learn-intelex, LightGBM's forest and YDF
stand beside them where they are installed. ``--accuracy`` prints, instead of times, the paired
differences of held-out and out-of-bag scores over ten seeds on every data set.
"""

import argparse
import os
import pickle
import statistics
import sys
import time
import warnings
from functools import partial
from importlib.util import find_spec

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import _report
from benchmarks._data import find_file
from skextra._compare._timing import time_in_turns

CLASSIFICATION = ("tiny", "elec2", "synthetic-5k", "synthetic-100k", "covtype", "fashion")
MODELS = ("RandomForest", "ExtraTrees", "DecisionTree")
REGRESSION = ("california", "diamonds", "friedman-10k")
_SHIPPED = ("iris", "wine", "cancer", "digits", "diabetes")


def load(name, quick):
    """Training and test rows of a data set, or None where its file is absent."""
    X, y = _load_all(name) or (None, None)
    if X is None:
        return None
    order = np.random.default_rng(0).permutation(len(y))[: 5_000 if quick else 50_000]
    if name == "synthetic-100k" and not quick:
        order = np.arange(len(y))
    n_test = len(order) // 5
    X, y = np.ascontiguousarray(X[order], dtype=np.float32), y[order]
    return X[n_test:], y[n_test:], X[:n_test], y[:n_test]


def _load_all(name):
    rng = np.random.default_rng(0)
    if name in _SHIPPED:
        import sklearn.datasets

        name = {"cancer": "breast_cancer"}.get(name, name)
        return getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    if name == "tiny" or name.startswith(("synthetic", "friedman")):
        n = {"tiny": 250, "synthetic-5k": 6_250, "friedman-10k": 12_500}.get(name, 125_000)
        X = rng.standard_normal((n, 20))
        signal = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3]) + rng.standard_normal(n)
        return X, signal if name.startswith("friedman") else (signal > 0).astype(int)
    return _load_file(name)


def _load_file(name):
    import pandas as pd

    files = {
        "elec2": ("elec2.csv.gz", "up"),
        "california": ("california_housing.csv.gz", "MedHouseVal"),
        "diamonds": ("diamonds.csv.gz", "price"),
        "covtype": ("covtype.npz", "y"),
        "fashion": ("fashion_mnist.npz", "y_train"),
    }
    file, target = files[name]
    path = find_file(file)
    if path is None:
        return None
    if file.endswith(".npz"):
        arrays = np.load(path, allow_pickle=False)
        X = arrays["X" if name == "covtype" else "X_train"]
        return X.reshape(len(X), -1), arrays[target]
    table = pd.read_csv(path)
    y = table.pop(target).to_numpy()
    for column in table.select_dtypes(exclude="number"):
        table[column] = table[column].astype("category").cat.codes
    return table.to_numpy(), y


class YdfForest:
    """YDF's random forest, exact splits and full trees, with scikit-learn's face."""

    def __init__(self, kind, n_estimators=100, random_state=0):
        self.kind, self.n_estimators, self.random_state = kind, n_estimators, random_state

    def _tabulate(self, X):
        return {f"feature {j}": X[:, j] for j in range(X.shape[1])}

    def fit(self, X, y):
        import ydf

        ydf.verbose(0)
        is_classifier = self.kind == "classification"
        learner = ydf.RandomForestLearner(
            label="target",
            task=ydf.Task.CLASSIFICATION if is_classifier else ydf.Task.REGRESSION,
            num_trees=self.n_estimators, random_seed=self.random_state, num_threads=1, max_depth=-1,
            min_examples=1, winner_take_all=False, compute_oob_performances=False,
            num_candidate_attributes_ratio=-1.0 if is_classifier else 1.0,
        )  # fmt: skip
        target = y.astype(str) if is_classifier else y.astype(float)
        self.model_ = learner.train({**self._tabulate(X), "target": target})
        return self

    def predict(self, X):
        raw = self.model_.predict(self._tabulate(X))
        if self.kind != "classification":
            return raw
        classes = np.array(self.model_.label_classes())
        return classes[raw.argmax(axis=1) if raw.ndim == 2 else (raw > 0.5).astype(int)]

    def score(self, X, y):
        if self.kind == "classification":
            return np.mean(self.predict(X) == y.astype(str))
        return 1.0 - np.mean((self.predict(X) - y) ** 2) / np.var(y)

    def __getstate__(self):
        return self.model_.serialize()


def list_contestants(kind, model):
    """Constructors by name: ours, scikit-learn's, and what else is installed."""
    import sklearn.ensemble
    import sklearn.tree

    import skextra.ensemble
    import skextra.tree

    suffix = "Classifier" if kind == "classification" else "Regressor"
    module = "tree" if model == "DecisionTree" else "ensemble"
    found = {
        package.__name__.partition(".")[0]: getattr(package, model + suffix)
        for package in (getattr(skextra, module), getattr(sklearn, module))
    }
    if model != "RandomForest":
        return found
    try:
        import sklearnex.ensemble

        found["sklearnex"] = getattr(sklearnex.ensemble, model + suffix)
    except ImportError:
        pass
    try:
        import lightgbm

        cls = getattr(lightgbm, "LGBM" + suffix)
        found["lightgbm"] = lambda n_estimators=100, **options: cls(
            boosting_type="rf", n_estimators=n_estimators, num_leaves=2**14, bagging_freq=1,
            bagging_fraction=0.632, feature_fraction_bynode=0.5, min_child_samples=1, n_jobs=1,
            verbose=-1, **options,
        )  # fmt: skip
    except ImportError:
        pass
    if find_spec("ydf"):
        found["ydf"] = partial(YdfForest, kind)
    return found


def run_case(name, kind, model, options):
    """Print a table: a line per contestant."""
    rows = load(name, options.quick)
    if rows is None:
        return
    X, y, X_test, y_test = rows
    clock = time.process_time if options.cpu else time.perf_counter
    settings = {"random_state": 0}
    if model != "DecisionTree":
        settings["n_estimators"] = options.trees
    contestants = list_contestants(kind, model)
    models = {contestant: cls(**settings) for contestant, cls in contestants.items()}
    for fitted in models.values():
        fitted.fit(X[:200], y[:200]).predict(X_test)  # compiles, loads
    fits, predictions = (
        [statistics.median(times) for times in time_in_turns(calls, options.repeat, clock).values()]
        for calls in (
            {name: partial(fitted.fit, X, y) for name, fitted in models.items()},
            {name: partial(fitted.predict, X_test) for name, fitted in models.items()},
        )
    )
    scores = {
        contestant: (fitted.score(X_test, y_test), len(pickle.dumps(fitted)))
        for contestant, fitted in models.items()
    }
    print(f"\n{model}, {name}, {len(X):,} x {X.shape[1]}")
    for i, contestant in enumerate(contestants):
        score, size = scores[contestant]
        print(
            f"  {contestant:10} fit {_report.format_seconds(fits[i]):>9} {fits[i] / fits[0]:5.2f}x"
            f"   predict {_report.format_seconds(predictions[i]):>9} "
            f"{predictions[i] / predictions[0]:5.2f}x   score {score:.4f}   {size / 2**20:.2f} MiB",
            flush=True,
        )


def compare_accuracy(options):
    """Paired differences of scores over seeds, ours less scikit-learn's, with their errors."""
    sets = [(name, "classification") for name in ("iris", "wine", "cancer", "digits")]
    sets += [(name, "classification") for name in CLASSIFICATION]
    sets += [(name, "regression") for name in ("diabetes", *REGRESSION)]
    print(f"\n{'data':16}{'held-out':>12}{'s.e.':>10}{'out-of-bag':>14}{'s.e.':>10}")
    for name, kind in sets:
        rows = load(name, quick=True)
        if rows is None:
            continue
        X, y, X_test, y_test = rows
        ours, theirs = list(list_contestants(kind, "RandomForest").values())[:2]
        differences = []
        for seed in range(10):
            pair = [
                cls(options.trees, oob_score=True, random_state=s).fit(X, y)
                for cls, s in ((ours, seed), (theirs, 1000 + seed))
            ]
            held_out = [forest.score(X_test, y_test) for forest in pair]
            differences.append((held_out[0] - held_out[1], pair[0].oob_score_ - pair[1].oob_score_))
        mean = np.mean(differences, axis=0)
        error = np.std(differences, axis=0, ddof=1) / np.sqrt(len(differences))
        print(
            f"{name:16}{mean[0]:12.5f}{error[0]:10.5f}{mean[1]:14.5f}{error[1]:10.5f}", flush=True
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensemble")
    parser.add_argument("--quick", action="store_true", help="5,000 rows at most")
    parser.add_argument("--cpu", action="store_true", help="processor time, not wall time")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds (3)")
    parser.add_argument("--trees", type=int, default=100, metavar="N", help="trees (100)")
    parser.add_argument("--accuracy", action="store_true", help="scores over seeds, no times")
    parser.add_argument("--data", nargs="*", metavar="NAME", help="these data sets only")
    parser.add_argument("--models", nargs="*", default=MODELS, choices=MODELS, help="these only")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = " ".join(["python -m benchmarks.ensemble", *given])
    print(*_report.describe_machine(command), sep="\n", flush=True)
    warnings.simplefilter("ignore")
    if options.accuracy:
        compare_accuracy(options)
        return 0
    for model in options.models:
        for kind, names in (("classification", CLASSIFICATION), ("regression", REGRESSION)):
            for name in names:
                if not options.data or name in options.data:
                    run_case(name, kind, model, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
