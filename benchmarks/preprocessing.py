"""Position encodings: ``python -m benchmarks.preprocessing [--scores] [--repeat N]``.

Without an option: times of ours, NumPy and PyTorch, one thread each, in turns, and the
largest error of a sample of entries against 30 digits. A copy of the output stands
beside them: nothing that writes as much can be faster.

With ``--scores``: the same linear model on real data with our encoder and with others'.
"""

import argparse
import os
import statistics
import sys
from dataclasses import dataclass
from functools import partial

# Read when the libraries load.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import _report
from skextra._compare._timing import time_in_turns

_BASE = 10000.0


@dataclass(frozen=True)
class Case:
    """What is encoded.

    Attributes
    ----------
    name : str
    kind : {'sines', 'rotation'}
    positions : ndarray
    width : int
        Columns of output.
    dtype : type
        Of the output.
    leading : tuple of int
        Shape of what is rotated, without features; positions are its last axis.
    """

    name: str
    kind: str
    positions: np.ndarray
    width: int
    dtype: type
    leading: tuple = ()

    @property
    def frequencies(self):
        """Radians per unit of position."""
        return _BASE ** (-np.arange(0, self.width, 2) / self.width)

    @property
    def shape(self):
        """Shape of the output."""
        return (*(self.leading or self.positions.shape), self.width)

    def make_features(self):
        """What is rotated."""
        return np.random.default_rng(0).standard_normal(self.shape).astype(self.dtype)


def _make_cases(quick):
    scale = 10 if quick else 1
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32):
        label = np.dtype(dtype).name
        for n, width in ((50_000 // scale, 64), (1_000_000 // scale, 8)):
            grid, reals = np.arange(float(n)), rng.uniform(0, n, n)
            size = f"{n:,} x {width} {label}"
            yield Case(f"sines, grid, {size}", "sines", grid, width, dtype)
            yield Case(f"sines, reals, {size}", "sines", reals, width, dtype)
            yield Case(f"rotation, grid, {size}", "rotation", grid, width, dtype)
        heads = (4, 16, 1024 // scale)
        yield Case(
            f"rotation, {heads} x 64 {label}", "rotation", np.arange(float(heads[-1])), 64, dtype,
            heads,
        )  # fmt: skip


# Contestants: prepared once, called often ---------------------------------------


def _prepare_ours(case):
    from skextra.preprocessing import RotaryEncoder, SinusoidalEncoder, apply_rotary

    if case.kind == "sines":
        X = case.positions[:, None]
        encoder = SinusoidalEncoder(n_components=case.width, dtype=case.dtype).fit(X)
        return partial(encoder.transform, X)
    x = case.make_features()
    if case.leading:
        return partial(apply_rotary, x, case.positions)
    if case.dtype == np.float32:  # a column of positions would be float32, too
        return partial(apply_rotary, x, case.positions)
    X = np.c_[case.positions, x]
    return partial(RotaryEncoder().fit(X).transform, X)


def _prepare_numpy(case):
    positions, w = case.positions.astype(case.dtype), case.frequencies.astype(case.dtype)

    def encode():
        angles = positions[:, None] * w
        out = np.empty(case.shape, dtype=case.dtype)
        np.sin(angles, out=out[:, 0::2])
        np.cos(angles, out=out[:, 1::2])
        return out

    if case.kind == "sines":
        return encode
    x = case.make_features()

    def rotate():
        angles = positions[:, None] * w
        s, c = np.sin(angles), np.cos(angles)
        out = np.empty_like(x)
        a, b = x[..., 0::2], x[..., 1::2]
        out[..., 0::2] = a * c - b * s
        out[..., 1::2] = a * s + b * c
        return out

    return rotate


def _prepare_torch(case):
    import torch

    torch.set_num_threads(1)
    dtype = torch.float64 if case.dtype == np.float64 else torch.float32
    positions = torch.tensor(case.positions, dtype=dtype)
    w = torch.tensor(case.frequencies, dtype=dtype)

    def encode():
        angles = positions[:, None] * w
        out = torch.empty(case.shape, dtype=dtype)
        out[:, 0::2] = torch.sin(angles)
        out[:, 1::2] = torch.cos(angles)
        return out

    if case.kind == "sines":
        return lambda: encode().numpy()
    x = torch.tensor(case.make_features())

    def rotate():
        angles = positions[:, None] * w
        s, c = torch.sin(angles), torch.cos(angles)
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * c - b * s, a * s + b * c], dim=-1).flatten(-2)

    return lambda: rotate().numpy()


def _prepare_copy(case):
    source = np.ones(case.shape, dtype=case.dtype)
    return source.copy


PREPARE = {
    "skextra": _prepare_ours,
    "numpy": _prepare_numpy,
    "torch": _prepare_torch,
    "a copy": _prepare_copy,
}


def measure_error(case, output):
    """Largest error among entries at the largest and at some random positions."""
    import mpmath

    rng = np.random.default_rng(1)
    n = len(case.positions)
    rows = np.unique(np.r_[n - 1, np.argmax(case.positions), rng.integers(0, n, 6)])
    x = case.make_features() if case.kind == "rotation" else None
    first = (0,) * max(len(case.leading) - 1, 0)
    worst = 0.0
    with mpmath.workdps(30):
        for row in rows:
            for i in range(case.width // 2):
                w = mpmath.mpf(_BASE) ** (-mpmath.mpf(2 * i) / case.width)
                angle = mpmath.mpf(float(case.positions[row])) * w
                s, c = mpmath.sin(angle), mpmath.cos(angle)
                exact = (s, c)
                if x is not None:
                    a, b = (mpmath.mpf(float(v)) for v in x[(*first, row)][2 * i : 2 * i + 2])
                    exact = (a * c - b * s, a * s + b * c)
                for found, true in zip(output[(*first, row)][2 * i : 2 * i + 2], exact):
                    worst = max(worst, abs(float(mpmath.mpf(float(found)) - true)))
    return worst


def run_case(case, repeat):
    """Medians of `repeat` rounds, and errors, for every contestant that is installed."""
    calls, errors = {}, {}
    for name, prepare in PREPARE.items():
        try:
            calls[name] = prepare(case)
        except ImportError:
            continue
        output = calls[name]()  # compiles, loads
        errors[name] = None if name == "a copy" else measure_error(case, output)
        del output
    times = time_in_turns(calls, repeat)
    return {name: (statistics.median(times[name]), errors[name]) for name in calls}


def run_times(quick, repeat):
    for case in _make_cases(quick):
        results = run_case(case, repeat)
        ours = results["skextra"][0]
        print(f"\n{case.name}")
        for name, (seconds, error) in results.items():
            shown = "" if error is None else f"   error {error:.1e}"
            print(
                f"  {name:10} {_report.format_seconds(seconds):>10}  {seconds / ours:5.2g}x{shown}",
                flush=True,
            )


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preprocessing")
    parser.add_argument("--scores", action="store_true", help="scores on real data, not times")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--repeat", type=int, default=15, metavar="N", help="rounds (15)")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = " ".join(["python -m benchmarks.preprocessing", *given])
    print(*_report.describe_machine(command), sep="\n", flush=True)
    if options.scores:
        from benchmarks._encoder_scores import run_scores

        run_scores()
    else:
        run_times(options.quick, options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
