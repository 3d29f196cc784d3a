"""Prediction, scoring and sampling of a fitted mixture."""

from numbers import Integral

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._parallel import open_pool
from skextra._validation import validate_sample_weight
from skextra.mixture._parameters import get_kind, invert, to_layout
from skextra.mixture._rows import check_total


class FittedMixture(DensityMixin, BaseEstimator):
    """Methods of a mixture from ``weights_``, ``means_`` and ``precisions_cholesky_``."""

    def score_samples(self, X):
        """Compute the log-likelihood of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value, which is integrated out.

        Returns
        -------
        log_prob : ndarray of shape (n_samples,)
            Logarithm of the density at each sample.
        """
        return self._evaluate(X)[0]

    def score(self, X, y=None, sample_weight=None):
        """Compute the average log-likelihood of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value.
        y : Ignored
            Present for API consistency by convention.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        log_likelihood : float
            Mean of `score_samples`.
        """
        return self._average_scores(X, sample_weight)[0]

    def predict(self, X):
        """Predict the most probable component of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            Numbers of components.
        """
        return self._evaluate(X)[1]

    def predict_proba(self, X):
        """Compute the probability of each component given each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value.

        Returns
        -------
        resp : ndarray of shape (n_samples, n_components)
            Each row sums to 1.
        """
        return self._evaluate(X, with_responsibilities=True)[2]

    def sample(self, n_samples=1):
        """Draw samples from the mixture.

        Parameters
        ----------
        n_samples : int, default=1
            Number of samples.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Samples, ordered by component.
        y : ndarray of int of shape (n_samples,)
            Component each sample is from.

        Raises
        ------
        ValueError
            If `n_samples` is not positive.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"Invalid value for 'n_samples': {n_samples!r} . The sampling requires at "
                "least one sample."
            )
        random_state = check_random_state(self.random_state)
        weights = np.asarray(self.weights_, dtype=np.float64)
        # Weights that were rounded to float32 may sum to more than NumPy lets pass.
        counts = random_state.multinomial(n_samples, weights / weights.sum())
        labels = np.repeat(np.arange(len(counts)), counts)
        means = np.asarray(self.means_, dtype=np.float64)
        X = random_state.standard_normal((n_samples, means.shape[1]))
        factors = self._factorize_covariances()
        starts = np.concatenate([[0], np.cumsum(counts)])
        for k, mean in enumerate(means):
            rows = slice(starts[k], starts[k + 1])
            factor = factors[0 if len(factors) == 1 else k]
            X[rows] = X[rows] @ factor.T if len(factor) > 1 else X[rows] * factor[0]
            X[rows] += mean
        return X, labels

    def _factorize_covariances(self):
        """Matrices F with ``covariances_ = F @ F.T`` (square roots for variances).

        As in scikit-learn, samples follow ``covariances_`` as they stand, whoever set them.
        """
        covariance_type = self._get_covariance_type()
        covariances = to_layout(self.covariances_, covariance_type)
        if covariance_type in ("diag", "spherical"):
            return np.sqrt(covariances)
        # One scale for all features, so that the units do not decide what is rounding.
        scales = np.sqrt(np.einsum("kii->ki", covariances))[:, :, None]
        scales[scales == 0] = 1.0
        correlations = covariances / scales / scales.swapaxes(1, 2)
        if self.covariances_.dtype == np.float32 and hasattr(self, "precisions_cholesky_"):
            # The precisions have kept the narrow directions that rounding took away.
            cholesky = to_layout(self.precisions_cholesky_, covariance_type)
            factors = np.linalg.inv(cholesky).swapaxes(1, 2) / scales
            if np.allclose(factors @ factors.swapaxes(1, 2), correlations, rtol=0, atol=1e-3):
                return factors * scales
        try:
            return np.linalg.cholesky(correlations) * scales
        except np.linalg.LinAlgError:  # singular, or a little indefinite after rounding
            values, vectors = np.linalg.eigh(correlations)
            return vectors * np.sqrt(np.maximum(values, 0.0))[:, None] * scales

    def bic(self, X, sample_weight=None):
        """Bayesian information criterion of the mixture on samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample; their sum is the number of samples.

        Returns
        -------
        bic : float
            The lower, the better.
        """
        total, weight = self._sum_scores(X, sample_weight)
        return -2 * total + self._n_parameters() * np.log(weight)

    def aic(self, X, sample_weight=None):
        """Akaike information criterion of the mixture on samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        aic : float
            The lower, the better.
        """
        return -2 * self._sum_scores(X, sample_weight)[0] + 2 * self._n_parameters()

    def icl(self, X, sample_weight=None):
        """Integrated completed likelihood: BIC plus twice the entropy of the assignment.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; NaN stands for a missing value.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        icl : float
            The lower, the better. Overlapping components count against it.

        References
        ----------
        Biernacki, Celeux & Govaert, "Assessing a mixture model for clustering with
        the integrated completed likelihood", IEEE TPAMI 22 (2000).
        """
        shares = self._evaluate(X, with_responsibilities=True)[2].astype(np.float64)
        entropies = -np.sum(shares * np.log(np.where(shares > 0, shares, 1.0)), axis=1)
        weights = self._check_weights(sample_weight, len(entropies))
        entropy = entropies.sum() if weights is None else weights @ entropies
        return self.bic(X, sample_weight) + 2 * float(entropy)

    def _average_scores(self, X, sample_weight):
        """Mean of the scores, and the sum of the weights."""
        scores = self.score_samples(X)
        weights = self._check_weights(sample_weight, len(scores))
        if weights is None:
            # As scikit-learn: the mean in the type of the scores.
            return float(scores.mean()), float(len(scores))
        # Relative to the largest, as in `fit`: neither sum can overflow or vanish.
        largest = float(weights.max())
        shares = weights / largest
        return float(shares @ scores) / float(shares.sum()), largest * float(shares.sum())

    def _sum_scores(self, X, sample_weight):
        """Sum of the scores, and the number of samples that the weights stand for."""
        mean, weight = self._average_scores(X, sample_weight)
        check_total(weight, mean)
        return mean * weight, weight

    @staticmethod
    def _check_weights(sample_weight, n_samples):
        return validate_sample_weight(sample_weight, np.empty((n_samples, 1)))

    def _n_parameters(self):
        """Count free parameters."""
        n_components, d = self.means_.shape
        in_covariances = {
            "full": n_components * d * (d + 1) // 2,
            "tied": d * (d + 1) // 2,
            "diag": n_components * d,
            "spherical": n_components,
        }[self._get_covariance_type()]
        return int(in_covariances + n_components * d + n_components - 1)

    def _get_covariance_type(self):
        return getattr(self, "covariance_type_", None) or self.covariance_type

    def _to_parameters(self, with_exact_covariances=True):
        """Fitted attributes as the core has them, in float64.

        As in scikit-learn, densities are those of ``precisions_cholesky_``; where it was not
        set, of ``covariances_``. Marginals and conditionals need covariances that agree with
        it to the last digits, which ``covariances_`` in float32 do not; complete rows do not
        need them, and are spared the inverses.
        """
        covariance_type = self._get_covariance_type()
        kind, is_matrix = get_kind(covariance_type), covariance_type in ("full", "tied")
        covariances = cholesky = None
        if hasattr(self, "covariances_"):
            covariances = to_layout(self.covariances_, covariance_type)
        if hasattr(self, "precisions_cholesky_"):
            cholesky = to_layout(self.precisions_cholesky_, covariance_type)
            if covariances is None or with_exact_covariances:
                covariances = _core.mixture.covariances.invert_precision_cholesky(
                    cholesky, is_matrix
                )
        else:
            cholesky = invert(covariances, kind)
        weights = np.asarray(self.weights_, dtype=np.float64)
        return _core.mixture.parameters.Parameters(
            kind,
            weights,
            np.ascontiguousarray(self.means_, dtype=np.float64),
            covariances,
            cholesky,
        )

    def _evaluate(self, X, with_responsibilities=False):
        check_is_fitted(self)
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", reset=False
        )
        return self._evaluate_checked(X, with_responsibilities)

    def _evaluate_checked(self, X, with_responsibilities=False):
        parameters = self._to_parameters(_core.mixture.data.has_missing(X))
        evaluated = _core.mixture.e_step.evaluate_small(X, parameters)
        if evaluated is None:
            with open_pool(getattr(self, "n_jobs", None)) as pool:
                evaluated = _core.mixture.e_step.evaluate(
                    X, parameters, pool, with_responsibilities
                )
        scores, labels, shares = evaluated
        dtype = np.result_type(X.dtype, self.means_.dtype)
        with np.errstate(over="ignore"):
            scores = scores.astype(dtype, copy=False)
        if not np.isfinite(scores).all():
            raise ValueError(
                f"the densities of {type(self).__name__} overflow: entries of X are too large "
                "for its covariances"
            )
        shares = None if shares is None else shares.astype(dtype, order="C", copy=False)
        return scores, labels, shares

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
