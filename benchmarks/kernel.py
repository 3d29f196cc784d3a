"""Kernel machines: ``python -m benchmarks.kernel [CASE ...] [--quick] [--repeat N]``.

CPU seconds of ours and of scikit-learn's on the same data, in turns, one thread each; the
objective per sample that was reached, where both solve one problem or approximate it
from above (lower is better); and log-loss and calibration error on held-out rows. Case
`calibration` compares these on four real data sets.
"""

import argparse
import os
import resource
import statistics
import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial

# Read when the libraries load.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks import _classification, _report
from skextra._compare._timing import time_in_turns
from skextra.kernel_logistic import KernelLogisticRegression, KernelLogisticRegressionCV
from skextra.svm import SVC as OurSVC


@dataclass(frozen=True)
class Data:
    """Training and held-out rows, the width of the kernel, and the penalty."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    gamma: float
    C: float = 1.0


def make_waves(n, n_classes=2, d=10, seed=0):
    """Classes that are noisy sums of sines of projections: no linear model knows them."""
    rng = np.random.default_rng(seed)
    n_all = n + min(n, 5000)
    X = rng.standard_normal((n_all, d))
    waves = np.sin(X @ rng.standard_normal((d, 8)))
    scores = 1.5 * waves @ rng.standard_normal((8, n_classes))
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    return Data(X[:n], y[:n], X[n:], y[n:], 1.0 / d)


def compute_calibration_error(y, probabilities, n_bins=10):
    """Expected difference of the confidence in the most probable class and its accuracy."""
    confidence = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == y
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    sums = np.bincount(bins, weights=hit - confidence, minlength=n_bins)
    return float(np.abs(sums).sum() / len(y))


def compute_objective(data, model):
    """``C * mean loss + |f|^2 / (2 n)``, or None where the model does not tell its norm."""
    if isinstance(model, KernelLogisticRegression):
        points = model.X_fit_
        if len(points) > 10_000:
            return None
        square = sum(
            float((block @ model.dual_coef_.T * model.dual_coef_.T[start : start + 512]).sum())
            for start in range(0, len(points), 512)
            for block in [_compute_rbf(points[start : start + 512], points, data.gamma)]
        )
    elif hasattr(model, "steps"):
        square = float((model[-1].coef_ ** 2).sum())
    else:
        return None
    loss = log_loss(data.y, model.predict_proba(data.X))
    return data.C * loss + 0.5 * square / len(data.y)


def _compute_rbf(A, B, gamma):
    squares = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1) - 2.0 * A @ B.T
    return np.exp(-gamma * np.maximum(squares, 0.0))


# Contestants --------------------------------------------------------------------------


def fit_ours(data, **parameters):
    return KernelLogisticRegression(C=data.C, gamma=data.gamma, **parameters).fit(data.X, data.y)


def fit_calibrated(data):
    model = CalibratedClassifierCV(SVC(C=data.C, gamma=data.gamma), cv=5)
    return model.fit(data.X, data.y)


def fit_svc(data):
    return SVC(C=data.C, gamma=data.gamma).fit(data.X, data.y)


def fit_gaussian_process(data):
    kernel = ConstantKernel(data.C) * RBF(1.0 / np.sqrt(2.0 * data.gamma))
    return GaussianProcessClassifier(kernel, optimizer=None).fit(data.X, data.y)


def fit_nystroem(data, m, tol=1e-4):
    model = make_pipeline(
        Nystroem(gamma=data.gamma, n_components=m, random_state=0),
        LogisticRegression(C=data.C, max_iter=10_000, tol=tol),
    )
    return model.fit(data.X, data.y)


_GRID = {"C": np.logspace(-1, 2, 4), "gamma": np.array([0.03, 0.1, 0.3])}


def search_ours(data, **parameters):
    return KernelLogisticRegressionCV(_GRID["C"], _GRID["gamma"], **parameters).fit(data.X, data.y)


def search_grid(data, estimator):
    return GridSearchCV(estimator, _GRID, cv=5, scoring="neg_log_loss").fit(data.X, data.y)


def list_cases(quick):
    """Name, data and contestants of every case."""
    part = 8 if quick else 1
    m = 1000 // part
    return {
        "exact": (
            partial(make_waves, 8000 // part),
            {
                "skextra": fit_ours,
                "CalibratedClassifierCV(SVC)": fit_calibrated,
            },
        ),
        # Minutes a fit at this size, so a case of its own.
        "gaussian-process": (
            partial(make_waves, 8000 // part),
            {"skextra": fit_ours, "GaussianProcessClassifier": fit_gaussian_process},
        ),
        "exact-large": (
            partial(make_waves, 20_000 // part),
            {"skextra": partial(fit_ours, approximation=None)},
        ),
        "multinomial": (
            partial(make_waves, 5000 // part, 10),
            {"skextra": fit_ours, "SVC (no probabilities)": fit_svc},
        ),
        "nystroem": (
            partial(make_waves, 100_000 // part),
            {
                "skextra": partial(
                    fit_ours, approximation="nystroem", n_components=m, random_state=0
                ),
                # As good an objective as the other's, from fewer components.
                "skextra, 0.7 of the components": partial(
                    fit_ours, approximation="nystroem", n_components=7 * m // 10, random_state=0
                ),
                "Nystroem, LogisticRegression": partial(fit_nystroem, m=m),
            },
        ),
        "stream": (
            partial(make_waves, 1_000_000 // part),
            {
                "skextra": partial(
                    fit_ours, approximation="nystroem", n_components=500, random_state=0, tol=1e-4
                )
            },
        ),
        "search": (
            partial(make_waves, 1000 // part, 2, 6),
            {
                "skextra": search_ours,
                "skextra, 5 folds": partial(search_ours, cv=5),
                "GridSearchCV(skextra)": partial(
                    search_grid, estimator=KernelLogisticRegression()
                ),
                "GridSearchCV(CalibratedClassifierCV)": search_calibrated,
            },
        ),
    }  # fmt: skip


def search_calibrated(data):
    grid = {f"estimator__{name}": values for name, values in _GRID.items()}
    search = GridSearchCV(CalibratedClassifierCV(SVC(), cv=5), grid, cv=5, scoring="neg_log_loss")
    return search.fit(data.X, data.y)


def run_case(make, contestants, repeat):
    """Medians of `repeat` rounds, and what the models are worth."""
    data = make()
    few = Data(data.X[:300], data.y[:300], data.X_test, data.y_test, data.gamma)
    fit_ours(few)  # compiles
    fit_ours(few, approximation="nystroem")
    models = {}
    calls = {
        name: lambda name=name, fit=fit: models.update({name: fit(data)})
        for name, fit in contestants.items()
    }
    times = time_in_turns(calls, repeat, time.process_time)
    for name, model in models.items():
        seconds = statistics.median(times[name])
        ratio = seconds / statistics.median(times["skextra"])
        shown = f"  {name:38} {_report.format_seconds(seconds):>9} {ratio:6.3g}x"
        objective = compute_objective(data, model)
        shown += "            " if objective is None else f"  objective {objective:.6f}"
        if hasattr(model, "predict_proba"):
            P = model.predict_proba(data.X_test)
            shown += f"  log-loss {log_loss(data.y_test, P, labels=np.arange(P.shape[1])):.4f}"
        if hasattr(model, "dual_gap_"):
            shown += f"  gap {model.dual_gap_:.0e} in {model.n_iter_[0]} steps"
        print(shown, flush=True)
    if len(models) == 1:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  peak of the process, data and packages included: {peak:,.0f} MiB", flush=True)


# Calibration on real data -------------------------------------------------------------


def load_real():
    """Name, X and classes of real data sets, standardized."""
    for name in ("breast_cancer", "wine", "digits"):
        problem = _classification.load_bundled(name) if name != "digits" else None
        if problem is None:
            from sklearn.datasets import load_digits

            X, y = load_digits(return_X_y=True)
            yield name, X / 16.0, y
        else:
            yield name, problem.X, problem.y
    for name, problem in (
        ("covtype", _classification.load_covtype(3000)),
        ("fashion_mnist", _classification.load_fashion(2000)),
    ):
        if problem is not None:
            yield name, problem.X, problem.y


def run_calibration(n_splits):
    """Held-out log-loss and calibration error, means over splits into halves."""
    print(f"\ncalibration: halves, mean of {n_splits} splits, C and gamma by default")
    contestants = {
        "skextra": lambda: KernelLogisticRegression(C=10.0),
        "skextra, chosen": lambda: KernelLogisticRegressionCV(6, 3),
        "skextra SVC(probability=True)": lambda: OurSVC(C=10.0, probability=True),
        "CalibratedClassifierCV(SVC)": lambda: CalibratedClassifierCV(SVC(C=10.0), cv=5),
        "GaussianProcessClassifier": lambda: GaussianProcessClassifier(
            ConstantKernel(10.0) * RBF(1.0)
        ),
        "Nystroem, LogisticRegression": lambda: make_pipeline(
            Nystroem(n_components=300, random_state=0), LogisticRegression(C=10.0, max_iter=1000)
        ),
    }
    for name, X, y in load_real():
        print(f"{name}, {X.shape[0]:,} x {X.shape[1]}, {len(np.unique(y))} classes")
        for contestant, make in contestants.items():
            if contestant.startswith("Gauss") and (len(y) > 1000 or len(np.unique(y)) > 3):
                continue  # minutes a fit
            losses, errors, start = [], [], time.perf_counter()
            for seed in range(n_splits):
                X_train, X_test, y_train, y_test = train_test_split(
                    X, y, test_size=0.5, stratify=y, random_state=seed
                )
                scaler = StandardScaler().fit(X_train)
                model = make().fit(scaler.transform(X_train), y_train)
                P = model.predict_proba(scaler.transform(X_test))
                losses.append(log_loss(y_test, P))
                errors.append(compute_calibration_error(y_test, P))
            seconds = (time.perf_counter() - start) / n_splits
            print(
                f"  {contestant:30} log-loss {np.mean(losses):.4f}  calibration error "
                f"{np.mean(errors):.4f}  {_report.format_seconds(seconds)} a split",
                flush=True,
            )


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel")
    parser.add_argument("case", nargs="*", help="default: all of them")
    parser.add_argument("--quick", action="store_true", help="an eighth of the rows")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds (3)")
    options = parser.parse_args(arguments)
    cases = list_cases(options.quick)
    unknown = set(options.case) - {*cases, "calibration"}
    if unknown:
        parser.error(f"unknown case {min(unknown)!r}: choose from {', '.join(cases)}, calibration")
    given = sys.argv[1:] if arguments is None else arguments
    command = " ".join(["python -m benchmarks.kernel", *given])
    print(*_report.describe_machine(command), sep="\n", flush=True)
    for name, (make, contestants) in cases.items():
        if not options.case or name in options.case:
            print(f"\n{name}", flush=True)
            run_case(make, contestants, options.repeat)
    if not options.case or "calibration" in options.case:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run_calibration(1 if options.quick else 3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
