"""From a logistic model to the arrays a regularization-path display draws."""

import numpy as np
from sklearn.base import clone

from skextra.linear_model._logistic_path import logistic_path

LOGISTIC_FAMILY = ("LogisticRegression", "LogisticRegressionCV")
_SCORE_NAMES = {"neg_log_loss": "Log-loss", "accuracy": "Accuracy", "warn": "Accuracy"}


def compute_logistic_data(estimator, X, y, *, Cs=None, sample_weight=None):
    """Coefficients, scores and choices along C of a logistic model.

    Parameters
    ----------
    estimator : LogisticRegression or LogisticRegressionCV
        Fitted or not, ours or scikit-learn's.
    X, y : array-like or None
        Training data. Without them a fitted CV form shows its scores only.
    Cs : array-like, int or None
        Inverse penalties for an estimator that holds only one.
    sample_weight : array-like or None

    Returns
    -------
    data : dict
        Arguments of ``RegularizationPathDisplay``.
    """
    data = {"penalty_name": "C", "coefs": None, "cv_scores": None, "panel_names": None}
    if hasattr(estimator, "Cs"):
        estimator = _fit_if_needed(estimator, X, y, sample_weight)
        Cs = np.sort(estimator.Cs_)
        data |= _read_scores(estimator)
        selected = float(np.ravel(estimator.C_)[0])
    elif X is None:
        raise ValueError("X and y are needed to compute the path of LogisticRegression")
    else:
        selected = float(estimator.C)
        Cs = _check_Cs(Cs)
    if X is not None:
        if y is None:
            raise ValueError("y is needed beside X: it is None")
        Cs, data["coefs"] = _solve(estimator, X, y, Cs, sample_weight)
        classes = [str(label) for label in np.unique(y)]
        data["panel_names"] = classes[1:] if len(classes) == 2 else classes
    # Without a penalty there is no place on a logarithmic axis.
    is_drawn = np.isfinite(Cs)
    data["alphas"] = Cs[is_drawn]
    data["alpha_selected"] = selected if np.isfinite(selected) else None
    for name in ("coefs", "cv_scores"):
        if data[name] is not None:
            axis = -1 if name == "coefs" else 0
            data[name] = np.compress(is_drawn, data[name], axis=axis)
    return data


def _check_Cs(Cs):
    if Cs is None:
        return 100
    if np.ndim(Cs) == 0 and (
        isinstance(Cs, bool) or not isinstance(Cs, int | np.integer) or Cs < 2
    ):
        raise ValueError(f"alphas must be an array, an integer >= 2 or None, got {Cs!r}")
    return Cs


def _fit_if_needed(estimator, X, y, sample_weight):
    if hasattr(estimator, "scores_"):
        return estimator
    if X is None:
        raise ValueError("this LogisticRegressionCV is not fitted: X and y are needed")
    return clone(estimator).fit(X, y, sample_weight=sample_weight)


def _read_scores(estimator):
    """Scores at the mixing ratio chosen, of shape (n_cs, n_folds), C increasing."""
    scores = estimator.scores_
    if isinstance(scores, dict):  # of scikit-learn before 1.10: ratios last, if any
        scores = next(iter(scores.values()))
        scores = np.swapaxes(scores[..., None] if scores.ndim == 2 else scores, 1, 2)
    ratio = 0
    if scores.shape[1] > 1:
        distances = np.abs(np.asarray(estimator.l1_ratios_) - _find_l1_ratio(estimator))
        ratio = int(distances.argmin())
    scores = scores[:, ratio, np.argsort(estimator.Cs_, kind="stable")].T
    scoring = estimator.scoring or "accuracy"
    if not isinstance(scoring, str):
        return {"cv_scores": scores, "score_name": "Score", "greater_is_better": True}
    name = _SCORE_NAMES.get(scoring, scoring.removeprefix("neg_"))
    is_loss = scoring.startswith("neg_")
    return {
        "cv_scores": -scores if is_loss else scores,
        "score_name": name,
        "greater_is_better": not is_loss,
    }


def _find_l1_ratio(estimator):
    penalty = getattr(estimator, "penalty", None)
    if penalty in ("l1", "l2"):
        return float(penalty == "l1")
    ratio = estimator.l1_ratio_ if hasattr(estimator, "l1_ratio_") else estimator.l1_ratio
    ratio = np.ravel(ratio)[0]
    return 0.0 if ratio is None else float(ratio)


def _solve(estimator, X, y, Cs, sample_weight):
    Cs, coefs, *_ = logistic_path(
        X, y, Cs=Cs, l1_ratio=_find_l1_ratio(estimator), fit_intercept=estimator.fit_intercept,
        sample_weight=sample_weight, class_weight=estimator.class_weight,
        penalty_weights=getattr(estimator, "penalty_weights", None), tol=estimator.tol,
        max_iter=estimator.max_iter,
    )  # fmt: skip
    return Cs, coefs[None] if coefs.ndim == 2 else coefs
