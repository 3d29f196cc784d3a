"""Points of the simplex: samples of the Concrete distribution."""

from numbers import Real

import numpy as np

from skextra import _core
from skextra._compat import Interval
from skextra.sampling._base import COMMON_CONSTRAINTS, GumbelSampler
from skextra.sampling._inputs import as_rows, check_count, draw_seed, is_log, map_rows


def check_temperature(temperature, allow_zero=True):
    """A finite temperature as float, at least zero or above it.

    Raises
    ------
    ValueError, TypeError
        Naming the temperature.
    """
    if not isinstance(temperature, Real) or isinstance(temperature, bool):
        raise TypeError(f"temperature must be a number, got {temperature!r}")
    least = "at least 0" if allow_zero else "above 0"
    if not (0 <= temperature < np.inf) or (temperature == 0 and not allow_zero):
        raise ValueError(f"temperature must be finite and {least}, got {temperature}")
    return float(temperature)


def gumbel_softmax(
    X,
    temperature=1.0,
    *,
    hard=False,
    return_log=False,
    size=None,
    input="logits",
    random_state=None,
):
    """Draw from the Concrete distribution: softmax of perturbed logits over a temperature.

    Parameters
    ----------
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights or several, in the form that `input` says.
    temperature : float, default=1.0
        Towards zero samples approach the vertices, which 0 itself gives; large
        ones approach the center.
    hard : bool, default=False
        Whether to return the nearest vertex instead, a one-hot row.
    return_log : bool, default=False
        Whether to return logarithms, which do not underflow at small temperatures.
    size : int, default=None
        Number of draws of each row; None draws once, without an axis for it.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        Logarithms of weights (-inf excludes a category), the same with a sum of
        one in each row, probabilities, or weights that are not negative.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    samples : ndarray of shape ([size,] [n_samples,] n_categories)
        Rows that sum to one, in `X`'s precision.

    Raises
    ------
    ValueError, TypeError
        If a row cannot be drawn from, or an argument has a wrong value.

    See Also
    --------
    GumbelSoftmaxSampler : The same as a transformer.
    concrete_log_prob : The density of what this draws.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", ICLR
    (2017).

    Maddison, Mnih & Teh, "The Concrete distribution", ICLR (2017).

    Examples
    --------
    >>> from skextra.sampling import gumbel_softmax
    >>> soft = gumbel_softmax([1.0, 0.0, -1.0], 0.5, random_state=0)
    >>> float(round(soft.sum(), 12))
    1.0
    >>> gumbel_softmax([1.0, 0.0, -1.0], 0.5, hard=True, random_state=0).sum()
    np.float64(1.0)
    """
    temperature = 0.0 if hard else check_temperature(temperature)
    values, is_single = as_rows(X, input)
    n_draws = 1 if size is None else check_count(size, "size")
    seed, n_rows = np.uint64(draw_seed(random_state)), len(values)
    rows = np.arange(n_draws * n_rows, dtype=np.uint64)
    out = np.empty((n_draws * n_rows, values.shape[1]), dtype=values.dtype)
    _core.sampling.concrete.draw_soft(
        values, is_log(input), rows, seed, temperature, return_log, out
    )
    out = out.reshape(n_draws, n_rows, values.shape[1])
    out = out[:, 0] if is_single else out
    return out[0] if size is None else out


class GumbelSoftmaxSampler(GumbelSampler):
    """Sample a point of the simplex for each row of logits (Concrete distribution).

    ``softmax((logits + Gumbel noise) / temperature)``: a relaxation of one-hot
    samples whose largest entry is at a category drawn from ``softmax(logits)``,
    whatever the temperature.

    Parameters
    ----------
    temperature : float, default=1.0
        Towards zero samples approach one-hot rows, which 0 itself gives; large
        ones approach equal entries.
    hard : bool, default=False
        Whether to return the one-hot row of the largest entry, the value that a
        straight-through estimator passes on.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What a row of `X` holds: logarithms of weights (-inf excludes a category),
        the same with weights that sum to one, probabilities, or weights that are
        not negative.
    noise : {'row-keyed', 'iid'}, default='row-keyed'
        'row-keyed' noise is a function of the seed, of the numbers in the row (to nine
        digits) and of how many equal rows precede it in the same call: a distinct row gets
        the same draw in every batch, order and thread, and equal rows get independent ones.
        A new call counts from zero again. 'iid' noise is new for every row of every call, a
        stream that goes on from one call to the next.
    salt : int or str, default=None
        Column, by position or name, that is no category and only goes into the key of
        the row's noise: a row number or an identifier. Equal rows with different salts then
        get independent draws that do not depend on the batch either.
    random_state : int, RandomState, Generator or None, default=None
        Where :meth:`fit` takes the seed from; an integer makes all of it
        reproducible.
    n_jobs : int, default=None
        Threads. The result is the same for every number.

    Attributes
    ----------
    seed_ : int
        Seed of the noise.
    n_rows_drawn_ : int
        Rows drawn since :meth:`fit`, with ``noise='iid'`` only.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    GumbelMaxSampler : The category alone.
    gumbel_softmax : The same as a function, with any number of draws.
    temperature_schedule : Temperatures that fall during a training.

    Notes
    -----
    Noise is drawn and added in float64 whatever `X` is, never zero or infinite,
    and the row's largest entry is subtracted before the division: every
    temperature from 1e-300 to 1e300 gives rows that sum to one. Entries below
    1e-307 of the largest are zero.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", ICLR
    (2017).

    Maddison, Mnih & Teh, "The Concrete distribution", ICLR (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import GumbelSoftmaxSampler
    >>> X = np.log([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    >>> soft = GumbelSoftmaxSampler(temperature=0.1, random_state=1).fit_transform(X)
    >>> soft.sum(axis=1).round(12).tolist()
    [1.0, 1.0]
    """

    _parameter_constraints: dict = {
        **COMMON_CONSTRAINTS,
        "temperature": [Interval(Real, 0, None, closed="left")],
        "hard": ["boolean"],
    }

    def __init__(
        self,
        temperature=1.0,
        *,
        hard=False,
        input="logits",
        noise="row-keyed",
        salt=None,
        random_state=None,
        n_jobs=None,
    ):
        self.temperature = temperature
        self.hard = hard
        self.input = input
        self.noise = noise
        self.salt = salt
        self.random_state = random_state
        self.n_jobs = n_jobs

    def transform(self, X):
        """Draw a point of the simplex for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to draw from.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_categories)
            Rows that sum to one, in `X`'s precision.

        Raises
        ------
        ValueError
            If a row cannot be drawn from.
        """
        temperature = 0.0 if self.hard else check_temperature(self.temperature)
        values, log, rows = self._prepare(X)
        out = np.empty_like(values)
        seed, draw = np.uint64(self.seed_), _core.sampling.concrete.draw_soft
        map_rows(
            lambda values, rows, out: draw(values, log, rows, seed, temperature, False, out),
            values,
            rows,
            out,
            n_jobs=self.n_jobs,
        )
        return out

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the output: those of the categories.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features; those seen in :meth:`fit` by default.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the categories.
        """
        return self._get_category_names(input_features)
