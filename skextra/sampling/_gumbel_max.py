"""One category per row: Gumbel-max and its faster equal."""

import numpy as np

from skextra import _core
from skextra._compat import StrOptions
from skextra.sampling._base import COMMON_CONSTRAINTS, GumbelSampler, make_indicator
from skextra.sampling._inputs import as_rows, check_choice, check_count, draw_seed, is_log, map_rows

_METHODS = ("auto", "gumbel", "inverse-cdf")


def gumbel_max(X, *, size=None, input="logits", method="auto", random_state=None):
    """Draw categories with given log-weights: the argmax of logits plus Gumbel noise.

    Parameters
    ----------
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights or several, in the form that `input` says.
    size : int, default=None
        Number of draws of each row; None draws once, without an axis for it.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        Logarithms of weights (-inf excludes a category), the same with a sum of
        one in each row, probabilities, or weights that are not negative.
    method : {'auto', 'gumbel', 'inverse-cdf'}, default='auto'
        'gumbel' perturbs each category and takes the largest. 'inverse-cdf' draws
        from the same distribution with one uniform number per row, as 'auto' does.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    labels : int64, or ndarray of shape (n_samples,), (size,) or (size, n_samples)
        Positions of the categories drawn.

    Raises
    ------
    ValueError
        If a row cannot be drawn from, or an argument has a wrong value.

    See Also
    --------
    GumbelMaxSampler : The same as a transformer.

    References
    ----------
    Gumbel, "Statistical theory of extreme values and some practical
    applications", National Bureau of Standards (1954).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import gumbel_max
    >>> labels = gumbel_max([0.5, 0.3, 0.2], input="probabilities", size=10_000, random_state=0)
    >>> (np.bincount(labels) / 10_000).round(1).tolist()
    [0.5, 0.3, 0.2]
    """
    check_choice(method, _METHODS, "method")
    values, is_single = as_rows(X, input)
    n_draws = 1 if size is None else check_count(size, "size")
    seed, log, n_rows = np.uint64(draw_seed(random_state)), is_log(input), len(values)
    rows = np.arange(n_draws * n_rows, dtype=np.uint64)
    labels = np.empty((n_draws, n_rows), dtype=np.int64)
    if method == "gumbel":
        _core.sampling.gumbel.draw_labels_by_race(values, log, rows, seed, labels.reshape(-1))
    elif n_draws == 1:
        _core.sampling.inverse_cdf.draw_labels_by_inversion(values, log, rows, seed, labels[0])
    else:
        _core.sampling.inverse_cdf.draw_many_labels(values, log, rows, seed, labels)
    labels = labels[:, 0] if is_single else labels
    return labels[0] if size is None else labels


class GumbelMaxSampler(GumbelSampler):
    """Sample one category for each row of logits or probabilities.

    The argmax of log-weights plus independent standard Gumbel noise has the
    probabilities ``softmax(logits)``. Each row is a distribution over the columns;
    the output is the category drawn, one-hot or as a label.

    Parameters
    ----------
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        What a row of `X` holds: logarithms of weights (-inf excludes a category),
        the same with weights that sum to one, probabilities, or weights that are
        not negative.
    output : {'one-hot', 'label'}, default='one-hot'
        A column of zeros and ones for each category, in `X`'s precision, or a
        single column with the position of the category drawn.
    sparse_output : bool, default=False
        Whether one-hot output is a sparse matrix.
    method : {'auto', 'gumbel', 'inverse-cdf'}, default='auto'
        'gumbel' perturbs every category: with one seed the draw is the argmax of
        what `GumbelSoftmaxSampler` returns and the first of `GumbelTopKSampler`.
        'inverse-cdf' has the same distribution and needs one uniform number per row;
        'auto' takes it.
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
    GumbelSoftmaxSampler : Points of the simplex near its vertices.
    GumbelTopKSampler : Several categories without replacement.
    gumbel_max : The same as a function, with any number of draws.

    Notes
    -----
    Noise comes from the counter-based generator Philox 4x32-10, with 52 bits a
    uniform number, in float64 whatever `X` is, and gives the same draws on every
    processor. The inverse of the cumulated probabilities is exact up to the
    rounding of a sum: 1e-16 times the number of categories.

    References
    ----------
    Maddison, Tarlow & Minka, "A* sampling", NeurIPS (2014).

    Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3",
    SC (2011).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.sampling import GumbelMaxSampler
    >>> P = np.array([[0.9, 0.1, 0.0], [0.1, 0.1, 0.8], [0.0, 1.0, 0.0]])
    >>> sampler = GumbelMaxSampler(input="probabilities", random_state=0).fit(P)
    >>> sampler.transform(P)
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    >>> bool((sampler.transform(P[1:]) == sampler.transform(P)[1:]).all())
    True
    """

    _parameter_constraints: dict = {
        **COMMON_CONSTRAINTS,
        "output": [StrOptions({"one-hot", "label"})],
        "sparse_output": ["boolean"],
        "method": [StrOptions(set(_METHODS))],
    }

    def __init__(
        self,
        *,
        input="logits",
        output="one-hot",
        sparse_output=False,
        method="auto",
        noise="row-keyed",
        salt=None,
        random_state=None,
        n_jobs=None,
    ):
        self.input = input
        self.output = output
        self.sparse_output = sparse_output
        self.method = method
        self.noise = noise
        self.salt = salt
        self.random_state = random_state
        self.n_jobs = n_jobs

    def transform(self, X):
        """Draw a category for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to draw from.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of shape (n_samples, n_categories) or (n_samples, 1)
            One-hot rows in `X`'s precision, or labels of type int64.

        Raises
        ------
        ValueError
            If a row cannot be drawn from.
        """
        values, log, rows = self._prepare(X)
        labels = np.empty(len(values), dtype=np.int64)
        seed = np.uint64(self.seed_)
        draw = _core.sampling.inverse_cdf.draw_labels_by_inversion
        if self.method == "gumbel":
            draw = _core.sampling.gumbel.draw_labels_by_race
        map_rows(
            lambda values, rows, labels: draw(values, log, rows, seed, labels),
            values,
            rows,
            labels,
            n_jobs=self.n_jobs,
        )
        labels = labels[:, None]
        if self.output == "label":
            return labels
        return make_indicator(labels, values.shape[1], values.dtype, self.sparse_output)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features; those seen in :meth:`fit` by default.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the categories for one-hot output, else one name.
        """
        names = self._get_category_names(input_features)
        return names if self.output == "one-hot" else np.array(["gumbelmaxsampler0"], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.output == "label":
            tags.transformer_tags.preserves_dtype = []
        return tags
