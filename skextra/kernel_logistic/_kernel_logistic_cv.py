"""Kernel logistic regression whose penalty and kernel width are chosen on data left out."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import Interval, fit_context
from skextra._core.runtime.threads import single_threaded_blas
from skextra._kernels import compute_gamma, create_gram, create_prediction_gram
from skextra._parallel import map_tasks
from skextra._validation import compute_weights, validate_sample_weight
from skextra.kernel_logistic._kernel_logistic import (
    KernelLogisticRegression,
    compute_loss_weights,
    create_settings,
    set_solution,
    warn_unconverged,
)

# Samples up to which each is left out on its own: two classes, and more.
_FEW_SAMPLES, _FEWER_SAMPLES = 2500, 800
_SEARCH_TOL = 1e-5
_DROPPED = ("C", "gamma", "warm_start", "approximation", "n_components")


class KernelLogisticRegressionCV(KernelLogisticRegression):
    """Kernel logistic regression with `C` and `gamma` chosen by log-loss on data left out.

    By default each sample is left out in turn, approximately: the decision value that
    the model without a sample gives to it is one Newton step from the solution, and one
    factorization yields all of them. With more samples, or where `cv` says so, folds
    are left out; all share the kernel values. Either way the models of one `gamma` are
    fitted from small to large `C`, each from the last.

    Parameters
    ----------
    Cs : int or array-like of shape (n_Cs,), default=10
        Inverse strengths of the penalty to choose from; a number for so many, evenly
        spaced in the logarithm from 0.01 to 1000.
    gammas : int or array-like of shape (n_gammas,), default=5
        Kernel widths to choose from; a number for so many, each four times the last,
        around ``1 / (n_features * X.var())``. Kernels that have none use one.
    kernel : {'linear', 'poly', 'rbf', 'sigmoid', 'laplacian', 'precomputed'} or callable, \
