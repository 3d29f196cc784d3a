"""The data a comparison runs on without a file: real, and inside scikit-learn."""

from dataclasses import dataclass, field

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


DATASETS = {
    "diabetes": (_load_diabetes, "disease progression after a year"),
    "digits-pixel": (_load_digits_pixel, "a pixel of the digits' images from the others"),
    "digits-halves": (_load_digits_halves, "the digits' lower half from the upper, pixel by pixel"),
    "cancer-pairs": (_load_cancer_pairs, "breast cancer's worst radius from pairwise products"),
    "wine": (_load_wine, "the cultivar of a wine"),
    "cancer": (_load_cancer, "benign or malignant"),
    "digits": (_load_digits, "which digit an image shows"),
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
