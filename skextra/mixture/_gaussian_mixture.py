"""Gaussian mixtures fitted by EM."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skextra._conversion import SklearnConvertible
from skextra._parallel import open_pool
from skextra._validation import validate_sample_weight
from skextra.mixture._base import FittedMixture
from skextra.mixture._derived import DerivedMixtures
from skextra.mixture._parameters import (
    check_definite,
    check_means,
    check_weights,
    from_layout,
    get_kind,
    get_shape,
    to_layout,
)
from skextra.mixture._rows import create_data, select_rows
from skextra.mixture._start import INIT_PARAMS, draw_statistics
from skextra.mixture._verbose import Printer


class GaussianMixture(SklearnConvertible, CallbackSupportMixin, DerivedMixtures, FittedMixture):
    """Gaussian mixture fitted by expectation-maximization.

    The density is ``sum_k weights_[k] N(x | means_[k], covariances_[k])``. EM is
    accelerated by SQUAREM; samples may have weights, and values may be missing.

    Parameters
    ----------
    n_components : int, default=1
        Number of components.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}, default='full'
        Whether each component has its own covariance matrix, all share one, or
        each has its own variance of each feature or of all features.
    tol : float, default=1e-3
        Stop when the objective, per sample, changes by less from one pass over
        the data to the next.
    reg_covar : float, default=1e-6
        Added to all variances.
    max_iter : int, default=100
        Passes over the data at most, proposals of the acceleration that were
        turned down included.
    n_init : int, default=1
        Number of starts; the best end is kept.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data'}, default='kmeans'
        How samples are first assigned to components: by k-means, each to itself
        at the centers k-means would start from, at random shares, or each to
        itself at random samples.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start from.
    means_init : array-like of shape (n_components, n_features), default=None
        Means to start from.
    precisions_init : array-like, default=None
        Inverse covariances to start from, of the shape of ``covariances_``.
    random_state : int, RandomState instance or None, default=None
        Of the starts and of `sample`.
    warm_start : bool, default=False
        Whether to start where the last fit ended.
    verbose : int, default=0
        1 prints starts and iterations, 2 times and changes as well.
    verbose_interval : int, default=10
        Iterations between two lines.
    acceleration : {'squarem', None}, default='squarem'
        'squarem' extrapolates after the first five iterations, and turns down
        what lowers the objective; None is plain EM, step by step scikit-learn's.
    on_collapse : {'raise', 'reseed', 'drop'}, default='raise'
        What to do when the covariance of a component is no longer positive
        definite: raise an error as scikit-learn does; or warn, and move the
        component to the sample that is described worst, or leave it out.
    n_jobs : int or None, default=None
        Threads, over starts or over the samples of one. None is as many as BLAS
        may use, as in scikit-learn, whose products are BLAS's; one in a joblib
        worker. The result is the same, bit by bit, for every number.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Weights of the components.
    means_ : ndarray of shape (n_components, n_features)
        Means of the components.
    covariances_ : ndarray
        Covariances: of shape (n_components, n_features, n_features) for 'full',
        (n_features, n_features) for 'tied', (n_components, n_features) for
        'diag', (n_components,) for 'spherical'.
    precisions_ : ndarray
        Inverses of the covariances, of the same shape.
    precisions_cholesky_ : ndarray
        Upper triangular U with ``precision = U @ U.T``; square roots of the
        precisions for 'diag' and 'spherical'.
    converged_ : bool
        Whether `tol` was reached.
    n_iter_ : int
        Passes over the data of the best start.
    lower_bound_ : float
        Objective per sample, at the parameters before the last step.
    lower_bounds_ : list of shape (`n_iter_`,)
        The objective after each pass: it never falls, unless a component
        collapsed and ``on_collapse`` mended it, or ``acceleration=None`` and
        `reg_covar` is not 0.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    GaussianMixtureIC : Chooses the number of components and the covariance type.
    DensityDisplay : Draws contours and ellipses for two features.

    Notes
    -----
    The objective is the mean log-likelihood. With the acceleration and
    ``reg_covar > 0`` it is that of densities which have a factor
    ``exp(-reg_covar / 2 * trace(precision))`` in each component: the function
    that `reg_covar` in the M-step maximizes (see the user guide), a little below
    the likelihood. Plain EM leaves the factor out, as scikit-learn does, and
    then climbs the likelihood but for small steps back.

    Differs from scikit-learn: the fit is accelerated unless ``acceleration=None``,
    so that after five iterations the path is another; NaN is a missing value,
    fitted by exact maximum likelihood on what is observed (missing at random)
    after starting from imputed values; the arithmetic is in float64, with
    attributes in the type of X; `sample` draws other numbers.

    References
    ----------
    Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM
    algorithm", J. R. Stat. Soc. B 39 (1977).

    Varadhan & Roland, "Simple and globally convergent methods for accelerating the
    convergence of any EM algorithm", Scand. J. Stat. 35 (2008).

    Ghahramani & Jordan, "Supervised learning from incomplete data via an EM
    approach", NIPS 6 (1994).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.mixture import GaussianMixture
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> mixture = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> mixture.means_[mixture.means_[:, 0].argsort()].round(6)
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> bool(mixture.predict([[0, np.nan]]) == mixture.predict([[1, 2]]))
    True
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions({"full", "tied", "diag", "spherical"})],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions(set(INIT_PARAMS))],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "acceleration": [StrOptions({"squarem"}), None],
        "on_collapse": [StrOptions({"raise", "reseed", "drop"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        acceleration="squarem",
        on_collapse="raise",
        n_jobs=None,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.acceleration = acceleration
        self.on_collapse = on_collapse
        self.n_jobs = n_jobs

    def fit(self, X, y=None, sample_weight=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; NaN stands for a missing value.
        y : Ignored
            Present for API consistency by convention.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample: 2 is the sample twice, 0 the sample left out.

        Returns
        -------
        self : object
            Fitted mixture.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value, or a component
            collapses and ``on_collapse='raise'``.
        """
        self._fit(X, y, sample_weight)
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture and predict the most probable component of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; NaN stands for a missing value.
        y : Ignored
            Present for API consistency by convention.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            What `predict` says of X.
        """
        return self._evaluate_checked(self._fit(X, y, sample_weight))[1]

    @fit_context(prefer_skip_nested_validation=True)
    def _fit(self, X, y, sample_weight):
        given = X, y, sample_weight
        X = self._validate_X(X)
        weights = validate_sample_weight(sample_weight, X)
        is_warm = self.warm_start and hasattr(self, "converged_")
        n_init = 1 if is_warm else self.n_init
        n_subtasks = None if n_init == 1 else n_init
        with (
            report_fit(self, *given, max_subtasks=n_subtasks) as report,
            open_pool(self.n_jobs) as pool,
        ):
            rows, weights, _ = select_rows(X, weights, self.n_components)
            data = create_data(
                self, get_kind(self.covariance_type), self.n_components, rows, weights
            )
            starts = self._create_starts(data, n_init, is_warm, pool)
            result = self._solve(data, starts, report, pool, is_warm, X.dtype)
            self._set_result(result, X.dtype)
        if not self.converged_ and self.max_iter > 0:
            warnings.warn(
                "Best performing initialization did not converge. "
                "Try different init parameters, or increase max_iter, "
                "tol, or check for degenerate data.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return X

    def _validate_X(self, X):
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_min_samples=2,
            ensure_all_finite="allow-nan",
        )
        if X.shape[0] < self.n_components:
            raise ValueError(
                f"Expected n_samples >= n_components but got n_components = "
                f"{self.n_components}, n_samples = {X.shape[0]}"
            )
        return X

    def _check_given(self, n_features):
        """Parameters that the user starts from, checked."""
        given, n = {}, self.n_components
        if self.weights_init is not None:
            given["weights"] = check_weights(self.weights_init, n)
        if self.means_init is not None:
            given["means"] = check_means(self.means_init, n, n_features)
        if self.precisions_init is not None:
            given["precisions"] = check_definite(
                self.precisions_init, self.covariance_type, n, n_features, "precision"
            )
        return given

    def _create_starts(self, data, n_init, is_warm, pool):
        """Parameters that each run of EM starts from."""
        n_features = data.X.shape[1]
        if is_warm:
            return [self._to_warm_start(n_features)]
        given = self._check_given(n_features)
        random_state = check_random_state(self.random_state)
        X = data.X
        if not data.is_complete and len(given) < 3:
            X = _core.mixture.start.impute(data, self.reg_covar, pool)
        # Clusters without width collapse, as in scikit-learn; single rows have none to begin with.
        is_refused = self.on_collapse == "raise" and self.init_params in ("kmeans", "random")
        spread = None if is_refused else data.covariance
        starts = []
        for _ in range(n_init):
            statistics = None
            if len(given) < 3:
                statistics = draw_statistics(
                    X, data, self.n_components, self.init_params, self.reg_covar, random_state
                )
            starts.append(
                _core.mixture.start.create_start(
                    statistics, self.reg_covar, data.kind, given, spread
                )
            )
        return starts

    def _to_warm_start(self, n_features):
        shape = get_shape(self.covariance_type, self.n_components, n_features)
        if self.means_.shape != (self.n_components, n_features) or (
            self.covariances_.shape != shape
        ):
            raise ValueError(
                "warm_start=True needs as many components and features, and the covariance_type, "
                f"of the previous fit: means_ has shape {self.means_.shape}, expected "
                f"{(self.n_components, n_features)}"
            )
        return self._to_parameters()

    def _solve(self, data, starts, report, pool, is_warm, dtype):
        """Result of the best start."""
        settings = partial(
            _core.mixture.em.Settings,
            tol=self.tol,
            max_iter=self.max_iter,
            floor=self.reg_covar,
            is_accelerated=self.acceleration is not None,
            on_collapse=self.on_collapse,
            start_bound=float(self.lower_bound_) if is_warm else -np.inf,
        )
        if len(starts) == 1:
            with report.count("iteration") as advance:
                return self._run(data, starts[0], 0, settings, pool, advance, dtype)
        serial = _core.runtime.threads.Pool(1)
        # Threads go over the starts if there are enough of them, else over the rows of each.
        inner, outer = (serial, pool) if len(starts) >= pool.n_threads else (pool, serial)
        if self.verbose:
            outer = serial  # the lines of one start after the other
        tasks = [(data, start, i, settings, inner, None, dtype) for i, start in enumerate(starts)]
        run, tasks = report.split(self._run, tasks, "start")
        results = list(outer.map(lambda task: run(*task), tasks))
        best = results[0]
        for result in results[1:]:
            if result.bounds and result.bounds[-1] > best.bounds[-1]:
                best = result
        return best

    def _run(self, data, start, number, settings, pool, advance, dtype):
        """Result of one start; prints and reports on the way."""
        printer = Printer(self.verbose, self.verbose_interval, number)

        def report(iteration, change, parameters):
            printer.print_iteration(iteration, change)
            if advance is not None:
                advance(lambda: self._get_attributes(parameters, dtype))

        is_reported = self.verbose or advance is not None
        settings = settings(report=report if is_reported else None)
        result = _core.mixture.em.solve(data, start, settings, pool)
        printer.print_end(result.bounds, result.converged)
        return result

    def _initialize(self, X, resp):
        """Set parameters from responsibilities; scikit-learn's name, for what builds on it."""
        kind = get_kind(self.covariance_type)
        chunks = iter(
            np.split(resp, range(_core.mixture.start.BLOCK, len(X), _core.mixture.start.BLOCK))
        )
        statistics = _core.mixture.start.summarize_responsibilities(
            kind, X, None, lambda n_rows: next(chunks), resp.shape[1]
        )
        given = {name: value for name, value in (("means", self.means_init),) if value is not None}
        if self.weights_init is not None:
            given["weights"] = self.weights_init
        if self.precisions_init is not None:
            given["precisions"] = to_layout(self.precisions_init, self.covariance_type)
        self._set_parameters(
            _core.mixture.start.create_start(statistics, self.reg_covar, kind, given), X.dtype
        )

    def _set_parameters(self, parameters, dtype=np.float64):
        """Set fitted arrays; also from scikit-learn's tuple, its last the Cholesky factors."""
        if isinstance(parameters, tuple):
            weights, means, covariances, cholesky = parameters
            parameters = _core.mixture.parameters.Parameters(
                get_kind(self.covariance_type), weights, means,
                to_layout(covariances, self.covariance_type),
                to_layout(cholesky, self.covariance_type),
            )  # fmt: skip
        for name, value in self._get_attributes(parameters, dtype).items():
            setattr(self, name, value)

    def _set_result(self, result, dtype):
        lower_bound = dtype.type(result.bounds[-1] if result.bounds else -np.inf)
        attributes = self._get_attributes(result.parameters, dtype)
        attributes |= {"converged_": result.converged, "n_iter_": len(result.bounds)}
        attributes |= {"lower_bound_": lower_bound, "lower_bounds_": result.bounds}
        vars(self).update(attributes)

    def _get_attributes(self, parameters, dtype):
        cholesky, covariances = parameters.cholesky, parameters.covariances
        if parameters.is_matrix:
            precisions = cholesky @ cholesky.swapaxes(1, 2)
        else:
            precisions = cholesky**2
        arrays = {
            "weights_": parameters.weights,
            "means_": parameters.means,
            "covariances_": from_layout(covariances, self.covariance_type),
            "precisions_": from_layout(precisions, self.covariance_type),
            "precisions_cholesky_": from_layout(cholesky, self.covariance_type),
        }
        return {name: array.astype(dtype, copy=False) for name, array in arrays.items()}
