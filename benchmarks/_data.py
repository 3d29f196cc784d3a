"""The problems: seeded synthetic ones, and real ones where they are on this machine."""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy import sparse

_CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Problem:
    """Data of one case, with the penalty it is solved for.

    Attributes
    ----------
    X : ndarray, or CSC matrix with 32-bit indices
        Column-major, the layout every contestant works in.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    alphas : ndarray
        The path, or the candidates of a cross-validation, or a single one.
    l1_ratio : float
        0 is ridge; `alphas` are then scikit-learn's Ridge alphas.
    fit_intercept : bool
    """

    X: object
    y: np.ndarray
    alphas: np.ndarray = field(default_factory=lambda: np.ones(1))
    l1_ratio: float = 1.0
    fit_intercept: bool = True

    @property
    def alpha_max(self):
        """Largest correlation of a column with the centered target: the scale of gradients."""
        centered = self.y - self.y.mean(axis=0)
        return float(np.abs(self.X.T @ centered).max()) / len(self.y)

    @property
    def shape_text(self):
        """Shape in words."""
        kind = "sparse" if sparse.issparse(self.X) else "dense"
        targets = f", {self.y.shape[1]} targets" if self.y.ndim == 2 else ""
        return f"{self.X.shape[0]:,} x {self.X.shape[1]:,} {kind}{targets}"

    def with_path(self, n_alphas, eps, l1_ratio=1.0):
        """The same data, centered where dense, with a path and without intercept."""
        X = self.X if sparse.issparse(self.X) else np.asfortranarray(self.X - self.X.mean(axis=0))
        problem = replace(self, X=X, y=self.y - self.y.mean(), l1_ratio=l1_ratio)
        alphas = problem.alpha_max / l1_ratio * np.geomspace(1, eps, n_alphas)
        return replace(problem, alphas=alphas, fit_intercept=False)

    def with_alpha(self, fraction, l1_ratio=1.0):
        """The same data with one alpha, a fraction of the largest useful one."""
        alphas = np.array([self.alpha_max / l1_ratio * fraction])
        return replace(self, alphas=alphas, l1_ratio=l1_ratio)

    def save(self, folder):
        """Write to `folder` for the worker processes."""
        if sparse.issparse(self.X):
            sparse.save_npz(folder / "X.npz", self.X, compressed=False)
        else:
            np.save(folder / "X.npy", self.X)
        np.save(folder / "y.npy", self.y)
        np.save(folder / "alphas.npy", self.alphas)
        settings = {"l1_ratio": self.l1_ratio, "fit_intercept": self.fit_intercept}
        (folder / "settings.json").write_text(json.dumps(settings))

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        folder = Path(folder)
        is_sparse = (folder / "X.npz").exists()
        return cls(
            X=sparse.load_npz(folder / "X.npz") if is_sparse else np.load(folder / "X.npy"),
            y=np.load(folder / "y.npy"),
            alphas=np.load(folder / "alphas.npy"),
            **json.loads((folder / "settings.json").read_text()),
        )

    def miniature(self):
        """A tiny problem that runs the same code: same layout, types and penalty."""
        rng = np.random.default_rng(0)
        X = np.asfortranarray(rng.standard_normal((40, 6)))
        y = rng.standard_normal((40, 2) if self.y.ndim == 2 else 40)
        small = replace(self, X=sparse.csc_matrix(X) if sparse.issparse(self.X) else X, y=y)
        if self.l1_ratio == 0:
            return small
        return replace(small, alphas=small.alpha_max * np.geomspace(1, 0.1, len(self.alphas)))


def make_regression(n_samples, n_features, n_nonzero, *, n_targets=None, correlation=0.5, seed=0):
    """Gaussian columns, each correlated with its left neighbor; noise a third of the signal."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n_samples, n_features)))
    for j in range(1, n_features):
        X[:, j] *= np.sqrt(1 - correlation**2)
        X[:, j] += correlation * X[:, j - 1]
    shape = (n_features,) if n_targets is None else (n_features, n_targets)
    coef = np.zeros(shape)
    support = rng.choice(n_features, n_nonzero, replace=False)
    coef[support] = rng.standard_normal((n_nonzero, *shape[1:]))
    signal = X @ coef
    y = signal + signal.std(axis=0) / 3 * rng.standard_normal(signal.shape)
    return Problem(X, np.asfortranarray(y))


def load_diabetes():
    """442 x 10, ships with scikit-learn."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return Problem(np.asfortranarray(X), y)


def find_file(name):
    """Path of a real data set, or None.

    Looked for in the folder that SKEXTRA_DATA names, else in ``shared/data``
    beside the checkout.
    """
    folder = os.environ.get("SKEXTRA_DATA") or _CHECKOUT.parent / "shared" / "data"
    path = Path(folder) / name
    return path if path.exists() else None


def _load_arrays(name, x="X", y="y"):
    path = find_file(name)
    if path is None:
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return np.asfortranarray(arrays[x], dtype=float), np.asarray(arrays[y], dtype=float)


def load_golub():
    """38 patients, 3,051 gene expressions; leukemia class as -1/+1."""
    arrays = _load_arrays("golub_leukemia.npz")
    return arrays and Problem(arrays[0], 2 * arrays[1] - 1)


def load_yarn():
    """28 near infra-red spectra of 268 wavelengths; density of the yarn."""
    arrays = _load_arrays("yarn_nir.npz")
    return arrays and Problem(*arrays)


def load_tecator():
    """215 spectra of 100 wavelengths, strongly collinear; fat content."""
    arrays = _load_arrays("tecator.npz", y="Y")
    return arrays and Problem(arrays[0], arrays[1][:, 1])


def _make_csc(X):
    # 64-bit indices would shut out celer and skglm.
    X = sparse.csc_matrix(X, dtype=float)
    X.sum_duplicates()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def load_farm_ads():
    """4,143 advertisements, 58,052 words, 0/1; approved or not as +1/-1."""
    path = find_file("farm_ads.npz")
    if path is None:
        return None
    with np.load(path, allow_pickle=False) as d:
        X = sparse.csr_matrix((d["data"], d["indices"], d["indptr"]), shape=tuple(d["shape"]))
        return Problem(_make_csc(X), d["y"].astype(float))


def load_adult(n_rows=None):
    """48,842 people, every column one-hot encoded (numbers by value); income as 0/1."""
    path = find_file("adult.csv.gz")
    if path is None:
        return None
    import pandas as pd
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.read_csv(path, nrows=n_rows)
    y = (frame.pop("income") == ">50K").to_numpy(dtype=float)
    frame = frame.astype(str).fillna("missing")
    encoder = OneHotEncoder(min_frequency=5)
    return Problem(_make_csc(encoder.fit_transform(frame)), y)


def load_reviews():
    """22,641 clothing reviews as tf-idf of 8,209 words; rating from 1 to 5."""
    path = find_file("clothing_reviews.csv.gz")
    if path is None:
        return None
    import pandas as pd
    from sklearn.feature_extraction.text import TfidfVectorizer

    frame = pd.read_csv(path).dropna(subset=["Review Text"])
    X = TfidfVectorizer(min_df=2).fit_transform(frame["Review Text"])
    return Problem(_make_csc(X), frame["Rating"].to_numpy(dtype=float))
