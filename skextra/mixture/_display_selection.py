"""Draw the criterion by which a mixture was chosen."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

_COLORS = {"full": "#0072b2", "tied": "#d55e00", "diag": "#009e73", "spherical": "#cc79a7"}
_MARKERS = {"full": "o", "tied": "s", "diag": "^", "spherical": "D"}
_NAMES = {"bic": "BIC", "aic": "AIC", "icl": "ICL", "held_out": "Held-out negative log-likelihood"}


class ModelSelectionDisplay:
    """Criterion against the number of components, a line a covariance type.

    Create it with :meth:`from_estimator`. Needs matplotlib.

    Parameters
    ----------
    component_counts : array-like of int of shape (n_counts,)
        Numbers of components.
    criterion_values : array-like of shape (n_types, n_counts)
        The lower, the better; inf leaves a gap.
    covariance_types : sequence of str of length n_types
        Names of the lines.
    criterion : {'bic', 'aic', 'icl', 'held_out'}, default='bic'
        What the values are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.
    lines_ : list of matplotlib Line2D
        One a covariance type.
    best_ : matplotlib Line2D
        Marker of the choice.

    See Also
    --------
    GaussianMixtureIC : What makes the choice.

    Examples
    --------
    >>> from skextra.mixture import ModelSelectionDisplay
    >>> display = ModelSelectionDisplay(
    ...     component_counts=[1, 2], criterion_values=[[5.0, 3.0]], covariance_types=["full"]
    ... )
    >>> display.plot()
    <...ModelSelectionDisplay...>
    """

    def __init__(self, *, component_counts, criterion_values, covariance_types, criterion="bic"):
        self.component_counts = np.asarray(component_counts)
        self.criterion_values = np.asarray(criterion_values, dtype=np.float64)
        self.covariance_types = list(covariance_types)
        shape = len(self.covariance_types), len(self.component_counts)
        if self.criterion_values.shape != shape:
            raise ValueError(
                f"criterion_values must have shape {shape}, one row a covariance type, "
                f"got {self.criterion_values.shape}"
            )
        if criterion not in _NAMES:
            raise ValueError(f"criterion must be one of {tuple(_NAMES)}, got {criterion!r}")
        self.criterion = criterion

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Draw the criterion of a fitted search.

        Parameters
        ----------
        estimator : GaussianMixtureIC
            Fitted.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        line_kw : dict, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : ModelSelectionDisplay
            The display, drawn.
        """
        check_is_fitted(estimator, "criterion_values_")
        display = cls(
            component_counts=estimator.component_counts_,
            criterion_values=estimator.criterion_values_,
            covariance_types=estimator.covariance_types_,
            criterion=estimator.criterion,
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the lines, and a ring around the choice.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        line_kw : dict, default=None
            Passed to ``ax.plot`` for each covariance type.

        Returns
        -------
        display : ModelSelectionDisplay
            The display, drawn.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                "ModelSelectionDisplay needs matplotlib: pip install matplotlib"
            ) from error
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        values = np.where(np.isfinite(self.criterion_values), self.criterion_values, np.nan)
        self.lines_ = []
        for name, row in zip(self.covariance_types, values, strict=True):
            style = {"color": _COLORS.get(name), "marker": _MARKERS.get(name, "o"), "markersize": 4}
            self.lines_ += ax.plot(
                self.component_counts, row, label=name, **(style | (line_kw or {}))
            )
        i, j = np.unravel_index(np.nanargmin(values), values.shape)
        (self.best_,) = ax.plot(
            self.component_counts[j], values[i, j], marker="o", markersize=12, fillstyle="none",
            color="#333333", linestyle="none",
            label=f"chosen: {self.component_counts[j]}, {self.covariance_types[i]}",
        )  # fmt: skip
        ax.set_xlabel("Number of components")
        ax.set_ylabel(f"{_NAMES[self.criterion]} (lower is better)")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(fontsize=8, edgecolor="none")
        return self
