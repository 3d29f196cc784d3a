"""``python -m benchmarks.map ESTIMATOR``: measure, print and draw an estimator's map."""

import argparse
import os
import sys
import time
from pathlib import Path

# OpenBLAS reads these when numpy loads; a kernel forced for one machine favors nobody here.
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.pop("OPENBLAS_L2_SIZE", None)

from benchmarks.map.cells import ESTIMATORS, list_cells
from benchmarks.map.measure import measure_cell
from benchmarks.map.report import (
    append_result,
    draw,
    format_row,
    make_table,
    read_results,
    summarize,
)

_RESULTS = Path(__file__).resolve().parents[1] / "results" / "map"


def parse(arguments):
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.map", description=__doc__)
    parser.add_argument("estimator", nargs="+", help=f"'all', or among {', '.join(ESTIMATORS)}")
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, help="folder of the results; measured cells stay"
    )
    parser.add_argument(
        "--seconds", type=float, default=1200.0, help="stop before a cell after so long (1200)"
    )
    parser.add_argument(
        "--limit", type=float, default=20.0, help="seconds of a fit that is not repeated (20)"
    )
    parser.add_argument("--again", action="store_true", help="measure cells anew")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--cells", default="", help="only cells whose name contains this")
    options = parser.parse_args(arguments)
    names = list(ESTIMATORS) if options.estimator == ["all"] else options.estimator
    unknown = sorted(set(names) - set(ESTIMATORS))
    if unknown:
        parser.error(f"unknown estimator {unknown[0]!r}: choose from {', '.join(ESTIMATORS)}")
    return options, names


def run_estimator(name, options):
    """Measure the missing cells of one estimator; return all of its rows in order."""
    path = options.results / f"{name}.jsonl"
    if options.again and not options.report:
        path.unlink(missing_ok=True)
    rows, start = read_results(path), time.monotonic()
    cells = [cell for cell in list_cells(name) if options.cells in cell.key]
    for cell in cells:
        if options.report or cell.key in rows:
            continue
        if time.monotonic() - start > options.seconds:
            print(f"{name}: out of time before {cell.key}; run again to go on", flush=True)
            break
        rows[cell.key] = append_result(path, cell, measure_cell(cell, options.limit))
        print(format_row(rows[cell.key]), flush=True)
    return [rows[cell.key] for cell in cells if cell.key in rows]


def main(arguments=None):
    """Run the command; return its exit status."""
    options, names = parse(arguments)
    for name in names:
        print(f"{name}: time of each rival / ours, fit / predict / predict one row", flush=True)
        rows = run_estimator(name, options)
        if not rows:
            continue
        for what in ("fit", "predict", "predict_one"):
            print(summarize(rows, what))
        (options.results / f"{name}.md").write_text(make_table(rows) + "\n", encoding="utf-8")
        draw(rows, name, options.results / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
