"""Ridge regression."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from skextra import _core
from skextra._compat import Interval, StrOptions, fit_context
from skextra._validation import validate_penalty_weights, validate_sample_weight
from skextra.linear_model import _blocks
from skextra.linear_model._base import LinearRegressor
from skextra.utils import Blocks

_SOLVERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs")
_ITERATIVE = ("lsqr", "sparse_cg", "sag", "saga")


class RidgeModel(LinearRegressor):
    """How ridge models come by their fitted attributes."""

    def _set_solution(self, problem, result, X, y, alphas, tol):
        """Set the fitted attributes; returns whether every target converged."""
        coef, intercept = _round_solution(*problem.expand(result.W), X.dtype)
        gap = _core.least_squares.ridge_bounds.compute_returned_gap(
            problem, result, coef, intercept, alphas
        )
        self._set_model(coef, intercept, gap, problem.null_objective, y.ndim == 1, tol)

    def _set_model(self, coef, intercept, gap, null_objective, is_single, tol):
        gap = compute_relative_gap(gap, null_objective)
        self.converged_ = bool((gap <= tol).all())
        if coef.shape[0] == 1:
            coef, gap = coef[0], float(gap[0])
        self.coef_ = coef
        self.dual_gap_ = gap
        if not self.fit_intercept:
            self.intercept_ = 0.0
        else:
            self.intercept_ = intercept[0] if is_single else intercept

    def _set_block_solution(self, rows, description, factor, coef, alphas, tol):
        """As `_set_solution` for data in blocks: the gaps are from one more pass over them."""
        p = description.n_features
        intercept = _core.least_squares.factor_fits.compute_intercepts(coef, factor.mean)
        coef, intercept = _round_solution(coef, intercept, description.dtype)
        sums = _blocks.sum_residuals(rows, factor, coef, intercept)
        penalty_weights = validate_penalty_weights(self.penalty_weights, p)
        certifiers = _blocks.make_certifiers(self, factor, penalty_weights)
        returned = coef.astype(np.float64)
        gap = np.array(
            [
                certifier.compute_elastic_net_gap(
                    sums.select(t), returned[t], 0.0, alphas[t], getattr(self, "positive", False)
                )
                for t, certifier in enumerate(certifiers)
            ]
        )
        null = 0.5 * np.array([c.y @ c.y for c in certifiers])
        self._set_model(coef, intercept, gap, null, description.n_targets is None, tol)


def _round_solution(coef, intercept, dtype):
    """Coefficients and intercepts in the type of the data.

    Raises
    ------
    ValueError
        If they overflow.
    """
    limit = np.finfo(dtype).max
    if not (np.abs(coef) <= limit).all() or not (np.abs(intercept) <= limit).all():
        raise ValueError(
            f"the solution overflows {dtype}: scale y, or the features of X, or raise alpha"
        )
    return coef.astype(dtype, copy=False), intercept.astype(dtype)


class Ridge(RidgeModel):
    """Linear least squares with an L2 penalty.

    Minimizes ``||y - Xw - b||^2 + alpha * ||w||^2`` exactly: by a Cholesky
    factorization of the smaller Gram matrix, corrected or replaced by a
    singular value decomposition where that is ill-conditioned, and by
    preconditioned conjugate gradients on large sparse data.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        Strength of the penalty, finite and not negative; an array gives each
        target its own. With 0 this is ordinary least squares (of minimum norm
        where the solution is not unique).
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is never penalized.
    copy_X : bool, default=True
        Kept for compatibility: `X` is neither copied nor overwritten.
    max_iter : int, default=None
        Limit of iterations where the solution is iterative: conjugate gradients
        (by default 10 times the smaller dimension, at least 1000) and exchanges
        of the active set for ``positive=True``.
    tol : float, default=1e-4
        Conjugate gradients stop when the gradient relative to its start is at
        most `tol` and the relative duality gap at most 1 % of it.
        Factorizations do not use it.
    solver : {'auto', 'svd', 'cholesky', 'lsqr', 'sparse_cg', 'sag', 'saga', 'lbfgs'}, \
            default='auto'
        Every name gives the same optimum. 'svd' always takes a singular value
        decomposition; 'lsqr', 'sparse_cg', 'sag' and 'saga' prefer conjugate
        gradients where a factorization would be expensive; 'lbfgs' is for
        ``positive=True`` only.
    positive : bool, default=False
        Whether to force the coefficients to be non-negative. Needs solver
        'auto' or 'lbfgs'.
    random_state : int, RandomState instance, default=None
        Kept for compatibility: no solver is random.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor of `alpha` for each feature: ``alpha * penalty_weights[j] *
        w[j] ** 2``. 0 leaves a feature unpenalized, inf excludes it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 if ``fit_intercept=False``.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Upper bound on the objective's distance from its minimum, relative to
        the objective at all-zero coefficients.
    n_iter_ : ndarray of shape (n_targets,) or None
        Iterations of each target; None where the solution was direct.
    converged_ : bool
        Whether every target reached its tolerance.
    solver_ : str
        The solver's name, with 'auto' resolved as scikit-learn does, and 'svd'
        where a Cholesky factorization was asked for and failed.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    RidgeCV : Ridge regression with a selected penalty.
    Lasso : Linear least squares with an L1 penalty.

    Notes
    -----
    Differs from scikit-learn: every solver returns the same optimum, so `tol`,
    `max_iter` and `random_state` matter only where the solution is iterative,
    which the size of the data decides more than `solver`; ``n_iter_`` is None
    where it is not. The relative duality gap is in ``dual_gap_``. Data is
    centered block by block before any product is formed, so that a large offset
    costs no accuracy and no copy of `X` is made.

    References
    ----------
    Hoerl & Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", Technometrics 12 (1970).

    Bjorck, "Stability analysis of the method of seminormal equations for linear
    least squares problems", Linear Algebra and its Applications 88/89 (1987).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.linear_model import Ridge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = Ridge(alpha=0.1).fit(X, y)
    >>> round(model.score(X, y), 3)
    0.513
    >>> bool(model.dual_gap_ < 1e-12)
    True
    """

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions(set(_SOLVERS))],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "penalty_weights": ["array-like", None],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        solver="auto",
        positive=False,
        random_state=None,
        penalty_weights=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.penalty_weights = penalty_weights

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, Blocks} of shape (n_samples, n_features)
            Training data; also in blocks of rows, see :class:`skextra.utils.Blocks`.
        y : {array-like, Blocks} of shape (n_samples,) or (n_samples, n_targets)
            Target values.
        sample_weight : float, array-like or Blocks of shape (n_samples,), default=None
            Weight of each sample; a number weighs all alike, which matters
            relative to `alpha`.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a solver does not go with the data or the parameters, or an
            argument has a wrong shape or value.
        """
        if isinstance(X, Blocks):
            return self._fit_blocks(X, y, sample_weight)
        self.solver_ = resolve_solver(self, sparse.issparse(X))
        X, y, Y, sample_weight = validate_ridge_data(self, X, y, sample_weight)
        alphas = validate_alphas_per_target(self.alpha, Y.shape[1])
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])

        solve = self._solve_positive if self.positive else self._solve
        # Overflow is looked for, and refused, in the results.
        with np.errstate(over="ignore", invalid="ignore"):
            problem, result = solve(X, Y, alphas, sample_weight, penalty_weights)

        self.n_iter_ = result.n_iter
        if result.method == "svd" and self.solver_ == "cholesky":
            self.solver_ = "svd"
        # What rounding allows, where it is more than asked for.
        floor = 10 * np.finfo(X.dtype).eps if result.method != "cholesky" else 1e-10
        self._set_solution(problem, result, X, y, alphas, tol=max(self.tol, floor))
        if not self.converged_:
            self._warn_unconverged()
        return self

    def _fit_blocks(self, X, y, sample_weight):
        solver = resolve_solver(self, is_sparse=False)
        rows = _blocks.open_rows(X, y, sample_weight)
        description, factor = _blocks.read_moments(self, rows)
        p = description.n_features
        alphas = validate_alphas_per_target(self.alpha, len(factor.mean) - p)
        penalty_weights = validate_penalty_weights(self.penalty_weights, p)
        _blocks.check_positive(self, alphas, penalty_weights)
        coef, result = _core.least_squares.factor_fits.solve_ridge(
            factor, p, alphas, penalty_weights, "svd" if self.solver == "svd" else "auto",
            self.positive, self.max_iter, self.tol,
        )  # fmt: skip
        self.solver_ = "svd" if (result.method, solver) == ("svd", "cholesky") else solver
        self.n_iter_ = result.n_iter
        floor = 10 * np.finfo(description.dtype).eps if result.method != "cholesky" else 1e-10
        self._set_block_solution(rows, description, factor, coef, alphas, tol=max(self.tol, floor))
        if not self.converged_:
            self._warn_unconverged()
        return self

    def _solve(self, X, Y, alphas, sample_weight, penalty_weights):
        problem = _core.least_squares.problem.build_problem(
            X, Y, sample_weight, self.fit_intercept, penalty_weights
        )
        method = "svd" if self.solver == "svd" else "auto"
        if self.solver in _ITERATIVE:
            method = "iterative"
        result = _core.least_squares.ridge.solve(
            problem, alphas, method=method, tol=self.tol, max_iter=self.max_iter
        )
        return problem, result

    def _solve_positive(self, X, Y, alphas, sample_weight, penalty_weights):
        penalized = np.ones(X.shape[1], dtype=bool)
        if penalty_weights is not None:
            # A sign constraint keeps unpenalized features from being projected out.
            penalized = (penalty_weights > 0)[np.isfinite(penalty_weights)]
            penalty_weights = np.where(penalty_weights > 0, penalty_weights, 1.0)
        problem = _core.least_squares.problem.build_problem(
            X, Y, sample_weight, self.fit_intercept, penalty_weights
        )
        result = _core.least_squares.ridge_nonnegative.solve_positive(
            problem, alphas, penalized, tol=self.tol, max_iter=self.max_iter
        )
        return problem, result

    def _warn_unconverged(self):
        if self.n_iter_ is None:
            effort, advice = "", "Increase alpha, or scale the features."
        else:
            effort = f" after {np.max(self.n_iter_)} iterations"
            advice = "Increase max_iter or alpha, or scale the features."
        warnings.warn(
            f"The {self.solver_} solver did not converge: relative duality gap "
            f"{np.max(self.dual_gap_):.2e}{effort}, tol={self.tol}. {advice}",
            ConvergenceWarning,
            stacklevel=3,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver != "svd" and not (
            self.solver in ("cholesky", "saga") and self.fit_intercept
        )
        return tags


def resolve_solver(ridge, is_sparse):
    """The solver's name with 'auto' resolved; errors as in scikit-learn.

    Raises
    ------
    ValueError, TypeError
        If the solver does not go with the sign constraint or sparse data.
    """
    solver = ridge.solver
    if solver == "lbfgs" and not ridge.positive:
        raise ValueError("solver='lbfgs' can be used only when positive=True, got positive=False")
    if ridge.positive:
        if solver not in ("auto", "lbfgs"):
            raise ValueError(
                f"solver={solver!r} does not support positive fitting; "
                "use solver='auto' or 'lbfgs', or positive=False"
            )
        return "lbfgs"
    if is_sparse:
        if ridge.fit_intercept and solver in ("saga", "svd", "cholesky"):
            raise ValueError(
                f"solver={solver!r} does not support fitting the intercept on sparse data; "
                "use solver='auto', 'lsqr', 'sparse_cg' or 'sag', or fit_intercept=False"
            )
        if solver == "svd":
            raise TypeError("solver='svd' does not support sparse X; use solver='auto'")
    if solver == "auto":
        return "sparse_cg" if is_sparse else "cholesky"
    return solver


def validate_ridge_data(estimator, X, y, sample_weight):
    """Check training data without copying it.

    Returns
    -------
    X : ndarray (C- or F-contiguous) or canonical CSR/CSC
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), as given
    Y : ndarray of shape (n_samples, n_targets) and X's dtype or float64
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    """
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse=["csr", "csc"],
        dtype=[np.float64, np.float32],
        multi_output=True,
        y_numeric=True,
    )
    if sparse.issparse(y):
        raise TypeError("y must be dense, got a sparse matrix; use y.toarray()")
    if y.ndim > 2:
        raise ValueError(f"y must have one or two dimensions, got shape {y.shape}")
    Y = y.reshape(len(y), -1)
    if Y.dtype != X.dtype:
        Y = Y.astype(np.float64, copy=False)
    if not sparse.issparse(X):
        if not (X.flags.c_contiguous or X.flags.f_contiguous):
            X = np.ascontiguousarray(X)
    elif not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X, y, Y, validate_sample_weight(sample_weight, X)


def validate_alphas_per_target(alpha, n_targets):
    """One finite, non-negative penalty per target.

    Raises
    ------
    ValueError
        For negative, infinite or NaN entries, or a wrong number of them.
    """
    alphas = np.ravel(np.asarray(alpha, dtype=np.float64))
    if not (np.isfinite(alphas).all() and (alphas >= 0).all()):
        raise ValueError(f"alpha must be finite and not negative, got {alpha!r}")
    if len(alphas) not in (1, n_targets):
        raise ValueError(
            "Number of targets and number of penalties do not correspond: "
            f"{len(alphas)} != {n_targets}"
        )
    return np.full(n_targets, alphas[0]) if len(alphas) == 1 else alphas


def compute_relative_gap(gap, null_objective):
    """Duality gaps relative to the objective at zero."""
    relative = np.zeros_like(gap)
    np.divide(gap, null_objective, out=relative, where=null_objective > 0)
    relative[(null_objective <= 0) & (gap > 0)] = np.inf
    return relative
