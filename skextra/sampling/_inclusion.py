"""How likely a category is among the k drawn without replacement."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skextra import _core
from skextra.sampling._inputs import as_rows, check_count
from skextra.sampling._noise import as_log_weights

_TOLERANCE = 1e-9


def inclusion_probabilities(X, k, *, input="logits"):
    """Probability of each category to be among k drawn without replacement.

    What is drawn is a Gumbel top-k, one after another by weight among those that
    are left. The probability of inclusion is *not* k times the probability of the
    first draw: weights 4, 2, 1, 1 give k p = 1, 0.5, 0.25, 0.25 for two draws, and
    inclusion 0.81, 0.57, 0.31, 0.31.

    Parameters
    ----------
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights or several, in the form that `input` says.
    k : int
        How many are drawn of each row.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        Logarithms of weights (-inf excludes a category), the same with a sum of
        one in each row, probabilities, or weights that are not negative.

    Returns
    -------
    probabilities : ndarray of X's shape
        Float64; they sum to `k` in each row.

    Raises
    ------
    ValueError, TypeError
        If a row has fewer than `k` categories of positive weight, or an argument
        has a wrong value.

    See Also
    --------
    gumbel_top_k : The draws.
    weighted_subsample : Rows drawn that way.

    Notes
    -----
    Each is an integral over the time of an exponential race, of the probability
    that fewer than k others have come before: a trapezoidal rule whose error
    falls faster than any power of the step, halved until nothing changes beyond
    1e-13 and the sum is k. The work grows as ``n_categories * min(k, n_categories
    - k) ** 1.5`` a row. What lies more than 60 below another in its logarithm counts
    as drawn after it. A :class:`~sklearn.exceptions.ConvergenceWarning` says if the
    sum is off by more than 1e-9.

    References
    ----------
    Rosen, "Asymptotic theory for successive sampling with varying probabilities
    without replacement", Annals of Mathematical Statistics 43 (1972).

    Examples
    --------
    >>> from skextra.sampling import inclusion_probabilities
    >>> inclusion_probabilities([4.0, 2.0, 1.0, 1.0], 2, input="weights").round(3)
    array([0.81 , 0.571, 0.31 , 0.31 ])
    """
    k = check_count(k, "k")
    values, is_single = as_rows(X, input, n_needed=k)
    log_weights = as_log_weights(values, input)
    probabilities, worst = np.zeros(values.shape), 0.0
    for i, row in enumerate(log_weights):
        positive = row > -np.inf
        found = _core.sampling.inclusion_probabilities.compute_inclusion(row[positive], k)
        probabilities[i, positive], error = found
        worst = max(worst, error)
    if worst > _TOLERANCE:
        warnings.warn(
            f"inclusion probabilities are certified to {worst:.1e} only",
            ConvergenceWarning,
            stacklevel=2,
        )
    return probabilities[0] if is_single else probabilities
