"""The cells of an estimator's map, and the data of a cell."""

import zlib
from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

SAMPLES = (50, 200, 1_000, 10_000, 100_000)
FEATURES = (2, 10, 100, 1_000, 10_000)
# Values of a dense matrix, and stored entries of a sparse one, at most: 160 MB in float64.
MOST_VALUES = 2e7
# Variants are measured on these shapes, the plain data on all.
VARIANT_SHAPES = ((200, 10), (1_000, 100), (10_000, 10), (10_000, 100), (1_000, 1_000))

REGRESSORS = ("Lasso", "ElasticNet", "LassoCV", "ElasticNetCV", "Ridge", "RidgeCV")
# Several targets that share their features; scikit-learn's take no sparse data.
JOINT_REGRESSORS = (
    "MultiTaskLasso", "MultiTaskElasticNet", "MultiTaskLassoCV", "MultiTaskElasticNetCV",
)  # fmt: skip
LINEAR_CLASSIFIERS = ("LogisticRegression", "LogisticRegressionCV", "LinearSVC")
TREES = (
    "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor",
    "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier",
    "ExtraTreesRegressor", "AdaBoostClassifier", "AdaBoostRegressor",
)  # fmt: skip
ESTIMATORS = (
    *REGRESSORS, *JOINT_REGRESSORS, *LINEAR_CLASSIFIERS, "SVC", *TREES, "GaussianMixture",
)  # fmt: skip
# Time or memory grows with the square of these, or faster.
_MOST_SAMPLES = {"SVC": 10_000, "LogisticRegressionCV": 10_000}
_MOST_FEATURES = {"GaussianMixture": 100, "SVC": 1_000, "AdaBoostRegressor": 1_000}


@dataclass(frozen=True)
class Cell:
    """One data set, and how tightly it is to be solved.

    Attributes
    ----------
    estimator : str
    n_samples, n_features : int
    target : str
        "regression", "10 targets", "2 classes", "10 classes", "100 classes" or "none".
    density : float
        1 is a dense array, anything less a CSR matrix.
    dtype : str
    values : str
        "continuous", "integers" or "one-hot".
    parameters : str
        "default" or "tight".
    """

    estimator: str
    n_samples: int
    n_features: int
    target: str
    density: float = 1.0
    dtype: str = "float64"
    values: str = "continuous"
    parameters: str = "default"

    @property
    def variant(self):
        """What distinguishes the cell, apart from its shape; "plain" if nothing does."""
        plain = Cell(self.estimator, 0, 0, find_targets(self.estimator)[0])
        shape = ("n_samples", "n_features", "estimator")
        other = [
            f"density {value:g}" if name == "density" else f"{value}"
            for name, value in asdict(self).items()
            if name not in shape and value != getattr(plain, name)
        ]
        return ", ".join(other) or "plain"

    @property
    def key(self):
        """Name of the cell in a file of results."""
        return f"{self.variant}: {self.n_samples} x {self.n_features}"


def find_targets(estimator):
    """Kinds of targets that an estimator is measured with, the plain one first."""
    if estimator == "GaussianMixture":
        return ("none",)
    if estimator in JOINT_REGRESSORS:
        return ("10 targets",)
    if estimator in REGRESSORS or estimator.endswith("Regressor"):
        many = estimator in ("Ridge", "RidgeCV", "RandomForestRegressor", "DecisionTreeRegressor")
        return ("regression", "10 targets") if many else ("regression",)
    return ("2 classes", "10 classes", "100 classes")


def list_cells(estimator):
    """Cells of an estimator's map, the small ones first."""
    targets = find_targets(estimator)
    is_tree = estimator in TREES
    plain = [Cell(estimator, n, p, targets[0]) for n in SAMPLES for p in FEATURES]
    variants = [{"target": target} for target in targets[1:]]
    variants.append({"dtype": "float32"})
    if is_tree:
        variants += [{"values": "integers"}, {"values": "one-hot"}]
    elif estimator not in ("GaussianMixture", *JOINT_REGRESSORS):
        variants += [{"density": 0.01}, {"density": 0.001}]
    if not is_tree:
        variants.append({"parameters": "tight"})
    cells = plain + [
        Cell(**{"estimator": estimator, "n_samples": n, "n_features": p, "target": targets[0]} | v)
        for v in variants
        for n, p in (_SPARSE_SHAPES if "density" in v else VARIANT_SHAPES)
    ]
    return sorted(filter(_is_sensible, cells), key=lambda c: c.n_samples * c.n_features * c.density)


_SPARSE_SHAPES = ((1_000, 1_000), (1_000, 10_000), (10_000, 1_000), (10_000, 10_000))


def _is_sensible(cell):
    n, p = cell.n_samples, cell.n_features
    n_classes = int(cell.target.split()[0]) if cell.target.endswith("classes") else 1
    return (
        n * p * cell.density <= MOST_VALUES
        and n >= 10 * n_classes
        and n <= _MOST_SAMPLES.get(cell.estimator, np.inf)
        and p <= _MOST_FEATURES.get(cell.estimator, np.inf)
    )


@dataclass(frozen=True)
class Data:
    """Training and held-out data of a cell."""

    X: object
    y: np.ndarray | None
    X_test: object
    y_test: np.ndarray | None


def make_data(cell):
    """Draw the data of a cell; the same at every call.

    Targets depend on up to ten features, with as much noise as signal.
    """
    rng = np.random.default_rng(zlib.crc32(f"{cell.n_samples} {cell.n_features}".encode()))
    n_test = min(max(cell.n_samples // 4, 50), 10_000)
    n, p = cell.n_samples + n_test, cell.n_features
    X = _draw_features(cell, rng, n, p)
    informative = rng.permutation(p)[:10]
    part = X[:, informative]
    part = part.toarray() if sparse.issparse(part) else np.asarray(part, dtype=np.float64)
    part = (part - part.mean(axis=0)) / np.maximum(part.std(axis=0), 1e-12)
    y = _draw_target(cell.target, rng, part)
    if cell.target == "none":
        centers = 4.0 * rng.standard_normal((8, p))
        X = (X + centers[rng.integers(8, size=n)]).astype(cell.dtype)
    m = cell.n_samples
    split = (y[:m], y[m:]) if y is not None else (None, None)
    return Data(X[:m], split[0], X[m:], split[1])


def _draw_features(cell, rng, n, p):
    if cell.density < 1:
        X = sparse.random_array((n, p), density=cell.density, rng=rng, format="csr")
        return X.astype(cell.dtype)
    if cell.values == "integers":
        return rng.integers(0, 20, (n, p)).astype(cell.dtype)
    if cell.values == "one-hot":
        X = np.zeros((n, p), dtype=cell.dtype)
        for start in range(0, p, 10):
            width = min(10, p - start)
            X[np.arange(n), start + rng.integers(width, size=n)] = 1.0
        return X
    return rng.standard_normal((n, p)).astype(cell.dtype)


def _draw_target(target, rng, part):
    if target == "none":
        return None
    n_outputs = 1 if target == "regression" else int(target.split()[0])
    scores = part @ rng.standard_normal((part.shape[1], n_outputs)) / np.sqrt(part.shape[1])
    if target.endswith("classes"):
        labels = (scores + 0.5 * rng.gumbel(size=scores.shape)).argmax(axis=1)
        labels[:n_outputs] = np.arange(n_outputs)  # no class is absent from training
        return labels
    signal = scores + rng.standard_normal(scores.shape)
    return signal[:, 0] if n_outputs == 1 else signal
