"""The outcome of a comparison: rows of measurements and ways to look at them."""

import math
import statistics
import textwrap
from dataclasses import asdict, dataclass

from skextra._compare._errors import need
from skextra._compare._scores import is_equal
from skextra._compare._timing import draw_bar, format_ratio, format_seconds, format_spread


@dataclass(frozen=True)
class Row:
    """One estimator on one data set, ours and scikit-learn's; times are medians in seconds.

    `fit_spread` is half the range of the fit ratio over the rounds (between the quartiles from
    four rounds on), None for a single round;
    `score_noise` the standard error of the difference of the two scores.
    """

    estimator: str
    data: str
    task: str
    n_samples: int
    n_features: int
    n_targets: int
    fit_seconds: float
    sklearn_fit_seconds: float
    alone_seconds: float
    sklearn_alone_seconds: float
    predict_seconds: float
    sklearn_predict_seconds: float
    score_name: str | None
    score: float | None
    sklearn_score: float | None
    dual_gap: float | None
    first_call_seconds: float
    n_rounds: int
    n_folds: int
    n_fits: int
    n_unconverged: int
    sklearn_n_unconverged: int
    fit_spread: float | None = None
    score_noise: float | None = None

    @property
    def fit_ratio(self):
        """scikit-learn's fit time over ours."""
        return self.sklearn_fit_seconds / self.fit_seconds

    @property
    def alone_ratio(self):
        """scikit-learn's time over ours for the estimator without pipeline and search."""
        return self.sklearn_alone_seconds / self.alone_seconds

    @property
    def has_equal_score(self):
        """Whether the scores differ by no more than chance; None without scores."""
        if self.score is None:
            return None
        return is_equal(self.score, self.sklearn_score, self.score_noise or 0.0)

    @property
    def predict_ratio(self):
        """scikit-learn's predict (or transform) time over ours."""
        return self.sklearn_predict_seconds / self.predict_seconds

    def to_dict(self):
        """Every measurement by name, ratios included."""
        ratios = ("fit_ratio", "alone_ratio", "predict_ratio")
        return {**asdict(self), **{name: getattr(self, name) for name in ratios}}


# Widths of a printed table; with the gaps between them at most 100 columns.
_COLUMNS = (
    ("", "estimator", 26),
    ("fit:", "skextra", 7),
    ("", "sklearn", 7),
    ("", "ratio", 5),
    ("", "", 5),
    ("", "", 13),
    ("alone:", "ratio", 6),
    ("apply:", "ratio", 6),
    ("score:", "skextra", 8),
    ("", "differs", 7),
)
_N_LEFT, _N_RIGHT = 3, 9  # characters of a bar
_WIDTH = 100


class Comparison:
    """Measurements of skextra's estimators and scikit-learn's.

    Returned by :func:`skextra.compare`; prints as a table.

    Parameters
    ----------
    rows : list of Row
        One an estimator and data set.
    notes : list of str
        What the reader should know about data and run.
    environment : dict
        Versions and threads of the run.

    Attributes
    ----------
    rows, notes, environment
        The parameters.
    """

    def __init__(self, rows, notes, environment):
        self.rows = rows
        self.notes = notes
        self.environment = environment

    def to_dict(self):
        """Everything as plain Python objects, ready for JSON.

        Returns
        -------
        content : dict
            ``environment``, ``notes`` and ``rows``; a number that is not finite
            is None, as JSON has none.
        """
        rows = [
            {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in r.items()}
            for r in (row.to_dict() for row in self.rows)
        ]
        return {"environment": dict(self.environment), "notes": list(self.notes), "rows": rows}

    def to_frame(self):
        """The rows as a frame.

        Returns
        -------
        frame : pandas.DataFrame
            One row per estimator and data set, one column per measurement.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = need("pandas", "Comparison.to_frame")
        return pandas.DataFrame([row.to_dict() for row in self.rows])

    def plot(self, ax=None):
        """Draw the time ratios as horizontal bars around a line at 1x.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure is made by default.

        Returns
        -------
        ax : matplotlib Axes
            The Axes drawn on.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        need("matplotlib", "Comparison.plot", "plot")
        from skextra._compare._plot import draw_ratios, get_figure_size

        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=get_figure_size(self), layout="constrained")
        return draw_ratios(self, ax)

    def __repr__(self):
        return f"<Comparison of {len(self.rows)} rows; print() shows the table>"

    def __str__(self):
        lines = [_align([top for top, _, _ in _COLUMNS]), _align([low for _, low, _ in _COLUMNS])]
        lines.append("-" * len(lines[1]))
        for (data, size), rows in _group(self.rows).items():
            lines.append(f"{data}, {size}")
            lines += [_align(_format_row(row)) for row in rows]
        return "\n".join([*lines, "", *wrap_lines([*self.list_notes(), self.summarize()])])

    def _repr_html_(self):
        from skextra._compare._html import format_table

        return format_table(self)

    def summarize(self):
        """One sentence to repeat: the median and the worst ratio, and whether scores agree.

        Returns
        -------
        sentence : str
        """
        names = len({row.estimator for row in self.rows})
        estimators = "1 estimator" if names == 1 else f"{names} estimators"
        return f"{estimators}: {describe_ratios(self.rows)}; {describe_scores(self.rows)}."

    def list_notes(self):
        """Lines below the table: how to read it, and notes.

        Returns
        -------
        lines : list of str
        """
        ratios = (
            "Ratio: scikit-learn's time / ours, with half its range over the rounds (of their "
            "middle half from four on); in the bars, two characters are a factor of two."
        )
        fits = (
            "Fit: the whole model, a pipeline with scaling, in a grid search unless the estimator "
            "chooses its penalty itself. Alone: the estimator by itself, as chosen."
        )
        first = _describe_extreme(self.rows, "first_call_seconds", format_seconds)
        times = (
            f"Times are medians of {_format_rounds(self.rows)}, in which the two libraries "
            "alternate (short calls: of the fastest of five), without the first calls, which load "
            f"or compile kernels ({first})."
        )
        lines = [ratios, fits, times]
        scores = sorted({row.score_name for row in self.rows if row.score_name})
        if scores:
            lines.append(
                f"Score: {' or '.join(scores)}, mean over the same folds for both; differs: ours "
                "less scikit-learn's, '=' where no more than chance (two standard errors)."
            )
        if any(row.dual_gap is not None for row in self.rows):
            largest = _describe_extreme(self.rows, "dual_gap", "{:.0e}".format)
            lines.append(f"Certificates: largest dual gap {largest}.")
        return [*lines, *self._list_own_notes()]

    def _list_own_notes(self):
        environment = ", ".join(f"{k} {v}" for k, v in self.environment.items())
        return [*(f"Note: {note}." for note in self.notes), f"Run with {environment}."]


