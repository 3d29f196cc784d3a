"""Multi-task lasso and elastic net with cross-validated penalties."""

from numbers import Real

from skextra import _core
from skextra._compat import Interval
from skextra._validation import validate_penalty_weights, validate_sample_weight
from skextra.linear_model._elastic_net_cv import PathCV, validate_l1_ratios
from skextra.linear_model._multi_task import (
    read_joint_settings,
    set_joint_solution,
    validate_joint_data,
)
from skextra.linear_model._paths import enet_path, lasso_path


class _JointPathCV(PathCV):
    """What differs for several targets that are solved jointly."""

    _parameter_constraints: dict = {**PathCV._parameter_constraints}
    _parameter_constraints.pop("precompute")
    _parameter_constraints.pop("positive")

    def _validate(self, X, y, sample_weight):
        X, y = validate_joint_data(self, X, y, type(self).__name__.removeprefix("MultiTask"))
        sample_weight = validate_sample_weight(sample_weight, X)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        return X, y, sample_weight, penalty_weights

    def _fit_blocks(self, X, y, sample_weight):
        return self._validate(X, y, sample_weight)  # refuses them

    def _read_settings(self):
        return read_joint_settings(self)

    def _solve(self, X, y, sample_weight, penalty_weights, settings, l1_ratio, evaluator):
        return _core.least_squares.multi_task.solve(
            X, y, [self.alpha_], l1_ratio=l1_ratio, sample_weight=sample_weight,
            fit_intercept=self.fit_intercept, penalty_weights=penalty_weights, settings=settings,
            gram=evaluator.get_total_gram(),
        )  # fmt: skip

    def _set_solution(self, path, dtype):
        set_joint_solution(self, path, dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


class MultiTaskLassoCV(_JointPathCV):
    """Multi-task lasso whose penalty is chosen by cross-validation along the path.

    Parameters
    ----------
    eps : float, default=1e-3
        Length of a generated grid: ``alpha_min / alpha_max``.
    alphas : int or array-like, default=100
        Number of penalties on the grid, or the penalties themselves.
    fit_intercept : bool, default=True
        Whether to fit intercepts.
    max_iter : int, default=1000
        Sweeps over the features at most, for each model.
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
    random_state : int, RandomState instance or None, default=None
        Seeds the order of features if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit features in order, or shuffled anew for each sweep.
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
    coef_ : ndarray of shape (n_targets, n_features)
        Coefficients; the columns of features that are not used are zero.
    intercept_ : ndarray of shape (n_targets,) or float
        Intercepts; 0.0 if ``fit_intercept=False``.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared error of each alpha on each fold's test rows, averaged over targets.
    alphas_ : ndarray of shape (n_alphas,)
        Penalties, decreasing.
    dual_gap_ : float
        Duality gap of the final fit, relative to the objective at zero.
    n_iter_ : int
        Sweeps and Newton steps of the final fit.
    converged_ : bool
        Whether the final fit reached `tol`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    MultiTaskLasso : The model for one penalty.
    LassoCV : For one target.

    References
    ----------
    Obozinski, Taskar & Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Stat. Comput. 20 (2010).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import MultiTaskLassoCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MultiTaskLassoCV(alphas=20).fit(X[:, 2:], X[:, :2])
    >>> model.coef_.shape, model.mse_path_.shape
    ((2, 8), (20, 5))
    """

    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
        selection_rule="min",
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights
        self.selection_rule = selection_rule


class MultiTaskElasticNetCV(_JointPathCV):
    """Multi-task elastic net whose penalty is chosen by cross-validation along the path.

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Share of the penalty on the norms; of a list, the best is chosen.
    eps : float, default=1e-3
        Length of a generated grid: ``alpha_min / alpha_max``.
    alphas : int or array-like, default=100
        Number of penalties on the grid, or the penalties themselves.
    fit_intercept : bool, default=True
        Whether to fit intercepts.
    max_iter : int, default=1000
        Sweeps over the features at most, for each model.
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
    random_state : int, RandomState instance or None, default=None
        Seeds the order of features if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit features in order, or shuffled anew for each sweep.
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
    coef_ : ndarray of shape (n_targets, n_features)
        Coefficients; the columns of features that are not used are zero.
    intercept_ : ndarray of shape (n_targets,) or float
        Intercepts; 0.0 if ``fit_intercept=False``.
    mse_path_ : ndarray of shape (n_l1_ratios, n_alphas, n_folds) or (n_alphas, n_folds)
        Mean squared error of each model on each fold's test rows, averaged over targets.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        Penalties, decreasing.
    dual_gap_ : float
        Duality gap of the final fit, relative to the objective at zero.
    n_iter_ : int
        Sweeps and Newton steps of the final fit.
    converged_ : bool
        Whether the final fit reached `tol`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    MultiTaskElasticNet : The model for one penalty.
    ElasticNetCV : For one target.

    References
    ----------
    Obozinski, Taskar & Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Stat. Comput. 20 (2010).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import MultiTaskElasticNetCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MultiTaskElasticNetCV(l1_ratio=[0.5, 0.9], alphas=20).fit(X[:, 2:], X[:, :2])
    >>> model.mse_path_.shape
    (2, 20, 5)
    """

    _parameter_constraints: dict = {
        **_JointPathCV._parameter_constraints,
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
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
        selection_rule="min",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights
        self.selection_rule = selection_rule

    def _list_l1_ratios(self):
        return validate_l1_ratios(self.l1_ratio)

    def _select(self, errors, l1_ratios, grids):
        self.l1_ratio_ = float(super()._select(errors, l1_ratios, grids))
        return self.l1_ratio_
