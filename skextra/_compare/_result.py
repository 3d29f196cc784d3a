"""The outcome of a comparison: rows of measurements and ways to look at them."""

import html
import math
import statistics
from dataclasses import asdict, dataclass

from skextra._compare._errors import need
from skextra._compare._timing import format_ratio, format_seconds


@dataclass(frozen=True)
class Row:
    """One estimator on one data set, ours and scikit-learn's; times are medians in seconds."""

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

    @property
    def fit_ratio(self):
        """scikit-learn's fit time over ours."""
        return self.sklearn_fit_seconds / self.fit_seconds

    @property
    def alone_ratio(self):
        """scikit-learn's time over ours for the estimator without pipeline and search."""
        return self.sklearn_alone_seconds / self.alone_seconds

    @property
    def predict_ratio(self):
        """scikit-learn's predict (or transform) time over ours."""
        return self.sklearn_predict_seconds / self.predict_seconds

    def to_dict(self):
        """Every measurement by name, ratios included."""
        ratios = ("fit_ratio", "alone_ratio", "predict_ratio")
        return {**asdict(self), **{name: getattr(self, name) for name in ratios}}


_HEADER = (
    ("", "estimator"),
    ("", "data"),
    ("", "rows x cols"),
    ("fit:", "skextra"),
    ("", "sklearn"),
    ("", "ratio"),
    ("alone:", "ratio"),
    ("predict:", "ratio"),
    ("score:", "skextra"),
    ("", "sklearn"),
    ("dual", "gap"),
    ("first", "call"),
)
_N_LEFT = 2  # columns of names, aligned left; numbers are aligned right


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
        cells = [_format_row(row) for row in self.rows]
        table = [*zip(*_HEADER, strict=True), *cells]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [_align(line, widths) for line in table]
        lines.insert(2, "-" * max(map(len, lines)))
        return "\n".join([*lines, "", *self._explain()])

    def _repr_html_(self):
        head = "".join(f"<th>{html.escape(' '.join(h).strip())}</th>" for h in _HEADER)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _format_row(row)) + "</tr>"
            for row in self.rows
        )
        notes = "".join(f"<li>{html.escape(line)}</li>" for line in self._explain())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"

    def _explain(self):
        """Lines below the table: how to read it, and notes."""
        scores = sorted({row.score_name for row in self.rows if row.score_name})
        rounds = {row.n_rounds for row in self.rows}
        span = str(min(rounds)) if len(rounds) == 1 else f"{min(rounds)} to {max(rounds)}"
        lines = [
            f"Ratio: scikit-learn's time / ours. {_summarize('Fit', 'fit_ratio', self.rows)}; "
            + _summarize("alone", "alone_ratio", self.rows)
            + ".",
            "Fit: the whole model, a pipeline with scaling, in a grid search unless the estimator",
            "chooses its penalty itself. Alone: the estimator by itself, as chosen.",
            f"Times are medians of {span} rounds, in which the two libraries alternate.",
            "First call: the first fit in this process, with compilation; not in the medians.",
        ]
        if scores:
            lines.append(f"Score: {' or '.join(scores)}, mean over the same folds for both.")
        if any(row.dual_gap is not None for row in self.rows):
            lines.append("Dual gap: the largest of the folds; '-' where the solver has none.")
        environment = ", ".join(f"{k} {v}" for k, v in self.environment.items())
        return [*lines, *(f"Note: {note}." for note in self.notes), f"Run with {environment}."]


def _summarize(label, name, rows):
    ratios = [getattr(row, name) for row in rows]
    median, low, high = map(format_ratio, (statistics.median(ratios), min(ratios), max(ratios)))
    return f"{label}: median {median}, from {low} to {high}"


def _align(line, widths):
    parts = [
        cell.ljust(width) if position < _N_LEFT else cell.rjust(width)
        for position, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(parts).rstrip()


def _format_row(row):
    size = f"{row.n_samples} x {row.n_features}"
    if row.n_targets > 1:
        size += f" -> {row.n_targets}"
    return (
        row.estimator,
        row.data,
        size,
        format_seconds(row.fit_seconds),
        format_seconds(row.sklearn_fit_seconds),
        format_ratio(row.fit_ratio),
        format_ratio(row.alone_ratio),
        format_ratio(row.predict_ratio),
        _format_score(row.score),
        _format_score(row.sklearn_score),
        "-" if row.dual_gap is None else f"{row.dual_gap:.0e}",
        format_seconds(row.first_call_seconds),
    )


def _format_score(score):
    return "-" if score is None else f"{score:.4f}"
