"""The command line of ``python -m skextra``."""

import argparse
import json
import os
import sys
from pathlib import Path

from skextra._compare._errors import InputError, MissingPackageError, need

_DESCRIPTION = """\
Run skextra's estimators beside scikit-learn's of the same name and print a table:
times as ratios with their spread, and scores. By default a line per estimator, on a real
table and on a small data set; with names or --all every data set that there is, inside
pipelines and grid searches; with --data your own."""


_EPILOG = """\
Your own data: categories become one column each (30 at most, the rare ones joined),
dates become elapsed days and the cycles of season, week and day; missing numbers are
imputed by the training folds' median, a missing category is a category, rows without
a target are left out, and so are constant columns and free text. The table says so."""


_OVERVIEW_SECONDS, _SECONDS = 18.0, 40.0


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
    parser.add_argument(
        "--all", action="store_true", help="every estimator on every data set, at length"
    )
    parser.add_argument("--list", action="store_true", help="list estimators and data, and exit")
    parser.add_argument("--data", metavar="FILE", help="your table: csv, csv.gz, tsv or parquet")
    parser.add_argument("--target", metavar="COLUMN", help="column of --data to predict")
    parser.add_argument(
        "--drop",
        metavar="COLUMN",
        action="append",
        default=[],
        help="column of --data to leave out; may be repeated",
    )
    parser.add_argument("--sep", metavar="TEXT", help="what separates columns of --data")
    parser.add_argument("--encoding", help="of the text in --data (default: utf-8)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--plot", metavar="FILE", help="draw the ratios into an image file")
    parser.add_argument("--html", metavar="FILE", help="write a report with plots, in one file")
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="time budget without compilation, within which quick rows are repeated "
        f"(default: {_OVERVIEW_SECONDS:g}, or {_SECONDS:g} with names, --all or --data)",
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
    if options.list:
        _print_list()
        return 0
    _check_options(options)
    if options.plot:
        _check_plot_file(options.plot)
    if options.html:
        _check_writable(options.html)
    comparison, diagnosis = _compare(options)
    if options.json:
        content = comparison.to_dict()
        print(json.dumps({**content, "diagnosis": diagnosis}, indent=2, allow_nan=False))
    sys.stdout.flush()
    if options.html:
        from skextra._compare._html import format_report

        _write_text(options.html, format_report(comparison, diagnosis))
    if options.plot:
        _save_plot(comparison, options.plot)
    return 0


def _check_options(options):
    from skextra._compare._registry import select_cases

    if options.seconds is not None and not options.seconds >= 0:
        raise InputError(f"--seconds must be at least 0, got {options.seconds:g}")
    for name in ("target", "rows", "drop", "sep", "encoding"):
        if getattr(options, name) not in (None, []) and options.data is None:
            raise InputError(f"--{name} needs --data FILE")
    if options.all and options.estimators:
        raise InputError("--all runs every estimator: name none")
    select_cases(options.estimators or None)


def _compare(options):
    """Measure and print; the comparison, and lines about the user's data."""
    from skextra._compare import run_comparison
    from skextra._compare._progress import ProgressLine

    if not (options.estimators or options.all or options.data):
        return _run_overview(options, ProgressLine(sys.stderr)), []
    arguments, diagnosis = _load(options)

    def show_diagnosis():
        if diagnosis and not options.json:
            _print("\n".join([*diagnosis, ""]))

    comparison = run_comparison(
        options.estimators or None,
        **arguments,
        time_budget=_SECONDS if options.seconds is None else options.seconds,
        max_rows=options.rows,
        blas_threads=options.blas_threads,
        verbose=True,
        on_start=show_diagnosis,
    )
    if not options.json:
        _print(str(comparison))
    return comparison, diagnosis


def _run_overview(options, progress):
    from skextra._compare._overview import run_overview

    seconds = _OVERVIEW_SECONDS if options.seconds is None else options.seconds
    if not progress.rewrites and not options.json:
        progress.stream = None  # the lines of the table show how far it is
    write = (lambda line: None) if options.json else _print
    return run_overview(seconds, options.blas_threads, progress, write)


def _print(text):
    """Print, in ASCII where the terminal has no blocks for bars."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = text.translate({ord("█"): "#", ord("░"): "-", ord("│"): "|", ord("±"): "~"})
    print(text, flush=True)


def _load(options):
    """Arguments of `compare` for the user's data, and lines about them."""
    from skextra._compare import _tables

    if options.data is None:
        return {}, []
    from skextra._compare import _diagnosis

    frame = _tables.read_table(options.data, options.sep, options.encoding)
    frame = _tables.drop_columns(frame, options.drop)
    if options.target is None:
        shown = ", ".join(str(c) for c in frame.columns[:12])
        raise InputError(f"--data needs --target COLUMN; columns: {shown}")
    name = Path(options.data).name
    diagnosis = _diagnosis.diagnose(frame, options.target, name)
    return {"X": frame, "y": options.target, "data_name": name}, diagnosis


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
    _check_writable(path)


def _check_writable(path):
    existed = os.path.exists(path)
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    if not existed:
        os.unlink(path)


def _write_text(path, text):
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


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
