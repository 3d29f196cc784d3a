"""Log-densities of what the samplers draw."""

import numpy as np
from scipy.special import gammaln, logsumexp

from skextra.sampling._gumbel_softmax import check_temperature
from skextra.sampling._inputs import as_rows
from skextra.sampling._noise import as_log_weights

_SAFE_RANGE = 1e4  # of log-weights: sums relative to the largest keep twelve digits


def concrete_log_prob(x, X, temperature=1.0, *, is_log=False, input="logits"):
    """Log-density of the Concrete distribution.

    Parameters
    ----------
    x : array-like of shape ([..., n_samples,] n_categories)
        Points inside the simplex, or their logarithms if `is_log`.
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights for all points or one for each, in the form that `input`
        says. All must be positive: without one the density is that of fewer
        categories.
    temperature : float, default=1.0
        Temperature of the distribution, above zero.
    is_log : bool, default=False
        Whether `x` holds logarithms, and the density is that of the logarithms, which
        does not underflow.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What a row of `X` holds.

    Returns
    -------
    log_prob : float or ndarray of shape ([..., n_samples])
        Log-density with respect to the first ``n_categories - 1`` coordinates of the
        point; if `is_log`, with respect to the log-ratios
        ``log(x_j / x_n)``, ``j < n = n_categories``, of the coordinates to the last.

    Raises
    ------
    ValueError, TypeError
        If a point is not inside the simplex, or an argument has a wrong value.

    See Also
    --------
    gumbel_softmax : Draws from it.

    Notes
    -----
    With ``dx_1 ... dx_{n-1} = x_1 ... x_n dr_1 ... dr_{n-1}`` for the log-ratios r, the two
    log-densities differ by ``sum_j log(x_j)``. That of the logarithms is the density of
    ExpConcrete in Maddison et al., appendix C.3, and of ``ExpRelaxedOneHotCategorical`` in
    other libraries; ratios of densities are the same in both forms.

    References
    ----------
    Maddison, Mnih & Teh, "The Concrete distribution", ICLR (2017), equation 10.

    Examples
    --------
    >>> from skextra.sampling import concrete_log_prob
    >>> round(float(concrete_log_prob([0.5, 0.5], [0.0, 0.0], 1.0)), 12)  # uniform
    0.0
    """
    temperature = check_temperature(temperature, allow_zero=False)
    values, _ = as_rows(X, input)
    log_weights = as_log_weights(values, input)
    if np.isneginf(log_weights).any():
        raise ValueError("X must give every category a positive weight: leave the others out")
    x = _check_points(x, values, is_log)
    log_x = x if is_log else np.log(x)
    log_weights = log_weights[0] if len(values) == 1 else log_weights
    n = values.shape[1]
    scores = (log_weights - log_weights.max(axis=-1, keepdims=True)) - temperature * log_x
    log_prob = gammaln(n) + (n - 1) * np.log(temperature)
    log_prob = log_prob + (scores - logsumexp(scores, axis=-1, keepdims=True)).sum(axis=-1)
    return log_prob if is_log else log_prob - log_x.sum(axis=-1)


def _check_points(x, values, is_log):
    x = np.asarray(x, dtype=np.float64)
    n_rows, n = values.shape
    if x.ndim == 0 or x.shape[-1] != n:
        raise ValueError(f"x must have {n} entries in its last axis, as X has, got shape {x.shape}")
    if n_rows > 1 and (x.ndim < 2 or x.shape[-2] != n_rows):
        raise ValueError(f"x must have {n_rows} points, one for each row of X, got shape {x.shape}")
    inside = np.isfinite(x) if is_log else (x > 0) & np.isfinite(x)
    if not inside.all():
        kind = "finite logarithms" if is_log else "points inside the simplex, above 0"
        raise ValueError(f"x must hold {kind}, got {x[~inside][0]}; logarithms do not underflow")
    sums = np.exp(x).sum(axis=-1) if is_log else x.sum(axis=-1)
    worst = np.abs(sums - 1).max(initial=0.0)
    if worst > 1e-5:
        raise ValueError(f"x must sum to one in its last axis, got a sum off by {worst:.1e}")
    return x


