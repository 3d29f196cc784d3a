"""Several categories without replacement: Gumbel top-k, and rows by weight."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_consistent_length

from skextra import _core
from skextra._compat import Interval, StrOptions, safe_indexing
from skextra.sampling._base import COMMON_CONSTRAINTS, GumbelSampler, make_indicator
from skextra.sampling._inputs import as_rows, check_count, draw_seed, is_log, map_rows

_FEW = 32  # above, sorting keys is quicker than inserting them one by one
# At most so many, of so many times as many, are drawn one by one: quicker than noise for all.
_FEWEST, _SPARE = 8, 8


def draw_top(values, log, rows, seed, top):
    """Fill `top` with categories in the order of the largest perturbed log-weights."""
    if top.shape[1] <= min(_FEWEST, values.shape[1] // _SPARE):
        _core.sampling.inverse_cdf.draw_top_by_inversion(values, log, rows, seed, top)
        return
    if top.shape[1] <= _FEW:
        _core.sampling.top_k.draw_top(values, log, rows, seed, top)
        return
    # A slice of rows at a time: keys take 16 bytes per number.
    n_columns = values.shape[1]
    for i in range(len(rows)):
        source = i % len(values)
        high, low = (np.empty((1, n_columns + n_columns % 2)) for _ in range(2))
        _core.sampling.gumbel.fill_keys(
            values[source : source + 1], log, rows[i : i + 1], seed, high, low
        )
        top[i] = _sort_top(high[0, :n_columns], low[0, :n_columns], top.shape[1])


def _sort_top(high, low, k):
    bound = np.partition(high, len(high) - k)[len(high) - k]
    candidates = np.flatnonzero(high >= bound)
    order = np.lexsort((low[candidates], high[candidates]))[::-1]
    return candidates[order[:k]]


def gumbel_top_k(X, k, *, size=None, input="logits", random_state=None):
    """Draw k categories without replacement, in the order in which they come.

    The k largest of logits plus Gumbel noise. Their order has the Plackett-Luce
    distribution: each is drawn with its probability among those that are left.

    Parameters
    ----------
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights or several, in the form that `input` says.
    k : int
        How many to draw of each row.
    size : int, default=None
        Number of draws of each row; None draws once, without an axis for it.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        Logarithms of weights (-inf excludes a category), the same with a sum of
        one in each row, probabilities, or weights that are not negative.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    ranking : ndarray of shape ([size,] [n_samples,] k)
        Positions of the categories, int64, the first drawn first.

    Raises
    ------
    ValueError, TypeError
        If a row has fewer than `k` categories to draw from, or an argument has a
        wrong value.

    See Also
    --------
    GumbelTopKSampler : The same as a transformer.
    inclusion_probabilities : How likely a category is among the k.
    plackett_luce_log_prob : How likely a ranking is.

    References
    ----------
    Kool, van Hoof & Welling, "Stochastic beams and where to find them: the
    Gumbel-top-k trick", ICML (2019).

    Examples
    --------
    >>> from skextra.sampling import gumbel_top_k
    >>> ranking = gumbel_top_k([9.0, 3.0, 0.0, -9.0], 3, random_state=0)
    >>> len(set(ranking.tolist()))
    3
    """
    k = check_count(k, "k")
    values, is_single = as_rows(X, input, n_needed=k)
    n_draws = 1 if size is None else check_count(size, "size")
    rows = np.arange(n_draws * len(values), dtype=np.uint64)
    top = np.empty((len(rows), k), dtype=np.int64)
    draw_top(values, is_log(input), rows, np.uint64(draw_seed(random_state)), top)
    top = top.reshape(n_draws, len(values), k)
    top = top[:, 0] if is_single else top
    return top[0] if size is None else top


def weighted_subsample(*arrays, sample_weight, n_samples, random_state=None):
    """Draw rows without replacement, with probabilities proportional to their weights.

    Parameters
    ----------
    *arrays : sequence of array-like, sparse matrix or frame
        Of one length. Without any, the positions of the rows are returned.
    sample_weight : array-like of shape (n_rows,)
        Weights that are not negative. Zero excludes a row.
    n_samples : int
        How many rows to draw.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    drawn : list of array-like, or array-like
        The rows drawn of each array, in the order in which they were drawn, and
        not in a list if there is one array or none.

    Raises
    ------
    ValueError, TypeError
        If fewer than `n_samples` rows have a positive weight, or the lengths differ.

    See Also
    --------
    inclusion_probabilities : The probability that a row is drawn, which is *not*
        ``n_samples`` times its share of the weights.

    References
    ----------
    Efraimidis & Spirakis, "Weighted random sampling with a reservoir",
    Information Processing Letters 97 (2006).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import weighted_subsample
    >>> X, y = np.arange(6).reshape(3, 2), np.array([0, 1, 2])
    >>> X_drawn, y_drawn = weighted_subsample(
    ...     X, y, sample_weight=[1.0, 0.0, 1.0], n_samples=2, random_state=0
    ... )
    >>> sorted(y_drawn.tolist())
    [0, 2]
    """
    n_samples = check_count(n_samples, "n_samples")
    weights = np.asarray(sample_weight)
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have one dimension, got shape {weights.shape}")
    check_consistent_length(*arrays, weights)
    try:
        drawn = gumbel_top_k(weights, n_samples, input="weights", random_state=random_state)
    except ValueError as error:
        text = str(error)
        if "Input X" not in text:
            raise
        raise ValueError(
            f"sample_weight does not allow to draw n_samples={n_samples} rows: {text}"
        ) from error
    if not arrays:
        return drawn
    taken = [safe_indexing(array, drawn) for array in arrays]
    return taken[0] if len(taken) == 1 else taken


class GumbelTopKSampler(GumbelSampler):
    """Sample k categories without replacement for each row of logits.

    The k largest of log-weights plus independent standard Gumbel noise: their
    order has the Plackett-Luce distribution.

    Parameters
    ----------
    k : int, default=1
        How many categories to draw of each row.
    output : {'k-hot', 'ranking'}, default='k-hot'
        A column of zeros and ones for each category, in `X`'s precision, or k
        columns with the positions of the categories in the order drawn.
    sparse_output : bool, default=False
        Whether k-hot output is a sparse matrix.
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
    GumbelMaxSampler : A single category.
    gumbel_top_k : The same as a function, with any number of draws.
    weighted_subsample : Rows, rather than columns, by weight.

    Notes
    -----
    The probability that a category is among the k drawn is *not* k times its
    probability, which may exceed one: see :func:`inclusion_probabilities`.

    Up to eight of eight times as many categories are drawn one after another, by
    inversion of the cumulated weights of those that are left: the distribution is
    the same, and noise for all of them is spared.

    References
    ----------
    Kool, van Hoof & Welling, "Stochastic beams and where to find them: the
    Gumbel-top-k trick", ICML (2019).

    Yellott, "The relationship between Luce's choice axiom, Thurstone's theory of
    comparative judgment, and the double exponential distribution", Journal of
    Mathematical Psychology 15 (1977).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import GumbelTopKSampler
    >>> X = np.array([[50.0, 0.0, 25.0, 0.0], [0.0, 25.0, 0.0, 50.0]])
    >>> GumbelTopKSampler(k=2, random_state=0).fit_transform(X)
    array([[1., 0., 1., 0.],
           [0., 1., 0., 1.]])
    >>> GumbelTopKSampler(k=2, output="ranking", random_state=0).fit_transform(X)
    array([[0, 2],
           [3, 1]])
    """

    _parameter_constraints: dict = {
        **COMMON_CONSTRAINTS,
        "k": [Interval(Integral, 1, None, closed="left")],
        "output": [StrOptions({"k-hot", "ranking"})],
        "sparse_output": ["boolean"],
    }

    def __init__(
        self,
        k=1,
        *,
        output="k-hot",
        sparse_output=False,
        input="logits",
        noise="row-keyed",
        salt=None,
        random_state=None,
        n_jobs=None,
    ):
        self.k = k
        self.output = output
        self.sparse_output = sparse_output
        self.input = input
        self.noise = noise
        self.salt = salt
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _count_needed(self, n_categories):
        if self.k > n_categories:
            raise ValueError(
                f"k={self.k} is more than the number of categories, n_features={n_categories}"
            )
        return self.k

    def transform(self, X):
        """Draw k categories for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to draw from.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of shape (n_samples, n_categories) or (n_samples, k)
            k-hot rows in `X`'s precision, or rankings of type int64.

        Raises
        ------
        ValueError
            If a row has fewer than k categories to draw from.
        """
        values, log, rows = self._prepare(X)
        top = np.empty((len(values), self.k), dtype=np.int64)
        seed = np.uint64(self.seed_)
        map_rows(
            lambda values, rows, top: draw_top(values, log, rows, seed, top),
            values,
            rows,
            top,
            n_jobs=self.n_jobs,
        )
        if self.output == "ranking":
            return top
        return make_indicator(top, values.shape[1], values.dtype, self.sparse_output)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features; those seen in :meth:`fit` by default.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the categories for k-hot output, else one name a place.
        """
        names = self._get_category_names(input_features)
        if self.output == "k-hot":
            return names
        return np.array([f"gumbeltopksampler{place}" for place in range(self.k)], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.output == "ranking":
            tags.transformer_tags.preserves_dtype = []
        return tags
