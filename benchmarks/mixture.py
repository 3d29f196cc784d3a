"""Gaussian mixtures: ``python -m benchmarks.mixture [--case NAME] [--quick] [--cpu]``.

Ours, scikit-learn's and, where daal4py is installed, oneDAL's `em_gmm`, from the same start and
in turns in one process.

iteration
    Time of one pass: that of five less that of one, divided by four, so that
    checks and the frame are left out. What each has reached is compared too.
likelihood
    Time from a start to the likelihood at which scikit-learn stops with
    ``tol=1e-5``: our accelerated passes against its plain ones, ``reg_covar=0``;
    medians over five starts.
small
    A whole default fit, k-means included.
search
    `GaussianMixtureIC` against a loop over scikit-learn's fits, by BIC.

With ``--busy`` another process keeps a core busy all the while; threads are then left as they are.
"""

import argparse
import statistics
import subprocess
import sys
import time
import tracemalloc
import warnings
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import _report
from skextra._compare._timing import time_in_turns

_clock = time.perf_counter
_left_out = set()
_KINDS = ("full", "tied", "diag", "spherical")


@dataclass(frozen=True)
class Case:
    """Rows, columns, components and a covariance type.

    Attributes
    ----------
    name : str
    task : {'iteration', 'likelihood', 'small', 'search'}
    covariance_type : str
    n, d, n_components : int
    data : str or None
        A data set instead of groups drawn at random.
    spread : float
        Standard deviation of the means of the groups.
    """

    name: str
    task: str
    covariance_type: str
    n: int
    d: int
    n_components: int
    data: str | None = None
    spread: float = 2.5

    def make(self, quick):
        """Rows, and parameters to start from."""
        if self.data is not None:
            return load(self.data), None
        n = self.n // 20 if quick else self.n
        rng = np.random.default_rng(0)
        means = self.spread * rng.standard_normal((self.n_components, self.d))
        X = means[rng.integers(self.n_components, size=n)]
        X += rng.standard_normal((n, self.d)) @ (
            np.eye(self.d) + 0.3 * rng.standard_normal((self.d, self.d))
        )
        return X, self.draw_start(X, rng)

    def draw_start(self, X, rng):
        """Parameters to start from, at random rows."""
        means = X[rng.choice(len(X), self.n_components, replace=False)]
        return make_start(self.covariance_type, X, means)


def make_start(covariance_type, X, means):
    """Equal weights, rows as means, and the inverse of the data's covariance."""
    n_components, d = means.shape
    covariance = np.cov(X.T, bias=True)
    precision = np.linalg.inv(covariance)
    precisions = {
        "full": np.tile(precision, (n_components, 1, 1)),
        "tied": precision,
        "diag": np.tile(1 / covariance.diagonal(), (n_components, 1)),
        "spherical": np.full(n_components, d / covariance.trace()),
    }[covariance_type]
    return {
        "weights_init": np.full(n_components, 1 / n_components),
        "means_init": means,
        "precisions_init": precisions,
    }


def load(name):
    """Iris and wine from scikit-learn, or the geyser from the folder of data sets."""
    if name in ("iris", "wine"):
        from sklearn import datasets

        return getattr(datasets, f"load_{name}")().data
    from benchmarks._data import find_file

    path = find_file(f"{name}.csv.gz")
    return np.genfromtxt(path, delimiter=",", skip_header=1) if path else None


_SIZES = ((200_000, 10, 32), (200_000, 20, 16), (100_000, 50, 32))
CASES = (
    *(Case(f"full-{d}-{k}", "iteration", "full", n, d, k) for n, d, k in _SIZES),
    *(Case(f"{kind}-10-32", "iteration", kind, 200_000, 10, 32) for kind in _KINDS[1:]),
    *(
        Case(f"likelihood-{d}-{k}", "likelihood", "full", 20_000, d, k, spread=spread)
        for d, k, spread in ((10, 16, 1.5), (20, 8, 0.8), (4, 8, 1.5))
    ),
    *(
        Case(f"{data}-{kind}", "small", kind, 0, 0, k, data)
        for data, k in (("iris", 3), ("geyser", 2))
        for kind in _KINDS
    ),
    *(Case(f"{data}-search", "search", "all", 0, 0, 9, data) for data in ("iris", "wine")),
)