def plackett_luce_log_prob(ranking, X, *, input="logits"):
    """Log-probability of an ordered draw without replacement.

    Parameters
    ----------
    ranking : array-like of int of shape ([..., n_samples,] k)
        Positions of categories, the first drawn first; none twice.
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights for all rankings or one for each, in the form that
        `input` says.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        Logarithms of weights (-inf excludes a category), the same with a sum of
        one in each row, probabilities, or weights that are not negative.

    Returns
    -------
    log_prob : float or ndarray of shape ([..., n_samples])
        Log-probability that the first k draws are these, in this order.

    Raises
    ------
    ValueError, TypeError
        If a ranking is none, or an argument has a wrong value.

    See Also
    --------
    gumbel_top_k : Draws from it.

    References
    ----------
    Plackett, "The analysis of permutations", Applied Statistics 24 (1975).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import plackett_luce_log_prob
    >>> log_prob = plackett_luce_log_prob([2, 0], [1.0, 1.0, 2.0], input="weights")
    >>> float(np.exp(log_prob).round(12))  # 2/4 times 1/2
    0.25
    """
    values, _ = as_rows(X, input)
    log_weights = as_log_weights(values, input)
    ranking = _check_rankings(ranking, values)
    shape = (*ranking.shape[:-1], values.shape[1])
    full = np.broadcast_to(log_weights[0] if len(values) == 1 else log_weights, shape)
    chosen = np.take_along_axis(full, ranking, axis=-1)
    finite = log_weights[np.isfinite(log_weights)]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if finite.max() - finite.min() < _SAFE_RANGE:
            log_prob = _sum_at_once(full - finite.max(), ranking, chosen - finite.max())
        else:
            log_prob = _sum_place_by_place(full, ranking, chosen)
    # A category without weight is never drawn, however little is left.
    return np.where(np.isneginf(chosen).any(axis=-1), -np.inf, log_prob)[()]


def _sum_at_once(full, ranking, chosen):
    """Log-probability from sums that run over the places: one pass."""
    left = np.array(full)
    np.put_along_axis(left, ranking, -np.inf, axis=-1)
    # What is left at each place: those never drawn, and those drawn from there on.
    others = logsumexp(left, axis=-1, keepdims=True)
    tails = np.logaddexp.accumulate(chosen[..., ::-1], axis=-1)[..., ::-1]
    return (chosen - np.logaddexp(tails, others)).sum(axis=-1)


def _sum_place_by_place(full, ranking, chosen):
    """The same from differences of log-weights, exact at any scale: a pass a place."""
    left, log_prob = np.array(full), 0.0
    for place in range(ranking.shape[-1]):
        log_prob = log_prob - logsumexp(left - chosen[..., place, None], axis=-1)
        np.put_along_axis(left, ranking[..., place, None], -np.inf, axis=-1)
    return log_prob


def _check_rankings(ranking, values):
    ranking = np.asarray(ranking)
    n_rows, n = values.shape
    if ranking.dtype.kind not in "iu":
        raise TypeError(f"ranking must hold integers, got dtype {ranking.dtype}")
    if ranking.ndim == 0 or not 1 <= ranking.shape[-1] <= n:
        raise ValueError(
            f"ranking must have between 1 and {n} entries in its last axis, got shape "
            f"{ranking.shape}"
        )
    if n_rows > 1 and (ranking.ndim < 2 or ranking.shape[-2] != n_rows):
        raise ValueError(
            f"ranking must have {n_rows} rows, one for each row of X, got shape {ranking.shape}"
        )
    if (ranking < 0).any() or (ranking >= n).any():
        raise ValueError(f"ranking must hold positions between 0 and {n - 1}")
    if (np.diff(np.sort(ranking, axis=-1), axis=-1) == 0).any():
        raise ValueError("ranking must not hold a category twice")
    return ranking.astype(np.int64)
