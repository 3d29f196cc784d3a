"""Lasso and elastic net."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils import metadata_routing

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    align_sparse_interface,
    fit_context,
)
from skextra._validation import (
    check_finite_result,
    validate_penalty_weights,
    validate_regression_data,
    validate_sample_weight,
)
from skextra.linear_model import _blocks
from skextra.linear_model._base import LinearRegressor
from skextra.linear_model._paths import (
    create_settings,
    enet_path,
    validate_gram,
    warn_if_unconverged,
)
from skextra.utils import Blocks


class PenalizedRegressor(CallbackSupportMixin, LinearRegressor):
    """What models of one penalty share."""

    path = staticmethod(enet_path)

    def _get_start(self, shape):
        if not (self.warm_start and hasattr(self, "coef_")):
            return None
        start = np.atleast_2d(self.coef_)
        if start.shape != shape:
            raise ValueError(
                "warm_start=True needs as many targets and features as the previous fit had: "
                f"coef_ has shape {start.shape}, got data for {shape}"
            )
        return start

    @property
    def sparse_coef_(self):
        """Sparse representation of the fitted ``coef_``."""
        return align_sparse_interface(sparse.csr_array(np.atleast_2d(self.coef_)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class ElasticNet(PenalizedRegressor):
    """Linear regression with a combined L1 and L2 penalty.

    Minimizes::

        sum_i s_i (y_i - x_i w - b)^2 / (2 sum_i s_i)
        + alpha * sum_j v_j * (l1_ratio |w_j| + (1 - l1_ratio) w_j^2 / 2)

    with sample weights ``s`` and penalty weights ``v`` (both 1 by default), and
    stops on a certificate: the duality gap.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 is least squares, solved directly.
    l1_ratio : float, default=0.5
        Share of the L1 penalty: 1 is the lasso, 0 is ridge regression.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        Gram matrix of the (centered, weighted) X, if it is known. True and False
        have no effect: what is precomputed is chosen by shape.
    max_iter : int, default=1000
        Sweeps over the coordinates at most.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to, nor copied to center it.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective at zero coefficients.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    positive : bool, default=False
        Constrain coefficients to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of coordinates if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit coordinates in order, or shuffled anew for each sweep.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        Sparse form of ``coef_``.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Duality gap relative to the objective at zero: an upper bound of the
        relative suboptimality.
    n_iter_ : int or list of int
        Sweeps and Newton steps taken.
    converged_ : bool
        Whether every gap is at most `tol` (or what rounding allows).
    solver_ : str
        What was solved on, by the shape of X: the "gram" matrix, all "columns", or a
        "working-set" of them; without an L1 penalty, the method of the linear system.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    ElasticNetCV : Chooses `alpha` and `l1_ratio` by cross-validation.
    Lasso : The case ``l1_ratio=1``.

    Notes
    -----
    Differs from scikit-learn: ``dual_gap_`` is relative, `tol` is relative to
    the objective at zero (half of scikit-learn's scale), ``alpha=0`` and
    ``l1_ratio=0`` are solved in closed form and without a warning.

    References
    ----------
    Zou & Hastie, "Regularization and variable selection via the elastic net",
    JRSS B 67 (2005).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import ElasticNet
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ElasticNet(alpha=0.1, l1_ratio=0.9, tol=1e-8).fit(X, y)
    >>> model.coef_.round(1)
    array([ 23.6,  -3. , 133.4,  92.6,  21. ,   8.3, -76. ,  73.5, 120.6,
            67.9])
    >>> bool(model.dual_gap_ <= 1e-8)
    True
    """

    # A switch for speed, not something to be passed around in a pipeline.
    __metadata_request__fit = {"check_input": metadata_routing.UNUSED}

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "precompute": ["boolean", "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
        "penalty_weights": ["array-like", None],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        precompute=False,
        max_iter=1000,
        copy_X=True,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, Blocks} of shape (n_samples, n_features)
            Training data; also in blocks of rows, see :class:`skextra.utils.Blocks`.
        y : {array-like, Blocks} of shape (n_samples,) or (n_samples, n_targets)
            Target values.
        sample_weight : float, array-like or Blocks of shape (n_samples,), default=None
            Weight of each sample; their scale does not matter.
        check_input : bool, default=True
            Skip the checks of X and y if False; they must then be float arrays.

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
        if isinstance(X, Blocks):
            return self._fit_blocks(X, y, sample_weight)
        given = X, y
        if check_input:
            X, y = validate_regression_data(self, X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        settings = read_settings(self)
        gram = validate_gram(self.precompute, X, sample_weight, self.fit_intercept)
        start = self._get_start((y.size // len(y), X.shape[1]))
        with report_fit(self, *given, sample_weight):
            path = _core.least_squares.elastic_net.solve(
                X, y.reshape(len(y), -1), [self.alpha], l1_ratio=self.l1_ratio,
                sample_weight=sample_weight, fit_intercept=self.fit_intercept,
                penalty_weights=penalty_weights, settings=settings, start=start, gram=gram,
            )  # fmt: skip
            set_solution(self, path, X.dtype, is_single=y.ndim == 1)
        warn_if_unconverged(path, [self.alpha], settings, stacklevel=4)
        return self

    def _fit_blocks(self, X, y, sample_weight):
        _blocks.check_precompute(self)
        rows = _blocks.open_rows(X, y, sample_weight)
        description, factor = _blocks.read_moments(self, rows)
        p = description.n_features
        penalty_weights = validate_penalty_weights(self.penalty_weights, p)
        _blocks.check_positive(self, [self.alpha], penalty_weights)
        settings = read_settings(self)
        path = _core.least_squares.factor_fits.solve_elastic_net(
            factor, p, [self.alpha], self.l1_ratio, penalty_weights, settings,
            self._get_start((len(factor.mean) - p, p)),
        )  # fmt: skip
        _blocks.certify_elastic_net(
            self, rows, description, factor, path, [self.alpha], self.l1_ratio, penalty_weights
        )
        set_solution(self, path, description.dtype, is_single=description.n_targets is None)
        warn_if_unconverged(path, [self.alpha], settings, stacklevel=5)
        return self


def read_settings(estimator):
    """How an estimator's parameters tell the solver to iterate."""
    return create_settings(
        tol=estimator.tol,
        max_iter=estimator.max_iter or 1000,
        positive=estimator.positive,
        selection=estimator.selection,
        random_state=estimator.random_state,
    )


def set_solution(estimator, path, dtype, is_single):
    """Set the fitted attributes from a path of one penalty."""
    coef = path.coefs[:, 0].astype(dtype)
    intercept = path.intercepts[:, 0].astype(dtype)
    check_finite_result(estimator, coef, intercept)
    gaps, n_iters = path.gaps[:, 0], path.n_iters[:, 0].tolist()
    one = len(coef) == 1
    estimator.coef_ = coef[0] if one else coef
    estimator.intercept_ = 0.0
    if estimator.fit_intercept:
        estimator.intercept_ = intercept[0] if is_single else intercept
    estimator.dual_gap_ = float(gaps[0]) if one else gaps
    estimator.n_iter_ = n_iters[0] if one else n_iters
    estimator.converged_ = bool(path.converged.all())
    if path.solver:
        # Joint problems of several targets have no choice.
        estimator.solver_ = path.solver


class Lasso(ElasticNet):
    """Linear regression with an L1 penalty.

    Minimizes::

        sum_i s_i (y_i - x_i w - b)^2 / (2 sum_i s_i) + alpha * sum_j v_j |w_j|

    with sample weights ``s`` and penalty weights ``v`` (both 1 by default), and
    stops on a certificate: the duality gap.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 is least squares, solved directly.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        Gram matrix of the (centered, weighted) X, if it is known. True and False
        have no effect: what is precomputed is chosen by shape.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to, nor copied to center it.
    max_iter : int, default=1000
        Sweeps over the coordinates at most.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective at zero coefficients.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    positive : bool, default=False
        Constrain coefficients to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Seeds the order of coordinates if ``selection="random"``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Visit coordinates in order, or shuffled anew for each sweep.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it. The adaptive lasso is ``1 / |first estimate|``.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        Sparse form of ``coef_``.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Duality gap relative to the objective at zero: an upper bound of the
        relative suboptimality.
    n_iter_ : int or list of int
        Sweeps and Newton steps taken.
    converged_ : bool
        Whether every gap is at most `tol` (or what rounding allows).
    solver_ : str
        What was solved on, by the shape of X: the "gram" matrix, all "columns", or a
        "working-set" of them; without an L1 penalty, the method of the linear system.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    LassoCV : Chooses `alpha` by cross-validation.
    lasso_path : Coefficients for a sequence of penalties.

    Notes
    -----
    Differs from scikit-learn: as :class:`ElasticNet`.

    References
    ----------
    Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B 58 (1996).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import Lasso
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = Lasso(alpha=0.5, tol=1e-8).fit(X, y)
    >>> model.coef_.round(1)
    array([  0. ,   0. , 471. , 136.5,   0. ,   0. , -58.3,   0. , 408. ,
             0. ])
    """

    _parameter_constraints: dict = {**ElasticNet._parameter_constraints}
    _parameter_constraints.pop("l1_ratio")

    # For code that treats both alike; not a parameter.
    l1_ratio = 1.0

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        precompute=False,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
        penalty_weights=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.penalty_weights = penalty_weights
