"""Lasso and elastic net with cross-validated penalties."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils import column_or_1d
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    fit_context,
    raise_for_params,
    routing_enabled,
)
from skextra._parallel import map_tasks, single_threaded_blas
from skextra._validation import (
    validate_alphas,
    validate_penalty_weights,
    validate_regression_data,
    validate_sample_weight,
)
from skextra.linear_model import _blocks
from skextra.linear_model._base import LinearRegressor
from skextra.linear_model._elastic_net import read_settings, set_solution
from skextra.linear_model._paths import (
    check_grid_exists,
    create_alpha_grid,
    enet_path,
    lasso_path,
    space_alphas,
    validate_gram,
    warn_if_unconverged,
)
from skextra.utils import Blocks


class PathCV(CallbackSupportMixin, LinearRegressor):
    """What the cross-validated forms share: everything but mixing ratios and numbers of targets."""

    _parameter_constraints: dict = {
        "eps": [Interval(Real, 0, None, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "precompute": [StrOptions({"auto"}), "array-like", "boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "copy_X": ["boolean"],
        "cv": ["cv_object"],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
        "penalty_weights": ["array-like", None],
        "selection_rule": [StrOptions({"min", "1se"})],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty by cross-validation and fit with it on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix, Blocks} of shape (n_samples, n_features)
            Training data; also in blocks of rows, see :class:`skextra.utils.Blocks`. Folds of
            blocks are of adjacent rows. The multi-task forms take no blocks.
        y : {array-like, Blocks} of shape (n_samples,) or, for the multi-task forms, \
(n_samples, n_targets)
            Target values.
        sample_weight : float, array-like or Blocks of shape (n_samples,), default=None
            Weight of each sample, in the fits and in the errors of each fold;
            the mean over folds is unweighted.
        **params : dict
            Passed to the splitter if metadata routing is enabled.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value.
        """
        raise_for_params(params, self, "fit")
        if isinstance(X, Blocks):
            return self._fit_blocks(X, y, sample_weight)
        split_params = self._route(params, sample_weight)
        given = X, y
        X, y, sample_weight, penalty_weights = self._validate(X, y, sample_weight)
        settings = self._read_settings()
        l1_ratios = self._list_l1_ratios()
        grids = self._list_grids(X, y, l1_ratios, sample_weight, penalty_weights)
        folds = list(check_cv(self.cv).split(X, y, **split_params))
        with report_fit(self, *given, sample_weight, len(folds) * len(l1_ratios)) as report:
            evaluator = _core.least_squares.elastic_net_folds.FoldErrors(
                X, y, sample_weight, self.fit_intercept, penalty_weights, settings,
                len(grids[0]), folds,
            )  # fmt: skip
            errors = self._compute_errors(evaluator, l1_ratios, grids, report)
            l1_ratio = self._select(errors, l1_ratios, grids)
            path = self._solve(X, y, sample_weight, penalty_weights, settings, l1_ratio, evaluator)
            self._set_solution(path, X.dtype)
            self.mse_path_ = self.mse_path_.astype(X.dtype, copy=False)
        warn_if_unconverged(path, [self.alpha_], settings, stacklevel=4)
        return self

    def _fit_blocks(self, X, y, sample_weight):
        _blocks.check_precompute(self)
        n_folds = _blocks.count_folds(self.cv)
        l1_ratios, settings = self._list_l1_ratios(), read_settings(self)
        rows = _blocks.open_rows(X, y, sample_weight)
        with report_fit(self, X, y, None, n_folds * len(l1_ratios)) as report:
            description, factors = _blocks.read_fold_moments(self, rows, n_folds)
            p = description.n_features
            self._refuse_targets((description.n_rows, description.n_targets or 1))
            penalty_weights = validate_penalty_weights(self.penalty_weights, p)
            evaluator = _blocks.FoldErrors(self, factors, p, penalty_weights, settings)
            grids = self._list_block_grids(evaluator, l1_ratios)
            _blocks.check_positive(self, np.concatenate(grids), penalty_weights)
            errors = self._compute_errors(evaluator, l1_ratios, grids, report)
            l1_ratio = self._select(errors, l1_ratios, grids)
            path = _core.least_squares.factor_fits.solve_elastic_net(
                evaluator.total, p, [self.alpha_], l1_ratio, penalty_weights, settings
            )
            _blocks.certify_elastic_net(
                self, rows, description, evaluator.total, path, [self.alpha_], l1_ratio,
                penalty_weights,
            )  # fmt: skip
            set_solution(self, path, description.dtype, is_single=True)
            self.mse_path_ = self.mse_path_.astype(description.dtype, copy=False)
        warn_if_unconverged(path, [self.alpha_], settings, stacklevel=5)
        return self

    def _list_block_grids(self, evaluator, l1_ratios):
        if not isinstance(self.alphas, Integral):
            grid = np.sort(validate_alphas(self.alphas, allow_zero=True))[::-1]
            return [grid] * len(l1_ratios)
        for l1_ratio in l1_ratios:
            check_grid_exists(l1_ratio)
        largest = [evaluator.compute_alpha_max(l1_ratio) for l1_ratio in l1_ratios]
        return [space_alphas(alpha_max, self.eps, self.alphas) for alpha_max in largest]

    def _refuse_targets(self, shape):
        if len(shape) == 2 and shape[1] != 1:
            raise ValueError(
                f"For multi-task outputs, use MultiTask{type(self).__name__}: y must be "
                f"one-dimensional, got shape {shape}"
            )

    def _solve(self, X, y, sample_weight, penalty_weights, settings, l1_ratio, evaluator):
        """The model of the penalty chosen, on all data."""
        gram = validate_gram(self.precompute, X, sample_weight, self.fit_intercept)
        return _core.least_squares.elastic_net.solve(
            X, y[:, None], [self.alpha_], l1_ratio=l1_ratio, sample_weight=sample_weight,
            fit_intercept=self.fit_intercept, penalty_weights=penalty_weights, settings=settings,
            gram=evaluator.get_total_gram() if gram is None else gram,
        )  # fmt: skip

    def _read_settings(self):
        return read_settings(self)

    def _set_solution(self, path, dtype):
        set_solution(self, path, dtype, is_single=True)

    def _route(self, params, sample_weight):
        if not routing_enabled():
            return {}
        return process_routing(self, "fit", sample_weight=sample_weight, **params).splitter.split

    def _validate(self, X, y, sample_weight):
        X, y = validate_regression_data(self, X, y)
        self._refuse_targets(y.shape)
        y = column_or_1d(y, warn=True)
        sample_weight = validate_sample_weight(sample_weight, X)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        return X, y, sample_weight, penalty_weights

    def _list_l1_ratios(self):
        return np.ones(1)

    def _list_grids(self, X, y, l1_ratios, sample_weight, penalty_weights):
        """One decreasing grid of alphas for each mixing ratio."""
        if not isinstance(self.alphas, Integral):
            grid = np.sort(validate_alphas(self.alphas, allow_zero=True))[::-1]
            return [grid] * len(l1_ratios)
        return [
            create_alpha_grid(
                X, y.reshape(len(y), -1), l1_ratio, self.eps, self.alphas,
                sample_weight=sample_weight, fit_intercept=self.fit_intercept,
                penalty_weights=penalty_weights, positive=getattr(self, "positive", False),
            )
            for l1_ratio in l1_ratios
        ]  # fmt: skip

    def _compute_errors(self, evaluator, l1_ratios, grids, report):
        """Mean squared errors of shape (n_l1_ratios, n_folds, n_alphas)."""
        n_folds = len(evaluator.folds)
        tasks = [
            (fold, grid, l1_ratio)
            for l1_ratio, grid in zip(l1_ratios, grids, strict=True)
            for fold in range(n_folds)
        ]
        # One BLAS thread also for n_jobs=1: the result must not depend on n_jobs.
        with single_threaded_blas():
            results = map_tasks(*report.split(evaluator.compute, tasks, "path"), self.n_jobs)
        n_unconverged = sum(not converged for _, converged in results)
        if n_unconverged:
            warnings.warn(
                f"Objective did not converge on {n_unconverged} of {len(tasks)} paths during "
                f"cross-validation, max_iter={self.max_iter}, tol={self.tol}. Increase max_iter "
                "or the smallest alpha, or scale the features.",
                ConvergenceWarning,
                stacklevel=4,
            )
        errors = np.array([error for error, _ in results])
        return errors.reshape(len(l1_ratios), n_folds, -1)

    def _select(self, errors, l1_ratios, grids):
        """Set the chosen penalty and what it was chosen from; return the mixing ratio."""
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        mean = errors.mean(axis=1)
        ratio, alpha = np.unravel_index(mean.argmin(), mean.shape)
        if self.selection_rule == "1se":
            n_folds = errors.shape[1]
            spread = errors[ratio, :, alpha].std(ddof=1) / np.sqrt(n_folds) if n_folds > 1 else 0.0
            # The grid decreases: the first within reach is the largest alpha.
            alpha = np.flatnonzero(mean[ratio] <= mean[ratio, alpha] + spread)[0]
        self.alpha_ = grids[ratio][alpha]
        is_generated = isinstance(self.alphas, Integral) and len(l1_ratios) > 1
        self.alphas_ = np.asarray(grids) if is_generated else np.asarray(grids[0])
        return l1_ratios[ratio]

    def get_metadata_routing(self):
        """Get metadata routing of this object.

        Returns
        -------
        routing : MetadataRouter
            What `fit` passes on to the splitter.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = False
        return tags


class LassoCV(PathCV):
    """Lasso whose penalty is chosen by cross-validation along the path.

    Parameters
    ----------
    eps : float, default=1e-3
        Length of a generated grid: ``alpha_min / alpha_max``.
    alphas : int or array-like, default=100
        Number of penalties on the grid, or the penalties themselves.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    precompute : 'auto', bool or array-like of shape (n_features, n_features), \
