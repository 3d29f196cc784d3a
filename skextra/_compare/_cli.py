"""The command line of ``python -m skextra``."""

import argparse
import json
import os
import sys
from pathlib import Path

from skextra._compare._errors import InputError, MissingPackageError, need

_DESCRIPTION = """\
Run skextra's estimators beside scikit-learn's of the same name and print a table:
fit and predict time as ratios, scores, certificates. By default on real data that
ships with scikit-learn; with --data on your own."""


_EPILOG = """\
Your own data: categories become one column each (30 at most, the rare ones joined),
dates become elapsed days and the cycles of season, week and day; missing numbers are
imputed by the training folds' median, a missing category is a category, rows without
a target are left out, and so are constant columns and free text. The table says so."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        # One line, where argparse would print its usage too.
        raise InputError(message)


def _build_parser():
    parser = _Parser(
        prog="python -m skextra",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("estimators", nargs="*", metavar="ESTIMATOR", help="names; default: all")
    parser.add_argument("--list", action="store_true", help="list estimators and data, and exit")
    parser.add_argument("--data", metavar="FILE", help="your table: csv, csv.gz, tsv or parquet")
    parser.add_argument("--target", metavar="COLUMN", help="column of --data to predict")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--plot", metavar="FILE", help="draw the ratios into an image file")
    parser.add_argument(
        "--seconds",
        type=float,
        default=40.0,
        metavar="S",
        help="time budget; quick rows are repeated within it (default: 40)",
    )
    parser.add_argument(
        "--rows", type=int, metavar="N", help="use a random N rows of --data; default: all"
    )
    parser.add_argument(
        "--blas-threads",
        type=int,
        default=1,
        metavar="N",
        help="threads of BLAS, for both libraries (default: 1)",
    )
    return parser


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; default: ``sys.argv[1:]``.

    Returns
    -------
    status : int
        0, or 2 after one line on standard error about what cannot be used.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(_build_parser().parse_args(arguments))
    except (InputError, MissingPackageError) as error:
        print(f"skextra: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("skextra: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader closed the pipe; keep the interpreter from failing on its last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options):
    from skextra._compare import compare
    from skextra._compare._registry import select_cases

    if options.list:
        _print_list()
        return 0
    if not options.seconds >= 0:
        raise InputError(f"--seconds must be at least 0, got {options.seconds:g}")
    if options.rows is not None and options.data is None:
        raise InputError("--rows needs --data FILE")
    names = options.estimators or None
    select_cases(names)
    if options.plot:
        _check_plot_file(options.plot)
    comparison = compare(
        names,
        **_load(options),
        time_budget=options.seconds,
        max_rows=options.rows,
        blas_threads=options.blas_threads,
        verbose=sys.stderr.isatty(),
    )
    if options.json:
        print(json.dumps(comparison.to_dict(), indent=2, allow_nan=False))
    else:
        print(comparison)
    sys.stdout.flush()
    if options.plot:
        _save_plot(comparison, options.plot)
    return 0


def _load(options):
    """Arguments of `compare` for the user's data."""
    from skextra._compare import _tables

    if options.data is None:
        if options.target is not None:
            raise InputError("--target needs --data FILE")
        return {}
    frame = _tables.read_table(options.data)
    if options.target is None:
        shown = ", ".join(str(c) for c in frame.columns[:12])
        raise InputError(f"--data needs --target COLUMN; columns: {shown}")
    return {"X": frame, "y": options.target, "data_name": Path(options.data).name}


def _print_list():
    from skextra._compare._datasets import DATASETS
    from skextra._compare._registry import CASES

    width = max(len(case.name) for case in CASES)
    for case in CASES:
        print(f"{case.name:{width}}  on {', '.join(case.data)}")
    used = dict.fromkeys(name for case in CASES for name in case.data)
    print()
    width = max(map(len, used))
    for name in used:
        print(f"{name:{width}}  {DATASETS[name][1]}")


def _check_plot_file(path):
    """Fail before the run, not after it, if the image cannot be written."""
    need("matplotlib", "--plot", "plot")
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = FigureCanvasBase.get_supported_filetypes()
    kind = Path(path).suffix[1:].lower()
    if kind not in kinds:
        raise InputError(f"cannot draw {path}: the name must end in one of {', '.join(kinds)}")
    existed = os.path.exists(path)
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    if not existed:
        os.unlink(path)


def _save_plot(comparison, path):
    # Not through pyplot: writing a file needs no window system.
    from matplotlib.figure import Figure

    from skextra._compare._plot import get_figure_size

    figure = Figure(figsize=get_figure_size(comparison), layout="constrained")
    comparison.plot(ax=figure.subplots())
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
