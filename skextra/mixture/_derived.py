"""Mixtures that follow from a mixture, or are given."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skextra import _core
from skextra.mixture._parameters import check_definite, check_means, check_weights, get_kind, invert


class DerivedMixtures:
    """`from_parameters`, `marginal` and `condition` of a Gaussian mixture."""

    @classmethod
    def from_parameters(cls, weights, means, covariances, *, covariance_type="full", **parameters):
        """Create a fitted mixture from its parameters.

        Parameters
        ----------
        weights : array-like of shape (n_components,)
            Weights, which sum to 1.
        means : array-like of shape (n_components, n_features)
            Means.
        covariances : array-like
            Covariances, of the shape of ``covariances_``.
        covariance_type : {'full', 'tied', 'diag', 'spherical'}, default='full'
            Type of the covariances.
        **parameters : dict
            Other parameters of the constructor.

        Returns
        -------
        mixture : GaussianMixture
            Ready for `predict`, `sample` and the rest.

        Raises
        ------
        ValueError
            If a parameter has a wrong shape or value.

        Examples
        --------
        >>> from skextra.mixture import GaussianMixture
        >>> mixture = GaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], covariance_type="spherical"
        ... )
        >>> mixture.predict([[1.0], [3.0]])
        array([0, 1])
        """
        means = np.asarray(means)
        if means.ndim != 2:
            raise ValueError(f"means must have two dimensions, got shape {means.shape}")
        n_components, d = means.shape
        mixture = cls(n_components, covariance_type=covariance_type, **parameters)
        mixture._validate_params()
        layout = check_definite(covariances, covariance_type, n_components, d, "covariances")
        fitted = _core.mixture.parameters.Parameters(
            get_kind(covariance_type),
            check_weights(weights, n_components),
            check_means(means, n_components, d),
            layout,
            invert(layout, get_kind(covariance_type)),
        )
        return _set(mixture, fitted, None)

    def marginal(self, features):
        """Distribution of some of the features.

        Parameters
        ----------
        features : array-like of int or of str
            Positions or names of features, in the order wanted.

        Returns
        -------
        mixture : GaussianMixture
            Fitted mixture of these features, of the same covariance type.

        Raises
        ------
        ValueError
            If a feature is not there or named twice, or none is named.

        Examples
        --------
        >>> from skextra.mixture import GaussianMixture
        >>> mixture = GaussianMixture.from_parameters(
        ...     [1.0], [[0.0, 5.0]], [[[2.0, 1.0], [1.0, 2.0]]]
        ... )
        >>> mixture.marginal([1]).means_
        array([[5.]])
        """
        check_is_fitted(self)
        columns = self._find_columns(features)
        fitted = _core.mixture.missing.take_marginal(self._to_parameters(), columns)
        return self._derive(fitted, columns)

    def condition(self, features, values):
        """Distribution of the other features, given values of some.

        Parameters
        ----------
        features : array-like of int or of str
            Positions or names of the features given.
        values : array-like of shape (len(features),)
            Their values.

        Returns
        -------
        mixture : GaussianMixture
            Fitted mixture of the other features, of the same covariance type;
            its weights are the probabilities of the components given the values.

        Raises
        ------
        ValueError
            If a feature is not there or named twice, none or all are named, or
            the values are too few, too many or not finite.

        Examples
        --------
        >>> from skextra.mixture import GaussianMixture
        >>> mixture = GaussianMixture.from_parameters(
        ...     [1.0], [[0.0, 5.0]], [[[2.0, 1.0], [1.0, 2.0]]]
        ... )
        >>> mixture.condition([0], [2.0]).means_
        array([[6.]])
        """
        check_is_fitted(self)
        columns = self._find_columns(features)
        values = np.asarray(values, dtype=np.float64)
        if values.shape != columns.shape:
            raise ValueError(
                f"values must have shape {columns.shape}, one per feature, got {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"values must be finite, got {values}")
        parameters = self._to_parameters()
        n_components, d = parameters.means.shape
        others = np.setdiff1d(np.arange(d), columns)
        if len(others) == 0:
            raise ValueError("features must leave at least one feature, got all of them")
        marginal = _core.mixture.missing.take_marginal(parameters, columns)
        with _core.runtime.threads.Pool(1) as pool:
            weights = _core.mixture.e_step.evaluate(values[None], marginal, pool, True)[2][0]
        means, covariances = parameters.means[:, others], parameters.covariances
        if parameters.is_matrix:
            coefficients, covariances = _core.mixture.missing.regress(
                covariances, marginal.cholesky, columns, others
            )
            shifts = (values - marginal.means)[:, :, None]
            means = means + (coefficients @ shifts)[:, :, 0]
        elif covariances.shape[2] > 1:
            covariances = covariances[:, :, others]
        covariances = np.ascontiguousarray(covariances)
        fitted = _core.mixture.parameters.Parameters(
            parameters.kind, weights, means, covariances, invert(covariances, parameters.kind)
        )
        return self._derive(fitted, others)

    def _find_columns(self, features):
        features = [features] if isinstance(features, str | Integral) else list(features)
        names = getattr(self, "feature_names_in_", None)
        d = self.means_.shape[1]
        columns = []
        for feature in features:
            if isinstance(feature, str):
                found = np.flatnonzero(names == feature) if names is not None else []
                if len(found) == 0:
                    known = "no names" if names is None else ", ".join(map(str, names))
                    raise ValueError(f"features: no feature {feature!r}; there are {known}")
                columns.append(int(found[0]))
            elif (
                isinstance(feature, Integral)
                and not isinstance(feature, bool)
                and -d <= feature < d
            ):
                columns.append(int(feature) % d)
            else:
                raise ValueError(f"features must be positions below {d} or names, got {feature!r}")
        if not columns or len(set(columns)) < len(columns):
            raise ValueError(f"features must name at least one feature, each once, got {features}")
        return np.array(columns)

    def _derive(self, fitted, columns):
        names = getattr(self, "feature_names_in_", None)
        mixture = type(self)(len(fitted.weights), covariance_type=self.covariance_type)
        mixture.set_params(random_state=self.random_state, n_jobs=self.n_jobs)
        return _set(mixture, fitted, None if names is None else names[columns])


def _set(mixture, fitted, names):
    for name, value in mixture._get_attributes(fitted, np.dtype(np.float64)).items():
        setattr(mixture, name, value)
    mixture.converged_, mixture.n_iter_ = True, 0
    mixture.lower_bound_, mixture.lower_bounds_ = -np.inf, []
    mixture.n_features_in_ = fitted.means.shape[1]
    if names is not None:
        mixture.feature_names_in_ = names
    return mixture
