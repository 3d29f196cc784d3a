"""Least squares on data in blocks of rows: one pass of moments, one that certifies.

What is known after the first pass are the moments of the data as a triangular factor (see
:mod:`skextra._core.least_squares.factor`), from which any number of models, penalties and folds
follow. The second pass takes the duality gap from the data with the coefficients as they are
returned.
"""

from copy import copy
from functools import partial

import numpy as np
from sklearn.model_selection import KFold

from skextra import _core
from skextra._validation import check_finite_result
from skextra.utils._rows import read_numbers, summarize


def open_rows(X, y, sample_weight):
    """Rows of a regression in blocks.

    Raises
    ------
    ValueError
        If y is missing.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    return X._make_rows(y, sample_weight, read_numbers)


def read_moments(estimator, rows):
    """Description and factor of all rows, in one pass."""
    description, factor = summarize(rows, _factorize)
    set_features(estimator, description)
    return description, factor if estimator.fit_intercept else factor.move_to_zero()


def read_fold_moments(estimator, rows, n_folds):
    """Description of all rows, and a factor for each fold of adjacent rows.

    Raises
    ------
    ValueError
        If there are fewer rows than folds, or a fold has no weight.
    """
    counts = rows.count_rows()
    if n_folds > counts.sum():
        raise ValueError(
            f"Cannot have number of splits n_splits={n_folds} greater than the number of "
            f"samples: n_samples={counts.sum()}"
        )
    segments = [(part,) for part in cut_into_folds(counts, n_folds)]
    function = partial(_factorize_folds, n_folds)
    description, factors = summarize(rows, function, segments)
    set_features(estimator, description)
    if any(factor is None or factor.weight == 0 for factor in factors):
        raise ValueError("sample_weight must not be all zero in the test part of a fold")
    return description, factors


def set_features(estimator, description):
    """Set what is known of the features."""
    estimator.n_features_in_ = description.n_features
    if description.names is not None:
        estimator.feature_names_in_ = np.array(description.names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def _as_matrix(y):
    return y.reshape(len(y), -1)


def _factorize(block):
    return _core.least_squares.factor.factorize(block.X, _as_matrix(block.y), block.weight)


def _factorize_folds(n_folds, block, segments):
    factors = [None] * n_folds
    for fold, start, stop in segments:
        weight = None if block.weight is None else block.weight[start:stop]
        factors[fold] = _core.least_squares.factor.factorize(
            block.X[start:stop], _as_matrix(block.y[start:stop]), weight
        )
    return tuple(factors)


def count_folds(cv):
    """Number of folds that splitters of adjacent rows make.

    Raises
    ------
    ValueError
        For any other splitter.
    """
    if cv is None:
        return 5
    if isinstance(cv, int | np.integer):
        if cv < 2:
            raise ValueError(f"cv must be at least 2, got {cv}")
        return int(cv)
    if type(cv) is KFold and not cv.shuffle:
        return cv.n_splits
    raise ValueError(
        "with data in blocks, folds are of adjacent rows: cv must be None, an integer or "
        f"KFold(shuffle=False), got {cv!r}"
    )


def cut_into_folds(counts, n_folds):
    """Rows of each block that belong to each fold, as ``(fold, start, stop)``."""
    sizes = np.full(n_folds, counts.sum() // n_folds)
    sizes[: counts.sum() % n_folds] += 1
    ends = np.cumsum(sizes)
    result, first = [], 0
    for count in counts:
        parts, start = [], 0
        while start < count:
            fold = int(np.searchsorted(ends, first + start, side="right"))
            stop = int(min(count, ends[fold] - first))
            parts.append((fold, start, stop))
            start = stop
        result.append(parts)
        first += count
    return result


def sum_factors(factors, without=None):
    """Factor of all folds, or of all but one, about their mean."""
    parts = [factor for i, factor in enumerate(factors) if i != without]
    return sum(parts[1:], start=parts[0])


class FoldErrors:
    """Test errors of elastic nets from the factors of folds.

    Parameters
    ----------
    estimator : estimator instance
    factors : tuple of Factor
        One for each fold.
    n_features : int
    penalty_weights : ndarray of shape (n_features,) or None
    settings : Settings

    Attributes
    ----------
    total : Factor
        Of all folds, as the model sees them.
    """

    def __init__(self, estimator, factors, n_features, penalty_weights, settings):
        self.folds, self.n_features = factors, n_features
        self.penalty_weights, self.settings = penalty_weights, settings
        self.fit_intercept = estimator.fit_intercept
        self.total = self._sum(None)

    def _sum(self, without):
        factor = sum_factors(self.folds, without)
        return factor if self.fit_intercept else factor.move_to_zero()

    def compute_alpha_max(self, l1_ratio):
        """Largest penalty of a grid."""
        return _core.least_squares.factor_fits.compute_alpha_max(
            self.total, self.n_features, l1_ratio, self.penalty_weights, self.settings.positive
        )

    def compute(self, index, alphas, l1_ratio):
        """Test errors (n_alphas,) of a fold, and whether all models have converged."""
        return _core.least_squares.factor_fits.compute_fold_errors(
            self._sum(index), self.folds[index], self.n_features, alphas, l1_ratio,
            self.penalty_weights, self.settings,
        )  # fmt: skip


def sum_residuals(rows, factor, coef, intercept):
    """Pass over the data that a certificate takes."""
    coef = np.ascontiguousarray(coef, dtype=np.float64)
    best = _core.least_squares.factor_fits.compute_intercepts(coef, factor.mean)
    function = partial(_sum_block, coef, intercept - best, factor.mean)
    return rows.reduce(function)


def _sum_block(coef, offset, mean, block):
    return _core.least_squares.factor_certificate.sum_residuals(
        block.X, _as_matrix(block.y), block.weight, coef, offset, mean
    )


def make_certifiers(estimator, factor, penalty_weights):
    """One certifier for each target."""
    X, Y = factor.split(estimator.n_features_in_)
    weight = factor.weight if estimator.fit_intercept else np.inf
    return [
        _core.least_squares.factor_certificate.Certifier(X, y, weight, penalty_weights) for y in Y.T
    ]


def certify_elastic_net(estimator, rows, description, factor, path, alphas, l1_ratio, weights):
    """Make coefficients and gaps of a path those of what is returned, from one pass.

    Parameters
    ----------
    estimator : estimator instance
    rows : Rows
    description : Description
    factor : Factor
    path : Path
        Changed in place; of one target or of one penalty.
    alphas : ndarray of shape (n_alphas,)
    l1_ratio : float
    weights : ndarray of shape (n_features,) or None
        Penalty weights.
    """
    p = description.n_features
    null = _core.least_squares.factor_fits.compute_null_objectives(factor, p, weights)
    certifiers = make_certifiers(estimator, factor, weights)
    for array in (path.coefs, path.intercepts):
        array[:] = array.astype(description.dtype)
    check_finite_result(estimator, path.coefs, path.intercepts)
    tol = max(estimator.tol, 1e-10 if l1_ratio == 0 else 64 * np.finfo(np.float64).eps)
    for i, alpha in enumerate(alphas):
        sums = sum_residuals(rows, factor, path.coefs[:, i], path.intercepts[:, i])
        scale = alpha * factor.weight
        for t, certifier in enumerate(certifiers):
            gap = certifier.compute_elastic_net_gap(
                sums.select(t), path.coefs[t, i], scale * l1_ratio, scale * (1 - l1_ratio),
                estimator.positive,
            )  # fmt: skip
            path.gaps[t, i] = gap / max(null[t], np.finfo(np.float64).tiny)
    path.converged[:] = path.gaps <= tol


def check_positive(estimator, alphas, penalty_weights):
    """Refuse a sign constraint on coefficients without a penalty.

    Raises
    ------
    ValueError
        Rounding leaves such problems without a certificate from sums over blocks.
    """
    is_penalized = penalty_weights is None or (penalty_weights > 0).all()
    if estimator.positive and not (is_penalized and np.min(alphas) > 0):
        raise ValueError(
            "with data in blocks, positive=True needs positive penalties and positive "
            f"penalty_weights, got penalties {alphas} and "
            f"penalty_weights={estimator.penalty_weights}"
        )


def check_precompute(estimator):
    """Refuse a Gram matrix from outside: that of the blocks is computed anyway."""
    if not isinstance(estimator.precompute, bool | str):
        raise ValueError(
            "with data in blocks, precompute must be 'auto', True or False, got an array"
        )


def check_loo_parameters(ridge_cv):
    """Refuse what leave-one-out would have to keep for every row."""
    if ridge_cv.scoring not in (None, "neg_mean_squared_error"):
        raise ValueError(
            "with data in blocks, leave-one-out takes scoring=None or "
            f"'neg_mean_squared_error', got {ridge_cv.scoring!r}"
        )
    if ridge_cv.store_cv_results:
        raise ValueError("with data in blocks, store_cv_results must be False, got True")


def sum_loo_losses(rows, loo, alphas, spread, per_target):
    """Leave-one-out losses of all rows, in one pass."""
    return rows.reduce(partial(_sum_loo_block, loo, alphas, spread, per_target))


def _sum_loo_block(loo, alphas, spread, per_target, block):
    return copy(loo).sum_losses(
        block.X, _as_matrix(block.y), block.weight, alphas, spread, per_target
    )


def score_fold(scoring, test, coef, intercept):
    """Score of a linear model on the rows of a factor, averaged over targets.

    Raises
    ------
    ValueError
        For a scoring that sums of squares do not determine.
    """
    squares = _core.least_squares.factor_fits.sum_squared_errors(test, coef, intercept)
    if scoring == "neg_mean_squared_error":
        return -float((squares / test.weight).mean())
    if scoring == "neg_root_mean_squared_error":
        return -float(np.sqrt(squares / test.weight).mean())
    if scoring not in (None, "r2"):
        raise ValueError(
            "with data in blocks, scoring must be None, 'r2', 'neg_mean_squared_error' or "
            f"'neg_root_mean_squared_error', got {scoring!r}"
        )
    Y = test.rows[:, coef.shape[1] :]
    total = np.einsum("ij,ij->j", Y, Y)
    scores = np.where(squares == 0, 1.0, 0.0)
    np.divide(total - squares, total, out=scores, where=total > 0)
    return float(scores.mean())
