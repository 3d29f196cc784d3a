"""Comparisons as HTML: the table of a notebook and a report in one file, drawn as inline SVG."""

import html
import math

from skextra._compare._result import format_difference, format_score, format_size
from skextra._compare._timing import format_ratio, format_seconds, format_spread

_HEADS = (
    "estimator", "data", "rows x cols", "fit: skextra", "scikit-learn", "ratio", "",
    "alone: ratio", "predict: ratio", "score: skextra", "scikit-learn", "differs", "dual gap",
    "first call",
)  # fmt: skip
_GAIN, _LOSS, _INK = "#14708b", "#c4573b", "#333"
_STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto;
  padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
th, td { padding: 3px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
svg { width: 100%; height: auto } .sum { font-size: 1.15em }
"""
_CHART_LEFT, _CHART_WIDTH, _LINE = 330, 1000, 20
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def format_table(comparison):
    """The rows as a table and the notes as a list, without a page around them."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _HEADS)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _format_cells(row)) + "</tr>"
        for row in comparison.rows
    )
    notes = "".join(f"<li>{html.escape(line)}</li>" for line in comparison.list_notes())
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"


def _format_cells(row):
    return (
        row.estimator,
        row.data,
        format_size(row),
        format_seconds(row.fit_seconds),
        format_seconds(row.sklearn_fit_seconds),
        format_ratio(row.fit_ratio),
        format_spread(row.fit_spread, row.fit_ratio),
        format_ratio(row.alone_ratio),
        format_ratio(row.predict_ratio),
        format_score(row.score),
        format_score(row.sklearn_score),
        format_difference(row),
        "-" if row.dual_gap is None else f"{row.dual_gap:.0e}",
        format_seconds(row.first_call_seconds),
    )


def format_report(comparison, diagnosis=()):
    """A page that needs no other file and no network.

    Parameters
    ----------
    comparison : Comparison
    diagnosis : sequence of str
        Lines about the data.

    Returns
    -------
    page : str
    """
    versions = comparison.environment
    title = (
        f"skextra {versions.get('skextra', '')} beside scikit-learn "
        f"{versions.get('scikit-learn', '')}"
    )
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="sum">{html.escape(comparison.summarize())}</p>',
    ]
    if diagnosis:
        lines = "\n".join(diagnosis)
        parts += ["<h2>The data</h2>", f"<pre>{html.escape(lines)}</pre>"]
    parts += [
        "<h2>Fit: scikit-learn's time divided by ours</h2>",
        draw_ratios(comparison.rows, "fit_ratio", "fit_spread"),
        "<h2>Predict (or transform): the same</h2>",
        draw_ratios(comparison.rows, "predict_ratio"),
        "<h2>All figures</h2>",
        format_table(comparison),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def draw_ratios(rows, name, spread_name=None):
    """Horizontal bars on a logarithmic axis, to the left where scikit-learn is faster.

    Parameters
    ----------
    rows : list of Row
    name : str
        Attribute that holds the ratio.
    spread_name : str, optional
        Attribute that holds its spread, drawn as a line over the bar's end.

    Returns
    -------
    svg : str
    """
    ratios = [getattr(row, name) for row in rows]
    low, high = min([0.5, *ratios]) / 1.4, max([2.0, *ratios]) * 1.4
    height = _LINE * len(rows) + 45

    def place(ratio):
        share = math.log(max(ratio, low) / low) / math.log(high / low)
        return _CHART_LEFT + share * (_CHART_WIDTH - _CHART_LEFT - 20)

    parts = [f'<svg viewBox="0 0 {_CHART_WIDTH} {height}" role="img" font-size="12" fill="{_INK}">']
    for tick in (t for t in _TICKS if low <= t <= high):
        x, color = place(tick), _INK if tick == 1 else "#ddd"
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="5" y2="{height - 25}" stroke="{color}"/>'
        )
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{tick:g}x</text>')
    for position, (row, ratio) in enumerate(zip(rows, ratios, strict=True)):
        y, one, end = 10 + _LINE * position, place(1.0), place(ratio)
        label = html.escape(f"{row.estimator}  ({row.data})")
        parts.append(f'<text x="{_CHART_LEFT - 10}" y="{y + 11}" text-anchor="end">{label}</text>')
        parts.append(
            f'<rect x="{min(one, end):.1f}" y="{y}" width="{abs(end - one):.1f}" height="13" '
            f'fill="{_GAIN if ratio >= 1 else _LOSS}"/>'
        )
        reach = end
        spread = getattr(row, spread_name) if spread_name else None
        if spread is not None:
            start, reach = place(ratio - spread), place(ratio + spread)
            parts.append(
                f'<line x1="{start:.1f}" x2="{reach:.1f}" y1="{y + 6.5}" y2="{y + 6.5}" '
                f'stroke="{_INK}"/>'
            )
        x, anchor = (max(reach, end) + 5, "start") if ratio >= 1 else (end - 5, "end")
        parts.append(f'<text x="{x:.1f}" y="{y + 11}" text-anchor="{anchor}">')
        parts.append(f"{format_ratio(ratio)}</text>")
    return "".join([*parts, "</svg>"])