def run_skextra(case, X, start, **options):
    from skextra.mixture import GaussianMixture

    return GaussianMixture(
        case.n_components, covariance_type=case.covariance_type, random_state=0, **options,
        **(start or {}),
    ).fit(X)  # fmt: skip


def run_sklearn(case, X, start, acceleration=None, **options):
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(
        case.n_components, covariance_type=case.covariance_type, random_state=0, **options,
        **(start or {}),
    ).fit(X)  # fmt: skip


def search_skextra(case, X, start):
    from skextra.mixture import GaussianMixtureIC

    return GaussianMixtureIC(max_components=case.n_components, random_state=0).fit(X)


def search_sklearn(case, X, start):
    from skextra._compare._mixture_loop import MixtureLoop

    return MixtureLoop(case.n_components, random_state=0).fit(X).best_estimator_


@cache
def has_onedal():
    """Whether daal4py is installed; asked before `import_onedal` puts something in its place."""
    return find_spec("daal4py") is not None


def import_onedal():
    """Numerical module of daal4py, without its patches of scikit-learn, made for other versions."""
    if "daal4py" not in sys.modules:
        package = ModuleType("daal4py")
        package.__path__ = list(find_spec("daal4py").submodule_search_locations)
        sys.modules["daal4py"] = package
    return import_module("daal4py._daal4py")


def run_onedal(case, X, start, max_iter, acceleration=None, tol=0.0):
    daal4py = import_onedal()
    n_components = case.n_components
    covariances = [np.linalg.inv(matrix) for matrix in start["precisions_init"]]
    algorithm = daal4py.em_gmm(
        nComponents=n_components, maxIterations=max_iter, accuracyThreshold=0.0
    )
    return algorithm.compute(X, start["weights_init"][None], start["means_init"], covariances)


def list_contestants(case):
    """What can run the case."""
    contestants = {"skextra": run_skextra, "scikit-learn": run_sklearn}
    if case.task == "iteration" and case.covariance_type == "full" and has_onedal():
        contestants["oneDAL"] = run_onedal
    return {name: run for name, run in contestants.items() if name not in _left_out}


def measure(function):
    begin = _clock()
    result = function()
    return _clock() - begin, result


def time_iterations(case, X, start, repeat):
    """Seconds an iteration by contestant, and the largest difference of the means."""
    means, times = {}, {}
    for name, run in list_contestants(case).items():
        try:
            result = run(case, X, start, max_iter=5, acceleration=None, tol=0.0)
        except RuntimeError as error:  # oneDAL gives up where a covariance is nearly singular
            print(f"  {name}: {str(error).splitlines()[0]}")
            continue
        means[name], times[name] = getattr(result, "means_", None), []
        if means[name] is None:
            means[name] = result.means
    plain = {"acceleration": None, "tol": 0.0}
    for _ in range(repeat):
        for name in times:
            run = list_contestants(case)[name]
            five, one = (
                measure(lambda run=run, n=n: run(case, X, start, max_iter=n, **plain))[0]
                for n in (5, 1)
            )
            times[name].append(max(five - one, 1e-9) / 4)
    scale = np.abs(means["skextra"]).max()
    errors = {
        name: float(np.abs(value - means["skextra"]).max() / scale) for name, value in means.items()
    }
    return {name: statistics.median(values) for name, values in times.items()}, errors


