"""Linear support vector classification."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.special import log_expit
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skextra._core.runtime.threads import single_threaded_blas
from skextra._parallel import map_tasks
from skextra._validation import (
    check_finite_result,
    compute_weights,
    validate_classification_data,
    validate_sample_weight,
)
from skextra.linear_model._base import LinearClassifier
from skextra.svm._one_vs_rest import OneVsRestSolver


class LinearSVC(CallbackSupportMixin, LinearClassifier):
    """Linear support vector classification.

    For two classes, labeled -1 and 1, minimizes::

        ||w||^2 / 2 + sum_i C_i loss(y_i (x_i w + b)),   C_i = C s_i

    over coefficients w and the intercept b, with sample weights ``s`` (1 by default). The
    loss is ``max(0, 1 - m)`` ('hinge') or its square ('squared_hinge'); the penalty may be
    ``||w||_1`` instead ('l1'). The intercept is not penalized. With more classes there is
    a machine for each against the rest. The fit stops on a certificate: the duality gap.

    Parameters
    ----------
    penalty : {'l1', 'l2'}, default='l2'
        Penalty; 'l1', with the squared hinge only, makes coefficients zero.
    loss : {'hinge', 'squared_hinge'}, default='squared_hinge'
        Loss of a margin.
    dual : 'auto' or bool, default='auto'
        Accepted for compatibility: the solver is chosen by the data. Combinations that
        scikit-learn refuses are refused: 'hinge' with False, 'l1' with True.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective of the best constant.
    C : float, default=1.0
        Weight of the losses, positive.
    multi_class : {'ovr', 'crammer_singer'}, default='ovr'
        With more than two classes, a machine for each class against the rest, or one
        margin over all classes (hinge and L2 penalty, whatever `loss` and `penalty`).
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    intercept_scaling : float, default=1
        Accepted for compatibility, without effect: the intercept is not penalized.
    class_weight : dict or 'balanced', default=None
        Weight of each class as ``{label: weight}``, 1 where not given; it
        multiplies the sample weights. 'balanced' gives all classes one total,
        ``n_samples / n_classes``.
    verbose : int, default=0
        Accepted for compatibility: nothing is printed.
    random_state : int, RandomState instance or None, default=None
        Accepted for compatibility, without effect.
    max_iter : int, default=1000
        Newton or interior-point steps, or sweeps of coordinate descent (ten times as
        many with 'crammer_singer'), that a machine may take.
    probability : bool, default=False
        Whether to calibrate probabilities, by fits to five folds of the data.
    n_jobs : int, default=None
        Threads over classes; None is 1 unless in a joblib context.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, one row with two classes; a sparse matrix after `sparsify`.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts; 0 if ``fit_intercept=False``.
    probA_ : ndarray of shape (1,) or (n_classes,)
        Slopes of the sigmoids ``1 / (1 + exp(d probA_ + probB_))`` of decision values d,
        never positive; with ``probability=True`` only.
    probB_ : ndarray of shape (1,) or (n_classes,)
        Offsets of the sigmoids; with ``probability=True`` only.
    dual_gap_ : float
        Duality gap relative to the objective of the best constant, an upper bound
        of the relative suboptimality; the largest of the machines.
    n_iter_ : int
        Steps or sweeps of the machine that took most.
    converged_ : bool
        Whether all machines reached the tolerance.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    SVC : Support vector classification with kernels.
    skextra.linear_model.LogisticRegression : The logistic loss, with probabilities of
        its own.

    Notes
    -----
    Differs from scikit-learn: the intercept is not penalized (liblinear penalizes it), so
    that ``loss="hinge"`` agrees with ``SVC(kernel="linear")``; `intercept_scaling`, `dual` and
    `random_state` never change the answer; `tol` is a duality gap; data in single
    precision are kept so; ``class_weight="balanced"`` counts sample weights.

    The hinge with few features is solved by an interior-point method, whose cost
    hardly depends on C; with many, by dual coordinate descent. The squared hinge is
    solved by Newton's method, after some sweeps of the latter if features are many.

    With ``probability=True``, sigmoids are fitted to decision values of samples that a
    machine has not seen, and normalized over classes. Sample weights count, class weights
    shape the machines alone. `predict` follows the decision values, and is the same with
    and without probabilities; the most probable class may be another one.

    References
    ----------
    Hsieh, Chang, Lin, Keerthi & Sundararajan, "A dual coordinate descent method for
    large-scale linear SVM", ICML (2008).

    Keerthi & DeCoste, "A modified finite Newton method for fast solution of large scale
    linear SVMs", JMLR 6 (2005).

    Ferris & Munson, "Interior-point methods for massive support vector machines",
    SIAM J. Optim. 13 (2002).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.svm import LinearSVC
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LinearSVC(loss="hinge", C=10).fit(X, y)
    >>> model.predict(X[:2])
    array([0, 0])
    >>> bool(model.dual_gap_ <= 1e-4)
    True
    """

    _parameter_constraints: dict = {
        "penalty": [StrOptions({"l1", "l2"})],
        "loss": [StrOptions({"hinge", "squared_hinge"})],
        "dual": ["boolean", StrOptions({"auto"})],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "C": [Interval(Real, 0.0, None, closed="neither")],
        "multi_class": [StrOptions({"ovr", "crammer_singer"})],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [None, dict, StrOptions({"balanced"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "probability": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        penalty="l2",
        loss="squared_hinge",
        *,
        dual="auto",
        tol=1e-4,
        C=1.0,
        multi_class="ovr",
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        verbose=0,
        random_state=None,
        max_iter=1000,
        probability=False,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.loss = loss
        self.dual = dual
        self.tol = tol
        self.C = C
        self.multi_class = multi_class
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.verbose = verbose
        self.random_state = random_state
        self.max_iter = max_iter
        self.probability = probability
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample: a factor on its `C`.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value, `penalty`, `loss` and
            `dual` do not go together, y is continuous or holds one class, or weights
            leave one class.
        """
        given = X, y
        self._check_combination()
        X, codes, classes = validate_classification_data(self, X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        problem = OneVsRestSolver(self, X, codes, len(classes), sample_weight, weights)
        n_tasks = len(problem.positives)
        with (
            single_threaded_blas(),
            report_fit(self, *given, sample_weight, max_subtasks=n_tasks) as report,
        ):
            tasks = [(k,) for k in range(n_tasks)]
            function, tasks = report.split(problem.solve, tasks, "class against the rest")
            found = map_tasks(function, tasks, self.n_jobs)
            self._set_solution(found, classes, X.dtype)
            self._calibrate(problem)
        if not self.converged_:
            self._warn_unconverged()
        return self

    def _check_combination(self):
        """Refuse what scikit-learn refuses; any solver here solves what is left."""
        if self.multi_class == "crammer_singer":
            return
        penalty, loss, dual = self.penalty, self.loss, self.dual
        reason = None
        if (penalty, loss) == ("l1", "hinge"):
            reason = "The combination of penalty='l1' and loss='hinge' is not supported"
        elif (penalty, dual) == ("l1", True) or (loss, dual) == ("hinge", False):
            reason = (
                f"The combination of penalty={penalty!r} and loss={loss!r} is not supported "
                f"when dual={dual}"
            )
        if reason:
            raise ValueError(
                f"Unsupported set of arguments: {reason}, Parameters: penalty={penalty!r}, "
                f"loss={loss!r}, dual={dual}"
            )

    def _set_solution(self, found, classes, dtype):
        self.classes_ = classes
        if self.multi_class == "crammer_singer":
            coef, intercept = found[0].coef, found[0].intercept
            if len(classes) == 2:
                coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        else:
            coef = np.stack([result.coef for result in found])
            intercept = np.array([result.intercept for result in found])
        coef, intercept = coef.astype(dtype), intercept.astype(dtype)
        check_finite_result(self, coef, intercept)
        self.coef_, self.intercept_ = coef, intercept
        self.dual_gap_ = float(max(result.gap for result in found))
        self.n_iter_ = int(max(result.n_iter for result in found))
        self.converged_ = all(result.converged for result in found)

    def _calibrate(self, problem):
        for name in ("probA_", "probB_"):
            if hasattr(self, name):
                delattr(self, name)
        if self.probability:
            self.probA_, self.probB_ = problem.calibrate(self.n_jobs)

    def _warn_unconverged(self):
        advice = "Decrease C or scale the features."
        if self.n_iter_ >= self.max_iter:
            # scikit-learn's words, for those who filter warnings by them.
            advice = "Liblinear failed to converge, increase the number of iterations."
        warnings.warn(
            f"{advice} {type(self).__name__} stopped at a relative duality gap of "
            f"{self.dual_gap_:.2e} after {self.n_iter_} iterations, tol={self.tol:.3g}.",
            ConvergenceWarning,
            stacklevel=3,
        )

    def _check_probability(self):
        if not self.probability:
            raise AttributeError("predict_proba is not available when probability=False")
        return True

    @available_if(_check_probability)
    def predict_proba(self, X):
        """Predict the probability of each class.

        Available if ``probability=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; each row sums to 1.

        Raises
        ------
        NotFittedError
            If the model was fitted with ``probability=False``.
        """
        return np.exp(self.predict_log_proba(X))

    @available_if(_check_probability)
    def predict_log_proba(self, X):
        """Predict the logarithm of each class's probability.

        Available if ``probability=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the model was fitted with ``probability=False``.
        """
        check_is_fitted(self)
        if not hasattr(self, "probA_"):
            raise NotFittedError(
                "predict_proba is not available when fitted with probability=False"
            )
        scores = self.decision_function(X)
        if scores.ndim == 1:
            z = scores * self.probA_[0] + self.probB_[0]
            return np.column_stack([log_expit(z), log_expit(-z)])
        return _core.svm.platt.normalize_logarithms(
            log_expit(-(scores * self.probA_ + self.probB_))
        )
