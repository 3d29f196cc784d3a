"""Choice of the number of components and the covariance type."""

import warnings
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skextra._parallel import open_pool
from skextra._validation import validate_sample_weight
from skextra.mixture._base import FittedMixture
from skextra.mixture._folds import Fold, make_folds
from skextra.mixture._gaussian_mixture import GaussianMixture
from skextra.mixture._parameters import get_kind
from skextra.mixture._rows import check_total, create_data, select_rows
from skextra.mixture._search import Plan, draw_assignments, fit_size, improve
from skextra.mixture._start import INIT_PARAMS

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")
CRITERIA = ("bic", "aic", "icl", "held_out")


class GaussianMixtureIC(CallbackSupportMixin, FittedMixture):
    """Gaussian mixture whose number of components and covariance type are chosen.

    Every combination is fitted from starts of its own, and from its neighbors:
    the mixture with a component less, one of its components split, and that with
    a component more, two of them merged. The best likelihood counts.

    Parameters
    ----------
    min_components : int, default=1
        Smallest number of components.
    max_components : int, default=9
        Largest number of components.
    covariance_type : {'all', 'full', 'tied', 'diag', 'spherical'} or list, default='all'
        Covariance types to choose from.
    criterion : {'bic', 'aic', 'icl', 'held_out'}, default='bic'
        What is minimized: an information criterion, or minus the mean
        log-likelihood of samples left out of the fit.
    cv : int, cross-validation generator or iterable, default=5
        Folds for 'held_out': an int for so many, of rows in an order that
        `random_state` draws.
    tol : float, default=1e-3
        As in `GaussianMixture`.
    reg_covar : float, default=1e-6
        As in `GaussianMixture`.
    max_iter : int, default=100
        As in `GaussianMixture`.
    n_init : int, default=1
        Starts of its own that each combination has.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data'}, default='kmeans'
        As in `GaussianMixture`.
    random_state : int, RandomState instance or None, default=None
        Of the starts, the folds and `sample`.
    n_jobs : int or None, default=None
        Threads, over combinations; None as in `GaussianMixture`. The result is
        the same for every number.

    Attributes
    ----------
    best_estimator_ : GaussianMixture
        The mixture chosen.
    best_criterion_ : float
        Its criterion.
    n_components_ : int
        Its number of components.
    covariance_type_ : str
        Its covariance type.
    covariance_types_ : tuple of str
        Types compared.
    component_counts_ : ndarray of int of shape (n_counts,)
        Numbers of components compared.
    criterion_values_ : ndarray of shape (n_types, n_counts)
        The lower, the better; inf where every start collapsed.
    log_likelihoods_ : ndarray of shape (n_types, n_counts)
        Mean log-likelihood of the training data; -inf where every start collapsed.
    weights_ : ndarray of shape (n_components,)
        Weights of the mixture chosen.
    means_ : ndarray of shape (n_components, n_features)
        Its means.
    covariances_ : ndarray
        Its covariances, of the shape that belongs to ``covariance_type_``.
    precisions_ : ndarray
        Their inverses.
    precisions_cholesky_ : ndarray
        Cholesky factors of these.
    converged_ : bool
        Whether the fit of the mixture chosen reached `tol`.
    n_iter_ : int
        Passes over the data that it took.
    lower_bound_ : float
        Its objective per sample.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    GaussianMixture : One mixture.
    ModelSelectionDisplay : Draws the criterion.

    References
    ----------
    Fraley & Raftery, "Model-based clustering, discriminant analysis, and density
    estimation", J. Am. Stat. Assoc. 97 (2002).

    Biernacki, Celeux & Govaert, "Assessing a mixture model for clustering with the
    integrated completed likelihood", IEEE TPAMI 22 (2000).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.mixture import GaussianMixtureIC
    >>> X, _ = load_iris(return_X_y=True)
    >>> search = GaussianMixtureIC(max_components=4, random_state=0).fit(X)
    >>> search.n_components_, search.covariance_type_
    (2, 'full')
    """

    _parameter_constraints: dict = {
        "min_components": [Interval(Integral, 1, None, closed="left")],
        "max_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions({"all", *COVARIANCE_TYPES}), list, tuple],
        "criterion": [StrOptions(set(CRITERIA))],
        "cv": [Interval(Integral, 2, None, closed="left"), "cv_object"],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions(set(INIT_PARAMS))],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        min_components=1,
        max_components=9,
        *,
        covariance_type="all",
        criterion="bic",
        cv=5,
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        random_state=None,
        n_jobs=None,
    ):
        self.min_components = min_components
        self.max_components = max_components
        self.covariance_type = covariance_type
        self.criterion = criterion
        self.cv = cv
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit all mixtures and choose one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; NaN stands for a missing value.
        y : Ignored
            Present for API consistency by convention.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample; their sum is the number of samples.

        Returns
        -------
        self : object
            Fitted search.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value, or every
            mixture collapses.
        """
        given = X, y
        types, sizes = self._check_choices()
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], ensure_min_samples=2,
            ensure_all_finite="allow-nan",
        )  # fmt: skip
        weights = validate_sample_weight(sample_weight, X)
        rows, row_weights, total = select_rows(X, weights, sizes[0], merge=True)
        check_total(total)
        # More components than distinct samples is no choice.
        sizes = tuple(size for size in sizes if size <= len(rows))
        if not sizes:
            raise ValueError(
                f"min_components={self.min_components} is more than the distinct samples of X, "
                f"{len(rows)}"
            )
        settings = _core.mixture.em.Settings(
            tol=self.tol, max_iter=self.max_iter, floor=self.reg_covar
        )
        plan = Plan(sizes, self.n_init, self.init_params, settings)
        random_state = check_random_state(self.random_state)
        folds = [Fold(rows, row_weights)]
        if self.criterion == "held_out":
            folds += make_folds(X, weights, rows, row_weights, self.cv, random_state)
        n_tasks = len(types) * len(sizes) * len(folds)
        with (
            report_fit(self, *given, sample_weight, max_subtasks=n_tasks) as report,
            open_pool(self.n_jobs) as pool,
        ):
            tables, problems = self._fit_folds(folds, types, plan, random_state, report, pool)
            likelihoods = self._compute_likelihoods(problems[: len(types)], tables[0], pool)
            self._choose(folds, types, sizes, tables, likelihoods, total, X.dtype)
        if not self.converged_:
            warnings.warn(
                "The mixture that was chosen did not converge. Increase max_iter or tol, or "
                "check for degenerate data.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit, and predict the most probable component of each sample.

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
        return self.fit(X, y, sample_weight).predict(X)

    def _check_choices(self):
        if self.min_components > self.max_components:
            raise ValueError(
                f"min_components must not exceed max_components, got {self.min_components} "
                f"and {self.max_components}"
            )
        types = self.covariance_type
        types = COVARIANCE_TYPES if types == "all" else types
        types = (types,) if isinstance(types, str) else tuple(types)
        if not types or not set(types) <= set(COVARIANCE_TYPES) or len(set(types)) < len(types):
            raise ValueError(
                f"covariance_type must be 'all' or different ones of {COVARIANCE_TYPES}, "
                f"got {self.covariance_type!r}"
            )
        return types, tuple(range(self.min_components, self.max_components + 1))

    def _fit_folds(self, folds, types, plan, random_state, report, pool):
        """Results by fold and type: a list over sizes; and the data of each fold and type."""
        problems, tasks = [], []
        for fold in folds:
            sizes = tuple(size for size in plan.sizes if size <= len(fold.X))
            largest = max(sizes, default=1)
            made = [
                create_data(self, kind, largest, fold.X, fold.weights)
                for kind in map(get_kind, types)
            ]
            filled, drawn = draw_assignments(made[0], replace(plan, sizes=sizes), random_state)
            problems += made
            for data in made:
                tasks += [(data, filled, size, drawn.get(size, []), plan) for size in plan.sizes]
        run, tasks = report.split(fit_size, tasks, "mixture")
        fitted = list(pool.map(lambda task: run(*task), tasks))
        n = len(plan.sizes)
        rows = [fitted[i * n : (i + 1) * n] for i in range(len(problems))]
        improved = list(
            pool.map(lambda i: improve(problems[i], rows[i], plan), range(len(problems)))
        )
        tables = [improved[i : i + len(types)] for i in range(0, len(improved), len(types))]
        return tables, problems

    @staticmethod
    def _compute_likelihoods(problems, table, pool):
        """Mean log-likelihoods, without the penalty that the fits have."""
        likelihoods = np.full((len(table), len(table[0])), -np.inf)
        for i, (data, row) in enumerate(zip(problems, table, strict=True)):
            for j, result in enumerate(row):
                if result is not None:
                    statistics = _core.mixture.e_step.compute_statistics(
                        data, result.parameters, pool
                    )
                    likelihoods[i, j] = statistics.log_likelihood / statistics.weight
        return likelihoods

    def _choose(self, folds, types, sizes, tables, likelihoods, total, dtype):
        shape = len(types), len(sizes)
        values = np.full(shape, np.inf)
        for i, covariance_type in enumerate(types):
            for j in range(len(sizes)):
                result = tables[0][i][j]
                if result is None:
                    continue
                mixture = self._make_mixture(covariance_type, result, dtype)
                values[i, j] = self._compute_criterion(
                    mixture, folds, [table[i][j] for table in tables[1:]], likelihoods[i, j], total
                )
        if not np.isfinite(values).any():
            raise ValueError(
                "every mixture collapsed on X: increase reg_covar, or scale the features of X"
            )
        self.covariance_types_, self.component_counts_ = types, np.array(sizes)
        self.criterion_values_, self.log_likelihoods_ = values, likelihoods
        i, j = np.unravel_index(np.argmin(values), shape)
        self.best_criterion_ = float(values[i, j])
        self.best_estimator_ = self._make_mixture(types[i], tables[0][i][j], dtype)
        self.n_components_, self.covariance_type_ = sizes[j], types[i]
        for name, value in vars(self.best_estimator_).items():
            if name.endswith("_") and name not in ("lower_bounds_", "n_features_in_"):
                setattr(self, name, value)

    def _compute_criterion(self, mixture, folds, held, likelihood, total):
        if self.criterion == "held_out":
            return self._score_held_out(mixture, folds[1:], held)
        n_parameters, fit = mixture._n_parameters(), -2 * total * likelihood
        if self.criterion == "aic":
            return fit + 2 * n_parameters
        value = fit + n_parameters * np.log(total)
        if self.criterion == "icl":
            X, weights = folds[0].X, folds[0].weights
            scale = total / (len(X) if weights is None else weights.sum())
            extra = mixture.icl(X, sample_weight=weights) - mixture.bic(X, sample_weight=weights)
            value += scale * extra
        return value

    def _score_held_out(self, mixture, folds, results):
        loss, weight = 0.0, 0.0
        for fold, result in zip(folds, results, strict=True):
            if result is None:
                return np.inf
            if len(fold.X_test):
                fitted = self._make_mixture(mixture.covariance_type, result, mixture.means_.dtype)
                loss -= fold.weights_test @ fitted.score_samples(fold.X_test)
                weight += fold.weights_test.sum()
        return loss / weight

    def _make_mixture(self, covariance_type, result, dtype):
        mixture = GaussianMixture(
            len(result.parameters.weights), covariance_type=covariance_type, tol=self.tol,
            reg_covar=self.reg_covar, max_iter=self.max_iter, init_params=self.init_params,
            random_state=self.random_state, n_jobs=self.n_jobs,
        )  # fmt: skip
        mixture.n_features_in_ = self.n_features_in_
        mixture._set_result(result, dtype)
        return mixture