def time_to_likelihood(case, X, n_starts):
    """Seconds to the likelihood that scikit-learn stops at, by start; and passes it takes."""
    rows = []
    for seed in range(n_starts):
        start = case.draw_start(X, np.random.default_rng(seed))
        same = {"reg_covar": 0.0, "max_iter": 1000}  # one objective for both
        seconds, theirs = measure(
            lambda start=start, same=same: run_sklearn(case, X, start, tol=1e-5, **same)
        )
        ours = run_skextra(case, X, start, tol=1e-9, **same)
        reached = np.array(ours.lower_bounds_) >= theirs.lower_bound_
        if not reached.any():  # another maximum, and a lower one
            print(f"  start {seed}: ours ends {theirs.lower_bound_ - ours.lower_bound_:.1e} lower")
            continue
        same["max_iter"] = int(reached.argmax()) + 1
        own_seconds, _ = measure(
            lambda start=start, same=same: run_skextra(case, X, start, tol=0.0, **same)
        )
        rows.append((own_seconds, same["max_iter"], seconds, theirs.n_iter_))
    own, own_passes, seconds, passes = np.array(rows).T
    print(f"  ratios by start: {', '.join(f'{r:.1f}x' for r in seconds / own)}")
    medians = [float(np.median(values)) for values in (own, seconds, own_passes, passes)]
    return dict(zip(("skextra", "scikit-learn"), medians[:2], strict=True)), dict(
        zip(("skextra", "scikit-learn"), medians[2:], strict=True)
    )


def time_small(case, X, repeat):
    """Seconds of a default fit, and what it ends at: mean log-likelihood, or BIC of a search."""
    scores = {}
    is_search = case.task == "search"
    runs = {"skextra": run_skextra, "scikit-learn": run_sklearn}
    if is_search:
        runs = {"skextra": search_skextra, "scikit-learn": search_sklearn}
    for name, run in runs.items():
        fitted = run(case, X, None)
        scores[name] = fitted.bic(X) if is_search else fitted.score(X)
    calls = {name: partial(run, case, X, None) for name, run in runs.items()}
    times = time_in_turns(calls, repeat if is_search else max(repeat, 15), _clock)
    return {name: statistics.median(values) for name, values in times.items()}, scores


def measure_memory(case, X, start):
    """MiB allocated at most by a fit, above what was there (NumPy reports to tracemalloc)."""
    peaks = {}
    for name, run in (("skextra", run_skextra), ("scikit-learn", run_sklearn)):
        tracemalloc.start()
        run(case, X, start, max_iter=1, tol=0.0)
        peaks[name] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    return peaks


def run_case(case, quick, repeat):
    """Print the rows of a case."""
    X, start = case.make(quick)
    if X is None:
        print(f"{case.name}: data not here")
        return
    size = f"{X.shape[0]:,} x {X.shape[1]}, {case.n_components} components"
    print(f"\n{case.name}: {case.covariance_type}, {size}, {case.task}")
    peaks = {}
    if case.task == "iteration":
        seconds, notes = time_iterations(case, X, start, repeat)
        peaks, label = measure_memory(case, X, start), "means differ by {:.0e}"
    elif case.task == "likelihood":
        seconds, notes = time_to_likelihood(case, X, n_starts=5)
        label = "{:.0f} passes"
    else:
        seconds, notes = time_small(case, X, repeat)
        label = "BIC {:.2f}" if case.task == "search" else "mean log-likelihood {:.4f}"
    for name, value in seconds.items():
        memory = f"{peaks[name]:7.1f} MiB" if name in peaks else " " * 11
        ratio = value / seconds["skextra"]
        shown = _report.format_seconds(value)
        print(f"  {name:<14}{ratio:7.1f}x {shown:>10} {memory}  {label.format(notes[name])}")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixture", description=__doc__)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--cpu", action="store_true", help="processor time on one thread, for a machine in use"
    )
    parser.add_argument(
        "--without", action="append", default=[], choices=["scikit-learn", "oneDAL"],
        help="of the contestants in iterations",
    )  # fmt: skip
    parser.add_argument("--busy", action="store_true", help="beside a process that never rests")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    _left_out.update(options.without)
    if options.cpu:
        globals()["_clock"] = time.process_time
        threadpool_limits(1)
        if has_onedal():
            import_onedal().daalinit(1)
    neighbor = None
    if options.busy:
        neighbor = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        run_cases(options)
    finally:
        if neighbor is not None:
            neighbor.kill()
            neighbor.wait()
    return 0


def run_cases(options):
    """Print the machine, and all cases asked for."""
    command = "python -m benchmarks.mixture " + " ".join(sys.argv[1:])
    print(*_report.describe_machine(command.strip()), sep="\n", flush=True)
    for case in CASES:
        if options.case is None or case.name in options.case:
            run_case(case, options.quick, options.repeat)


if __name__ == "__main__":
    sys.exit(main())
