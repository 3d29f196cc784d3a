"""Lasso and elastic net for several targets that share their features."""

import numpy as np

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import fit_context
from skextra._validation import (
    check_finite_result,
    validate_penalty_weights,
    validate_regression_data,
    validate_sample_weight,
)
from skextra.linear_model._elastic_net import ElasticNet, PenalizedRegressor
from skextra.linear_model._paths import create_settings, warn_if_unconverged
from skextra.utils import Blocks


def validate_joint_data(estimator, X, y, single):
    """Checked X and y of shape (n_samples, n_targets); `single` names the class for one target."""
    if isinstance(X, Blocks):
        raise TypeError(
            f"X must be an array, a data frame or a sparse matrix for {type(estimator).__name__}, "
            "got Blocks"
        )
    X, y = validate_regression_data(estimator, X, y)
    if y.ndim == 1:
        raise ValueError(
            f"For mono-task outputs, use {single}: y must have shape (n_samples, n_targets), "
            f"got {y.shape}"
        )
    return X, y


def read_joint_settings(estimator):
    """How an estimator's parameters tell the solver to iterate."""
    return create_settings(
        tol=estimator.tol,
        max_iter=estimator.max_iter or 1000,
        positive=False,
        selection=estimator.selection,
        random_state=estimator.random_state,
    )


def set_joint_solution(estimator, path, dtype):
    """Set the fitted attributes from a path of one penalty."""
    coef = path.coefs[:, 0].astype(dtype)
    intercept = path.intercepts[:, 0].astype(dtype)
    check_finite_result(estimator, coef, intercept)
    estimator.coef_ = coef
    estimator.intercept_ = intercept if estimator.fit_intercept else 0.0
    estimator.dual_gap_ = float(path.gaps[0, 0])
    estimator.n_iter_ = int(path.n_iters[0, 0])
    estimator.converged_ = bool(path.converged.all())


