"""Gumbel sampling: ``python -m benchmarks.sampling [--quick] [--repeat N]``.

Times of ours, of NumPy and of PyTorch on the same logits, one thread each, in turns, and
the chi-square p-value of the categories that each has drawn from one row. A copy of the
logits stands beside them: nothing that reads and writes as much can be faster.
"""

import argparse
import os
import statistics
import sys
from functools import partial

# Read when the libraries load.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import _report
from skextra._compare._timing import time_in_turns

_K = 4
_TEMPERATURE = 0.5
KINDS = ("label", "soft", "top-k")
SHAPES = ((50_000, 64), (1_000_000, 8))


def make_logits(shape, dtype):
    """Standard normal logits."""
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def prepare_ours(kind, X):
    from skextra.sampling import gumbel_max, gumbel_softmax, gumbel_top_k

    return {
        "label": partial(gumbel_max, X, random_state=0),
        "soft": partial(gumbel_softmax, X, _TEMPERATURE, random_state=0),
        "top-k": partial(gumbel_top_k, X, _K, random_state=0),
    }[kind]


def prepare_keyed(kind, X):
    """The transformers with their default: noise that is a function of the row."""
    from skextra.sampling import GumbelMaxSampler, GumbelSoftmaxSampler, GumbelTopKSampler

    sampler = {
        "label": GumbelMaxSampler(output="label", random_state=0),
        "soft": GumbelSoftmaxSampler(_TEMPERATURE, random_state=0),
        "top-k": GumbelTopKSampler(_K, output="ranking", random_state=0),
    }[kind].fit(X)
    return partial(sampler.transform, X)


def prepare_numpy(kind, X):
    generator = np.random.default_rng(0)

    def perturb():
        return X + generator.gumbel(size=X.shape).astype(X.dtype, copy=False)

    def soften():
        keys = perturb() / X.dtype.type(_TEMPERATURE)
        keys -= keys.max(axis=1, keepdims=True)
        np.exp(keys, out=keys)
        keys /= keys.sum(axis=1, keepdims=True)
        return keys

    def select():
        keys = perturb()
        top = np.argpartition(keys, -_K, axis=1)[:, -_K:]
        order = np.argsort(-np.take_along_axis(keys, top, axis=1), axis=1)
        return np.take_along_axis(top, order, axis=1)

    calls = {"label": lambda: perturb().argmax(axis=1), "soft": soften, "top-k": select}
    return calls[kind]


def prepare_torch(kind, X):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    logits = torch.from_numpy(X)

    def label():
        return torch.multinomial(torch.softmax(logits, 1), 1)[:, 0].numpy()

    def soften():
        return torch.nn.functional.gumbel_softmax(logits, _TEMPERATURE).numpy()

    def select():
        noise = -torch.empty_like(logits).exponential_().log()
        return (logits + noise).topk(_K, dim=1).indices.numpy()

    return {"label": label, "soft": soften, "top-k": select}[kind]


def prepare_copy(kind, X):
    return X.copy


PREPARE = {
    "skextra": prepare_ours,
    "row-keyed": prepare_keyed,
    "numpy": prepare_numpy,
    "torch": prepare_torch,
    "a copy": prepare_copy,
}


def measure_fit(kind, prepare, dtype):
    """P-value of what is drawn first from 100,000 equal rows against the softmax."""
    from scipy import stats

    row = np.linspace(0.0, 2.0, 6).astype(dtype)
    drawn = np.asarray(prepare(kind, np.tile(row, (100_000, 1)))())
    first = {
        "label": lambda: drawn.ravel(),
        "soft": lambda: drawn.argmax(1),
        "top-k": lambda: drawn[:, 0],
    }
    p = np.exp(row.astype(np.float64))
    counts = np.bincount(first[kind](), minlength=6)
    return stats.chisquare(counts, counts.sum() * p / p.sum()).pvalue


def run_case(kind, X, repeat):
    """Medians of `repeat` rounds and p-values, for every contestant that is installed."""
    calls, p_values = {}, {}
    for name, prepare in PREPARE.items():
        try:
            calls[name] = prepare(kind, X)
        except ImportError:
            continue
        calls[name]()  # compiles, loads
        counted = name != "a copy"
        p_values[name] = measure_fit(kind, prepare, X.dtype) if counted else None
    times = time_in_turns(calls, repeat)
    return {name: (statistics.median(times[name]), p_values[name]) for name in calls}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--repeat", type=int, default=9, metavar="N", help="rounds (9)")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    command = " ".join(["python -m benchmarks.sampling", *given])
    print(*_report.describe_machine(command), sep="\n", flush=True)
    for dtype in (np.float64, np.float32):
        for n_rows, n_columns in SHAPES:
            X = make_logits((n_rows // (10 if options.quick else 1), n_columns), dtype)
            for kind in KINDS:
                results = run_case(kind, X, options.repeat)
                ours = results["skextra"][0]
                print(f"\n{kind}, {len(X):,} x {n_columns} {X.dtype.name}")
                for name, (seconds, p_value) in results.items():
                    shown = "" if p_value is None else f"   p {p_value:.2g}"
                    shown = f"{_report.format_seconds(seconds):>10}  {seconds / ours:5.2g}x{shown}"
                    print(f"  {name:10} {shown}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
