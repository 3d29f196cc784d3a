"""Draw a comparison; imported on use, as matplotlib is optional."""

import numpy as np

from skextra._compare._timing import format_ratio

_INK = "#333333"
_HEIGHT = 0.25
_BARS = (
    (-_HEIGHT, "fit_ratio", "#14506b", "fit of the whole model"),
    (0.0, "alone_ratio", "#4f9db8", "fit of the estimator alone"),
    (_HEIGHT, "predict_ratio", "#b9d5de", "predict"),
)
_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def get_figure_size(comparison):
    """Width and height in inches that give every row the same room."""
    return 8.0, 1.5 + 0.6 * len(comparison.rows)


def draw_ratios(comparison, ax):
    """Horizontal bars of the three ratios of each row, growing from a line at 1x.

    Parameters
    ----------
    comparison : Comparison
    ax : matplotlib Axes

    Returns
    -------
    ax : matplotlib Axes
    """
    rows = comparison.rows
    positions = np.arange(len(rows))
    for offset, name, color, label in _BARS:
        _draw_bars(ax, positions + offset, [getattr(r, name) for r in rows], color, label)
    ax.axvline(1.0, color=_INK, linewidth=1.2, zorder=3)
    ax.set_yticks(positions, [f"{row.estimator}  ({row.data})" for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    _set_ratio_axis(ax, [getattr(row, name) for row in rows for _, name, _, _ in _BARS])
    ax.set_xlabel("scikit-learn's time / skextra's time (right of 1x: skextra is faster)")
    versions = comparison.environment
    ax.set_title(
        f"skextra {versions.get('skextra', '')} beside scikit-learn "
        f"{versions.get('scikit-learn', '')}",
        loc="left",
        pad=26,
    )
    # Above the axes: inside, it would hide a bar for some ratios.
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=8, frameon=False)
    return ax


def _draw_bars(ax, positions, ratios, color, label):
    widths = [ratio - 1.0 for ratio in ratios]
    ax.barh(positions, widths, _HEIGHT, left=1.0, color=color, label=label, zorder=2)
    for position, ratio in zip(positions, ratios, strict=True):
        outward = 1 if ratio >= 1.0 else -1
        ax.annotate(
            format_ratio(ratio),
            (ratio, position),
            xytext=(4 * outward, 0),
            textcoords="offset points",
            ha="left" if outward == 1 else "right",
            va="center",
            fontsize=7.5,
            color=_INK,
        )


def _set_ratio_axis(ax, ratios):
    # Logarithmic, so that twice as fast and half as fast look alike; the margin
    # leaves room for the labels.
    low, high = min([0.8, *ratios]), max([1.6, *ratios])
    margin = (high / low) ** 0.12
    ax.set_xscale("log")
    ax.set_xlim(low / margin, high * margin)
    ticks = [t for t in _TICKS if low / margin <= t <= high * margin]
    ax.set_xticks(ticks, [f"{t:g}x" for t in ticks])
    ax.minorticks_off()
    ax.grid(axis="x", color="#dddddd", linewidth=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
