"""AdaBoost for classification (SAMME)."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import has_fit_parameter

from skextra import _core
from skextra._compat import Interval
from skextra.ensemble._adaboost.base import Real, WeightBoosting
from skextra.ensemble._adaboost.learners import make_learner
from skextra.tree import DecisionTreeClassifier


class AdaBoostClassifier(ClassifierMixin, WeightBoosting):
    """AdaBoost classifier.

    Each round fits a classifier on the samples as they are weighted, gives it a
    vote by its error, and raises the weights of the samples it gets wrong
    (SAMME [2]_; with two classes, AdaBoost.M1 [1]_).

    Parameters
    ----------
    estimator : object, default=None
        Classifier that each round fits. It must support sample weights, unless
        `resample` is set. If None, a `DecisionTreeClassifier` with ``max_depth=1``.
    n_estimators : int, default=50
        Number of rounds at most. A perfect fit ends earlier.
    learning_rate : float, default=1.0
        Factor on each vote. Smaller votes need more rounds.
    random_state : int, RandomState instance or None, default=None
        Gives each estimator that has one its ``random_state``, and draws samples
        and validation data.
    resample : bool, default=False
        Whether each round draws as many samples as there are, with replacement and
        by their weights, and fits the classifier on those without weights, as in
        the original algorithm. With it, any classifier will do.
    weight_trimming : float, default=0.0
        Share of the total weight, in [0, 1), that a round may leave out when it
        fits its classifier, from the smallest weights on. See Notes.
    normalize_votes : bool, default=True
        Whether probabilities are computed from votes divided by their sum, as in
        scikit-learn, or, with False, from the votes themselves. See Notes.
    n_iter_no_change : int, default=None
        If given, stop when so many rounds have not raised the accuracy on
        validation data by more than `tol`.
    validation_fraction : float, default=0.1
        Share of the samples, stratified, set aside if `n_iter_no_change` is given.
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
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    n_classes_ : int
        Number of classes.
    estimator_weights_ : ndarray of shape (n_estimators,)
        Vote of each estimator; 0 for rounds that did not take place.
    estimator_errors_ : ndarray of shape (n_estimators,)
        Weighted error of each estimator; 1 for rounds that did not take place.
    validation_scores_ : ndarray of shape (n_rounds,)
        Accuracy on validation data after each round; only if `n_iter_no_change`
        is given.
    feature_importances_ : ndarray of shape (n_features,)
        Mean importance of each feature, if the estimators have importances.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    AdaBoostRegressor : AdaBoost for regression.
    StagedScoreDisplay : Draws the error against the rounds.

    Notes
    -----
    Differs from scikit-learn: an estimator that is a decision tree with
    ``max_depth`` up to 6 and otherwise default parameters, scikit-learn's or ours,
    is grown on columns sorted once for all rounds. Splits are the same, but for
    those of equal gain, of which the first feature's lowest is taken, where
    scikit-learn goes by its seed.

    *Probabilities.* `decision_function` divides the votes by their sum, so that it
    says how unanimous the estimators are, not how sure the ensemble is. With two
    classes it lies in [-2, 2], and the probabilities computed from it in
    [0.119, 0.881], however many rounds there are. The additive model behind SAMME
    ([2]_, equation 15) has ``p(k | x)`` proportional to ``exp(V_k(x))``, with
    ``V_k`` the sum of the votes for class k: this is what
    ``normalize_votes=False`` returns. It is the better calibrated one after few
    rounds and goes to 0 and 1 after many.

    *Weight trimming* leaves errors, votes and weights exact, and with them the
    bound of the training error; what may change is which classifier a round
    finds. With Gini's criterion, a split found with a share ``b`` left out has an
    impurity at most ``2 b`` above that of the best split of all samples. No class
    is left out whole.

    References
    ----------
    .. [1] Freund & Schapire, "A decision-theoretic generalization of on-line
       learning and an application to boosting", J. Comput. Syst. Sci. 55 (1997).

    .. [2] Zhu, Zou, Rosset & Hastie, "Multi-class AdaBoost", Statistics and Its
       Interface 2 (2009).

    .. [3] Friedman, Hastie & Tibshirani, "Additive logistic regression: a
       statistical view of boosting", Ann. Statist. 28 (2000), section 9
       (weight trimming).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skextra.ensemble import AdaBoostClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = AdaBoostClassifier(n_estimators=100).fit(X[::2], y[::2])
    >>> round(model.score(X[1::2], y[1::2]), 2)
    0.94
    """

    _parameter_constraints: dict = {
        **WeightBoosting._parameter_constraints,
        "resample": ["boolean"],
        "weight_trimming": [Interval(Real, 0, 1, closed="left")],
        "normalize_votes": ["boolean"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_estimators=50,
        learning_rate=1.0,
        random_state=None,
        resample=False,
        weight_trimming=0.0,
        normalize_votes=True,
        n_iter_no_change=None,
        validation_fraction=0.1,
        tol=1e-4,
        allow_nan=False,
        verbose=0,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.resample = resample
        self.weight_trimming = weight_trimming
        self.normalize_votes = normalize_votes
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.tol = tol
        self.allow_nan = allow_nan
        self.verbose = verbose

    def _get_default(self):
        return DecisionTreeClassifier(max_depth=1)

    def _check_learning(self, y):
        check_classification_targets(y)
        if self.resample and self.weight_trimming:
            raise ValueError(
                "weight_trimming must be 0 with resample=True, which passes no weights on; "
                f"got {self.weight_trimming}"
            )
        if not self.resample and not has_fit_parameter(self.estimator_, "sample_weight"):
            raise ValueError(
                f"{type(self.estimator_).__name__} doesn't support sample_weight. "
                "Set resample=True to draw samples by their weights instead."
            )
        self.classes_ = np.unique(y)
        self.n_classes_ = len(self.classes_)

    def _make_learner(self, X, y):
        return make_learner(
            self.estimator_, X, y, self.classes_, resample=self.resample,
            trimming=self.weight_trimming,
        )  # fmt: skip

    def _take_step(self, learner, index, weights, random_state):
        is_wrong = learner.fit(weights, random_state) != learner.y
        is_last = index == self.n_estimators - 1
        step = _core.boosting.adaboost.compute_samme_step(
            weights, is_wrong, self.n_classes_, self.learning_rate, is_last
        )
        if step is None:
            learner.drop()
            if len(learner) == 0:
                raise ValueError(
                    "BaseClassifier in AdaBoostClassifier ensemble is worse than random, "
                    "ensemble can not be fit: on X the first estimator has a weighted error of at "
                    f"least 1 - 1 / {self.n_classes_}, which is no better than chance"
                )
        return step

    def _make_scorer(self, learner, X, y, weights):
        truth = np.searchsorted(self.classes_, y)
        tally = np.zeros((len(y), self.n_classes_))

        def score(vote):
            tally[np.arange(len(y)), learner.predict_last(X)] += vote
            return float(np.average(tally.argmax(axis=1) == truth, weights=weights))

        return score

    @staticmethod
    def _score_predictions(y, predicted, sample_weight):
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def predict(self, X):
        """Predict the class with the most votes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels, of the type of ``classes_``.
        """
        return self._choose(self.decision_function(X))

    def _choose(self, decision):
        if self.n_classes_ == 2:
            return self.classes_.take(decision > 0, axis=0)
        return self.classes_.take(np.argmax(decision, axis=1), axis=0)

    def staged_predict(self, X):
        """Predict with the ensemble as it was after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Yields
        ------
        y : ndarray of shape (n_samples,)
            Labels, of the type of ``classes_``.
        """
        for decision in self.staged_decision_function(X):
            yield self._choose(decision)

    def decision_function(self, X):
        """Compute the votes, divided by their sum.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        score : ndarray of shape (n_samples,) or (n_samples, n_classes)
            A vote for a class counts in full for it, and by ``-1 / (n_classes - 1)``
            for each other. With two classes one number, positive for
            ``classes_[1]``: the difference of both, from -2 to 2. With one class,
            a column of zeros.
        """
        X, columns = self._read(X)
        if self.n_classes_ == 1:
            return np.zeros((X.shape[0], 1))
        votes = self.estimator_weights_
        if columns is None:
            sums = sum(
                self._share_out(estimator.predict(X) == self.classes_[:, None], vote)
                for estimator, vote in zip(self.estimators_, votes)
            )
        else:
            trees = self._ensemble.trees
            sums = _core.boosting.predict.sum_votes(
                trees, trees.value.argmax(axis=1), votes[: len(trees)], self.n_classes_, columns
            )
        return self._merge(sums / votes.sum())

    def _share_out(self, is_chosen, vote):
        """A vote, one row per sample, from whether each class is the one chosen."""
        return np.where(is_chosen.T, vote, -1 / (self.n_classes_ - 1) * vote)

    def _merge(self, sums):
        return sums[:, 1] - sums[:, 0] if self.n_classes_ == 2 else sums

    def staged_decision_function(self, X):
        """Compute the votes, divided by their sum, after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Yields
        ------
        score : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As `decision_function` returns.
        """
        X, columns = self._read(X)
        if self.n_classes_ == 1:
            for _ in range(len(self)):
                yield np.zeros((X.shape[0], 1))
            return
        sums, total = 0.0, 0.0
        for index, vote in enumerate(self.estimator_weights_[: len(self)]):
            if columns is None:
                is_chosen = self.estimators_[index].predict(X) == self.classes_[:, None]
            else:
                trees = self._ensemble.trees
                nodes = _core.boosting.predict.find_nodes(trees, index, columns)
                labels = trees.value[nodes].argmax(axis=1)
                is_chosen = labels == np.arange(self.n_classes_)[:, None]
            sums = sums + self._share_out(is_chosen, vote)
            total += vote
            yield self._merge(sums / total)

    def _compute_margins(self, decision, total):
        """Logits: one column of log-odds with two classes."""
        if self.normalize_votes:
            return decision if self.n_classes_ == 2 else decision / (self.n_classes_ - 1)
        # Back to the sums of the votes for each class, but for a constant.
        return decision * total * ((self.n_classes_ - 1) / self.n_classes_)

    def _compute_probabilities(self, decision, total):
        if self.n_classes_ == 1:
            return np.ones((len(decision), 1))
        margins = self._compute_margins(decision, total)
        if self.n_classes_ == 2:
            return np.column_stack([expit(-margins), expit(margins)])
        return softmax(margins, axis=1)

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; see Notes on `normalize_votes`.
        """
        return self._compute_probabilities(self.decision_function(X), self.estimator_weights_.sum())

    def staged_predict_proba(self, X):
        """Predict the probability of each class after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Yields
        ------
        probabilities : ndarray of shape (n_samples, n_classes)
            As `predict_proba` returns.
        """
        totals = np.cumsum(getattr(self, "estimator_weights_", 0.0))
        for decision, total in zip(self.staged_decision_function(X), totals):
            yield self._compute_probabilities(decision, total)

    def predict_log_proba(self, X):
        """Predict the logarithm of each class's probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; finite also where a probability rounds to 0.
        """
        decision = self.decision_function(X)
        if self.n_classes_ == 1:
            return np.zeros((len(decision), 1))
        margins = self._compute_margins(decision, self.estimator_weights_.sum())
        if self.n_classes_ == 2:
            return np.column_stack([log_expit(-margins), log_expit(margins)])
        return log_softmax(margins, axis=1)