def wrap_lines(lines):
    """Break lines where they are longer than a printed table is wide."""
    return [part for line in lines for part in textwrap.wrap(line, _WIDTH, break_on_hyphens=False)]


def format_size(row):
    """Rows, columns and, if there are several, targets."""
    size = f"{row.n_samples:,} x {row.n_features}"
    return size + (f" -> {row.n_targets}" if row.n_targets > 1 else "")


def format_difference(row):
    """Ours less scikit-learn's score, or "=" where chance explains it; "-" for None."""
    if row.score is None:
        return "-"
    difference = row.score - row.sklearn_score
    return "=" if row.has_equal_score else f"{difference:+.{4 if abs(difference) < 9.9 else 1}f}"


def format_score(score):
    """A score with four decimals, or with fewer where it is a large number; "-" for None."""
    return "-" if score is None else f"{score:.{4 if abs(score) < 99 else 1}f}"


def _group(rows):
    groups = {}
    for row in rows:
        groups.setdefault((row.data, format_size(row)), []).append(row)
    return groups


def _format_rounds(rows):
    counts = {row.n_rounds for row in rows}
    if counts == {1}:
        return "1 round"
    low, high = min(counts), max(counts)
    return f"{low} to {high} rounds" if low < high else f"{low} rounds"


def _describe_extreme(rows, name, write):
    most = max(
        (row for row in rows if getattr(row, name) is not None), key=lambda r: getattr(r, name)
    )
    return f"{write(getattr(most, name))}, {most.estimator} on {most.data}"


def describe_ratios(rows):
    """Median and worst fit ratio of rows, in words."""
    worst = min(rows, key=lambda row: row.fit_ratio)
    median = format_ratio(statistics.median(row.fit_ratio for row in rows))
    if len(rows) == 1:
        return f"fits {median} as fast as scikit-learn on {worst.data}"
    return (
        f"fits {median} as fast as scikit-learn in the median, {format_ratio(worst.fit_ratio)} "
        f"at worst ({worst.estimator} on {worst.data})"
    )


def describe_scores(rows):
    """In how many rows the scores differ by more than chance, in words."""
    scored = [row for row in rows if row.score is not None]
    better = sum(not row.has_equal_score and row.score > row.sklearn_score for row in scored)
    worse = sum(not row.has_equal_score and row.score < row.sklearn_score for row in scored)
    if not scored:
        return "no scores"
    if not better and not worse:
        return "scores equal within noise"
    return (
        f"scores equal within noise in all but {better + worse} of {len(scored)} ({better} better)"
    )


def _align(cells):
    parts = [
        cell.ljust(width) if position == 0 else cell.rjust(width)
        for position, (cell, (_, _, width)) in enumerate(zip(cells, _COLUMNS, strict=True))
    ]
    return " ".join(parts).rstrip()


def _format_row(row):
    return (
        row.estimator,
        format_seconds(row.fit_seconds),
        format_seconds(row.sklearn_fit_seconds),
        format_ratio(row.fit_ratio),
        format_spread(row.fit_spread, row.fit_ratio),
        draw_bar(row.fit_ratio, _N_LEFT, _N_RIGHT),
        format_ratio(row.alone_ratio),
        format_ratio(row.predict_ratio),
        format_score(row.score),
        format_difference(row),
    )
