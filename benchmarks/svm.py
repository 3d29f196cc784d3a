"""``python -m benchmarks.svm``: support vector machines against scikit-learn's, interleaved.

Every contestant's accuracy is measured by one function on its own problem: the duality
gap of what it returned (kernels), or the objective above a certified lower bound
(linear; liblinear penalizes the intercept, and is judged on the problem with a column of
ones). Both relative to the objective of the best constant. The clock is that of the
process, so that others on the machine do not count; BLAS has one thread.
"""

import argparse
import os
import statistics
import sys
import time
import warnings

os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks import _classification as data, _report
from skextra._compare._timing import time_in_turns

#: Relative accuracy that linear machines have to reach.
TARGET = 1e-4
_LADDER = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def make_dense(n_samples, n_features, noise=1.0):
    """Two overlapping classes of standard normal features, a third of which count."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    signal = X @ (rng.standard_normal(n_features) * (rng.random(n_features) < 0.35))
    signal += 0.7 * X[:, 0] * X[:, 1]
    return X, (signal + noise * signal.std() * rng.standard_normal(n_samples) > 0.3).astype(int)


def load(name, quick):
    """Training data by name, or None if it is not installed here."""
    if name.startswith("dense"):
        n, d = map(int, name.split("-")[1:])
        return make_dense(n // 10 if quick and n > 1000 else n, d)
    loaders = {
        "digits": lambda: data.load_bundled("digits"),
        "fashion": lambda: data.load_fashion(500 if quick else 5_000),
        "farm-ads": lambda: data.load_farm_ads(4 if quick else 1),
        "reviews": lambda: data.load_reviews("Recommended IND", 2_000 if quick else None),
    }
    problem = loaders[name]()
    if problem is None:
        return None
    X = problem.X if sparse.issparse(problem.X) else np.nan_to_num(problem.X)
    return (sparse.csr_matrix(X) if sparse.issparse(X) else X), problem.y


SVC_CASES = (
    ("dense-20000-20", {"C": 1.0}),
    ("dense-5000-20", {"C": 1.0}),
    ("dense-5000-20", {"C": 100.0}),
    ("dense-500-20", {"C": 1.0}),
    ("dense-500-20", {"C": 100.0}),
    ("dense-3000-20", {"C": 1.0, "kernel": "precomputed"}),
    ("farm-ads", {"C": 1.0, "gamma": 1.0}),
    ("digits", {"C": 1.0}),
    ("fashion", {"C": 1.0}),
)
LINEAR_CASES = (
    ("dense-50000-50", {"C": 0.01, "loss": "hinge"}),
    ("dense-50000-50", {"C": 1.0, "loss": "hinge"}),
    ("dense-50000-50", {"C": 100.0, "loss": "hinge"}),
    ("dense-50000-50", {"C": 1.0}),
    ("dense-500-20", {"C": 1.0, "loss": "hinge"}),
    ("dense-500-20", {"C": 1.0}),
    ("farm-ads", {"C": 1.0, "loss": "hinge"}),
    ("reviews", {"C": 1.0, "loss": "hinge"}),
    ("reviews", {"C": 1.0}),
)
#: Little data, everything at its default: the estimator and its options.
DEFAULT_CASES = (("SVC", {}), ("LinearSVC", {}), ("LinearSVC", {"loss": "hinge"}))
_LITTLE = ("iris", "wine", "breast_cancer", "digits")
_MANY_ROUNDS = 15  # of fits that take milliseconds


def measure_kernel_gap(model, X, y):
    """Duality gap of a kernel machine of two classes; NaN for more."""
    if len(model.classes_) > 2:
        return np.nan
    signs = np.where(y == model.classes_[1], 1.0, -1.0)
    scores = model.decision_function(X)
    beta = model.dual_coef_
    beta = (beta.toarray() if sparse.issparse(beta) else beta)[0]
    square = beta @ (scores[model.support_] - model.intercept_[0])
    primal = 0.5 * square + model.C * np.maximum(0.0, 1.0 - signs * scores).sum()
    null = 2.0 * model.C * min((signs > 0).sum(), (signs < 0).sum())
    return float((primal - (np.abs(beta).sum() - 0.5 * square)) / null)


class LinearJudge:
    """Objective above the optimum of the problem that a linear machine solves."""

    def __init__(self, X, y, C, loss):
        from skextra._core.svm import linear
        from skextra.svm._one_vs_rest import to_double

        self.X, self.signs, self.C = X, np.where(y == np.max(y), 1.0, -1.0), C
        self.is_squared = loss == "squared_hinge"
        stack = sparse.hstack if sparse.issparse(X) else np.hstack
        extended = stack([X, np.ones((X.shape[0], 1))])
        self.bounds = []
        for matrix, fit_intercept in ((X, True), (extended, False)):
            machine = linear.solve(
                to_double(matrix), self.signs, np.full(len(y), C), is_squared=self.is_squared,
                is_sparse_penalty=False, fit_intercept=fit_intercept, tol=1e-6, max_iter=3000,
            )  # fmt: skip
            value = self.evaluate(machine.coef, machine.intercept, matrix)
            null = self.evaluate(0 * machine.coef, 0.0, matrix)
            self.bounds.append(value - machine.gap * null)
        counts = np.bincount(y - y.min())
        self.null = 2.0 * C * counts.min() if not self.is_squared else C * len(y)

    def evaluate(self, coef, intercept, X=None):
        missed = np.maximum(
            0.0, 1.0 - self.signs * ((self.X if X is None else X) @ coef + intercept)
        )
        return 0.5 * coef @ coef + self.C * (missed**2 if self.is_squared else missed).sum()

    def measure(self, model, penalizes_intercept):
        b = float(model.intercept_[0])
        value = self.evaluate(model.coef_[0], b)
        if penalizes_intercept:
            value += 0.5 * b * b
        return (value - self.bounds[penalizes_intercept]) / self.null


def time_calls(calls, repeat):
    """Median seconds of each, taken in turns."""
    times = time_in_turns(calls, repeat, time.process_time)
    return {name: statistics.median(values) for name, values in times.items()}


def run_kernel_case(name, options, quick, repeat):
    """Print a case of `SVC`."""
    from sklearn.metrics.pairwise import rbf_kernel
    from sklearn.svm import SVC as SklearnSVC

    from skextra.svm import SVC

    loaded = load(name, quick)
    if loaded is None:
        return
    X, y = loaded
    if options.get("kernel") == "precomputed":
        X = rbf_kernel(X, gamma=1.0 / X.shape[1])
    models = {"skextra": SVC(**options), "scikit-learn": SklearnSVC(**options)}
    gaps = {key: measure_kernel_gap(model.fit(X, y), X, y) for key, model in models.items()}
    calls = {key: (lambda model=model: model.fit(X, y)) for key, model in models.items()}
    times = time_calls(calls, repeat)
    show(f"SVC {name} {X.shape[0]:,} x {X.shape[1]:,}", options, times, gaps)


def run_linear_case(name, options, quick, repeat, timeout):
    """Print a case of `LinearSVC`: each at the loosest tolerance that reaches the target."""
    from sklearn.svm import LinearSVC as SklearnLinearSVC

    from skextra.svm import LinearSVC

    loaded = load(name, quick)
    if loaded is None:
        return
    X, y = loaded
    judge = LinearJudge(X, y, options["C"], options.get("loss", "squared_hinge"))
    chosen, errors = {}, {}
    for key, cls in (("skextra", LinearSVC), ("scikit-learn", SklearnLinearSVC)):
        for tol in _LADDER:
            model = cls(**options, tol=tol, max_iter=100_000, random_state=0)
            start = time.process_time()
            error = judge.measure(model.fit(X, y), key != "skextra")
            took = time.process_time() - start
            chosen[key], errors[key] = model, error
            if error <= TARGET or took > timeout:
                break
    calls = {key: (lambda model=model: model.fit(X, y)) for key, model in chosen.items()}
    times = time_calls(calls, repeat)
    show(f"LinearSVC {name} {X.shape[0]:,} x {X.shape[1]:,}", options, times, errors)


def run_default_case(name, estimator, options, repeat):
    """Print a case of little standardized data: both at their defaults."""
    import sklearn.datasets
    import sklearn.svm
    from sklearn.preprocessing import StandardScaler

    import skextra.svm

    X, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    packages = {"skextra": skextra.svm, "scikit-learn": sklearn.svm}
    models = {key: getattr(package, estimator)(**options) for key, package in packages.items()}
    calls = {key: (lambda model=model: model.fit(X, y)) for key, model in models.items()}
    for call in calls.values():
        call()
    errors = dict.fromkeys(models, np.nan)
    if len(np.unique(y)) == 2 and estimator == "SVC":
        errors = {key: measure_kernel_gap(model, X, y) for key, model in models.items()}
    elif len(np.unique(y)) == 2:
        judge = LinearJudge(X, y, 1.0, options.get("loss", "squared_hinge"))
        errors = {key: judge.measure(model, key != "skextra") for key, model in models.items()}
    times = time_calls(calls, max(repeat, _MANY_ROUNDS))
    show(f"defaults {estimator} {name} {X.shape[0]:,} x {X.shape[1]:,}", options, times, errors)


def show(title, options, times, errors):
    print("\n" + ", ".join([title, *(f"{k}={v}" for k, v in options.items())]))
    ours = times["skextra"]
    for name, seconds in times.items():
        shown = f"{_report.format_seconds(seconds):>10}  {seconds / ours:5.3g}x"
        print(f"  {name:13} {shown}   accuracy {errors[name]:.1e}", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.svm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller problems")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds (3)")
    parser.add_argument("--case", default="", help="part of a case's name")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="of a call (30)")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = " ".join(["python -m benchmarks.svm", *given])
    print(*_report.describe_machine(command), sep="\n", flush=True)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, parameters in SVC_CASES:
            if options.case in f"SVC {name}":
                run_kernel_case(name, parameters, options.quick, options.repeat)
        for name, parameters in LINEAR_CASES:
            if options.case in f"LinearSVC {name}":
                run_linear_case(name, parameters, options.quick, options.repeat, options.timeout)
        for estimator, parameters in DEFAULT_CASES:
            for name in _LITTLE:
                if options.case in f"defaults {estimator} {name}":
                    run_default_case(name, estimator, parameters, options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
