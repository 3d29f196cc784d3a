"""The lines of the overview's table; at most 100 columns."""

from skextra._compare._registry import TASKS
from skextra._compare._result import format_difference, format_size
from skextra._compare._timing import draw_bar, format_ratio, format_seconds, format_spread

_N_LEFT, _N_RIGHT = 4, 12  # characters of a bar
_WIDTHS = (26, 6, 7, 7, 5, 5, 17, 6, 5, 7)
_HEADER = ("estimator", "rows", "skextra", "sklearn", "ratio", "", "", "ratio", "", "score")
NOTE = (
    "Ratio: scikit-learn's time of a fit / ours, of the estimator alone, with half its range over "
    "the rounds (of their middle half from four on). Bars: two characters are a factor of two, to "
    "the left where scikit-learn is faster. Score: ours less scikit-learn's on the table, '=' "
    "where no more than chance."
)


def write_header():
    """Two lines of titles and a rule."""
    top = f"{'fit on a real table':>60}{'on small data':>30}"
    return [top, _align(_HEADER), "-" * (sum(_WIDTHS) + len(_WIDTHS) - 1)]


def name_section(pair):
    """What the lines that follow have in common."""
    small, large = pair
    return (
        f"{TASKS[large.task].plural} on {large.data} (x {large.n_features}), "
        f"beside {small.data} ({format_size(small)})"
    )


def write_pair(pair):
    """The line of one estimator.

    Parameters
    ----------
    pair : (Row, Row)
        On its small data set and on its table.
    """
    small, large = pair
    return _align(
        (
            large.estimator,
            f"{large.n_samples}",
            format_seconds(large.fit_seconds),
            format_seconds(large.sklearn_fit_seconds),
            format_ratio(large.fit_ratio),
            format_spread(large.fit_spread, large.fit_ratio),
            draw_bar(large.fit_ratio, _N_LEFT, _N_RIGHT),
            format_ratio(small.fit_ratio),
            format_spread(small.fit_spread, small.fit_ratio),
            format_difference(large),
        )
    )


def _align(cells):
    parts = [
        cell.ljust(width) if position == 0 else cell.rjust(width)
        for position, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return " ".join(parts).rstrip()
