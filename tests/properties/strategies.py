"""Data that break numerical code: scales, offsets, ranks, duplicates, types, weights, layouts.

What is drawn are a seed and the properties of the data, not the numbers: examples shrink to the
property that matters, and print as a line that says what they are.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

#: Decimal exponents of the units of columns and targets.
EXPONENTS = (0, -8, -4, -1, 1, 4, 8)
#: Distances of a column's mean from the origin, in standard deviations.
OFFSETS = (0.0, 1.0, -1e3, 1e6)
#: How far a column is from a combination of the others, in standard deviations.
SPREADS = (1.0, 1e-3, 1e-7, 0.0)
WEIGHTS = ("none", "counts", "spread", "tiny", "huge")
LAYOUTS = ("C", "F", "strided", "reversed", "read-only")
DTYPES = (np.float64, np.float32)


@dataclass(frozen=True)
class Design:
    """A matrix of features with its weights.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,) or None
    seed : int
        Of whatever else is drawn for it.
    properties : dict
        What was drawn, for reports.
    """

    X: np.ndarray = field(repr=False)
    sample_weight: np.ndarray | None = field(repr=False)
    seed: int
    properties: dict

    @property
    def weights(self):
        """Weights, ones where there are none."""
        n = len(self.X)
        return np.ones(n) if self.sample_weight is None else self.sample_weight

    def standardize(self):
        """Columns in units of their own, in float64: what targets are made of."""
        X = self.X.astype(np.float64)
        # Scaled before anything is squared, and by what is left after centering.
        X = X - X.mean(axis=0)
        scale = np.abs(X).max(axis=0)
        return X / np.where(scale > 0, scale, 1.0)

    def replace(self, **changes):
        """The same design with other arrays."""
        return replace(self, **changes)


@st.composite
def designs(
    draw,
    max_samples=20,
    max_features=4,
    min_samples=6,
    exponents=EXPONENTS,
    offsets=OFFSETS,
    spreads=SPREADS,
    dtypes=DTYPES,
    layouts=LAYOUTS,
    weights=WEIGHTS,
):
    """Designs of which each column, and the set of rows, may be hard in its own way."""
    seed = draw(st.integers(0, 2**16), label="seed")
    n = draw(st.integers(min_samples, max_samples), label="n_samples")
    p = draw(st.integers(1, max_features), label="n_features")
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    chosen = {"n": n, "p": p}
    for j in range(1, p):  # near a combination of the columns before it
        spread = draw(st.sampled_from(spreads), label="spread")
        if spread < 1:
            X[:, j] = X[:, :j] @ rng.standard_normal(j) + spread * X[:, j]
            chosen[f"spread {j}"] = spread
    n_repeated = draw(st.sampled_from([0, 0, 1, n // 2]), label="repeated rows")
    X[n - n_repeated :] = X[rng.integers(0, n - n_repeated, n_repeated)]
    common = draw(st.booleans(), label="one unit")
    units = st.lists(st.sampled_from(exponents), min_size=p, max_size=p)
    powers = [draw(st.sampled_from(exponents), label="exponent")] * p if common else draw(units)
    shifts = draw(st.lists(st.sampled_from(offsets), min_size=p, max_size=p), label="offsets")
    dtype = np.dtype(draw(st.sampled_from(dtypes), label="dtype"))
    layout = draw(st.sampled_from(layouts), label="layout")
    X = ((X + shifts) * 10.0 ** np.array(powers, dtype=float)).astype(dtype)
    sample_weight = draw(sample_weights(n, rng, weights))
    chosen |= {"repeated": n_repeated, "exponents": powers, "offsets": shifts}
    chosen |= {"dtype": dtype.name, "layout": layout}
    return Design(arrange(X, layout), sample_weight, seed, chosen)


@st.composite
def sample_weights(draw, n_samples, rng, kinds=WEIGHTS):
    """No weights, counts, or weights of any spread and unit; at least half of them positive."""
    kind = draw(st.sampled_from(kinds), label="weights")
    if kind == "none":
        return None
    weights = rng.integers(0, 4, n_samples).astype(float)
    weights[: n_samples // 2 + 1] += 1.0
    if kind == "spread":
        weights *= 10.0 ** rng.uniform(-4, 4, n_samples)
    return weights * {"tiny": 1e-9, "huge": 1e9}.get(kind, 1.0)


@st.composite
def targets(draw, design, exponents=EXPONENTS, offsets=OFFSETS):
    """A target for regression, in a unit and with an offset of its own."""
    rng = np.random.default_rng([design.seed, 1])
    Z = design.standardize()
    noise = draw(st.sampled_from([0.3, 1e-3, 0.0]), label="noise")
    y = Z @ rng.standard_normal(Z.shape[1]) + noise * rng.standard_normal(len(Z))
    y = y + draw(st.sampled_from(offsets), label="offset of y")
    return y * 10.0 ** draw(st.sampled_from(exponents), label="exponent of y")


@st.composite
def labels(draw, design, n_classes=2):
    """Classes, each with a row of positive weight at least; some rows are on the wrong side."""
    rng = np.random.default_rng([design.seed, 2])
    Z = design.standardize()
    noise = draw(st.sampled_from([0.5, 0.0]), label="noise of labels")
    score = Z @ rng.standard_normal(Z.shape[1]) + noise * rng.standard_normal(len(Z))
    y = np.searchsorted(np.quantile(score, np.arange(1, n_classes) / n_classes), score)
    y[:n_classes] = np.arange(n_classes)
    return y


def arrange(X, layout):
    """The same numbers in another layout of memory."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        wide = np.full((2 * X.shape[0], 3 * X.shape[1]), -77, dtype=X.dtype)
        wide[::2, ::3] = X
        return wide[::2, ::3]
    if layout == "reversed":
        return np.ascontiguousarray(X[::-1])[::-1]
    X = np.ascontiguousarray(X)
    X.flags.writeable = layout != "read-only"
    return X


def to_sparse(X, format, with_zeros=False):
    """X as a sparse array; `with_zeros` stores the zeros, too."""
    if not with_zeros:
        return getattr(sparse, f"{format}_array")(np.ascontiguousarray(X))
    n, p = X.shape
    if format == "csr":
        indices, data = np.tile(np.arange(p), n), X.ravel()
        return sparse.csr_array((data, indices, np.arange(0, n * p + 1, p)), shape=X.shape)
    indices, data = np.tile(np.arange(n), p), X.T.ravel()
    return sparse.csc_array((data, indices, np.arange(0, n * p + 1, n)), shape=X.shape)
