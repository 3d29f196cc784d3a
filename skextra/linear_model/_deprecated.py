"""Arguments that scikit-learn has deprecated and still takes: accepted, with its warnings."""

import warnings
from typing import NamedTuple

import numpy as np

# warn, resolve_..., fit, its wrapper, the caller
_STACKLEVEL = 5


class Penalty(NamedTuple):
    """What deprecated arguments of a logistic regression amount to.

    Attributes
    ----------
    C : float
    l1_ratio : float
    """

    C: float
    l1_ratio: float


def resolve_penalty(estimator):
    """`C` and `l1_ratio` of a `LogisticRegression`, with `penalty` taken into account.

    Parameters
    ----------
    estimator : LogisticRegression

    Returns
    -------
    resolved : Penalty

    Raises
    ------
    ValueError
        For an elastic net without `l1_ratio`.
    """
    C, l1_ratio, penalty = estimator.C, estimator.l1_ratio, estimator.penalty
    if estimator.n_jobs is not None:
        _warn_future(
            "'n_jobs' has no effect since 1.8 and will be removed in 1.10. "
            f"You provided 'n_jobs={estimator.n_jobs}', please leave it unspecified."
        )
    if isinstance(penalty, str) and penalty == "deprecated":
        if l1_ratio is None:
            _warn_future(
                "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error in "
                "1.10. Use 0<=l1_ratio<=1 instead."
            )
        return Penalty(C, 0.0 if l1_ratio is None else l1_ratio)
    _warn_penalty(
        "'l1_ratio' or 'C'", "l1_ratio={}", "l1_ratio set to a float between 0 and 1", "C=np.inf"
    )
    if penalty == "elasticnet":
        if l1_ratio is None:
            raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
        return Penalty(C, l1_ratio)
    if l1_ratio is not None and 0 < l1_ratio < 1:
        _warn_user(
            f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})"
        )
    if (penalty == "l2" and l1_ratio != 0) or (penalty == "l1" and l1_ratio != 1):
        _warn_user(
            f"Inconsistent values: penalty={penalty} with l1_ratio={l1_ratio}. penalty is "
            "deprecated. Please use l1_ratio only."
        )
    if penalty is None:
        if C != 1.0:
            _warn_user("Setting penalty=None will ignore the C and l1_ratio parameters")
        return Penalty(np.inf, 0.0)
    return Penalty(C, 1.0 if penalty == "l1" else 0.0)


def resolve_l1_ratios(estimator):
    """`l1_ratios` of a `LogisticRegressionCV`, with `penalty` taken into account.

    Parameters
    ----------
    estimator : LogisticRegressionCV

    Returns
    -------
    l1_ratios : array-like
        Not checked yet.

    Raises
    ------
    ValueError
        For an elastic net without `l1_ratios`.
    """
    l1_ratios, penalty = estimator.l1_ratios, estimator.penalty
    if penalty == "deprecated":
        if l1_ratios is None:
            _warn_future(
                "'l1_ratios=None' was deprecated in version 1.8 and will trigger an error in "
                "1.10. Use an array-like with values in [0, 1] instead."
            )
        return (0.0,) if l1_ratios is None else l1_ratios
    _warn_penalty(
        "'l1_ratios' and 'Cs'",
        "l1_ratios=({},)",
        "l1_ratios set to floats between 0 and 1",
        "Cs=(np.inf,)",
    )
    if penalty == "elasticnet":
        # Left at its default, which is no elastic net.
        if l1_ratios is None or (isinstance(l1_ratios, tuple) and l1_ratios == (0.0,)):
            raise ValueError(
                "l1_ratios must be an array-like of numbers between 0 and 1; "
                f"got (l1_ratios={l1_ratios}) with penalty='elasticnet'"
            )
        return l1_ratios
    if l1_ratios is not None and tuple(np.ravel(l1_ratios)) != (0.0,):
        _warn_user(
            "l1_ratios parameter is only used when penalty is 'elasticnet'. "
            f"Got (penalty={penalty})"
        )
    return (1.0,) if penalty == "l1" else (0.0,)


def resolve_alphas(alphas, n_alphas):
    """`alphas` of a path function, with `n_alphas` taken into account."""
    if not (isinstance(n_alphas, str) and n_alphas == "deprecated"):
        _warn_future(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11. 'alphas' now accepts "
            "an integer value which removes the need to pass 'n_alphas'. The default value of "
            "'alphas' will change from None to 100 in 1.11. Pass an explicit value to 'alphas' "
            "and leave 'n_alphas' to its default value to silence this warning."
        )
        return n_alphas if alphas is None or _is_default(alphas) else alphas
    if alphas is None:
        _warn_future(
            "'alphas=None' is deprecated and will be removed in 1.11, at which point the default "
            "value will be set to 100. Set 'alphas=100' to silence this warning."
        )
        return 100
    return alphas


def _is_default(alphas):
    return np.ndim(alphas) == 0 and alphas == 100


def _warn_penalty(names, ratio, mixed, none):
    _warn_future(
        "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this "
        f"warning, leave 'penalty' set to its default value and use {names} instead. Use "
        f"{ratio.format(0)} instead of penalty='l2', {ratio.format(1)} instead of penalty='l1', "
        f"{mixed} instead of penalty='elasticnet', and {none} instead of penalty=None.",
        deeper=1,
    )


def _warn_future(message, deeper=0):
    warnings.warn(message, FutureWarning, stacklevel=_STACKLEVEL + deeper)


def _warn_user(message):
    warnings.warn(message, UserWarning, stacklevel=_STACKLEVEL)
