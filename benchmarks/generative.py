"""Densities of tables, and codebooks: ``python -m benchmarks.generative [--case NAME]``.

Densities: held-out log-likelihood and processor time of a fit, in turns, of `DensityForest`,
scikit-learn's KernelDensity (bandwidth chosen on a quarter of the training rows) and
GaussianMixture, and arfpy where it is installed. Numbers are standardized, and repeated values
moved by less than the distance to their neighbors: else whoever puts the narrowest peak on them has
the highest likelihood. arfpy has no likelihood; it is computed here from the parameters of its
leaves.

Codebooks: processor time of as many passes of `VectorQuantizer` and scikit-learn's KMeans.
"""

import argparse
import statistics
import sys
import time
import warnings
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks import _report
from benchmarks._data import find_file

CASES = {"cytometry": "gvhd_cytometry.csv.gz", "california": "california_housing.csv.gz"}
CODEBOOKS = {
    "codes-60000x16-32": (60_000, 16, 256),
    "codes-60000x16": (60_000, 16, 256),
    "codes-20000x64": (20_000, 64, 256),
}
_HELD_OUT = 0.2


def load(case, n_rows):
    """Training and held-out rows, standardized, or None where the data are not here."""
    path = find_file(CASES[case])
    if path is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = np.genfromtxt(path, delimiter=",", skip_header=1)
    X = X[:, ~np.isnan(X).all(axis=0)]
    if case == "cytometry":
        X = X[:, :4]
    random = np.random.default_rng(0)
    X = X[random.permutation(len(X))[:n_rows]]
    for column in X.T:
        gap = np.percentile(np.diff(np.unique(column)), 10)
        column += gap * random.uniform(-0.5, 0.5, len(column))
    n_train = int((1 - _HELD_OUT) * len(X))
    X = (X - X[:n_train].mean(axis=0)) / X[:n_train].std(axis=0)
    return X[:n_train], X[n_train:]


def fit_skextra(X):
    from skextra.generative import DensityForest

    return DensityForest(random_state=0).fit(X).score


def fit_mixture(X):
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(10, random_state=0, max_iter=500).fit(X).score


def fit_kernel_density(X):
    from sklearn.neighbors import KernelDensity

    n_validation = len(X) // 4
    fitted = [
        KernelDensity(bandwidth=width).fit(X[n_validation:]) for width in (0.08, 0.12, 0.2, 0.3)
    ]
    best = max(fitted, key=lambda model: model.score(X[: min(n_validation, 500)]))
    model = KernelDensity(bandwidth=best.bandwidth).fit(X)
    return lambda rows: model.score(rows) / len(rows)


def fit_arfpy(X):
    import pandas as pd
    from arfpy.arf import arf

    model = arf(pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]), verbose=False)
    parameters = model.forde()["cnt"]
    return partial(score_arfpy, model, parameters)


def score_arfpy(model, parameters, rows):
    """Mean over trees of share times truncated normal densities, in the leaves of arfpy."""
    import pandas as pd
    from scipy.special import logsumexp
    from scipy.stats import truncnorm

    nodes = model.clf.apply(pd.DataFrame(rows, columns=model.orig_colnames))
    shares = model.bnds.drop_duplicates(["tree", "nodeid"]).set_index(["tree", "nodeid"])["cvg"]
    by_column = {
        name: part.set_index(["tree", "nodeid"]) for name, part in parameters.groupby("variable")
    }
    logs = np.empty(nodes.shape)
    for tree in range(nodes.shape[1]):
        index = pd.MultiIndex.from_arrays([np.full(len(rows), tree), nodes[:, tree]])
        with np.errstate(divide="ignore"):
            logs[:, tree] = np.log(shares.reindex(index).fillna(0.0).to_numpy())
        for j, name in enumerate(model.orig_colnames):
            found = by_column[name].reindex(index)
            mean, scale = found["mean"].to_numpy(), found["sd"].to_numpy()
            bounds = [(found[side].to_numpy() - mean) / scale for side in ("min", "max")]
            logs[:, tree] += truncnorm.logpdf(rows[:, j], *bounds, loc=mean, scale=scale)
    logs = np.where(np.isnan(logs), -np.inf, logs)
    scores = logsumexp(logs, axis=1) - np.log(nodes.shape[1])
    is_zero = scores == -np.inf
    print(f"  arfpy: {is_zero.sum()} rows have a density of zero, and count as the lowest other")
    return np.maximum(scores, scores[~is_zero].min()).mean()