default='auto'
        As in :class:`Lasso`; used for the final fit.
    max_iter : int, default=1000
        Sweeps over the coordinates at most, for each model.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective at zero coefficients.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to, nor copied.
    cv : int, cross-validation generator or iterable, default=None
        Folds; None is 5-fold.
    verbose : bool or int, default=False
        Accepted for compatibility.
    n_jobs : int, default=None
        Threads over folds and mixing ratios; the result does not depend on it.
    positive : bool, default=False
        Constrain coefficients to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of coordinates if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit coordinates in order, or shuffled anew for each sweep.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.
    selection_rule : {'min', '1se'}, default='min'
        Choose the alpha with the smallest mean error, or the largest one whose
        mean error is within one standard error of that.

    Attributes
    ----------
    alpha_ : float
        The penalty chosen.
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    intercept_ : float
        Intercept.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared error of each alpha on each fold's test rows.
    alphas_ : ndarray of shape (n_alphas,)
        Penalties, decreasing.
    dual_gap_ : float
        Duality gap of the final fit, relative to the objective at zero.
    n_iter_ : int
        Sweeps and Newton steps of the final fit.
    converged_ : bool
        Whether the final fit reached `tol`.
    solver_ : str
        What the final fit was solved on, see :class:`ElasticNet`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    Lasso : The model for one penalty.
    RegularizationPathDisplay : Draws coefficients and errors along the path.

    References
    ----------
    Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning", 2nd
    ed. (2009), section 7.10: the one-standard-error rule.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import LassoCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> smallest = LassoCV().fit(X, y)
    >>> simplest = LassoCV(selection_rule="1se").fit(X, y)
    >>> bool(simplest.alpha_ > smallest.alpha_)
    True
    """

    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
        selection_rule="min",
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights
        self.selection_rule = selection_rule


class ElasticNetCV(PathCV):
    """Elastic net whose penalty is chosen by cross-validation along the path.

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Share of the L1 penalty; of a list, the best is chosen.
    eps : float, default=1e-3
        Length of a generated grid: ``alpha_min / alpha_max``.
    alphas : int or array-like, default=100
        Number of penalties on the grid, or the penalties themselves.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    precompute : 'auto', bool or array-like of shape (n_features, n_features), \
