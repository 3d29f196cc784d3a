"""Draw the density of a mixture over two of its features."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

_COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#333333",
)  # fmt: skip


class DensityDisplay:
    """Density of a Gaussian mixture over two features: contours and ellipses.

    Create it with :meth:`from_estimator`. The other features are integrated out.
    Needs matplotlib.

    Parameters
    ----------
    mixture : GaussianMixture
        Fitted, of two features.
    x, y : ndarray of shape (n_points,)
        Grid of each feature.
    log_density : ndarray of shape (n_points, n_points)
        Logarithm of the density, a row per value of `y`.
    samples : ndarray of shape (n_samples, 2), default=None
        Samples to draw.
    labels : ndarray of int of shape (n_samples,), default=None
        Component each sample is drawn in the color of.
    feature_names : sequence of str of length 2, default=("x0", "x1")
        Labels of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    contours_ : matplotlib QuadContourSet
        Of the density.
    ellipses_ : list of matplotlib Ellipse
        One a component.
    points_ : matplotlib PathCollection or None
        The samples.

    See Also
    --------
    GaussianMixture : What is drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.mixture import DensityDisplay, GaussianMixture
    >>> X, _ = load_iris(return_X_y=True)
    >>> mixture = GaussianMixture(3, random_state=0).fit(X)
    >>> DensityDisplay.from_estimator(mixture, X, features=(2, 3))
    <...DensityDisplay...>
    """

    def __init__(
        self, *, mixture, x, y, log_density, samples=None, labels=None, feature_names=("x0", "x1")
    ):
        self.mixture = mixture
        self.x = x
        self.y = y
        self.log_density = log_density
        self.samples = samples
        self.labels = labels
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        features=(0, 1),
        n_points=200,
        n_levels=8,
        n_std=2.0,
        ax=None,
        contour_kw=None,
        scatter_kw=None,
    ):
        """Draw the density of a fitted mixture.

        Parameters
        ----------
        estimator : GaussianMixture or GaussianMixtureIC
            Fitted, of at least two features.
        X : array-like of shape (n_samples, n_features), default=None
            Samples to draw, in the color of their likeliest component, which is
            found from all features. Those without one of the two values are left out.
        features : pair of int or of str, default=(0, 1)
            The two features.
        n_points : int, default=200
            Grid points along each axis.
        n_levels : int, default=8
            As in :meth:`plot`.
        n_std : float, default=2.0
            As in :meth:`plot`.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        contour_kw : dict, default=None
            As in :meth:`plot`.
        scatter_kw : dict, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : DensityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `features` are not two different ones, or `n_points` is below 2.
        """
        _import_pyplot()
        check_is_fitted(estimator)
        labels = None if X is None else estimator.predict(X)
        mixture = getattr(estimator, "best_estimator_", estimator)
        features = tuple(features)
        if len(features) != 2:
            raise ValueError(f"features must be two, got {features!r}")
        if n_points < 2:
            raise ValueError(f"n_points must be at least 2, got {n_points!r}")
        names = getattr(estimator, "feature_names_in_", None)
        if names is not None and not hasattr(mixture, "feature_names_in_"):
            mixture.feature_names_in_ = names
        columns = mixture._find_columns(features)
        marginal = mixture.marginal(columns)
        marginal.__dict__.pop("feature_names_in_", None)  # evaluated on plain arrays
        samples = None
        if X is not None:
            samples = _take_columns(X, columns)
            seen = ~np.isnan(samples).any(axis=1)
            samples, labels = samples[seen], labels[seen]
        x, y = _make_grid(marginal, samples, n_points)
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        log_density = marginal.score_samples(grid).reshape(len(y), len(x))
        shown = [f"x{j}" if names is None else str(names[j]) for j in columns]
        display = cls(
            mixture=marginal, x=x, y=y, log_density=log_density, samples=samples, labels=labels,
            feature_names=shown,
        )  # fmt: skip
        return display.plot(
            ax, n_levels=n_levels, n_std=n_std, contour_kw=contour_kw, scatter_kw=scatter_kw
        )

    def plot(self, ax=None, *, n_levels=8, n_std=2.0, contour_kw=None, scatter_kw=None):
        """Draw contours, ellipses and samples.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        n_levels : int, default=8
            Contours; from one to the next the density falls by the same factor.
        n_std : float, default=2.0
            Standard deviations to the edge of an ellipse.
        contour_kw : dict, default=None
            Passed to ``ax.contour``.
        scatter_kw : dict, default=None
            Passed to ``ax.scatter``.

        Returns
        -------
        display : DensityDisplay
            The display, drawn.
        """
        plt = _import_pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 5.2), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        top = self.log_density.max()
        # Down to a thousandth of the mode: three standard deviations and a bit.
        levels = np.linspace(top - 7.0, top, n_levels + 1)[:-1]
        style = {"colors": "#8a8a8a", "linewidths": 0.8, "linestyles": "solid"} | (contour_kw or {})
        self.contours_ = ax.contour(self.x, self.y, self.log_density, levels=levels, **style)
        self.points_ = None
        if self.samples is not None:
            colors = [_COLORS[label % len(_COLORS)] for label in self.labels]
            style = {"s": 12, "alpha": 0.6, "linewidths": 0, "c": colors} | (scatter_kw or {})
            self.points_ = ax.scatter(*self.samples.T, **style)
        self.ellipses_ = [self._draw_ellipse(ax, k, n_std) for k in range(len(self.mixture.means_))]
        ax.set_xlabel(self.feature_names[0])
        ax.set_ylabel(self.feature_names[1])
        ax.set_xlim(self.x[0], self.x[-1])
        ax.set_ylim(self.y[0], self.y[-1])
        return self

    def _draw_ellipse(self, ax, k, n_std):
        from matplotlib.patches import Ellipse

        values, vectors = np.linalg.eigh(_get_covariance(self.mixture, k))
        angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        width, height = 2 * n_std * np.sqrt(values[::-1])
        color = _COLORS[k % len(_COLORS)]
        ellipse = Ellipse(
            self.mixture.means_[k], width, height, angle=angle, fill=False, edgecolor=color,
            linewidth=1.2 + 2.0 * self.mixture.weights_[k], zorder=3,
        )  # fmt: skip
        ax.plot(*self.mixture.means_[k], marker="+", color=color, markersize=8, zorder=4)
        return ax.add_patch(ellipse)


def _get_covariance(mixture, k):
    """Matrix of one component of a mixture of two features."""
    covariances = mixture.covariances_
    if mixture.covariance_type == "full":
        return covariances[k]
    if mixture.covariance_type == "tied":
        return covariances
    return np.eye(2) * covariances[k]


def _make_grid(mixture, samples, n_points):
    """Grid over the samples, if there are any, and the components."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for k, mean in enumerate(mixture.means_):
        margin = 3.0 * np.sqrt(np.diagonal(_get_covariance(mixture, k)))
        low, high = np.minimum(low, mean - margin), np.maximum(high, mean + margin)
    if samples is not None and len(samples):
        margin = 0.08 * np.ptp(samples, axis=0)
        low = np.minimum(low, samples.min(axis=0) - margin)
        high = np.maximum(high, samples.max(axis=0) + margin)
    return tuple(np.linspace(low[j], high[j], n_points) for j in range(2))


def _take_columns(X, columns):
    array = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
    return array[:, columns].astype(np.float64)


def _import_pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("DensityDisplay needs matplotlib: pip install matplotlib") from error
    return plt
