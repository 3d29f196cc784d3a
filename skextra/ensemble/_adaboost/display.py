"""Draw the error of a boosted ensemble against its rounds."""

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

_INK = "#333333"


class StagedScoreDisplay:
    """Error against the number of rounds, on training and validation data.

    Create it with :meth:`from_estimator`. Needs matplotlib.

    Parameters
    ----------
    train_errors : array-like of shape (n_rounds,), default=None
        Error on the training data after each round.
    validation_errors : array-like of shape (n_rounds,), default=None
        Error on other data.
    bound : array-like of shape (n_rounds,), default=None
        Upper bound of the training error.
    error_name : str, default="Error"
        Label of the axis.

    Attributes
    ----------
    best_round_ : int or None
        The first round with the least validation error, counted from 1.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to matplotlib Line2D
        ``"training"``, ``"validation"`` and ``"bound"``, as far as they are drawn.

    See Also
    --------
    skextra.ensemble.AdaBoostClassifier : AdaBoost for classification.
    skextra.ensemble.AdaBoostRegressor : AdaBoost for regression.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skextra.ensemble import AdaBoostClassifier, StagedScoreDisplay
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = AdaBoostClassifier().fit(X[::2], y[::2])
    >>> display = StagedScoreDisplay.from_estimator(
    ...     model, X[::2], y[::2], X_val=X[1::2], y_val=y[1::2]
    ... )
    >>> len(display.validation_errors)
    50
    """

    def __init__(
        self, train_errors=None, validation_errors=None, *, bound=None, error_name="Error"
    ):
        curves = {
            "train_errors": train_errors,
            "validation_errors": validation_errors,
            "bound": bound,
        }
        curves = {name: _check_curve(name, curve) for name, curve in curves.items()}
        lengths = {curve.size for curve in curves.values() if curve is not None}
        if len(lengths) != 1:
            raise ValueError(
                "train_errors, validation_errors and bound must have one length, and one of "
                f"them must be given; got lengths {sorted(lengths)}"
            )
        self.train_errors = curves["train_errors"]
        self.validation_errors = curves["validation_errors"]
        self.bound = curves["bound"]
        self.error_name = error_name
        self.best_round_ = None
        if self.validation_errors is not None:
            self.best_round_ = int(self.validation_errors.argmin()) + 1

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight=None,
        sample_weight_val=None,
        show_bound=False,
        ax=None,
        line_kw=None,
    ):
        """Draw the error of a fitted ensemble after each of its rounds.

        Parameters
        ----------
        estimator : AdaBoostClassifier, AdaBoostRegressor or Pipeline
            Fitted; any classifier or regressor with ``staged_predict``, or a
            pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Training data.
        y : array-like of shape (n_samples,), default=None
            Their labels, or values.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Other data. Without them, what early stopping has seen is drawn, if the
            estimator was fitted with ``n_iter_no_change``.
        y_val : array-like of shape (n_val,), default=None
            Their labels, or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the training data.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the other data.
        show_bound : bool, default=False
            Whether to draw the bound that falls with every round; for
            `AdaBoostClassifier` with two classes.
        ax : matplotlib Axes, default=None
            A new figure by default.
        line_kw : dict, default=None
            Passed to ``ax.plot``.

        Returns
        -------
        display : StagedScoreDisplay
            The display, drawn: the error rate of a classifier, 1 - R2 of a
            regressor.

        Raises
        ------
        TypeError
            If the estimator has no ``staged_predict``.
        ValueError
            If there are no data to draw, or no bound for this estimator.
        """
        model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        if not hasattr(model, "staged_predict") or not (
            is_classifier(model) or is_regressor(model)
        ):
            raise TypeError(
                "estimator must be a classifier or regressor with staged_predict, "
                f"got {type(model).__name__}"
            )
        check_is_fitted(model)
        train = _compute_errors(estimator, X, y, sample_weight, "X", "y")
        validation = _compute_errors(estimator, X_val, y_val, sample_weight_val, "X_val", "y_val")
        if validation is None and hasattr(model, "validation_scores_"):
            validation = 1.0 - model.validation_scores_
        if train is None and validation is None:
            raise ValueError("X and y, or X_val and y_val, must be given: there is nothing to draw")
        display = cls(
            train,
            validation,
            bound=_compute_bound(model) if show_bound else None,
            error_name="Error rate" if is_classifier(model) else "1 - R2",
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        line_kw : dict, default=None
            Passed to ``ax.plot``.

        Returns
        -------
        display : StagedScoreDisplay
            The display, drawn.
        """
        if ax is None:
            _, ax = _import_pyplot().subplots(figsize=(7.0, 4.2), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_ = {}
        best = self.best_round_
        for name, curve, style in (
            ("training", self.train_errors, {"color": "C0"}),
            ("validation", self.validation_errors, {"color": "C1"}),
            ("bound", self.bound, {"color": _INK, "linestyle": ":"}),
        ):
            if curve is not None:
                label = "bound of the training error" if name == "bound" else name
                style |= {"label": label, "linewidth": 1.6, **(line_kw or {})}
                (self.lines_[name],) = ax.plot(np.arange(1, curve.size + 1), curve, **style)
        if best is not None:
            error = self.validation_errors[best - 1]
            ax.axvline(best, color=_INK, linewidth=0.8, linestyle="--", zorder=1)
            ax.plot([best], [error], "o", color="C1", markersize=5)
            ax.annotate(
                f"least: {error:.3g} at {best}", (best, error), (6, 8), fontsize=8, color=_INK,
                textcoords="offset points",
            )  # fmt: skip
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
        if self.bound is not None:  # starts near 1, and would flatten the rest
            drawn = [c for c in (self.train_errors, self.validation_errors) if c is not None]
            ax.set_ylim(top=1.15 * max(curve.max() for curve in drawn))
        ax.set_xlim(left=min(1, ax.get_xlim()[0] + 1))
        ax.set_xlabel("Rounds")
        ax.set_ylabel(self.error_name)
        ax.grid(color="#eeeeee", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(fontsize=8, edgecolor="none")
        return self


def _compute_errors(estimator, X, y, sample_weight, name_X, name_y):
    if X is None and y is None:
        return None
    if X is None or y is None:
        raise ValueError(f"{name_X} and {name_y} must be given together")
    model = estimator
    if isinstance(estimator, Pipeline):
        model = estimator[-1]
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
    score = accuracy_score if is_classifier(model) else r2_score
    return np.array(
        [1.0 - score(y, p, sample_weight=sample_weight) for p in model.staged_predict(X)]
    )


def _compute_bound(model):
    """Product of the rounds' normalizers: no training error of two classes is above it."""
    if getattr(model, "n_classes_", 0) != 2 or not hasattr(model, "estimator_errors_"):
        raise ValueError(
            "show_bound=True needs an AdaBoostClassifier fitted on two classes, "
            f"got {type(model).__name__} with {getattr(model, 'n_classes_', 'no')} classes"
        )
    n = len(model)
    votes, errors = model.estimator_weights_[:n], model.estimator_errors_[:n]
    return np.cumprod((1 - errors) * np.exp(-votes / 2) + errors * np.exp(votes / 2))


def _check_curve(name, curve):
    if curve is None:
        return None
    curve = np.asarray(curve, dtype=np.float64)
    if curve.ndim != 1 or curve.size == 0 or not np.isfinite(curve).all():
        raise ValueError(
            f"{name} must be one-dimensional, finite and not empty, got shape {curve.shape}"
        )
    return curve


def _import_pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'StagedScoreDisplay needs matplotlib: pip install matplotlib (or "skextra[plot]")'
        ) from error
    return plt
