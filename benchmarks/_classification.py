"""Classification problems: seeded synthetic ones, and real ones where they are on this machine."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmarks._data import find_file


@dataclass(frozen=True)
class Problem:
    """Data of one case, with the penalties it is solved for.

    Attributes
    ----------
    X : ndarray, or CSR matrix with 32-bit indices
        Row-major, as scikit-learn's classifiers and vectorizers have it.
    y : ndarray of int of shape (n_samples,)
        Classes 0 to n_classes - 1.
    Cs : ndarray
        A single one, or the candidates of a cross-validation.
    bounds : dict of str to ndarray
        Lower bounds of the objective at each of `Cs`, as `find_bounds` of the
        family found them: without a penalty on the intercept, and with one.
    """

    X: object
    y: np.ndarray
    Cs: np.ndarray = field(default_factory=lambda: np.ones(1))
    l1_ratio: float = 0.0
    fit_intercept: bool = True
    bounds: dict = field(default_factory=dict)

    @property
    def n_classes(self):
        return int(self.y.max()) + 1

    @property
    def shape_text(self):
        """Shape in words."""
        kind = "sparse" if sparse.issparse(self.X) else "dense"
        return f"{self.X.shape[0]:,} x {self.X.shape[1]:,} {kind}, {self.n_classes} classes"

    @property
    def smallest_C(self):
        """The C at which an L1 penalty lets the first coefficient in."""
        onehot = (self.y[:, None] == np.arange(self.n_classes)).astype(float)
        null = onehot.mean(axis=0) if self.fit_intercept else 1.0 / self.n_classes
        return 1.0 / float(np.abs(self.X.T @ (onehot - null)).max())

    def with_penalty(self, l1_ratio, factor, **changes):
        """C as a multiple of the smallest one that is of use."""
        problem = replace(self, l1_ratio=l1_ratio, **changes)
        return replace(problem, Cs=np.array([factor * problem.smallest_C / l1_ratio]))

    def with_column_of_ones(self):
        """The same model with the intercept as a column, so that it is penalized."""
        ones = np.ones((self.X.shape[0], 1))
        stack = sparse.hstack if sparse.issparse(self.X) else np.hstack
        X = stack([self.X, ones])
        return replace(
            self, X=X.tocsr() if sparse.issparse(X) else X, fit_intercept=False, bounds={}
        )

    def save(self, folder):
        """Write to `folder` for the worker processes."""
        if sparse.issparse(self.X):
            sparse.save_npz(folder / "X.npz", self.X, compressed=False)
        else:
            np.save(folder / "X.npy", self.X)
        np.savez(folder / "arrays.npz", y=self.y, Cs=self.Cs)
        np.savez(folder / "bounds.npz", **self.bounds)
        settings = {"l1_ratio": self.l1_ratio, "fit_intercept": self.fit_intercept}
        (folder / "settings.json").write_text(json.dumps(settings))

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        folder = Path(folder)
        is_sparse = (folder / "X.npz").exists()
        with np.load(folder / "arrays.npz") as arrays, np.load(folder / "bounds.npz") as bounds:
            return cls(
                X=sparse.load_npz(folder / "X.npz") if is_sparse else np.load(folder / "X.npy"),
                y=arrays["y"],
                Cs=arrays["Cs"],
                bounds=dict(bounds),
                **json.loads((folder / "settings.json").read_text()),
            )

    def miniature(self):
        """A tiny problem that runs the same code: same layout, types, penalty and classes."""
        rng = np.random.default_rng(0)
        n_samples = 20 * self.n_classes
        X = rng.standard_normal((n_samples, 6))
        y = np.arange(n_samples) % self.n_classes
        X[:, 0] += y
        small = replace(self, X=_make_csr(X) if sparse.issparse(self.X) else X, y=y, bounds={})
        Cs = small.smallest_C * np.geomspace(3, 30, len(self.Cs)) if self.l1_ratio else small.Cs
        return replace(small, Cs=Cs)


def _make_csr(X):
    # 64-bit indices would shut out celer and skglm.
    X = sparse.csr_matrix(X, dtype=float)
    X.sum_duplicates()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def make_classification(
    n_samples, n_features, n_informative, n_classes=2, *, correlation=0.5, noise=1.0, seed=0
):
    """Gaussian columns, each correlated with its left neighbor; classes from a softmax model."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    for j in range(1, n_features):
        X[:, j] *= np.sqrt(1 - correlation**2)
        X[:, j] += correlation * X[:, j - 1]
    coefs = np.zeros((n_features, n_classes))
    support = rng.choice(n_features, n_informative, replace=False)
    coefs[support] = rng.standard_normal((n_informative, n_classes))
    scores = X @ coefs
    scores *= 2.0 / scores.std()
    return Problem(X, (scores + noise * rng.gumbel(size=scores.shape)).argmax(axis=1))


def load_bundled(name):
    """A data set that ships with scikit-learn, standardized."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    spread = X.std(axis=0)
    return Problem((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0), y)


def _load_arrays(name):
    path = find_file(name)
    return None if path is None else np.load(path, allow_pickle=False)


def load_golub():
    """38 patients, 3,051 gene expressions; two kinds of leukemia."""
    arrays = _load_arrays("golub_leukemia.npz")
    if arrays is None:
        return None
    return Problem(np.ascontiguousarray(arrays["X"], dtype=float), arrays["y"].astype(int))


def load_fashion(n_rows):
    """The first images of Fashion-MNIST, 784 pixels from 0 to 1, 10 classes."""
    arrays = _load_arrays("fashion_mnist.npz")
    if arrays is None:
        return None
    X = arrays["X_train"][:n_rows].reshape(n_rows, -1) / 255.0
    return Problem(X, arrays["y_train"][:n_rows].astype(int))


def load_covtype(n_rows, seed=0):
    """Random rows of the forest covers; the 10 numeric columns standardized, 44 of 0/1."""
    arrays = _load_arrays("covtype.npz")
    if arrays is None:
        return None
    X, y = arrays["X"], arrays["y"]
    rows = np.sort(np.random.default_rng(seed).choice(len(y), n_rows, replace=False))
    X = np.ascontiguousarray(X[rows], dtype=float)
    X[:, :10] = (X[:, :10] - X[:, :10].mean(axis=0)) / X[:, :10].std(axis=0)
    return Problem(X, np.unique(y[rows], return_inverse=True)[1])


def load_farm_ads(share=1):
    """Every `share`-th of 4,143 advertisements, 58,052 words, 0/1; approved or not."""
    arrays = _load_arrays("farm_ads.npz")
    if arrays is None:
        return None
    parts = arrays["data"], arrays["indices"], arrays["indptr"]
    X = sparse.csr_matrix(parts, shape=tuple(arrays["shape"]))
    return Problem(_make_csr(X[::share]), (arrays["y"][::share] > 0).astype(int))


def load_reviews(target, n_rows=None):
    """Clothing reviews as tf-idf of their words; `target` is a column of the table."""
    path = find_file("clothing_reviews.csv.gz")
    if path is None:
        return None
    import pandas as pd
    from sklearn.feature_extraction.text import TfidfVectorizer

    frame = pd.read_csv(path).dropna(subset=["Review Text", target])[:n_rows]
    X = TfidfVectorizer(min_df=2).fit_transform(frame["Review Text"])
    return Problem(_make_csr(X), np.unique(frame[target], return_inverse=True)[1])
