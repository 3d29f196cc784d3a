"""Ridge regression with a penalty selected by cross-validation."""

import warnings
from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skextra import _core
from skextra._compat import (
    Interval,
    StrOptions,
    check_method_params,
    fit_context,
    raise_for_params,
    routing_enabled,
    safe_indexing,
    scorer_accepts_sample_weight,
)
from skextra._validation import validate_alphas, validate_penalty_weights
from skextra.linear_model import _blocks
from skextra.linear_model._ridge import Ridge, RidgeModel, validate_ridge_data
from skextra.utils import Blocks

# Values of one alpha beyond which leave-one-out predictions come in groups.
_MAX_STORED = 1 << 23


class RidgeCV(RidgeModel):
    """Ridge regression whose penalty is selected by cross-validation.

    By default by leave-one-out, exactly and for all penalties from one
    decomposition of the data; with `cv`, by folds that share their products
    between all penalties and targets.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,) or float, default=(0.1, 1.0, 10.0)
        Penalties to choose from: positive, or not negative with `cv`.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is never penalized.
    scoring : str, callable, default=None
        A scorer or its name. None is the negative mean squared error for
        leave-one-out and R^2 with `cv`.
    cv : int, cross-validation generator or an iterable, default=None
        None for leave-one-out, else folds as in scikit-learn's
        :func:`~sklearn.model_selection.check_cv`.
    gcv_mode : {'auto', 'svd', 'eigen'}, default=None
        'svd' decomposes the data for leave-one-out, which is more accurate for
        tiny penalties; 'eigen', 'auto' and None decompose the smaller of its
        two products with itself.
    store_cv_results : bool, default=False
        Whether to keep what each sample contributed in ``cv_results_``; for
        leave-one-out only.
    alpha_per_target : bool, default=False
        Whether each target gets its own penalty; for leave-one-out only.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor of the penalty for each feature: 0 leaves a feature unpenalized,
        inf excludes it.
    selection_rule : {'min', '1se'}, default='min'
        'min' takes the penalty of the best mean score, the first in case of
        ties. '1se' takes the largest one whose mean is within one standard
        error of the best: over samples' squared errors for leave-one-out,
        over folds with `cv`.

    Attributes
    ----------
    cv_results_ : ndarray of shape (n_samples, n_alphas) or \
            (n_samples, n_targets, n_alphas)
        Only with ``store_cv_results=True``: squared errors times sample weights
        if `scoring` is None, else predictions for each sample left out.
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 if ``fit_intercept=False``.
    alpha_ : float or ndarray of shape (n_targets,)
        Selected penalty; one per target if ``alpha_per_target=True``.
    best_score_ : float or ndarray of shape (n_targets,)
        Mean score of the selected penalty.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Upper bound on the final objective's distance from its minimum, relative
        to the objective at all-zero coefficients.
    converged_ : bool
        Whether the final model reached its tolerance.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    Ridge : Ridge regression with a given penalty.
    LassoCV : L1-penalized regression with a selected penalty.

    Notes
    -----
    As in scikit-learn, leave-one-out squared errors are multiplied by the
    sample weights and averaged over the number of samples; scores of folds are
    weighted where the scorer accepts weights, and averaged over folds.

    Differs from scikit-learn: ``alphas`` is never written to; predictions left
    out are finite also for samples of weight zero; a scorer that fails raises
    its error instead of becoming NaN.

    References
    ----------
    Rifkin & Lippert, "Notes on regularized least squares",
    MIT-CSAIL-TR-2007-025 (2007).

    Hastie, Tibshirani & Friedman, "The elements of statistical learning", 2nd
    edition (2009), section 7.10 (the one-standard-error rule).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import RidgeCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1]).fit(X, y)
    >>> model.alpha_
    0.01
    >>> RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1], selection_rule="1se").fit(X, y).alpha_
    0.1
    """

    _parameter_constraints: dict = {
        "alphas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "store_cv_results": ["boolean"],
        "alpha_per_target": ["boolean"],
        "penalty_weights": ["array-like", None],
        "selection_rule": [StrOptions({"min", "1se"})],
    }

    def __init__(
        self,
        alphas=(0.1, 1.0, 10.0),
        *,
        fit_intercept=True,
        scoring=None,
        cv=None,
        gcv_mode=None,
        store_cv_results=False,
        alpha_per_target=False,
        penalty_weights=None,
        selection_rule="min",
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target
        self.penalty_weights = penalty_weights
        self.selection_rule = selection_rule

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Select the penalty and fit the model with it to all data.

        Parameters
        ----------
        X : {array-like, sparse matrix, Blocks} of shape (n_samples, n_features)
            Training data; also in blocks of rows, see :class:`skextra.utils.Blocks`. Folds of
            blocks are of adjacent rows.
        y : {array-like, Blocks} of shape (n_samples,) or (n_samples, n_targets)
            Target values.
        sample_weight : float, array-like or Blocks of shape (n_samples,), default=None
            Weight of each sample.
        **params : dict
            Passed to the scorer and the splitter; needs
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If parameters do not go together or an argument has a wrong shape,
            type or value.
        """
        raise_for_params(params, self, "fit")
        alphas = validate_alphas(self.alphas, allow_zero=self.cv is not None)
        self._check_parameters()
        if isinstance(X, Blocks):
            return self._fit_blocks(X, y, sample_weight, alphas)
        data = X, y
        X, y, Y, weights = validate_ridge_data(self, X, y, sample_weight)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        if weights is not None:
            params["sample_weight"] = weights
        # Overflow is looked for, and refused, in the results.
        with np.errstate(over="ignore", invalid="ignore"):
            if self.cv is None:
                problem, result = self._fit_loo(X, y, Y, alphas, weights, penalty_weights, params)
            else:
                solver = _core.least_squares.ridge_folds.FoldSolver(
                    X, Y, alphas, weights, self.fit_intercept, penalty_weights
                )
                scores = self._score_folds(solver, data, y, params)
                self._select(scores.mean(axis=0), alphas, _compute_fold_spread(scores))
                problem, result = solver.solve_all(self.alpha_)
        if self.store_cv_results:
            self.cv_results_ = self.cv_results_.astype(X.dtype, copy=False)
        self._set_solution(
            problem, result, X, y, np.broadcast_to(self.alpha_, Y.shape[1:]), tol=1e-6
        )
        if not self.converged_:
            self._warn_unconverged()
        return self

    def _warn_unconverged(self):
        warnings.warn(
            f"The final fit did not converge: relative duality gap "
            f"{np.max(self.dual_gap_):.2e}. Increase the smallest of alphas, or scale the "
            "features.",
            ConvergenceWarning,
            stacklevel=4,
        )

    def _fit_blocks(self, X, y, sample_weight, alphas):
        rows = _blocks.open_rows(X, y, sample_weight)
        if self.cv is None:
            _blocks.check_loo_parameters(self)
            description, factor = _blocks.read_moments(self, rows)
        else:
            n_folds = _blocks.count_folds(self.cv)
            description, factors = _blocks.read_fold_moments(self, rows, n_folds)
            factor = self._center(_blocks.sum_factors(factors))
        p = description.n_features
        penalty_weights = validate_penalty_weights(self.penalty_weights, p)
        if self.cv is None:
            self._select_block_loo(rows, description, factor, alphas, penalty_weights)
        else:
            scores = np.array(
                [
                    [
                        self._score_block_fold(factors[fold], train, coef)
                        for coef in _core.least_squares.factor_fits.solve_ridge_path(
                            train, p, alphas, penalty_weights
                        )
                    ]
                    for fold in range(n_folds)
                    for train in [self._center(_blocks.sum_factors(factors, without=fold))]
                ]
            )
            self._select(scores.mean(axis=0), alphas, _compute_fold_spread(scores))
        chosen = np.broadcast_to(self.alpha_, (len(factor.mean) - p,)).astype(np.float64)
        coef, _ = _core.least_squares.factor_fits.solve_ridge(
            factor, p, chosen, penalty_weights, "auto", False, None, 1e-6
        )
        self._set_block_solution(rows, description, factor, coef, chosen, tol=1e-6)
        if not self.converged_:
            self._warn_unconverged()
        return self

    def _center(self, factor):
        return factor if self.fit_intercept else factor.move_to_zero()

    def _score_block_fold(self, test, train, coef):
        intercept = _core.least_squares.factor_fits.compute_intercepts(coef, train.mean)
        return _blocks.score_fold(self.scoring, test, coef, intercept)

    def _select_block_loo(self, rows, description, factor, alphas, penalty_weights):
        if description.n_weighted < 2:
            raise ValueError(
                "leave-one-out needs X with at least two samples of positive sample_weight, "
                "got n_samples=1"
            )
        p = description.n_features
        loo = _core.least_squares.factor_leave_one_out.BlockLoo(
            factor, p, penalty_weights, self.fit_intercept
        )
        per_target = self.alpha_per_target and len(factor.mean) - p > 1
        spread = self.selection_rule == "1se"
        totals = _blocks.sum_loo_losses(rows, loo, alphas, spread, per_target)
        scores, spread = self._average_losses(totals, description.n_rows, description.n_weighted)
        self._select(scores, alphas, spread)

    def _check_parameters(self):
        if self.cv is not None:
            if self.store_cv_results:
                raise ValueError("cv!=None and store_cv_results=True are incompatible")
            if self.alpha_per_target:
                raise ValueError("cv!=None and alpha_per_target=True are incompatible")
        elif self.selection_rule == "1se" and self.scoring is not None:
            raise ValueError(
                "selection_rule='1se' with a scoring other than None needs folds: a score "
                f"over all left-out samples has no standard error; got cv=None, "
                f"scoring={self.scoring!r}"
            )

    def _fit_loo(self, X, y, Y, alphas, weights, penalty_weights, params):
        count = X.shape[0] if weights is None else np.count_nonzero(weights)
        if count < 2:
            raise ValueError(
                "leave-one-out needs X with at least two samples of positive sample_weight, "
                "got n_samples=1"
            )
        use_svd = self.gcv_mode == "svd"
        if use_svd and sparse.issparse(X):
            warnings.warn(
                "The 'svd' mode is not supported for sparse X: using gcv_mode='eigen'",
                FutureWarning,
                stacklevel=3,
            )
            use_svd = False
        problem = _core.least_squares.problem.build_problem(
            X, Y, weights, self.fit_intercept, penalty_weights
        )
        loo = _core.least_squares.ridge_leave_one_out.build_loo(problem, use_svd)
        if self.scoring is None:
            scores, spread = self._score_loo_errors(loo, y, Y, alphas, weights)
        else:
            scores, spread = self._score_loo_predictions(loo, y, Y, alphas, weights, params), None
        self._select(scores, alphas, spread)
        n_targets = Y.shape[1]
        return problem, loo.solve(np.broadcast_to(self.alpha_, (n_targets,)).astype(np.float64))

    def _make_totals(self, Y, n_alphas, weights, store):
        return _core.least_squares.ridge_leave_one_out.LooTotals(
            Y.shape[0],
            Y.shape[1],
            n_alphas,
            weights,
            store=store,
            spread=self.selection_rule == "1se",
            per_target=self.alpha_per_target and Y.shape[1] > 1,
        )

    def _score_loo_errors(self, loo, y, Y, alphas, weights):
        """Negative mean squared errors and, for the '1se' rule, their standard errors."""
        totals = self._make_totals(Y, len(alphas), weights, self.store_cv_results)
        loo.accumulate(alphas, totals)
        if self.store_cv_results:
            squares = totals.errors**2
            if weights is not None:
                squares *= weights[:, None, None]
            self.cv_results_ = squares[:, 0] if y.ndim == 1 else squares
        n = Y.shape[0]
        return self._average_losses(totals, n, n if weights is None else np.count_nonzero(weights))

    def _average_losses(self, totals, n, count):
        """Scores and standard errors of n samples, of which `count` have a weight."""
        means = totals.losses / n
        if self.selection_rule == "min":
            return -means, None
        # A sample of weight zero counts in the mean, as in scikit-learn, but
        # tells nothing about its error.
        mean = totals.losses / count
        variance = np.maximum(totals.squared_losses / count - mean**2, 0)
        return -means, np.sqrt(variance / max(count - 1, 1)) * (count / n)

    def _score_loo_predictions(self, loo, y, Y, alphas, weights, params):
        """Scores of the predictions for samples left out."""
        scorer = check_scoring(estimator=self, scoring=self.scoring)
        params = self._route(params).scorer.score if routing_enabled() else params
        group = len(alphas)
        if not self.store_cv_results:
            group = max(1, min(group, _MAX_STORED // max(Y.size, 1)))
        per_target = self.alpha_per_target and Y.shape[1] > 1
        scores = []
        for first in range(0, len(alphas), group):
            part = alphas[first : first + group]
            totals = self._make_totals(Y, len(part), weights, store=True)
            loo.accumulate(part, totals)
            predictions = Y[:, :, None] - totals.errors
            for a in range(len(part)):
                if per_target:
                    columns = zip(predictions[:, :, a].T, y.T, strict=True)
                    score = [scorer(_Identity(), p, t, **params) for p, t in columns]
                else:
                    score = scorer(_Identity(), predictions[:, :, a].reshape(y.shape), y, **params)
                scores.append(score)
        if self.store_cv_results:
            self.cv_results_ = predictions[:, 0] if y.ndim == 1 else predictions
        return np.asarray(scores, dtype=np.float64)

    def _score_folds(self, solver, data, y, params):
        """Scores of shape (n_folds, n_alphas) as GridSearchCV gives them."""
        scorer = self._get_scorer()
        score_params, split_params = self._split_params(scorer, params)
        scores = []
        splits = check_cv(self.cv, y, classifier=False).split(*data, **split_params)
        for train, test in splits:
            y_test = y[test]
            fold_params = check_method_params(data[0], score_params, indices=test)
            if self.scoring is None or isinstance(self.scoring, str):
                score = _PredictionScore(scorer, solver.X[test], y_test, fold_params)
            else:
                X_test = safe_indexing(data[0], np.asarray(test))
                score = _ModelScore(scorer, self, X_test, y_test, fold_params)
            models = zip(solver.alphas, solver.solve_fold(train, test), strict=True)
            scores.append([score(alpha, *model) for alpha, model in models])
        return np.asarray(scores, dtype=np.float64)

    def _split_params(self, scorer, params):
        """What goes to the scorer and to the splitter of folds."""
        if routing_enabled():
            routed = self._route(params)
            return routed.scorer.score, routed.splitter.split
        if params and not scorer_accepts_sample_weight(scorer):
            warnings.warn(
                f"The scoring {self.scoring!r} does not support sample_weight: "
                "scores are unweighted although the fit is not",
                stacklevel=4,
            )
            params = {}
        return params, {}

    def _select(self, scores, alphas, spread):
        """Set ``alpha_`` and ``best_score_`` from mean scores, alphas first."""
        known = np.where(np.isnan(scores), -np.inf, scores)
        best = known.argmax(axis=0)
        if self.selection_rule == "1se":
            at_best = np.take_along_axis(spread, best[None], axis=0)[0]
            limit = known.max(axis=0) - at_best
            shape = (-1,) + (1,) * (scores.ndim - 1)
            candidates = np.where(known >= limit, alphas.reshape(shape), -np.inf)
            best = candidates.argmax(axis=0)
        if np.ndim(best) == 0:
            self.alpha_, self.best_score_ = float(alphas[best]), float(scores[best])
        else:
            self.alpha_ = alphas[best]
            self.best_score_ = np.take_along_axis(scores, best[None], axis=0)[0]

    def _route(self, params):
        return process_routing(self, "fit", **params)

    def get_metadata_routing(self):
        """Get metadata routing of this object.

        Returns
        -------
        routing : MetadataRouter
            What `fit` passes on to the scorer and the splitter.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                scorer=self._get_scorer(),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def _get_scorer(self):
        if self.scoring is None:
            # Not `self.score`, whose routing would lead back here.
            scorer = get_scorer("r2")
            return scorer.set_score_request(sample_weight=True) if routing_enabled() else scorer
        return check_scoring(estimator=self, scoring=self.scoring)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class _Identity(RegressorMixin, BaseEstimator):
    """Predicts what it is given, so that a scorer can score predictions."""

    def predict(self, X):
        return X


class _PredictionScore:
    """Score of a linear model on test data from its predictions."""

    def __init__(self, scorer, X, y, params):
        self.scorer = scorer
        self.X = X
        self.y = y
        self.params = params

    def __call__(self, alpha, coef, intercept):
        predictions = (self.X @ coef.T + intercept).reshape(self.y.shape)
        return self.scorer(_Identity(), predictions, self.y, **self.params)


class _ModelScore:
    """Score of a linear model on test data where the scorer wants the model."""

    def __init__(self, scorer, estimator, X, y, params):
        self.scorer = scorer
        self.estimator = estimator
        self.X = X
        self.y = y
        self.params = params

    def __call__(self, alpha, coef, intercept):
        model = Ridge(alpha=alpha, fit_intercept=self.estimator.fit_intercept)
        model.n_features_in_ = self.estimator.n_features_in_
        if hasattr(self.estimator, "feature_names_in_"):
            model.feature_names_in_ = self.estimator.feature_names_in_
        single = coef.shape[0] == 1
        model.coef_ = coef[0] if single else coef
        model.intercept_ = intercept[0] if self.y.ndim == 1 else intercept
        return self.scorer(model, self.X, self.y, **self.params)


def _compute_fold_spread(scores):
    """Standard errors of the mean scores over folds."""
    n_folds = len(scores)
    if n_folds < 2:
        return np.zeros(scores.shape[1])
    return scores.std(axis=0, ddof=1) / np.sqrt(n_folds)