default='rbf'
        See `KernelLogisticRegression`.
    degree : float, default=3
        Of the polynomial kernel.
    coef0 : float, default=0.0
        Of the polynomial and the sigmoid kernel.
    kernel_params : dict, default=None
        Keyword arguments of a kernel that is a function.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    cv : int, cross-validation generator or iterable, default=None
        Folds to leave out, an int for so many stratified ones. None leaves out single
        samples, up to 2,500 of them with two classes and 800 with more, and 5 folds
        above that.
    class_weight : dict or 'balanced', default=None
        Weight of each class as ``{label: weight}``; it multiplies the sample weights.
    tol : float, default=1e-6
        Duality gap to reach, relative to the objective of the null model. The fits of
        the search stop at 1e-5 if that is more.
    max_iter : int, default=100
        Newton steps a fit may take.
    random_state : int, RandomState instance or None, default=None
        Without an effect: nothing is random.
    n_jobs : int, default=None
        Threads, one per fold, or one per kernel width where single samples are left out.
        It never changes the result.

    Attributes
    ----------
    C_ : float
        The penalty chosen.
    gamma_ : float
        The kernel width chosen; 0 for a kernel that has none.
    Cs_ : ndarray of shape (n_Cs,)
    gammas_ : ndarray of shape (n_gammas,)
    scores_ : ndarray of shape (n_folds, n_gammas, n_Cs)
        Minus the mean log-loss of the samples left out, greater is better; the first
        dimension is 1 where each sample is.
    mean_scores_ : ndarray of shape (n_gammas, n_Cs)
        Mean over the folds.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    dual_coef_ : ndarray of shape (1, n_samples) or (n_classes, n_samples)
        Coefficients of the kernel functions, one row with two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, of sum 0 if there are several; 0 if ``fit_intercept=False``.
    X_fit_ : {ndarray, sparse matrix} of shape (n_points, n_features)
        Points of the kernel functions; None with a precomputed kernel.
    components_indices_ : ndarray of shape (n_points,)
        Rows of the training data they are.
    approximation_ : None
        The final fit is on all samples.
    dual_gap_ : float
        Duality gap of the final fit, relative to the objective of the null model.
    n_iter_ : ndarray of shape (1,)
        Newton steps of the final fit.
    converged_ : bool
        Whether the final fit reached `tol`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    KernelLogisticRegression : The model for one penalty.

    Notes
    -----
    Of equal scores the smallest `C` and the smallest `gamma` win: the smoothest model.
    Without a factorization that holds it, more than a few thousand samples are left
    out by folds only, whose kernel matrix is kept in double precision.

    References
    ----------
    Cawley & Talbot, "Efficient approximate leave-one-out cross-validation for kernel
    logistic regression", Machine Learning 71 (2008).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.kernel_logistic import KernelLogisticRegressionCV
    >>> X, y = load_iris(return_X_y=True)
    >>> best = KernelLogisticRegressionCV(Cs=[0.1, 1, 10], gammas=[0.03, 0.1]).fit(X, y)
    >>> best.scores_.shape
    (1, 2, 3)
    >>> best.C_, best.gamma_
    (10.0, 0.1)
    """

    _parameter_constraints: dict = {
        **{
            name: allowed
            for name, allowed in KernelLogisticRegression._parameter_constraints.items()
            if name not in _DROPPED
        },
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "gammas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
    }

    # What the fit on all samples reads, and a search has no parameter for.
    warm_start, approximation, n_components = False, None, None
    gamma = "scale"

    def __init__(
        self,
        Cs=10,
        gammas=5,
        *,
        kernel="rbf",
        degree=3,
        coef0=0.0,
        kernel_params=None,
        fit_intercept=True,
        cv=None,
        class_weight=None,
        tol=1e-6,
        max_iter=100,
        random_state=None,
        n_jobs=None,
    ):
        self.Cs = Cs
        self.gammas = gammas
        self.kernel = kernel
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Choose the penalty and the kernel width, and fit with them on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data; the square matrix of kernel values if the kernel is
            precomputed.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample, in the fits and in the log-loss; the mean over folds
            is unweighted.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value.
        """
        given = X, y
        X, codes, classes = self._validate(X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        weights = compute_loss_weights(1.0, weights, len(codes))
        settings = create_settings(self)
        settings.seed = 0
        source, _ = create_gram(self, X, sample_weight, self.fit_intercept)
        Cs = _list_numbers(self.Cs, "Cs", lambda n: np.logspace(-2, 3, n))
        grid = Cs, self._list_gammas(X, sample_weight)
        folds = self._list_folds(X, classes[codes], codes, weights)
        n_tasks = len(grid[1]) * (1 if folds is None else len(folds))
        with report_fit(self, *given, sample_weight, n_tasks) as report:
            search = _core.kernel_logistic.folds.make_search_settings(settings, _SEARCH_TOL)
            data = codes, len(classes), weights
            losses = self._search(X, source, grid, data, folds, search, report)
            found = _choose(losses, *grid)
            source = self._with_gamma(X, source, found["gamma_"])
            model = _core.kernel_logistic.fit.fit(
                source, codes, len(classes), found["C_"] * weights, self.fit_intercept, settings
            )
            fixed = {
                "classes_": classes, "approximation_": None, "_gamma": found["gamma_"], **found
            }  # fmt: skip
            set_solution(self, model, fixed, X)
        if not self.converged_:
            warn_unconverged(self)
        return self

    def _list_gammas(self, X, sample_weight):
        if callable(self.kernel) or self.kernel in ("precomputed", "linear"):
            return np.zeros(1)
        middle = compute_gamma("scale", X, sample_weight)
        if not (np.isfinite(middle) and middle > 0):
            raise ValueError(
                "cannot build the default grid of gamma, as the variance of X overflows: "
                f"got gamma={middle}; rescale X, for instance with StandardScaler"
            )

        def spread(n):
            return middle * 4.0 ** (np.arange(n) - n // 2)

        return _list_numbers(self.gammas, "gammas", spread)

    def _list_folds(self, X, y, codes, weights):
        """Rows of each fold; None to leave out single samples."""
        limit = _FEW_SAMPLES if codes.max() == 1 else _FEWER_SAMPLES
        has_all = len(np.unique(codes[weights > 0])) == codes.max() + 1
        if self.cv is None and np.count_nonzero(weights) <= limit and has_all:
            return None
        return list(check_cv(self.cv, y, classifier=True).split(X, y))

    def _with_gamma(self, X, source, gamma):
        """Gram source for one width: shares its points with the others."""
        if self.kernel == "precomputed" or callable(self.kernel):
            return source
        return create_prediction_gram(self, X, gamma, self.fit_intercept)

    def _search(self, X, source, grid, data, folds, settings, report):
        """Losses of every pair of `C` and `gamma`, (n_folds, n_gammas, n_Cs)."""
        Cs, gammas = grid
        order = np.argsort(Cs, kind="stable")
        options = Cs[order], self.fit_intercept, settings
        with single_threaded_blas():
            score = self._leave_out_singles if folds is None else self._leave_out_folds
            results = score(X, source, gammas, folds, data, options, report)
        losses = np.array([losses for losses, _ in results])[:, np.argsort(order)]
        n_unconverged = sum(not converged for _, converged in results)
        if n_unconverged:
            warnings.warn(
                f"{n_unconverged} of {len(results)} sequences of fits failed to converge during "
                f"the search, max_iter={self.max_iter}, tol={settings.tol}. Increase max_iter, "
                "decrease the largest of Cs, or scale the features.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return losses.reshape(len(gammas), -1, len(Cs)).swapaxes(0, 1)

    def _leave_out_singles(self, X, source, gammas, folds, data, options, report):
        tasks = [(self._with_gamma(X, source, gamma),) for gamma in gammas]
        score = partial(_score_left_out, data=data, options=options)
        return map_tasks(*report.split(score, tasks, "gamma"), self.n_jobs)

    def _leave_out_folds(self, X, source, gammas, folds, data, options, report):
        self._refuse_what_does_not_fit(X.shape[0], options[-1].budget)
        score = partial(_score_fold, data=data, options=options)
        pairs = [(fold,) for _ in gammas for fold in folds]
        score, tasks = report.split(score, pairs, "fold")
        results, n = [], len(folds)
        for i, gamma in enumerate(gammas):
            kernel = self._with_gamma(X, source, gamma)
            gram = _core.gram.kernel_functions.PrecomputedGram(
                kernel.compute_block(), kernel.is_semidefinite
            )
            with_gram = partial(_call_with_last, score, gram)
            results += map_tasks(with_gram, tasks[i * n : (i + 1) * n], self.n_jobs)
        return results

    def _refuse_what_does_not_fit(self, n_samples, budget):
        size = 8.0 * n_samples**2
        if size > budget:
            raise ValueError(
                f"{type(self).__name__} keeps the kernel matrix of all {n_samples} samples, "
                f"{size / 1e9:.1f} GB, and half of the free memory is {budget / 1e9:.1f} GB: "
                "choose on a sample of the rows, or search with GridSearchCV over "
                "KernelLogisticRegression(approximation='nystroem')"
            )


def _choose(losses, Cs, gammas):
    """Attributes of the search: scores, and the pair of the best of them."""
    mean_scores = -losses.mean(axis=0)
    best = mean_scores.max()
    if not np.isfinite(best):
        raise ValueError("no pair of Cs and gammas has a finite log-loss")
    by_C, by_gamma = np.argsort(Cs), np.argsort(gammas)
    is_best = mean_scores[np.ix_(by_gamma, by_C)] == best
    C, gamma = np.argwhere(is_best.T)[0]
    return {
        "Cs_": Cs,
        "gammas_": gammas,
        "scores_": -losses,
        "mean_scores_": mean_scores,
        "C_": float(Cs[by_C[C]]),
        "gamma_": float(gammas[by_gamma[gamma]]),
    }


def _score_left_out(gram, data, options):
    codes, n_classes, weights = data
    counted = np.flatnonzero(weights)
    if len(counted) < len(weights):
        gram = gram.take(counted)
    return _core.kernel_logistic.folds.score_left_out(
        gram, codes[counted], n_classes, weights[counted], *options
    )


def _call_with_last(function, last, *arguments):
    return function(*arguments, last)


def _score_fold(fold, gram, data, options):
    return _core.kernel_logistic.folds.score_fold(gram, *fold, *data, *options)


def _list_numbers(given, name, spread):
    """Candidates as an array of positive numbers; a whole number stands for so many."""
    if isinstance(given, Integral):
        return spread(int(given))
    if np.ndim(given) != 1 or len(given) == 0:
        raise ValueError(
            f"{name} must be a whole number or a one-dimensional array of at least one number, "
            f"got shape {np.shape(given)}"
        )
    for index, value in enumerate(given):
        check_scalar(value, f"{name}[{index}]", Real, min_val=0.0, include_boundaries="neither")
    values = np.array(given, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got {values}")
    return values
