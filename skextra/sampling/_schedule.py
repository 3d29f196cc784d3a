"""Temperatures that fall while a model learns."""

import numpy as np

from skextra.sampling._gumbel_softmax import check_temperature
from skextra.sampling._inputs import check_choice, check_count


def temperature_schedule(n_steps, *, start=1.0, stop=0.1, kind="exponential", hold=1):
    """Temperatures for each step of an annealed training.

    A large temperature gives gradients of small variance and large bias, a small
    one the reverse: it is usually lowered on the way.

    Parameters
    ----------
    n_steps : int
        Number of steps.
    start, stop : float, default=1.0, 0.1
        First and last temperature, both above zero.
    kind : {'exponential', 'linear', 'cosine'}, default='exponential'
        Equal ratios, equal differences, or half a period of a cosine.
    hold : int, default=1
        Number of steps for which a temperature is kept.

    Returns
    -------
    temperatures : ndarray of shape (n_steps,)
        One a step, from `start` to `stop`.

    Raises
    ------
    ValueError, TypeError
        If an argument has a wrong value.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", ICLR
    (2017), section 4.

    Examples
    --------
    >>> from skextra.sampling import temperature_schedule
    >>> temperature_schedule(5, start=1.0, stop=0.0625).round(6).tolist()
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """
    n_steps, hold = check_count(n_steps, "n_steps"), check_count(hold, "hold")
    check_choice(kind, ("exponential", "linear", "cosine"), "kind")
    for name, value in (("start", start), ("stop", stop)):
        try:
            check_temperature(value, allow_zero=False)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from error
    n_levels = -(-n_steps // hold)
    fraction = np.arange(n_levels) / max(1, n_levels - 1)
    if kind == "exponential":
        levels = np.exp((1 - fraction) * np.log(start) + fraction * np.log(stop))
    else:
        if kind == "cosine":
            fraction = (1 - np.cos(np.pi * fraction)) / 2
        levels = (1 - fraction) * start + fraction * stop
    levels[0] = start
    if n_levels > 1:
        levels[-1] = stop
    return np.repeat(levels, hold)[:n_steps]