def list_contestants():
    """What can run here."""
    contestants = {
        "skextra": fit_skextra,
        "GaussianMixture(10)": fit_mixture,
        "KernelDensity": fit_kernel_density,
    }
    if find_spec("arfpy") is not None:
        contestants["arfpy"] = fit_arfpy
    return contestants


def run_case(case, n_rows, repeat, left_out):
    """Print the rows of a case."""
    data = load(case, n_rows)
    if data is None:
        print(f"{case}: data not here")
        return
    train, held_out = data
    print(f"\n{case}: {train.shape[0]:,} x {train.shape[1]}, held out {len(held_out):,}")
    seconds = {name: [] for name in list_contestants() if name not in left_out}
    scores = {}
    for _ in range(repeat):
        for name, times in seconds.items():
            begin = time.process_time()
            score = list_contestants()[name](train)
            times.append(time.process_time() - begin)
            if name not in scores:
                scores[name] = score(held_out)
    ours = statistics.median(seconds["skextra"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(
            f"  {name:<22}{median / ours:7.1f}x {_report.format_seconds(median):>10}"
            f"   log-likelihood {scores[name]:.3f}"
        )


def load_rows(case, n_rows):
    """Rows of a codebook's case: a mixture of correlated normal distributions."""
    random = np.random.default_rng(0)
    n, d, n_codes = CODEBOOKS[case]
    n = min(n, n_rows)
    centers, mixing = random.normal(size=(40, d)) * 2, random.normal(size=(d, d)) / np.sqrt(d)
    X = centers[random.integers(40, size=n)] + random.normal(size=(n, d)) @ mixing
    return X.astype(np.float32 if case.endswith("32") else np.float64), n_codes


def run_codebook(case, n_rows, repeat):
    """Print the rows of a case: seconds of 25 passes, and the distortion reached."""
    from sklearn.cluster import KMeans

    from skextra.generative import VectorQuantizer

    X, n_codes = load_rows(case, n_rows)
    print(f"\n{case}: {len(X):,} x {X.shape[1]}, {n_codes} codes, 25 passes")
    models = {
        "skextra": VectorQuantizer(n_codes, max_iter=25, tol=0.0, n_jobs=1, random_state=0),
        "scikit-learn": KMeans(n_codes, max_iter=25, tol=0.0, n_init=1, random_state=0),
    }
    seconds = {name: [] for name in models}
    for _ in range(repeat):
        for name, model in models.items():
            begin = time.process_time()
            model.fit(X)
            seconds[name].append(time.process_time() - begin)
    distortions = {
        "skextra": models["skextra"].distortion_[0],
        "scikit-learn": models["scikit-learn"].inertia_ / len(X),
    }
    ours = statistics.median(seconds["skextra"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(
            f"  {name:<22}{median / ours:7.1f}x {_report.format_seconds(median):>10}"
            f"   distortion {distortions[name]:.4f}"
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generative", description=__doc__)
    parser.add_argument("--case", action="append", choices=[*CASES, *CODEBOOKS])
    parser.add_argument("--rows", type=int, help="at most, of each table")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--without", action="append", default=[], help="contestants to leave out, by name"
    )
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    command = "python -m benchmarks.generative " + " ".join(sys.argv[1:])
    print(*_report.describe_machine(command.strip()), sep="\n", flush=True)
    fit_skextra(np.random.default_rng(0).normal(size=(50, 2)))  # kernels
    for case in options.case or (*CASES, *CODEBOOKS):
        if case in CASES:
            run_case(case, options.rows or 12_000, options.repeat, options.without)
        else:
            run_codebook(case, options.rows or 60_000, options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
