"""The chart of measured speed-ups on the first page, drawn from the tables of the README.

Each estimator has one bar from its worst to its best figure, on a logarithmic axis: what is
left of 1x is slower than scikit-learn.
"""

import math
import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

_README = Path(__file__).resolve().parents[2] / "README.md"
_ROW = re.compile(r"^\| (`.+?`) \| (.+?) \| .*\|$", re.MULTILINE)
_FIGURE = re.compile(r"(\d+(?:\.\d+)?)x")
_LABELS, _PLOT, _LINE, _TOP = 290, 500, 26, 34
_SLOWEST, _FASTEST = 0.5, 64.0


def setup(app):
    app.add_directive("speedup-chart", SpeedupChart)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class SpeedupChart(Directive):
    """``.. speedup-chart::`` without arguments."""

    def run(self):
        self.state.document.settings.env.note_dependency(str(_README))
        return [nodes.raw("", draw_chart(read_speedups(_README.read_text("utf-8"))), format="html")]


def read_speedups(readme):
    """Names of estimators and their figures, from the tables that compare with scikit-learn.

    Parameters
    ----------
    readme : str

    Returns
    -------
    rows : list of (str, list of float)

    Raises
    ------
    ValueError
        If no table is found: the README has changed and the chart would be empty.
    """
    rows = []
    for table in re.split(r"\n\n+", readme):
        header = table.lstrip().splitlines()[0] if table.strip() else ""
        if not header.startswith("| `skextra.") or "PyTorch" in header:
            continue
        for names, cell in _ROW.findall(table):
            figures = [float(figure) for figure in _FIGURE.findall(cell)]
            if figures and not names.startswith("`skextra."):
                rows.append((names.replace("`", ""), figures))
    if not rows:
        raise ValueError("README.md has no table of speed-ups that the chart can be drawn from")
    return rows


def draw_chart(rows):
    """The chart as an SVG element."""
    height = _TOP + _LINE * len(rows) + 8
    width = _LABELS + _PLOT + 60
    title = "Speed-up over scikit-learn by estimator, on a logarithmic axis"
    size = f'viewBox="0 0 {width} {height}" width="100%"'
    parts = [f'<svg class="speedups" {size} role="img" aria-label="{title}">']
    for tick in (0.5, 1, 2, 4, 8, 16, 32, 64):
        x = _find_position(tick)
        kind = "even" if tick == 1 else "axis"
        parts.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{height}"/>')
        parts.append(f'<text x="{x}" y="{_TOP - 14}" text-anchor="middle">{tick:g}x</text>')
    for row, (name, figures) in enumerate(rows):
        parts += _draw_row(name, sorted(figures), _TOP + _LINE * row)
    return "\n".join([*parts, "</svg>"])


def _draw_row(name, figures, top):
    low, high = _find_position(figures[0]), _find_position(figures[-1])
    yield f'<text x="{_LABELS - 10}" y="{top + 15}" text-anchor="end">{escape(name)}</text>'
    yield (
        f'<line class="axis" x1="{low}" x2="{high}" y1="{top + 11}" y2="{top + 11}" '
        'stroke-width="3"/>'
    )
    for figure in figures:
        kind = "faster" if figure >= 1 else "slower"
        x = _find_position(figure)
        yield f'<circle class="{kind}" cx="{x}" cy="{top + 11}" r="6">'
        yield f"<title>{escape(name)}: {figure:g}x</title></circle>"
    yield f'<text x="{high + 12}" y="{top + 15}">{figures[-1]:g}x</text>'


def _find_position(figure):
    share = math.log(figure / _SLOWEST) / math.log(_FASTEST / _SLOWEST)
    return round(_LABELS + _PLOT * min(max(share, 0.0), 1.0), 1)
