"""Timing in turns, and how times and ratios are written; compare() and benchmarks/ share it."""

import math
from time import perf_counter

# What a character of a bar stands for: two characters are twice as fast.
BAR_FACTOR = 2**0.5


def time_in_turns(calls, n_rounds, clock=perf_counter):
    """Time calls round by round, each once per round (A B C, A B C, ...).

    What else happens on the machine then affects all of them alike, so that ratios of medians
    are stable where times are not.

    Parameters
    ----------
    calls : dict of str to callable
        Functions without arguments.
    n_rounds : int
    clock : callable
        ``time.process_time`` counts the time of the processor instead.

    Returns
    -------
    times : dict of str to list of float
        Seconds, by round.
    """
    times = {name: [] for name in calls}
    for _ in range(n_rounds):
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return times


def format_seconds(seconds):
    """A duration with a suitable unit and three digits; "-" for None."""
    if seconds is None:
        return "-"
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
    unit = next((unit for unit, size in units.items() if seconds >= size), "us")
    value = seconds / units[unit]
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def format_ratio(ratio):
    """A ratio with two digits, as in ``3.2x``; "-" for None."""
    if ratio is None:
        return "-"
    if ratio >= 9.95:
        return f"{ratio:.0f}x"
    return f"{ratio:.1f}x" if ratio >= 0.95 else f"{ratio:.2g}x"


def format_spread(spread, ratio):
    """How far a ratio varies, with as many decimals as `format_ratio` gives it; "" for None."""
    if spread is None:
        return ""
    decimals = 0 if ratio >= 9.95 else 1 if ratio >= 0.95 else 2
    return f"±{spread:.{decimals}f}"


def draw_bar(ratio, n_left, n_right):
    """A ratio as a bar of text that grows from 1x, to the left where it is a loss.

    Parameters
    ----------
    ratio : float
    n_left, n_right : int
        Characters on either side; the bar is cut where it is longer.

    Returns
    -------
    bar : str of length ``n_left + 1 + n_right``
        Each character is a factor of `BAR_FACTOR`.
    """
    length = round(math.log(ratio) / math.log(BAR_FACTOR)) if ratio > 0 else 0
    left, right = min(max(-length, 0), n_left), min(max(length, 0), n_right)
    return ("░" * left).rjust(n_left) + "│" + ("█" * right).ljust(n_right)
