"""Logistic regression with cross-validated penalties."""

import warnings
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import Interval, StrOptions, fit_context, raise_for_params, routing_enabled
from skextra._parallel import map_tasks, single_threaded_blas
from skextra._validation import (
    check_finite_result,
    compute_weights,
    validate_classification_data,
    validate_penalty_weights,
    validate_sample_weight,
)
from skextra.linear_model._deprecated import resolve_l1_ratios
from skextra.linear_model._logistic import LogisticRegression, set_solution
from skextra.linear_model._logistic_path import list_Cs, validate_l1_ratios, warn_unconverged
from skextra.linear_model._logistic_scoring import PathScorer

_DROPPED = ("C", "l1_ratio", "warm_start")


class LogisticRegressionCV(LogisticRegression):
    """Logistic regression whose penalty is chosen by cross-validation.

    For each mixing ratio and each fold, the models of all `Cs` are one path, from
    the strongest penalty to the weakest, that is scored on the fold's test rows.
    The objective is that of :class:`LogisticRegression`.

    Parameters
    ----------
    Cs : int or array-like of shape (n_cs,), default=10
        Inverse strengths of the penalty to choose from, positive, or the number of
        them on a logarithmic grid from 1e-4 to 1e4.
    l1_ratios : array-like of shape (n_l1_ratios,), default=(0.0,)
        Shares of the L1 penalty to choose from, between 0 and 1. None is (0,), with
        scikit-learn's `FutureWarning`.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is never penalized.
    cv : int, cross-validation generator or iterable, default=None
        Folds; None is stratified 5-fold.
    dual : bool, default=False
        Accepted for compatibility, without effect.
    penalty : {'l1', 'l2', 'elasticnet'}, default='deprecated'
        Deprecated in scikit-learn 1.8, removed in 1.10, and accepted until then with its
        `FutureWarning`: 'l1' is ``l1_ratios=(1,)``, 'l2' ``l1_ratios=(0,)``, and 'elasticnet'
        leaves `l1_ratios` as they are.
    scoring : str, callable or None, default='neg_log_loss'
        What the held-out rows are scored by; None is accuracy. Log-loss and
        accuracy are computed for all models of a path at once.
    solver : {'lbfgs', 'liblinear', 'newton-cg', 'newton-cholesky', 'sag', 'saga'}, \
default='lbfgs'
        Accepted for compatibility, without effect: every name goes with every
        penalty and any number of classes, and gives the same answer.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective of the null model. The gap
        alone ends the models of the folds; the final fit goes on until decision
        values rest, as in :class:`LogisticRegression`.
    max_iter : int, default=100
        Iterations at most, for each model.
    class_weight : dict or 'balanced', default=None
        Weight of each class as in :class:`LogisticRegression`; 'balanced' counts
        the classes in all data, not in each fold. Scores are not weighted by it.
    n_jobs : int, default=None
        Threads over folds and mixing ratios; the result does not depend on it.
    verbose : int, default=0
        Accepted for compatibility: nothing is printed.
    refit : bool, default=True
        Whether to fit the chosen penalty to all data. Otherwise each fold chooses
        its best penalty, and coefficients, `C_` and `l1_ratio_` are means over folds.
    intercept_scaling : float, default=1.0
        Accepted for compatibility, without effect.
    random_state : int, RandomState instance or None, default=None
        Accepted for compatibility: nothing is random but, perhaps, `cv`.
    use_legacy_attributes : bool, default=False
        Whether attributes have the shapes of scikit-learn before 1.10: arrays
        `C_` and `l1_ratio_`, dictionaries `scores_` and `coefs_paths_` with a key
        a class, and the axes of the mixing ratios after those of `Cs`.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.
    selection_rule : {'min', '1se'}, default='min'
        'min' takes the best mean score. '1se' takes, at the mixing ratio of the
        best, the smallest C whose mean score is within one standard error of it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, one row with two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, of sum 0 if there are several; 0 if ``fit_intercept=False``.
    Cs_ : ndarray of shape (n_cs,)
        Inverse strengths that were compared, in the order given.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
        Mixing ratios that were compared.
    C_ : float
        Inverse strength chosen.
    l1_ratio_ : float
        Mixing ratio chosen.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        Score of each model on each fold's test rows.
    mean_scores_ : ndarray of shape (n_l1_ratios, n_cs)
        Means of the scores over folds.
    standard_errors_ : ndarray of shape (n_l1_ratios, n_cs)
        Standard errors of these means: 0 for a single fold.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_cs, n_classes, n_dof)
        Coefficients of each model, then its intercept if there is one; the second
        to last dimension is 1 with two classes.
    n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        Iterations of each model of the folds.
    dual_gap_ : float
        Duality gap of the final fit, relative to the objective of the null model;
        with ``refit=False`` the largest of the models that are averaged.
    converged_ : bool
        Whether the final fit, or all models that are averaged, reached `tol`.
    solver_ : str
        Algorithm of the final fit, see :class:`LogisticRegression`; empty with
        ``refit=False``.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    LogisticRegression : The model for one penalty.
    logistic_path : Coefficients along a sequence of penalties.
    RegularizationPathDisplay : Draws coefficients and scores along the path.

    Notes
    -----
    A class that a fold's training rows lack gets probability zero there, which is
    the limit of the optimum, and coefficients of zero; a log-loss counts it as
    36.04, where scikit-learn's probabilities end.

    Differs from scikit-learn: held-out log-loss is the default `scoring`, as
    announced for its version 1.11, without a warning; `solver`, `dual`,
    `intercept_scaling` and `random_state` never change the answer; with
    ``refit=False``, `l1_ratio_` is the mean of the ratios chosen also if all are
    1; a scorer that takes no `sample_weight` is called without, after a warning;
    scores that are NaN are never chosen, and refused if there is nothing else.

    References
    ----------
    Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear
    models via coordinate descent", J. Stat. Softw. 33 (2010).

    Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning", 2nd
    ed. (2009), section 7.10: the one-standard-error rule.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.linear_model import LogisticRegressionCV
    >>> X, y = load_iris(return_X_y=True)
    >>> best = LogisticRegressionCV(l1_ratios=(0.5, 1)).fit(X, y)
    >>> best.scores_.shape
    (5, 2, 10)
    >>> simplest = LogisticRegressionCV(l1_ratios=(0.5, 1), selection_rule="1se").fit(X, y)
    >>> bool(simplest.C_ <= best.C_)
    True
    """

    # As in scikit-learn: `score` hands `sample_weight` on and asks for none itself.
    __metadata_request__score = {"sample_weight": UNUSED}

    _parameter_constraints: dict = {
        **{k: v for k, v in LogisticRegression._parameter_constraints.items() if k not in _DROPPED},
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like", None],
        "penalty": [StrOptions({"l1", "l2", "elasticnet", "deprecated"})],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "n_jobs": [Integral, None],
        "refit": ["boolean"],
        "use_legacy_attributes": ["boolean"],
        "selection_rule": [StrOptions({"min", "1se"})],
    }

    def __init__(
        self,
        *,
        Cs=10,
        l1_ratios=(0.0,),
        fit_intercept=True,
        cv=None,
        dual=False,
        penalty="deprecated",
        scoring="neg_log_loss",
        solver="lbfgs",
        tol=1e-4,
        max_iter=100,
        class_weight=None,
        n_jobs=None,
        verbose=0,
        refit=True,
        intercept_scaling=1.0,
        random_state=None,
        use_legacy_attributes=False,
        penalty_weights=None,
        selection_rule="min",
    ):
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes
        self.penalty_weights = penalty_weights
        self.selection_rule = selection_rule

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty by cross-validation and fit with it on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample, in the fits and, where the scorer takes it, in
            the scores; the mean over folds is unweighted.
        **params : dict
            Passed to the splitter and the scorer if metadata routing is enabled.

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
        self._check_parameters()
        l1_ratios = resolve_l1_ratios(self)
        given = X, y
        X, codes, classes = validate_classification_data(self, X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        Cs, l1_ratios = list_Cs(self.Cs), validate_l1_ratios(l1_ratios)
        split_params, score_params = self._route(params, sample_weight)
        y = classes[codes]
        folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **split_params))
        settings = _core.logistic.path.Settings(tol=self.tol, max_iter=self.max_iter)
        make_model = self._make_model(classes, X)
        scorer = PathScorer(self.scoring, make_model, classes, (X, y), score_params)
        with report_fit(self, *given, sample_weight, len(folds) * len(l1_ratios)) as report:
            models = _core.logistic.folds.FoldModels(
                X, codes, len(classes), weights, self.fit_intercept, penalty_weights, settings,
                folds,
            )  # fmt: skip
            certificates = self._fit_folds(models, scorer, Cs, l1_ratios, X.dtype, report)
            path = self._average(self._select(), *certificates)
            if self.refit:
                path = models.solve_all(self.C_, self.l1_ratio_, path.coefs[:, 0])
            n_iters = self.n_iter_
            set_solution(self, path, classes, X.dtype)
            self.n_iter_ = n_iters
            if self.use_legacy_attributes:
                self._use_legacy_attributes()
        if self.refit and not self.converged_:
            warn_unconverged(path, [self.C_], settings, stacklevel=4)
        return self

    def _check_parameters(self):
        if self.selection_rule == "1se" and not self.refit:
            raise ValueError(
                "selection_rule='1se' needs refit=True: with refit=False each fold chooses by "
                "its own scores, which have no standard error"
            )

    def _route(self, params, sample_weight):
        """What goes to the splitter and to the scorer."""
        if not routing_enabled():
            return {}, {} if sample_weight is None else {"sample_weight": sample_weight}
        routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
        return routed.splitter.split, routed.scorer.score

    def _make_model(self, classes, X):
        return partial(_make_model, classes, X.shape[1], X.dtype, self.fit_intercept)

    def _fit_folds(self, models, scorer, Cs, l1_ratios, dtype, report):
        """Set what the folds say; return gaps and marks of convergence of their models."""
        n_folds = len(models.folds)
        order = np.argsort(Cs, kind="stable")
        places = np.argsort(order)
        compute = partial(_compute_path, models, scorer, Cs[order], places)
        tasks = [(index, ratio) for index in range(n_folds) for ratio in l1_ratios]
        # One BLAS thread also for n_jobs=1: the result must not depend on n_jobs.
        with single_threaded_blas():
            results = map_tasks(*report.split(compute, tasks, "path"), self.n_jobs)
        shape = (n_folds, len(l1_ratios), len(Cs))
        models_of_paths = [_list_models(path, self.fit_intercept, dtype) for path, _ in results]
        coefs = np.ascontiguousarray(np.array(models_of_paths)[:, places])
        check_finite_result(self, coefs)
        if scorer.metric is not None:  # decision values that overflow
            check_finite_result(self, *(scores for _, scores in results))
        self.Cs_, self.l1_ratios_ = Cs, l1_ratios
        self.coefs_paths_ = coefs.reshape(*shape, *coefs.shape[2:])
        self.scores_ = np.array([scores for _, scores in results]).reshape(shape)
        self.n_iter_ = np.array([path.n_iters[places] for path, _ in results]).reshape(shape)
        n_unconverged = sum(not path.converged.all() for path, _ in results)
        if n_unconverged:
            warnings.warn(
                f"{n_unconverged} of {len(tasks)} paths failed to converge during "
                f"cross-validation, max_iter={self.max_iter}, tol={self.tol}. Increase max_iter, "
                "decrease the largest of Cs, or scale the features.",
                ConvergenceWarning,
                stacklevel=4,
            )
        gaps = np.array([path.gaps[places] for path, _ in results]).reshape(shape)
        converged = np.array([path.converged[places] for path, _ in results]).reshape(shape)
        return gaps, converged

    def _select(self):
        """Set the penalty chosen; return the positions of its model in each fold."""
        scores = np.where(np.isnan(self.scores_), -np.inf, self.scores_)
        if np.isneginf(scores).all():
            raise ValueError(f"scoring={self.scoring!r} gave no finite score: got {self.scores_}")
        n_folds, _, n_Cs = scores.shape
        self.mean_scores_ = self.scores_.mean(axis=0)
        self.standard_errors_ = np.zeros_like(self.mean_scores_)
        if n_folds > 1:
            self.standard_errors_ = self.scores_.std(axis=0, ddof=1) / np.sqrt(n_folds)
        # Of equal scores the first C wins, and of equal Cs the first ratio, as in scikit-learn.
        if self.refit:
            ratio, C = _find_best(scores.sum(axis=0))
            if self.selection_rule == "1se":
                means = scores[:, ratio].mean(axis=0)
                is_near = means >= means[C] - self.standard_errors_[ratio, C]
                C = np.where(is_near, self.Cs_, np.inf).argmin()
            self.C_, self.l1_ratio_ = float(self.Cs_[C]), float(self.l1_ratios_[ratio])
            return slice(None), ratio, C
        ratios, best = np.transpose([_find_best(fold) for fold in scores])
        self.C_ = float(self.Cs_[best].mean())
        self.l1_ratio_ = float(self.l1_ratios_[ratios].mean())
        return np.arange(n_folds), ratios, best

    def _average(self, chosen, gaps, converged):
        """Path of one model: the mean of those chosen in each fold."""
        model = self.coefs_paths_[chosen].astype(np.float64).mean(axis=0)[:, None]
        coefs, intercepts = model, np.zeros(model.shape[:2])
        if self.fit_intercept:
            coefs, intercepts = model[..., :-1], model[..., -1]
        return _core.numerics.path.Path(
            coefs, intercepts, gaps[chosen].max(keepdims=True), self.n_iter_[chosen][:1],
            converged[chosen].all(keepdims=True),
        )  # fmt: skip

    def _use_legacy_attributes(self):
        n_rows = len(self.coef_)
        labels = self.classes_[-n_rows:]
        paths = self.coefs_paths_.transpose(3, 0, 2, 1, 4).copy()
        scores = np.swapaxes(self.scores_, 1, 2)
        self.coefs_paths_ = dict(zip(labels, paths, strict=True))
        self.scores_ = {label: scores.copy() for label in labels}
        self.n_iter_ = np.swapaxes(self.n_iter_, 1, 2)[None].copy()
        self.C_, self.l1_ratio_ = np.full(n_rows, self.C_), np.full(n_rows, self.l1_ratio_)

    def score(self, X, y, *, sample_weight=None, **score_params):
        """Score predictions with the scorer `scoring`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Test samples.
        y : array-like of shape (n_samples,)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.
        **score_params : dict
            Passed to the scorer if metadata routing is enabled.

        Returns
        -------
        score : float
            Greater is better.
        """
        raise_for_params(score_params, self, "score")
        if sample_weight is not None:
            score_params["sample_weight"] = sample_weight
        if routing_enabled():
            score_params = process_routing(self, "score", **score_params).scorer.score
        return self._get_scorer()(self, X, y, **score_params)

    def _get_scorer(self):
        return get_scorer("accuracy" if self.scoring is None else self.scoring)

    def get_metadata_routing(self):
        """Get metadata routing of this object.

        Returns
        -------
        routing : MetadataRouter
            What `fit` and `score` pass on to the splitter and the scorer.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(
                scorer=self._get_scorer(),
                method_mapping=MethodMapping()
                .add(caller="score", callee="score")
                .add(caller="fit", callee="score"),
            )
        )


def _make_model(classes, n_features, dtype, fit_intercept, C, l1_ratio, coef, intercept):
    """Fitted model of one penalty, for a scorer."""
    model = LogisticRegression(C=C, l1_ratio=l1_ratio, fit_intercept=fit_intercept)
    model.classes_, model.n_features_in_ = classes, n_features
    model.coef_, model.intercept_ = coef.astype(dtype), intercept.astype(dtype)
    return model


def _compute_path(models, scorer, Cs, places, index, l1_ratio):
    """Path of one fold, and the scores of its models in the order of the user's `Cs`."""
    path = models.solve(index, Cs, l1_ratio)
    return path, scorer.score(models, index, path, Cs, l1_ratio, places)[places]


def _list_models(path, fit_intercept, dtype):
    """Coefficients, and intercepts if there are any, of shape (n_Cs, n_rows, n_dof)."""
    models = path.coefs
    if fit_intercept:
        models = np.concatenate([models, path.intercepts[..., None]], axis=2)
    return np.swapaxes(models, 0, 1).astype(dtype)


def _find_best(scores):
    """Position (ratio, C) of the best of scores of shape (n_l1_ratios, n_Cs)."""
    C, ratio = np.unravel_index(scores.T.argmax(), scores.T.shape)
    return int(ratio), int(C)
