"""Draw the columns of real rows and of generated ones."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skextra.generative._columns import find_column, read_tables

_COLORS = ("#0072b2", "#d55e00")
_NAMES = ("real", "generated")


class SampleDisplay:
    """Marginal distributions of real rows and of generated ones, a panel for each column.

    Create it with :meth:`from_samples` or :meth:`from_estimator`. Needs matplotlib.

    Parameters
    ----------
    labels : sequence of str or int
        Names of the columns.
    edges : list of ndarray or list
        Edges of the bins of each column of numbers, or categories.
    shares : list of ndarray of shape (2, n_bins)
        For each column, shares of the real and of the generated rows in the bins.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Set by :meth:`plot`.
    figure_ : matplotlib Figure
        Set by :meth:`plot`.

    See Also
    --------
    two_sample_report : The same question in numbers, for all columns together.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.generative import SampleDisplay
    >>> random = np.random.default_rng(0)
    >>> SampleDisplay.from_samples(random.normal(size=(100, 2)), random.normal(size=(80, 2)))
    <...SampleDisplay...>
    """

    def __init__(self, *, labels, edges, shares):
        self.labels = list(labels)
        self.edges = list(edges)
        self.shares = list(shares)
        if not len(self.labels) == len(self.edges) == len(self.shares):
            raise ValueError(
                "labels, edges and shares must have one entry for each column, got "
                f"{len(self.labels)}, {len(self.edges)} and {len(self.shares)}"
            )

    @classmethod
    def from_samples(
        cls, real, generated, *, columns=None, n_bins=30, categorical_features="from_dtype",
        axes=None,
    ):  # fmt: skip
        """Draw two tables.

        Parameters
        ----------
        real : array-like or data frame of shape (n_real, n_features)
            Real rows.
        generated : array-like or data frame of shape (n_generated, n_features)
            Generated rows, with the same columns.
        columns : list of str or int, default=None
            Columns to draw; None for all.
        n_bins : int, default=30
            Number of bins of a column of numbers.
        categorical_features : 'from_dtype', None, or array-like of bool, int or str, \
                default='from_dtype'
            Columns of categories, as in :class:`DensityForest`.
        axes : array-like of matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : SampleDisplay
            The display, drawn.
        """
        table, real, generated = read_tables(real, generated, categorical_features)
        labels = [column.label for column in table.columns]
        chosen = range(len(labels))
        if columns is not None:
            chosen = [find_column(column, labels, "columns") for column in columns]
        edges, shares = [], []
        for j in chosen:
            parts = [rows[~np.isnan(rows[:, j]), j] for rows in (real, generated)]
            categories = table.columns[j].categories
            if categories is not None:
                edges.append(categories)
                counts = [
                    np.bincount(part.astype(int), minlength=len(categories)) for part in parts
                ]
            else:
                edges.append(np.histogram_bin_edges(np.concatenate(parts), n_bins))
                counts = [np.histogram(part, edges[-1])[0] for part in parts]
            shares.append(np.array([part / max(part.sum(), 1) for part in counts]))
        return cls(labels=[labels[j] for j in chosen], edges=edges, shares=shares).plot(axes)

    @classmethod
    def from_estimator(
        cls, estimator, X, *, n_samples=None, columns=None, n_bins=30, random_state=None, axes=None
    ):
        """Draw real rows and samples of a fitted model.

        Parameters
        ----------
        estimator : DensityForest
            Fitted, with a method `sample`.
        X : array-like or data frame of shape (n_samples, n_features)
            Real rows.
        n_samples : int, default=None
            Number of rows to draw; None for as many as in `X`.
        columns : list of str or int, default=None
            Columns to draw; None for all.
        n_bins : int, default=30
            Number of bins of a column of numbers.
        random_state : int, RandomState instance or None, default=None
            Seed of the samples.
        axes : array-like of matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : SampleDisplay
            The display, drawn.
        """
        check_is_fitted(estimator)
        n_samples = len(X) if n_samples is None else n_samples
        generated = estimator.sample(n_samples, random_state=random_state)
        categories = getattr(estimator, "categories_", [])
        chosen = [j for j, found in enumerate(categories) if found is not None]
        return cls.from_samples(
            X, generated, columns=columns, n_bins=n_bins, categorical_features=chosen, axes=axes
        )

    def plot(self, axes=None):
        """Draw a panel for each column.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, default=None
            As many as there are columns; a new figure by default.

        Returns
        -------
        display : SampleDisplay
            The display, drawn.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("SampleDisplay needs matplotlib: pip install matplotlib") from error
        n = len(self.labels)
        if axes is None:
            n_across = min(n, 4)
            n_down = -(-n // n_across)
            _, grid = plt.subplots(
                n_down, n_across, figsize=(2.8 * n_across, 2.3 * n_down), layout="constrained",
                squeeze=False,
            )  # fmt: skip
            axes = grid.ravel()
            for ax in axes[n:]:
                ax.remove()
            axes = axes[:n]
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(axes) != n:
            raise ValueError(f"axes must be {n} Axes, one for each column, got {len(axes)}")
        self.axes_, self.figure_ = axes, axes[0].figure
        for ax, label, edges, shares in zip(
            axes, self.labels, self.edges, self.shares, strict=True
        ):
            _draw_panel(ax, edges, shares)
            ax.set_xlabel(label if isinstance(label, str) else f"x{label}")
            ax.set_yticks([])
        axes[0].set_ylabel("Share of rows")
        axes[0].legend(fontsize=8, edgecolor="none")
        return self


def _draw_panel(ax, edges, shares):
    if isinstance(edges, np.ndarray):
        for name, color, part in zip(_NAMES, _COLORS, shares, strict=True):
            ax.stairs(part, edges, color=color, label=name, fill=name == "real", alpha=0.7)
        return
    places = np.arange(len(edges))
    for k, (name, color, part) in enumerate(zip(_NAMES, _COLORS, shares, strict=True)):
        ax.bar(places + 0.4 * k - 0.2, part, 0.4, color=color, label=name, alpha=0.7)
    ax.set_xticks(places, [str(category) for category in edges], fontsize=7)