class MultiTaskElasticNet(PenalizedRegressor):
    """Elastic net for several targets: a feature is used for all of them or for none.

    Minimizes::

        sum_i s_i ||y_i - W x_i - b||^2 / (2 sum_i s_i)
        + alpha * sum_j v_j * (l1_ratio ||W_j|| + (1 - l1_ratio) ||W_j||^2 / 2)

    with ``W_j`` the coefficients of feature j for every target, sample weights ``s`` and
    penalty weights ``v`` (both 1 by default), and stops on a certificate: the duality gap.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 is least squares, solved directly.
    l1_ratio : float, default=0.5
        Share of the penalty on the norms: 1 is the multi-task lasso, 0 is ridge regression.
    fit_intercept : bool, default=True
        Whether to fit intercepts.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to, nor copied to center it.
    max_iter : int, default=1000
        Sweeps over the features at most.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective at zero coefficients.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of features if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit features in order, or shuffled anew for each sweep.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features)
        Coefficients; the columns of features that are not used are zero.
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
        Sparse form of ``coef_``.
    intercept_ : ndarray of shape (n_targets,) or float
        Intercepts; 0.0 if ``fit_intercept=False``.
    dual_gap_ : float
        Duality gap relative to the objective at zero: an upper bound of the
        relative suboptimality.
    eps_ : float
        `tol` times twice the objective at zero coefficients, with weights of mean one: what
        scikit-learn's solver compares its gap with.
    n_iter_ : int
        Sweeps and Newton steps taken.
    converged_ : bool
        Whether the gap is at most `tol` (or what rounding allows).
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    MultiTaskElasticNetCV : Chooses `alpha` and `l1_ratio` by cross-validation.
    MultiTaskLasso : The case ``l1_ratio=1``.
    ElasticNet : With several targets, one problem for each of them.

    Notes
    -----
    Differs from scikit-learn: ``dual_gap_`` is relative, `tol` is relative to
    the objective at zero (half of scikit-learn's scale), ``alpha=0`` and
    ``l1_ratio=0`` are solved in closed form and without a warning.

    References
    ----------
    Obozinski, Taskar & Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Stat. Comput. 20 (2010).

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from skextra.linear_model import MultiTaskElasticNet
    >>> X, Y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskElasticNet(alpha=30.0, l1_ratio=0.9, tol=1e-8).fit(X, Y)
    >>> model.coef_.shape
    (3, 3)
    >>> bool(model.dual_gap_ <= 1e-8)
    True
    """

    _parameter_constraints: dict = {**ElasticNet._parameter_constraints}
    _parameter_constraints.pop("precompute")
    _parameter_constraints.pop("positive")

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples, n_targets)
            Target values.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample; their scale does not matter.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value.
        """
        if not np.isfinite(self.alpha):
            raise ValueError(f"alpha must be finite, got {self.alpha}")
        given = X, y
        X, y = validate_joint_data(self, X, y, type(self).__name__.removeprefix("MultiTask"))
        sample_weight = validate_sample_weight(sample_weight, X)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        settings = read_joint_settings(self)
        start = self._get_start((y.shape[1], X.shape[1]))
        with report_fit(self, *given, sample_weight):
            path = _core.least_squares.multi_task.solve(
                X, y, [self.alpha], l1_ratio=self.l1_ratio, sample_weight=sample_weight,
                fit_intercept=self.fit_intercept, penalty_weights=penalty_weights,
                settings=settings, start=start,
            )  # fmt: skip
            set_joint_solution(self, path, X.dtype)
            self.eps_ = self.tol * 2 * path.null_objective
        warn_if_unconverged(path, [self.alpha], settings, stacklevel=4)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


class MultiTaskLasso(MultiTaskElasticNet):
    """Lasso for several targets: a feature is used for all of them or for none.

    Minimizes::

        sum_i s_i ||y_i - W x_i - b||^2 / (2 sum_i s_i) + alpha * sum_j v_j ||W_j||

    with ``W_j`` the coefficients of feature j for every target, sample weights ``s`` and
    penalty weights ``v`` (both 1 by default), and stops on a certificate: the duality gap.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 is least squares, solved directly.
    fit_intercept : bool, default=True
        Whether to fit intercepts.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to, nor copied to center it.
    max_iter : int, default=1000
        Sweeps over the features at most.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective at zero coefficients.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of features if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit features in order, or shuffled anew for each sweep.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features)
        Coefficients; the columns of features that are not used are zero.
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
        Sparse form of ``coef_``.
    intercept_ : ndarray of shape (n_targets,) or float
        Intercepts; 0.0 if ``fit_intercept=False``.
    dual_gap_ : float
        Duality gap relative to the objective at zero: an upper bound of the
        relative suboptimality.
    eps_ : float
        `tol` times twice the objective at zero coefficients, with weights of mean one: what
        scikit-learn's solver compares its gap with.
    n_iter_ : int
        Sweeps and Newton steps taken.
    converged_ : bool
        Whether the gap is at most `tol` (or what rounding allows).
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    MultiTaskLassoCV : Chooses `alpha` by cross-validation.
    Lasso : With several targets, one problem for each of them.
    lasso_path : Coefficients for a sequence of penalties, also for several targets.

    Notes
    -----
    Differs from scikit-learn: as :class:`MultiTaskElasticNet`.

    References
    ----------
    Obozinski, Taskar & Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Stat. Comput. 20 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.linear_model import MultiTaskLasso
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 6))
    >>> Y = X[:, :2] @ [[1.0, 2.0], [3.0, -1.0]] + 0.1 * rng.standard_normal((50, 2))
    >>> model = MultiTaskLasso(alpha=0.5).fit(X, Y)
    >>> np.flatnonzero(model.coef_.any(axis=0))
    array([0, 1])
    """

    _parameter_constraints: dict = {**MultiTaskElasticNet._parameter_constraints}
    _parameter_constraints.pop("l1_ratio")

    # For code that treats both alike; not a parameter.
    l1_ratio = 1.0

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights
