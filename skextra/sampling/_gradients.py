"""Gradients of an expectation over random categories or Gaussians, without autograd."""

from dataclasses import dataclass

import numpy as np

from skextra import _core
from skextra.sampling._gumbel_softmax import check_temperature
from skextra.sampling._inputs import as_rows, check_choice, check_count, draw_seed
from skextra.sampling._noise import as_log_weights, draw_conditional


@dataclass(frozen=True, eq=False)
class GradientEstimate:
    """A Monte Carlo estimate of a gradient.

    Parameters
    ----------
    gradient : ndarray
        Mean over the samples.
    variance : ndarray of the same shape
        Variance of a single sample, estimated from their spread.
    n_samples : int
        Number of samples.

    Attributes
    ----------
    gradient, variance, n_samples
        The parameters.

    Examples
    --------
    >>> from skextra.sampling import score_function_gradient
    >>> estimate = score_function_gradient(lambda Z: Z[:, 0], [0.0, 0.0], random_state=0)
    >>> error = estimate.gradient[0] - 0.25  # the exact one is p (1 - p)
    >>> bool(abs(error) < 3 * estimate.standard_error[0])
    True
    """

    gradient: np.ndarray
    variance: np.ndarray
    n_samples: int

    @property
    def standard_error(self):
        """Standard deviation of the mean, without any bias.

        Returns
        -------
        standard_error : ndarray
        """
        return np.sqrt(self.variance / self.n_samples)


def _summarize(samples):
    n = len(samples)
    variance = samples.var(axis=0, ddof=1) if n > 1 else np.full(samples.shape[1:], np.nan)
    return GradientEstimate(samples.mean(axis=0), variance, n)


def _prepare(X, input, n_samples, smallest=1):
    """Normalized log-probabilities of one row, and a checked number of samples."""
    n_samples = check_count(n_samples, "n_samples", smallest)
    values, is_single = as_rows(X, input)
    if not is_single:
        raise ValueError(f"X must be one row, got {len(values)}: call once for each")
    log_weights = as_log_weights(values, input)[0]
    relative = log_weights - log_weights.max()
    return relative - np.log(np.exp(relative).sum()), n_samples


def _call(function, points, shape, name):
    """Values of the caller's function, of the right shape and finite.

    Raises
    ------
    ValueError
        If they are not.
    """
    values = np.asarray(function(points), dtype=np.float64)
    if values.shape != shape:
        raise ValueError(
            f"{name} must return an array of shape {shape} for points of shape {points.shape}, "
            f"got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must return finite values, got NaN or infinity")
    return values


def _draw_labels(log_p, n_samples, seed):
    labels = np.empty((n_samples, 1), dtype=np.int64)
    rows = np.arange(n_samples, dtype=np.uint64)
    _core.sampling.inverse_cdf.draw_many_labels(log_p[None, :], True, rows, np.uint64(seed), labels)
    return labels[:, 0]


def _draw_soft(log_p, n_samples, seed, temperature):
    out = np.empty((n_samples, len(log_p)))
    rows = np.arange(n_samples, dtype=np.uint64)
    _core.sampling.concrete.draw_soft(
        log_p[None, :], True, rows, np.uint64(seed), temperature, False, out
    )
    return out


def _pull_back(soft, slopes, temperature):
    """Product of `slopes` with the Jacobian of ``soft = softmax(logits / temperature)``."""
    inner = (soft * slopes).sum(axis=-1, keepdims=True)
    return soft * (slopes - inner) / temperature


def enumerated_gradient(f, X, *, input="logits"):
    """Exact gradient of ``E[f(z)]`` with respect to the logits, by enumeration.

    Parameters
    ----------
    f : callable
        Takes one-hot rows of shape (n, n_categories), returns n values.
    X : array-like of shape (n_categories,)
        Weights of the categories, in the form that `input` says.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What `X` holds.

    Returns
    -------
    gradient : ndarray of shape (n_categories,)
        ``p_j (f(e_j) - E[f])``.

    Raises
    ------
    ValueError, TypeError
        If `X` is unfit, or `f` returns another shape or something infinite.

    Examples
    --------
    >>> from skextra.sampling import enumerated_gradient
    >>> enumerated_gradient(lambda Z: Z[:, 0], [0.0, 0.0])
    array([ 0.25, -0.25])
    """
    log_p, _ = _prepare(X, input, 1)
    p = np.exp(log_p)
    values = _call(f, np.eye(len(p)), (len(p),), "f")
    return p * (values - p @ values)


