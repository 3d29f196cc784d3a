"""The data a comparison runs on without a file: real, inside scikit-learn or this package."""

from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
from scipy import sparse

from skextra._compare._errors import InputError


@dataclass(frozen=True)
class Problem:
    """Data ready for a pipeline.

    Parameters
    ----------
    name : str
        As shown in the table.
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        float64; NaN where a value is missing.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), or None
    notes : tuple of str
        What was done to the data.
    """

    name: str
    X: object
    y: object = None
    notes: tuple = field(default_factory=tuple)

    @property
    def n_targets(self):
        """Number of columns of the target."""
        return 1 if self.y is None or self.y.ndim == 1 else self.y.shape[1]

    @property
    def size(self):
        """Number of entries of X, stored or not."""
        return self.X.shape[0] * self.X.shape[1]

    @property
    def has_missing(self):
        """Whether a value has to be imputed."""
        return not sparse.issparse(self.X) and bool(np.isnan(self.X).any())


def _load_diabetes():
    from sklearn.datasets import load_diabetes

    return load_diabetes(return_X_y=True)


def _load_digits_pixel():
    from sklearn.datasets import load_digits

    pixels = load_digits().data
    center = 8 * 3 + 3
    return np.delete(pixels, center, axis=1), pixels[:, center]


def _load_digits_halves():
    from sklearn.datasets import load_digits

    pixels = load_digits().data
    upper, lower = pixels[:, :32], pixels[:, 32:]
    # A pixel that is blank in nearly every image is constant in some fold.
    return upper, lower[:, (lower > 0).mean(axis=0) > 0.1]


def _load_cancer_pairs():
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import PolynomialFeatures

    data = load_breast_cancer()
    target = list(data.feature_names).index("worst radius")
    others = np.delete(data.data, target, axis=1)
    pairs = PolynomialFeatures(degree=2, include_bias=False).fit_transform(others)
    return pairs, data.data[:, target]


def _load_wine():
    from sklearn.datasets import load_wine

    return load_wine(return_X_y=True)


def _load_cancer():
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(return_X_y=True)


def _load_digits():
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def _read_packed(name):
    """Arrays of a table in ``data/``; its SOURCES.md says where each is from."""
    with (files("skextra._compare") / "data" / f"{name}.npz").open("rb") as file:
        return dict(np.load(file, allow_pickle=False))


def _load_adult():
    columns = _read_packed("adult")
    numbers = ("age", "education", "capital_gain", "capital_loss", "hours_per_week")
    encoded = [columns[name][:, None] for name in numbers]
    for name in ("workclass", "marital_status", "occupation", "relationship", "race"):
        # One column per category; a missing value (255) has none.
        encoded.append(columns[name][:, None] == np.arange(len(columns[f"{name}.categories"])))
    countries = columns["native_country.categories"].tolist()
    encoded.append(columns["native_country"][:, None] == countries.index("United-States"))
    encoded.append(columns["sex"][:, None])
    return np.hstack(encoded), columns["income"].astype(np.intp)


def _load_california():
    packed = _read_packed("california")
    columns = {name: values.astype(np.float64) for name, values in packed.items()}
    households = columns["households"]
    features = (
        columns["median_income"] / 1e4,
        columns["house_age"],
        columns["rooms"] / households,
        columns["bedrooms"] / households,
        columns["population"],
        columns["population"] / households,
        columns["latitude"] / 100,
        columns["longitude"] / 100,
    )
    return np.column_stack(features), columns["median_house_value"] / 1e5


def _load_california_pairs():
    X, y = _load_california()
    return _multiply_pairs(_take_logarithms(X)), y


def _load_california_two():
    X, y = _load_california()
    X = _take_logarithms(X)
    return _multiply_pairs(X[:, 1:]), np.column_stack([y, X[:, 0]])


def _take_logarithms(X):
    # Income and counts are skewed: products of a few large values would outweigh all others.
    skewed = [0, 2, 3, 4, 5]
    X[:, skewed] = np.log(X[:, skewed])
    return X


def _multiply_pairs(X):
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    pairs = PolynomialFeatures(degree=2, include_bias=False)
    return pairs.fit_transform(StandardScaler().fit_transform(X))


DATASETS = {
    "diabetes": (_load_diabetes, "disease progression after a year"),
    "digits-pixel": (_load_digits_pixel, "a pixel of the digits' images from the others"),
    "digits-halves": (_load_digits_halves, "the digits' lower half from the upper, pixel by pixel"),
    "cancer-pairs": (_load_cancer_pairs, "breast cancer's worst radius from pairwise products"),
    "wine": (_load_wine, "the cultivar of a wine"),
    "cancer": (_load_cancer, "benign or malignant"),
    "digits": (_load_digits, "which digit an image shows"),
    "adult": (_load_adult, "whether a person earns more than 50,000 dollars a year"),
    "california": (_load_california, "median house value of a district"),
    "california-pairs": (_load_california_pairs, "the same, from pairwise products"),
    "california-two": (_load_california_two, "house value and income, from pairwise products"),
}


def load_problem(name):
    """Load one of the shipped data sets.

    Parameters
    ----------
    name : str
        Key of `DATASETS`.

    Returns
    -------
    problem : Problem
    """
    if name not in DATASETS:
        raise InputError(f"unknown data set {name!r}: there are {', '.join(DATASETS)}")
    X, y = DATASETS[name][0]()
    return Problem(name, np.ascontiguousarray(X, dtype=np.float64), y)
