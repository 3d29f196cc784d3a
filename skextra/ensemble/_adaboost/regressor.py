"""AdaBoost for regression (AdaBoost.R2)."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skextra import _core
from skextra._compat import StrOptions
from skextra.ensemble._adaboost.base import WeightBoosting
from skextra.ensemble._adaboost.learners import make_learner
from skextra.tree import DecisionTreeRegressor


class AdaBoostRegressor(RegressorMixin, WeightBoosting):
    """AdaBoost regressor.

    Each round draws samples by their weights, fits a regressor on them, gives it a
    vote by its average loss, and lowers the weights of the samples it predicts
    well (AdaBoost.R2 [1]_). The prediction is the weighted median.

    Parameters
    ----------
    estimator : object, default=None
        Regressor that each round fits; it needs no sample weights. If None, a
        `DecisionTreeRegressor` with ``max_depth=3``.
    n_estimators : int, default=50
        Number of rounds at most. A perfect fit, or an average loss of one half,
        ends earlier.
    learning_rate : float, default=1.0
        Factor on each vote. Smaller votes need more rounds.
    loss : {'linear', 'square', 'exponential'}, default='linear'
        Loss of a sample, as a function of its absolute error over the largest one.
    random_state : int, RandomState instance or None, default=None
        Gives each estimator that has one its ``random_state``, and draws samples
        and validation data.
    n_iter_no_change : int, default=None
        If given, stop when so many rounds have not raised R2 on validation data by
        more than `tol`.
    validation_fraction : float, default=0.1
        Share of the samples set aside if `n_iter_no_change` is given.
    tol : float, default=1e-4
        Least improvement that counts if `n_iter_no_change` is given.
    allow_nan : bool, default=False
        Whether X may have missing values (NaN). The estimator must take them; the
        default one does.
    verbose : int, default=0
        1 prints some rounds, 2 all of them.

    Attributes
    ----------
    estimator_ : estimator
        Estimator that was cloned for each round.
    estimators_ : list of estimator
        Fitted estimators. Shallow trees are kept in arrays, and made into
        estimators when first asked for.
    estimator_weights_ : ndarray of shape (n_estimators,)
        Vote of each estimator; 0 for rounds that did not take place.
    estimator_errors_ : ndarray of shape (n_estimators,)
        Average loss of each estimator; 1 for rounds that did not take place.
    validation_scores_ : ndarray of shape (n_rounds,)
        R2 on validation data after each round; only if `n_iter_no_change` is given.
    feature_importances_ : ndarray of shape (n_features,)
        Mean importance of each feature, if the estimators have importances.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    AdaBoostClassifier : AdaBoost for classification.
    StagedScoreDisplay : Draws the score against the rounds.

    Notes
    -----
    Differs from scikit-learn: an estimator that is a decision tree with
    ``max_depth`` up to 6 and otherwise default parameters, scikit-learn's or ours,
    is grown on columns sorted once for all rounds. Samples drawn and splits are
    the same, but for splits of equal gain, of which the first feature's lowest is
    taken, where scikit-learn goes by its seed.

    References
    ----------
    .. [1] Drucker, "Improving regressors using boosting techniques", ICML (1997).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.ensemble import AdaBoostRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AdaBoostRegressor(random_state=0).fit(X[::2], y[::2])
    >>> round(model.score(X[1::2], y[1::2]), 1)
    0.4
    """

    _parameter_constraints: dict = {
        **WeightBoosting._parameter_constraints,
        "loss": [StrOptions({"linear", "square", "exponential"})],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_estimators=50,
        learning_rate=1.0,
        loss="linear",
        random_state=None,
        n_iter_no_change=None,
        validation_fraction=0.1,
        tol=1e-4,
        allow_nan=False,
        verbose=0,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.loss = loss
        self.random_state = random_state
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.tol = tol
        self.allow_nan = allow_nan
        self.verbose = verbose

    def _get_default(self):
        return DecisionTreeRegressor(max_depth=3)

    def _check_learning(self, y):
        pass  # any regressor, any numbers

    def _make_learner(self, X, y):
        return make_learner(self.estimator_, X, y, None, resample=True)

    def _take_step(self, learner, index, weights, random_state):
        errors = np.abs(learner.fit(weights, random_state) - learner.y)
        is_last = index == self.n_estimators - 1
        step = _core.boosting.adaboost.compute_r2_step(
            weights, errors, self.loss, self.learning_rate, is_last
        )
        if step is None and len(learner) > 1:  # the only one is kept
            learner.drop()
        return step

    def _make_scorer(self, learner, X, y, weights):
        values, votes = [], []

        def score(vote):
            values.append(learner.predict_last(X))
            votes.append(vote)
            table = np.ascontiguousarray(np.array(values, dtype=np.float64).T)
            median = _core.boosting.predict.compute_medians(table, np.array(votes))
            return float(r2_score(y, median, sample_weight=weights))

        return score

    @staticmethod
    def _score_predictions(y, predicted, sample_weight):
        return r2_score(y, predicted, sample_weight=sample_weight)

    def _predict_each(self, X):
        """Predictions of each estimator, of shape (n_samples, n_estimators)."""
        X, columns = self._read(X)
        if columns is not None:
            return _core.boosting.predict.compute_values(self._ensemble.trees, columns)
        each = np.array([estimator.predict(X) for estimator in self.estimators_])
        return np.ascontiguousarray(each.T, dtype=np.float64)

    def predict(self, X):
        """Predict the weighted median of the estimators.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predicted values.
        """
        values = self._predict_each(X)
        votes = self.estimator_weights_[: values.shape[1]]
        return _core.boosting.predict.compute_medians(values, votes)

    def staged_predict(self, X):
        """Predict with the ensemble as it was after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Yields
        ------
        y : ndarray of shape (n_samples,)
            Predicted values.
        """
        values = self._predict_each(X)
        for stop in range(1, values.shape[1] + 1):
            part = np.ascontiguousarray(values[:, :stop])
            yield _core.boosting.predict.compute_medians(part, self.estimator_weights_[:stop])