def score_function_gradient(
    f, X, *, baseline="leave-one-out", n_samples=1000, input="logits", random_state=None
):
    """Estimate the gradient of ``E[f(z)]`` from values of f alone (REINFORCE).

    ``f(z) * (z - p)`` for one-hot z drawn from p: unbiased, for any f. Its variance
    grows with the level of f unless a baseline is subtracted.

    Parameters
    ----------
    f : callable
        Takes one-hot rows of shape (n, n_categories), returns n values.
    X : array-like of shape (n_categories,)
        Weights of the categories, in the form that `input` says. The gradient is
        with respect to the logits, their logarithms.
    baseline : {'leave-one-out', None}, default='leave-one-out'
        Subtract from each value the mean of the other samples' values, which
        keeps the estimate unbiased, or nothing.
    n_samples : int, default=1000
        Number of samples; at least two with a baseline.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What `X` holds.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    estimate : GradientEstimate
        Gradient with respect to the logits, and variance of a sample.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value, or `f` returns another shape or
        something infinite.

    References
    ----------
    Williams, "Simple statistical gradient-following algorithms for connectionist
    reinforcement learning", Machine Learning 8 (1992).

    Kool, van Hoof & Welling, "Buy 4 REINFORCE samples, get a baseline for free!",
    ICLR workshop (2019).

    Examples
    --------
    >>> from skextra.sampling import score_function_gradient
    >>> estimate = score_function_gradient(
    ...     lambda Z: 5 + Z[:, 0], [0.0, 0.0], n_samples=10_000, random_state=0
    ... )
    >>> estimate.gradient.round(2)
    array([ 0.25, -0.25])
    """
    if baseline is not None:
        check_choice(baseline, ("leave-one-out",), "baseline")
    log_p, n_samples = _prepare(X, input, n_samples, 1 if baseline is None else 2)
    Z = np.eye(len(log_p))[_draw_labels(log_p, n_samples, draw_seed(random_state))]
    values = _call(f, Z, (n_samples,), "f")
    if baseline is not None:
        values = (values - values.mean()) * n_samples / (n_samples - 1)
    return _summarize(values[:, None] * (Z - np.exp(log_p)))


def gaussian_reparameterization_gradient(
    grad_f, mean, scale=1.0, *, n_samples=1000, random_state=None
):
    """Estimate the gradient of ``E[f(z)]`` for Gaussian ``z = mean + scale * noise``.

    Parameters
    ----------
    grad_f : callable
        Takes points of shape (n, n_features), returns the gradients of f there, of
        the same shape.
    mean : array-like of shape (n_features,)
        Means.
    scale : float or array-like of shape (n_features,), default=1.0
        Standard deviations, above zero.
    n_samples : int, default=1000
        Number of samples.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    estimate : GradientEstimate
        Of shape (2, n_features): with respect to the means, ``grad_f(z)``, and to
        the standard deviations, ``grad_f(z) * noise``.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value, or `grad_f` returns another shape or
        something infinite.

    References
    ----------
    Kingma & Welling, "Auto-encoding variational Bayes", ICLR (2014).

    Examples
    --------
    >>> from skextra.sampling import gaussian_reparameterization_gradient
    >>> estimate = gaussian_reparameterization_gradient(  # f(z) = z^2 / 2
    ...     lambda Z: Z, [3.0], 2.0, n_samples=100_000, random_state=0
    ... )
    >>> estimate.gradient.round(1)
    array([[3.],
           [2.]])
    """
    n_samples = check_count(n_samples, "n_samples")
    mean = np.asarray(mean, dtype=np.float64)
    scale = np.asarray(scale, dtype=np.float64)
    if mean.ndim != 1 or mean.size == 0 or not np.isfinite(mean).all():
        raise ValueError(f"mean must be a row of finite numbers, got {mean!r}")
    if scale.shape not in ((), mean.shape) or not ((scale > 0) & (scale < np.inf)).all():
        raise ValueError(
            f"scale must be finite and above 0, one number or one of each mean, got {scale!r}"
        )
    generator = np.random.Generator(np.random.Philox(draw_seed(random_state)))
    noise = generator.standard_normal((n_samples, len(mean)))
    points = mean + scale * noise
    slopes = _call(grad_f, points, points.shape, "grad_f")
    return _summarize(np.stack([slopes, slopes * noise], axis=1))


def gumbel_softmax_gradient(
    grad_f, X, temperature=1.0, *, n_samples=1000, input="logits", random_state=None
):
    """Estimate the gradient of ``E[f(z)]`` through relaxed samples (Gumbel-softmax).

    The one-hot z is replaced by ``y = softmax((logits + noise) / temperature)``, in f
    as well: the estimate is unbiased for ``E[f(y)]``, which is another function,
    unless f is linear in the limit of small temperatures.

    Parameters
    ----------
    grad_f : callable
        Takes points of the simplex of shape (n, n_categories), returns the
        gradients of f there, of the same shape.
    X : array-like of shape (n_categories,)
        Weights of the categories, in the form that `input` says.
    temperature : float, default=1.0
        Above zero. The bias falls with it and the variance grows.
    n_samples : int, default=1000
        Number of samples.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What `X` holds.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    estimate : GradientEstimate
        Gradient with respect to the logits, and variance of a sample.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value, or `grad_f` returns another shape or
        something infinite.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", ICLR
    (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import gumbel_softmax_gradient
    >>> slope = np.array([1.0, 0.0])
    >>> estimate = gumbel_softmax_gradient(
    ...     lambda Y: np.broadcast_to(slope, Y.shape), [0.0, 0.0], 0.1, random_state=0
    ... )
    >>> bool(abs(estimate.gradient[0] - 0.25) < 4 * estimate.standard_error[0])
    True
    """
    temperature = check_temperature(temperature, allow_zero=False)
    log_p, n_samples = _prepare(X, input, n_samples)
    soft = _draw_soft(log_p, n_samples, draw_seed(random_state), temperature)
    slopes = _call(grad_f, soft, soft.shape, "grad_f")
    return _summarize(_pull_back(soft, slopes, temperature))


