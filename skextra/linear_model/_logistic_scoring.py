"""Scores of logistic models on held-out rows."""

import inspect
import warnings

import numpy as np
from scipy import sparse
from sklearn.metrics import accuracy_score, get_scorer, log_loss, make_scorer

from skextra._compat import (
    check_method_params,
    describe_scorer,
    routing_enabled,
    scorer_accepts_sample_weight,
)


class PathScorer:
    """Scores all models of a path on the test rows of a fold.

    Log-loss and accuracy come straight from decision values, for all models at
    once; any other scorer is called with an estimator for each model.

    Parameters
    ----------
    scoring : str, callable or None
        None is accuracy.
    make_model : callable
        From C, l1_ratio, coefficients and intercepts to a fitted estimator.
    classes : ndarray of shape (n_classes,)
    data : tuple of (X, y)
        y holds labels.
    params : dict
        Metadata for the scorer.
    """

    def __init__(self, scoring, make_model, classes, data, params):
        scorer = get_scorer("accuracy" if scoring is None else scoring)
        self.make_model = make_model
        self.X, self.y = data
        self.X = self.X.tocsr() if sparse.issparse(self.X) else self.X
        self.params = _drop_unsupported(scorer, scoring, params)
        function, sign, _, options = describe_scorer(scorer)
        self.sign = sign
        self.metric = None
        if not options and not self.params.keys() - {"sample_weight"}:
            self.metric = {log_loss: "log_loss", accuracy_score: "accuracy"}.get(function)
        self.scorer = _give_labels(scorer, classes)

    def score(self, models, index, path, Cs, l1_ratio, order):
        """Scores of the models of one path.

        Parameters
        ----------
        models : FoldModels
        index : int
            Of the fold.
        path : Path
        Cs : ndarray of shape (n_Cs,)
            Of the models on the path.
        l1_ratio : float
        order : iterable of int
            In which a scorer is called.

        Returns
        -------
        scores : ndarray of shape (n_Cs,)
            Greater is better.
        """
        if self.metric is not None:
            weights = self.params.get("sample_weight")
            return self.sign * models.score(index, path, weights, self.metric)
        test = models.folds[index].test
        X, y = self.X[test], self.y[test]
        params = check_method_params(self.X, self.params, indices=test)
        scores = np.empty(len(Cs))
        for i in order:
            model = self.make_model(Cs[i], l1_ratio, path.coefs[:, i], path.intercepts[:, i])
            scores[i] = self.scorer(model, X, y, **params)
        return scores


def _drop_unsupported(scorer, scoring, params):
    """Without metadata routing, weights go to a scorer if it takes any."""
    if "sample_weight" not in params or routing_enabled() or scorer_accepts_sample_weight(scorer):
        return params
    warnings.warn(
        f"The scoring {scoring!r} does not support sample_weight: "
        "scores are unweighted although the fit is not",
        stacklevel=4,
    )
    return {name: value for name, value in params.items() if name != "sample_weight"}


def _give_labels(scorer, classes):
    """The scorer, told all classes if it asks: test rows may lack some."""
    function, sign, response_method, options = describe_scorer(scorer)
    known = {} if function is None else inspect.signature(function).parameters
    if "labels" not in known:
        return scorer
    labels = {"labels": classes}
    if len(classes) == 2 and "pos_label" in known:
        labels["pos_label"] = classes[-1]
    return make_scorer(
        function,
        greater_is_better=sign == 1,
        response_method=response_method,
        **{**labels, **options},
    )
