"""What AdaBoost's classifier and regressor share: the rounds, and what reports on them."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.base import MetaEstimatorMixin, is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._callbacks import report_fit
from skextra._compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    fit_context,
)
from skextra._conversion import SklearnConvertible, copy_to_sklearn, find_counterpart
from skextra._validation import validate_sample_weight
from skextra.ensemble._adaboost.learners import LARGEST_DENSE
from skextra.ensemble._adaboost.levels import TreeEnsemble
from skextra.ensemble._adaboost.trees import get_tree, make_estimators


class WeightBoosting(
    SklearnConvertible, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta
):
    """Rounds of boosting: train a learner, give it a vote, reweight the samples."""

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "allow_nan": ["boolean"],
        "verbose": ["verbose"],
    }

    @fit_context(
        # The estimator is the user's, and not validated yet.
        prefer_skip_nested_validation=False
    )
    def fit(self, X, y, sample_weight=None):
        """Fit the ensemble.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data. Sparse data in another format than CSC is converted to CSR.
        y : array-like of shape (n_samples,)
            Labels, or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights to start from, ``1 / n_samples`` by default; samples of weight 0
            never count.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value, or the first
            learner of a classifier is no better than chance.
        """
        given = X, y, sample_weight
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], allow_nd=True, dtype=None,
            ensure_all_finite=self._get_finiteness(), y_numeric=not is_classifier(self),
        )  # fmt: skip
        weights = validate_sample_weight(sample_weight, X)
        weights = np.ones(len(y)) if weights is None else weights
        self.estimator_ = self._get_default() if self.estimator is None else self.estimator
        self._check_learning(y)
        random_state = check_random_state(self.random_state)
        X, y, weights, validation = self._set_aside(X, y, weights, random_state)
        learner = self._make_learner(X, y)
        # What an earlier fit left must not be seen beside this one's.
        self._estimators, self._ensemble = None, None
        with (
            report_fit(self, *given, max_subtasks=None) as report,
            report.count("round") as advance,
        ):
            monitor = _Monitor(self, learner, validation, advance)
            self.estimator_weights_, self.estimator_errors_ = _core.boosting.adaboost.run_rounds(
                _normalize(weights),
                self.n_estimators,
                lambda index, weights: self._take_step(learner, index, weights, random_state),
                monitor,
            )
            self._estimators, self._ensemble = learner.collect()
            monitor.finish()
        return self

    def _get_finiteness(self):
        return "allow-nan" if self.allow_nan else True

    def _set_aside(self, X, y, weights, random_state):
        """Split validation data off, if the number of rounds depends on them."""
        if self.n_iter_no_change is None:
            return X, y, weights, None
        stratify = y if is_classifier(self) else None
        X, X_val, y, y_val, weights, weights_val = train_test_split(
            X, y, weights, test_size=self.validation_fraction, random_state=random_state,
            stratify=stratify,
        )  # fmt: skip
        for part, name in ((weights, "training"), (weights_val, "validation")):
            if not part.any():
                raise ValueError(
                    f"sample_weight is zero for all {name} samples that "
                    f"validation_fraction={self.validation_fraction} sets apart"
                )
        return X, y, weights, (X_val, y_val, weights_val)

    @abstractmethod
    def _get_default(self):
        """Estimator in place of None."""

    @abstractmethod
    def _check_learning(self, y):
        """Check the target and the estimator, and set what depends on the target alone."""

    @abstractmethod
    def _make_learner(self, X, y):
        """What is trained in each round."""

    @abstractmethod
    def _take_step(self, learner, index, weights, random_state):
        """Train, and return the round's step or None to end."""

    @abstractmethod
    def _make_scorer(self, learner, X, y, weights):
        """Score of the ensemble on validation data, as a function of the vote just added."""

    def _get_sklearn_state(self):
        template = self.estimator_
        if hasattr(template, "to_sklearn"):
            template = copy_to_sklearn(template, find_counterpart(type(template)), {})
        estimators = [
            estimator.to_sklearn() if hasattr(estimator, "to_sklearn") else estimator
            for estimator in self.estimators_
        ]
        return {"estimator_": template, "estimators_": estimators}

    @property
    def estimators_(self):
        """Fitted estimators, one per round."""
        if not hasattr(self, "_ensemble"):
            raise AttributeError(
                f"This {type(self).__name__} instance is not fitted yet and has no 'estimators_'"
            )
        if self._estimators is None:
            self._estimators = make_estimators(
                self.estimator_, self._ensemble, getattr(self, "classes_", None)
            )
            # To see later whether somebody has changed the list.
            self._made = [(estimator, get_tree(estimator)) for estimator in self._estimators]
        return self._estimators

    @estimators_.setter
    def estimators_(self, estimators):
        self._estimators, self._ensemble = estimators, None

    def __getstate__(self):
        state = dict(super().__getstate__())
        ensemble = self._get_ensemble()
        state.pop("_made", None)
        if ensemble is not None:
            # Estimators are made anew from the arrays, which are a fraction of their size.
            state |= {"_estimators": None, "_ensemble": ensemble.to_arrays()}
        elif "_ensemble" in state:
            state["_ensemble"] = None  # the estimators are others now
        if self.estimator is None:
            state.pop("estimator_", None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        restored = vars(self)
        if isinstance(restored.get("_ensemble"), dict):
            self._ensemble = TreeEnsemble.from_arrays(self._ensemble)
        if "estimator_weights_" in restored and "estimator_" not in restored:
            self.estimator_ = self._get_default()

    def _get_ensemble(self):
        """Trees in arrays, if the estimators are still those."""
        ensemble = getattr(self, "_ensemble", None)
        if ensemble is None or self._estimators is None:
            return ensemble
        made, held = self._made, self._estimators
        is_same = len(made) == len(held) and all(
            estimator is one and get_tree(estimator) is tree
            for estimator, (one, tree) in zip(held, made, strict=True)
        )
        return ensemble if is_same else None

    def __len__(self):
        """Return the number of estimators in the ensemble."""
        ensemble = self._get_ensemble()
        return len(self.estimators_ if ensemble is None else ensemble)

    def __getitem__(self, index):
        """Return the index'th estimator in the ensemble."""
        return self.estimators_[index]

    def __iter__(self):
        """Return iterator over estimators in the ensemble."""
        return iter(self.estimators_)

    def _read(self, X):
        """Check X; return it and its columns, or None where there are no arrays of trees."""
        check_is_fitted(self)
        is_tree = self._get_ensemble() is not None
        if is_tree and sparse.issparse(X):
            is_tree = np.prod(X.shape, dtype=float) <= LARGEST_DENSE
        X = validate_data(
            self, X, accept_sparse=["csr", "csc"], allow_nd=not is_tree,
            dtype=np.float32 if is_tree else None, ensure_all_finite=self._get_finiteness(),
            reset=False,
        )  # fmt: skip
        if not is_tree:
            return X, None
        dense = X.toarray() if sparse.issparse(X) else X
        return X, _core.boosting.predict.as_columns(dense)

    @abstractmethod
    def staged_predict(self, X):
        """Predict after each round."""

    def staged_score(self, X, y, sample_weight=None):
        """Score the ensemble as it was after each round.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels, or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        Yields
        ------
        score : float
            Accuracy of a classifier, R2 of a regressor.
        """
        for predicted in self.staged_predict(X):
            yield self._score_predictions(y, predicted, sample_weight)

    @property
    def feature_importances_(self):
        """Feature importances: the mean of those of the estimators, weighted by their votes.

        Those of a tree are the share of the fall in impurity that it owes to each
        feature; they favor features with many distinct values.

        Returns
        -------
        feature_importances_ : ndarray of shape (n_features,)
            Sum 1, unless no tree has a split.
        """
        check_is_fitted(self)
        votes = self.estimator_weights_
        if not votes.any():  # of a regressor whose only estimator has none
            votes = np.ones(len(self))
        ensemble = self._get_ensemble()
        if ensemble is not None:
            each = ensemble.trees.compute_importances(ensemble.n_features)
            return votes[: len(each)] @ each / votes.sum()
        try:
            each = [estimator.feature_importances_ for estimator in self.estimators_]
        except AttributeError as error:
            raise AttributeError(
                "Unable to compute feature importances since estimator does not have a "
                "feature_importances_ attribute"
            ) from error
        return sum(vote * one for vote, one in zip(votes, each)) / votes.sum()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.allow_nan
        return tags


def _normalize(weights):
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        weights = weights / weights.max()
        total = weights.sum()
    return weights / total


class _Monitor:
    """Called after each round: validates, prints, tells callbacks, ends early."""

    def __init__(self, model, learner, validation, advance):
        self.model = model
        self.learner = learner
        self.advance = advance
        self.scores = []
        self.score = None if validation is None else model._make_scorer(learner, *validation)
        self.votes, self.errors = [], []

    def __call__(self, index, step):
        self.votes.append(step.vote)
        self.errors.append(step.error)
        if self.score is not None:
            self.scores.append(self.score(step.vote))
        if self.model.verbose:
            self._print(index, step)
        if self.advance is not None:
            self.advance(self._get_attributes)
        return self._is_stuck()

    def _is_stuck(self):
        """Whether the last rounds have not raised the best score by more than `tol`."""
        patience = self.model.n_iter_no_change
        if self.score is None or len(self.scores) <= patience:
            return False
        best = max(self.scores[:-patience])
        return max(self.scores[-patience:]) <= best + self.model.tol

    def _print(self, index, step):
        n, every = index + 1, 1
        if self.model.verbose == 1:  # rarer as there are more
            every = 10 ** (len(str(n)) - 1)
        if n % every == 0:
            score = f", validation score {self.scores[-1]:.4f}" if self.scores else ""
            print(
                f"[{type(self.model).__name__}] round {n} of {self.model.n_estimators}: "
                f"error {step.error:.4f}, vote {step.vote:.4f}{score}",
                flush=True,
            )

    def _get_attributes(self):
        n = self.model.n_estimators
        padded = {"estimator_weights_": (self.votes, 0.0), "estimator_errors_": (self.errors, 1.0)}
        return {
            "estimators_": self.learner.get_estimators(),
            **{
                name: np.array(given + [rest] * (n - len(given)))
                for name, (given, rest) in padded.items()
            },
        }

    def finish(self):
        """Set what early stopping has seen."""
        if self.score is not None:
            self.model.validation_scores_ = np.array(self.scores)
        elif hasattr(self.model, "validation_scores_"):
            del self.model.validation_scores_