def straight_through_gradient(
    grad_f, X, temperature=1.0, *, n_samples=1000, input="logits", random_state=None
):
    """Estimate the gradient of ``E[f(z)]`` by the straight-through Gumbel-softmax.

    f is met at the one-hot sample, and the derivative of the sample is replaced by
    that of its relaxation.

    Parameters
    ----------
    grad_f : callable
        Takes one-hot rows of shape (n, n_categories), returns the gradients of f
        there, of the same shape.
    X : array-like of shape (n_categories,)
        Weights of the categories, in the form that `input` says.
    temperature : float, default=1.0
        Above zero.
    n_samples : int, default=1000
        Number of samples.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What `X` holds.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    estimate : GradientEstimate
        Gradient with respect to the logits, and variance of a sample; biased.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value, or `grad_f` returns another shape or
        something infinite.

    References
    ----------
    Bengio, Leonard & Courville, "Estimating or propagating gradients through
    stochastic neurons for conditional computation", arXiv:1308.3432 (2013).

    Examples
    --------
    >>> from skextra.sampling import straight_through_gradient
    >>> estimate = straight_through_gradient(lambda Z: Z, [0.0, 0.0], 0.5, random_state=0)
    >>> estimate.gradient.shape
    (2,)
    """
    temperature = check_temperature(temperature, allow_zero=False)
    log_p, n_samples = _prepare(X, input, n_samples)
    seed = draw_seed(random_state)
    soft = _draw_soft(log_p, n_samples, seed, temperature)
    hard = _draw_soft(log_p, n_samples, seed, 0.0)
    slopes = _call(grad_f, hard, hard.shape, "grad_f")
    return _summarize(_pull_back(soft, slopes, temperature))


def gumbel_rao_gradient(
    grad_f,
    X,
    temperature=1.0,
    *,
    n_inner=10,
    n_samples=1000,
    input="logits",
    random_state=None,
):
    """Estimate the gradient of ``E[f(z)]`` by the Gumbel-Rao estimator.

    The straight-through estimate averaged, for each one-hot sample, over `n_inner`
    draws of the noise that gives this sample: the same expectation, never a larger
    variance, and f is evaluated no more often.

    Parameters
    ----------
    grad_f : callable
        Takes one-hot rows of shape (n, n_categories), returns the gradients of f
        there, of the same shape.
    X : array-like of shape (n_categories,)
        Weights of the categories, in the form that `input` says.
    temperature : float, default=1.0
        Above zero.
    n_inner : int, default=10
        Draws of the noise for each sample; 1 is the straight-through estimator.
    n_samples : int, default=1000
        Number of samples.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What `X` holds.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    estimate : GradientEstimate
        Gradient with respect to the logits, and variance of a sample; biased.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value, or `grad_f` returns another shape or
        something infinite.

    References
    ----------
    Paulus, Maddison & Krause, "Rao-Blackwellizing the straight-through
    Gumbel-softmax gradient estimator", ICLR (2021).

    Examples
    --------
    >>> from skextra.sampling import gumbel_rao_gradient, straight_through_gradient
    >>> arguments = {"temperature": 0.5, "random_state": 0}
    >>> averaged = gumbel_rao_gradient(lambda Z: Z, [1.0, 0.0], **arguments)
    >>> plain = straight_through_gradient(lambda Z: Z, [1.0, 0.0], **arguments)
    >>> bool(averaged.variance.sum() < plain.variance.sum())
    True
    """
    temperature = check_temperature(temperature, allow_zero=False)
    n_inner = check_count(n_inner, "n_inner")
    log_p, n_samples = _prepare(X, input, n_samples)
    seed = draw_seed(random_state)
    labels = _draw_labels(log_p, n_samples, seed)
    hard = np.eye(len(log_p))[labels]
    slopes = _call(grad_f, hard, hard.shape, "grad_f")
    rows = np.broadcast_to(log_p, hard.shape)
    perturbed = draw_conditional(rows, labels, n_inner, seed)
    largest = perturbed.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore", under="ignore"):
        soft = np.exp((perturbed - largest) / temperature)
    soft /= soft.sum(axis=-1, keepdims=True)
    return _summarize(_pull_back(soft, slopes, temperature).mean(axis=0))
