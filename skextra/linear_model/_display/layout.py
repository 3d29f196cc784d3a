"""Which color the lines of a display have and where their names stand."""

import numpy as np

# matplotlib's default colors without its gray, which the unnamed lines have.
_COLORS = [f"C{i}" for i in range(10) if i != 7]


def choose_colors(named, known):
    """A color a line; that of other panels (`known`, added to) unless it is taken here."""
    colors = {}
    for j in named:
        free = [color for color in _COLORS if color not in colors.values()] or _COLORS
        new = [color for color in free if color not in known.values()] or free
        colors[j] = known[j] if known.get(j) in free else new[0]
        known.setdefault(j, colors[j])
    return colors


def spread_out(heights, gap=0.065):
    """Move heights in [0, 1] apart to at least `gap`, keeping their order."""
    order = np.argsort(heights)
    placed = np.array(heights, dtype=np.float64)
    gap = min(gap, 1.0 / max(len(heights), 1))
    for below, above in zip(order[:-1], order[1:], strict=True):
        placed[above] = max(placed[above], placed[below] + gap)
    # What has been pushed out at the top comes back down.
    if len(order):
        placed[order[-1]] = min(placed[order[-1]], 1.0)
    for above, below in zip(order[::-1][:-1], order[::-1][1:], strict=True):
        placed[below] = min(placed[below], placed[above] - gap)
    return placed
