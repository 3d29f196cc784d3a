"""Out-of-bag score against the number of trees."""

import numpy as np
from sklearn.utils.validation import check_is_fitted


class OOBCurveDisplay:
    """Out-of-bag score of a forest against its number of trees.

    The curve tells whether more trees would help: it rises while they do and then stays.

    Parameters
    ----------
    oob_curve : array-like of shape (n_estimators,)
        Score after each tree; NaN before the first.
    estimator_name : str, default=None
        Label of the curve.

    Attributes
    ----------
    oob_curve : ndarray of shape (n_estimators,)
        Score after each tree.
    estimator_name : str or None
        Label of the curve.
    line_ : matplotlib Line2D
        The curve, after `plot`.
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        What holds the axes.

    See Also
    --------
    RandomForestClassifier : Has ``oob_curve_`` with ``oob_score=True``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.ensemble import OOBCurveDisplay, RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(n_estimators=30, oob_score=True, random_state=0)
    >>> display = OOBCurveDisplay.from_estimator(forest.fit(X, y))
    >>> display.ax_.get_xlabel()
    'Number of trees'
    """

    def __init__(self, oob_curve, *, estimator_name=None):
        self.oob_curve = np.asarray(oob_curve, dtype=float)
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, **kwargs):
        """Draw the curve of a fitted forest.

        Parameters
        ----------
        estimator : forest
            Fitted with ``oob_score``.
        name : str, default=None
            Label; None for the name of its class.
        ax : matplotlib Axes, default=None
            Axes to draw on; None for new ones.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : OOBCurveDisplay
            With what was drawn.

        Raises
        ------
        ValueError
            If the forest was fitted without ``oob_score``.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "oob_curve_"):
            raise ValueError(
                f"{type(estimator).__name__} has no oob_curve_: fit it with oob_score=True and "
                "bootstrap=True"
            )
        name = name or type(estimator).__name__
        return cls(estimator.oob_curve_, estimator_name=name).plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None for new ones.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : OOBCurveDisplay
            This display, with what was drawn.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        settings = {"label": self.estimator_name, **kwargs}
        counts = np.arange(1, len(self.oob_curve) + 1)
        (self.line_,) = ax.plot(counts, self.oob_curve, **settings)
        ax.set_xlabel("Number of trees")
        ax.set_ylabel("Out-of-bag score")
        if settings["label"] is not None:
            ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