default='auto'
        As in :class:`ElasticNet`; used for the final fit.
    max_iter : int, default=1000
        Sweeps over the coordinates at most, for each model.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective at zero coefficients.
    cv : int, cross-validation generator or iterable, default=None
        Folds; None is 5-fold.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to, nor copied.
    verbose : bool or int, default=0
        Accepted for compatibility.
    n_jobs : int, default=None
        Threads over folds and mixing ratios; the result does not depend on it.
    positive : bool, default=False
        Constrain coefficients to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of coordinates if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit coordinates in order, or shuffled anew for each sweep.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.
    selection_rule : {'min', '1se'}, default='min'
        Choose the model with the smallest mean error, or, at the same mixing
        ratio, the largest alpha whose mean error is within one standard error.

    Attributes
    ----------
    alpha_ : float
        The penalty chosen.
    l1_ratio_ : float
        The mixing ratio chosen.
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    intercept_ : float
        Intercept.
    mse_path_ : ndarray of shape (n_l1_ratios, n_alphas, n_folds) or (n_alphas, n_folds)
        Mean squared error of each model on each fold's test rows.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        Penalties, decreasing.
    dual_gap_ : float
        Duality gap of the final fit, relative to the objective at zero.
    n_iter_ : int
        Sweeps and Newton steps of the final fit.
    converged_ : bool
        Whether the final fit reached `tol`.
    solver_ : str
        What the final fit was solved on, see :class:`ElasticNet`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    ElasticNet : The model for one penalty.
    RegularizationPathDisplay : Draws coefficients and errors along the path.

    References
    ----------
    Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning", 2nd
    ed. (2009), section 7.10: the one-standard-error rule.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import ElasticNetCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ElasticNetCV(l1_ratio=[0.5, 0.9, 1.0]).fit(X, y)
    >>> model.mse_path_.shape
    (3, 100, 5)
    """

    _parameter_constraints: dict = {
        **PathCV._parameter_constraints,
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
    }

    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
        selection_rule="min",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights
        self.selection_rule = selection_rule

    def _list_l1_ratios(self):
        return validate_l1_ratios(self.l1_ratio)

    def _select(self, errors, l1_ratios, grids):
        self.l1_ratio_ = float(super()._select(errors, l1_ratios, grids))
        return self.l1_ratio_


def validate_l1_ratios(l1_ratio):
    """Mixing ratios as a float array of shape (n_l1_ratios,)."""
    ratios = np.atleast_1d(np.asarray(l1_ratio, dtype=np.float64))
    if ratios.ndim != 1 or len(ratios) == 0 or not ((ratios >= 0) & (ratios <= 1)).all():
        raise ValueError(f"l1_ratio must be between 0 and 1, got {l1_ratio!r}")
    return ratios
