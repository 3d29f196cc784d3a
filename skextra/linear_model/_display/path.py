"""Draw coefficients and cross-validation error against the penalty."""

import numpy as np

from skextra.linear_model._display.data import compute_display_data
from skextra.linear_model._display.layout import choose_colors, spread_out

_KINDS = ("coefficients", "cv", "both")
_GREY, _INK = "#b5b5b5", "#333333"


class RegularizationPathDisplay:
    """Regularization path: coefficients and cross-validation error against the penalty.

    Create it with :meth:`from_estimator` or :meth:`from_path`. The penalty is on
    a logarithmic axis and weakens to the right, so that models grow from left to
    right. Needs matplotlib.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        Penalties (or inverse penalties), non-negative, in any order.
    coefs : array-like of shape (n_features, n_alphas) or (n_panels, n_features, n_alphas)
        Coefficients at each penalty; one panel a target (or class). May be None
        if `cv_scores` is given.
    cv_scores : array-like of shape (n_alphas, n_folds), default=None
        Error of each fold at each penalty.
    feature_names : sequence of str of length n_features, default=None
        ``x0``, ``x1``, ... by default.
    alpha_selected : float, default=None
        Penalty that an estimator settled on.
    panel_names : sequence of str, default=None
        Names of targets (or classes), if there are several panels.
    score_name : str, default="Mean squared error"
        Label of the error axis.
    greater_is_better : bool, default=False
        Whether `cv_scores` are scores to be maximized rather than errors.
    penalty_name : {"alpha", "C"}, default="alpha"
        What `alphas` holds: penalties, or inverse penalties.

    Attributes
    ----------
    alpha_min_ : float or None
        Penalty with the best mean of `cv_scores`.
    alpha_1se_ : float or None
        Strongest penalty whose mean is within one standard error of the best.
    ax_ : matplotlib Axes
        The only panel, or the first.
    axes_ : ndarray of matplotlib Axes
        All panels: coefficients first, then the error. Set by :meth:`plot`.
    figure_ : matplotlib Figure
    lines_ : list of list of matplotlib Line2D
        One list per coefficient panel, one line per feature.
    cv_line_, cv_band_ : matplotlib artists or None
        Mean error and its band of one standard error.

    See Also
    --------
    skextra.linear_model.LassoCV : Lasso with a cross-validated penalty.
    sklearn.model_selection.ValidationCurveDisplay : The like for any estimator.

    References
    ----------
    .. [1] Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning",
       2nd edition, 2009, section 7.10 (the one-standard-error rule) and figure 3.10.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.linear_model._display.path import RegularizationPathDisplay
    >>> display = RegularizationPathDisplay(
    ...     alphas=[1.0, 0.1], coefs=[[0.0, 2.0]], cv_scores=[[3.0, 5.0], [1.0, 2.0]]
    ... )
    >>> display.alpha_min_
    0.1
    >>> display.plot()
    <...RegularizationPathDisplay...>
    """

    def __init__(
        self,
        *,
        alphas,
        coefs=None,
        cv_scores=None,
        feature_names=None,
        alpha_selected=None,
        panel_names=None,
        score_name="Mean squared error",
        greater_is_better=False,
        penalty_name="alpha",
    ):
        self.alphas = _check_alphas(alphas)
        self.coefs = _check_coefs(coefs, self.alphas)
        self.cv_scores = _check_cv_scores(cv_scores, self.alphas)
        if self.coefs is None and self.cv_scores is None:
            raise ValueError("one of coefs and cv_scores must be given, both are None")
        if penalty_name not in ("alpha", "C"):
            raise ValueError(f"penalty_name must be 'alpha' or 'C', got {penalty_name!r}")
        n_panels, n_features = (0, None) if self.coefs is None else self.coefs.shape[:2]
        self.feature_names = _check_names("feature_names", feature_names, n_features)
        self.panel_names = _check_names("panel_names", panel_names, n_panels or None)
        self.alpha_selected = alpha_selected
        self.score_name = score_name
        self.greater_is_better = greater_is_better
        self.penalty_name = penalty_name
        self.alpha_min_, self.alpha_1se_ = self._select()

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        alphas=None,
        sample_weight=None,
        feature_names=None,
        panels=None,
        kind=None,
        n_labels=8,
        ax=None,
        line_kw=None,
        band_kw=None,
    ):
        """Draw the path of a linear or logistic model.

        Parameters
        ----------
        estimator : Lasso, ElasticNet, Ridge, LogisticRegression, their CV form or Pipeline
            Fitted or not; an unfitted CV form is cloned and fitted. A pipeline
            must end in one of them.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Data the estimator is or was fitted on. Without it, a fitted CV form
            shows its errors only.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Target. Several targets, and three or more classes, give a panel each.
        alphas : array-like, int or None, default=None
            Penalties to draw (of a logistic model, values of C), or how many, for an
            estimator that holds a single one; 100 by default. CV forms bring their own.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights the estimator is or was fitted with.
        feature_names : sequence of str, default=None
            Taken from `X` or the estimator by default.
        panels : sequence, default=None
            Targets or classes to draw, by name; all by default.
        kind : {"coefficients", "cv", "both"} or None, default=None
            As in :meth:`plot`.
        n_labels : int, default=8
            As in :meth:`plot`.
        ax : matplotlib Axes or array of Axes, default=None
            As in :meth:`plot`.
        line_kw : dict, default=None
            As in :meth:`plot`.
        band_kw : dict, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : RegularizationPathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If data is needed and missing, a panel is unknown, or a RidgeCV has a
            penalty per target.
        TypeError
            For any other estimator.

        Notes
        -----
        RidgeCV has errors to show for its leave-one-out (``cv=None``) with
        ``scoring=None`` only; else the coefficients alone are drawn. A logistic
        model has its scores drawn at the mixing ratio it chose, as errors where
        the name of the scorer begins with ``neg_``.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skextra.linear_model import RidgeCV
        >>> from skextra.linear_model._display.path import RegularizationPathDisplay
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1.0, 10.0]).fit(X, y)
        >>> RegularizationPathDisplay.from_estimator(model, X, y)
        <...RegularizationPathDisplay...>
        """
        _import_pyplot()
        data = compute_display_data(
            estimator,
            X,
            y,
            alphas=alphas,
            sample_weight=sample_weight,
            feature_names=feature_names,
            panels=panels,
        )
        return cls(**data).plot(ax, kind=kind, n_labels=n_labels, line_kw=line_kw, band_kw=band_kw)

    @classmethod
    def from_path(
        cls,
        alphas,
        coefs,
        *,
        feature_names=None,
        panel_names=None,
        penalty_name="alpha",
        n_labels=8,
        ax=None,
        line_kw=None,
    ):
        """Draw a path that is there already, such as that of ``enet_path``.

        Parameters
        ----------
        alphas : array-like of shape (n_alphas,)
            Penalties.
        coefs : array-like of shape (n_features, n_alphas) or (n_panels, n_features, n_alphas)
            Coefficients at each penalty.
        feature_names : sequence of str, default=None
            Names of the features.
        panel_names : sequence of str, default=None
            Names of targets or classes.
        penalty_name : {"alpha", "C"}, default="alpha"
            Whether `alphas` holds penalties or inverse penalties.
        n_labels : int, default=8
            As in :meth:`plot`.
        ax : matplotlib Axes or array of Axes, default=None
            As in :meth:`plot`.
        line_kw : dict, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : RegularizationPathDisplay
            The display, drawn.

        Examples
        --------
        >>> from skextra.linear_model._display.path import RegularizationPathDisplay
        >>> RegularizationPathDisplay.from_path([1.0, 0.1], [[0.0, 2.0], [0.0, 1.0]])
        <...RegularizationPathDisplay...>
        """
        _import_pyplot()
        display = cls(
            alphas=alphas,
            coefs=coefs,
            feature_names=feature_names,
            panel_names=panel_names,
            penalty_name=penalty_name,
        )
        return display.plot(ax, kind="coefficients", n_labels=n_labels, line_kw=line_kw)

    def plot(self, ax=None, *, kind=None, n_labels=8, line_kw=None, band_kw=None):
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            As many as there are panels. A new figure by default.
        kind : {"coefficients", "cv", "both"} or None, default=None
            What to draw; None draws all there is.
        n_labels : int, default=8
            How many features are named and colored: those with the largest
            coefficients in each panel.
        line_kw : dict, default=None
            Passed to ``ax.plot`` for the coefficients and the mean error.
        band_kw : dict, default=None
            Passed to ``ax.fill_between`` for the band of one standard error.

        Returns
        -------
        display : RegularizationPathDisplay
            The display, drawn.
        """
        plt = _import_pyplot()
        kind = self._resolve_kind(kind)
        if isinstance(n_labels, bool) or not isinstance(n_labels, int | np.integer) or n_labels < 0:
            raise ValueError(f"n_labels must be an integer >= 0, got {n_labels!r}")
        n_paths = 0 if kind == "cv" else len(self.coefs)
        n_panels = n_paths + (kind != "coefficients")
        if ax is None:
            _, ax = plt.subplots(
                n_panels, 1, sharex=True, figsize=(7.0, 1.4 + 2.9 * n_panels), layout="constrained"
            )
        self.axes_ = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if self.axes_.size != n_panels:
            raise ValueError(f"ax must hold {n_panels} Axes for this plot, got {self.axes_.size}")
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        self._colors = {}
        self.lines_ = [
            self._draw_coefs(panel, position, n_labels, line_kw or {})
            for position, panel in enumerate(self.axes_[:n_paths])
        ]
        self.cv_line_ = self.cv_band_ = None
        if kind != "coefficients":
            self._draw_errors(self.axes_[-1], line_kw or {}, band_kw or {})
        elif self.ax_.get_legend_handles_labels()[0]:
            self.ax_.legend(fontsize=8, edgecolor="none")
        self._finish_axes()
        return self

    def _select(self):
        """Best penalty and the strongest one within a standard error of it."""
        if self.cv_scores is None:
            return None, None
        losses = -self.cv_scores if self.greater_is_better else self.cv_scores
        mean, error = losses.mean(axis=1), _compute_standard_error(losses)
        strength = self.alphas if self.penalty_name == "alpha" else -self.alphas
        # Of equal means the strongest penalty is the best: the simplest model.
        best = np.lexsort((-strength, mean))[0]
        within = np.flatnonzero(mean <= mean[best] + error[best])
        simplest = within[np.argmax(strength[within])]
        return float(self.alphas[best]), float(self.alphas[simplest])

    def _resolve_kind(self, kind):
        available = {"coefficients": self.coefs is not None, "cv": self.cv_scores is not None}
        if kind is None:
            return "both" if all(available.values()) else max(available, key=available.get)
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {_KINDS} or None, got {kind!r}")
        for part, present in available.items():
            if kind in (part, "both") and not present:
                needed = "coefs (give X and y)" if part == "coefficients" else "cv_scores"
                raise ValueError(f"kind={kind!r} needs {needed}: this display has none")
        return kind

    def _draw_coefs(self, ax, panel, n_labels, line_kw):
        order = np.argsort(self.alphas)
        coefs = self.coefs[panel][:, order]
        named = np.argsort(-np.abs(coefs).max(axis=1), kind="stable")[:n_labels]
        named = [j for j in named if coefs[j].any()]
        colors = choose_colors(named, self._colors)
        ax.axhline(0.0, color=_INK, linewidth=0.6, zorder=1)
        lines = []
        for j, path in enumerate(coefs):
            style = {"color": colors.get(j, _GREY), "linewidth": 1.6 if j in colors else 0.8}
            style |= {"zorder": 3 if j in colors else 2, **line_kw}
            lines += ax.plot(self.alphas[order], path, **style)
        weakest = 0 if self.penalty_name == "alpha" else -1
        self._label_lines(ax, lines, {j: coefs[j, weakest] for j in named})
        self._mark_penalties(ax)
        ax.set_ylabel(self._describe_panel(panel))
        return lines

    def _describe_panel(self, panel):
        if self.panel_names is not None:
            return f"Coefficient ({self.panel_names[panel]})"
        return "Coefficient" if len(self.coefs) == 1 else f"Coefficient (target {panel})"

    def _label_lines(self, ax, lines, ends):
        """Name the lines in the margin beside their weak end, spread so as not to overlap."""
        low, high = ax.get_ylim()
        names = self.feature_names
        spread = spread_out([(end - low) / (high - low) for end in ends.values()])
        for (j, end), height in zip(ends.items(), spread, strict=True):
            ax.annotate(
                f"x{j}" if names is None else names[j],
                xy=(1.0, (end - low) / (high - low)),
                xytext=(1.03, height),
                xycoords="axes fraction",
                fontsize=8,
                va="center",
                color=lines[j].get_color(),
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": lines[j].get_color(), "linewidth": 0.6},
            )
        ax.set_ylim(low, high)

    def _draw_errors(self, ax, line_kw, band_kw):
        order = np.argsort(self.alphas)
        alphas, scores = self.alphas[order], self.cv_scores[order]
        mean, error = scores.mean(axis=1), _compute_standard_error(scores)
        self.cv_band_ = ax.fill_between(
            alphas,
            mean - error,
            mean + error,
            **{"color": "C0", "alpha": 0.2, "linewidth": 0, "label": "±1 standard error"} | band_kw,
        )
        (self.cv_line_,) = ax.plot(alphas, mean, **{"color": "C0", "linewidth": 1.8} | line_kw)
        self._mark_penalties(ax)
        ax.set_ylabel(self.score_name)
        ax.legend(fontsize=8, edgecolor="none")

    def _mark_penalties(self, ax):
        """Vertical lines at the chosen penalties, each drawn and named once."""
        marks = {}
        for alpha, name in (
            (self.alpha_min_, "maximum" if self.greater_is_better else "minimum"),
            (self.alpha_1se_, "one standard error"),
            (self.alpha_selected, "chosen"),
        ):
            if alpha is not None and alpha > 0:
                known = next((a for a in marks if np.isclose(a, alpha, rtol=1e-9)), alpha)
                marks.setdefault(known, []).append(name)
        for (alpha, names), style in zip(marks.items(), ("--", ":", "-."), strict=False):
            label = f"{', '.join(names)}: {self.penalty_name} = {alpha:.3g}"
            ax.axvline(alpha, color=_INK, linewidth=1.0, linestyle=style, label=label, zorder=2)

    def _finish_axes(self):
        positive = self.alphas[self.alphas > 0]
        for ax in self.axes_:
            if positive.size < self.alphas.size:
                ax.set_xscale("symlog", linthresh=positive.min())
            else:
                ax.set_xscale("log")
            ax.set_xlim(self.alphas.min(), self.alphas.max())
            if self.penalty_name == "alpha":
                ax.invert_xaxis()
            ax.grid(color="#eeeeee", linewidth=0.8)
            ax.set_axisbelow(True)
            ax.spines[["top", "right"]].set_visible(False)
        self.axes_[-1].set_xlabel(f"{self.penalty_name} (the penalty weakens to the right)")


def _import_pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "RegularizationPathDisplay needs matplotlib: pip install matplotlib "
            '(or "skextra[plot]")'
        ) from error
    return plt


def _check_alphas(alphas):
    alphas = np.asarray(alphas, dtype=np.float64)
    if alphas.ndim != 1 or alphas.size < 2:
        raise ValueError(f"alphas must be one-dimensional with two or more entries, got {alphas!r}")
    if not (np.isfinite(alphas).all() and (alphas >= 0).all() and alphas.any()):
        raise ValueError("alphas must be finite, non-negative and not all zero")
    return alphas


def _check_coefs(coefs, alphas):
    if coefs is None:
        return None
    coefs = np.asarray(coefs, dtype=np.float64)
    if coefs.ndim not in (2, 3) or coefs.shape[-1] != alphas.size or coefs.size == 0:
        raise ValueError(
            f"coefs must have shape (n_features, {alphas.size}) or (n_panels, n_features, "
            f"{alphas.size}), one column per alpha; got {coefs.shape}"
        )
    return coefs[None] if coefs.ndim == 2 else coefs


def _check_cv_scores(cv_scores, alphas):
    if cv_scores is None:
        return None
    cv_scores = np.asarray(cv_scores, dtype=np.float64)
    if cv_scores.ndim != 2 or len(cv_scores) != alphas.size or cv_scores.size == 0:
        raise ValueError(
            f"cv_scores must have shape ({alphas.size}, n_folds), one row per alpha; "
            f"got {cv_scores.shape}"
        )
    return cv_scores


def _check_names(argument, names, length):
    if names is None or length is None:
        return None
    names = [str(name) for name in names]
    if len(names) != length:
        raise ValueError(f"{argument} must have {length} entries, got {len(names)}")
    return names


def _compute_standard_error(scores):
    """Standard error of the mean over folds; 0 for a single fold."""
    n_folds = scores.shape[1]
    if n_folds < 2:
        return np.zeros(len(scores))
    return scores.std(axis=1, ddof=1) / np.sqrt(n_folds)
