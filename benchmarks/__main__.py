"""``python -m benchmarks``: ours and every installed peer at the same accuracy."""

import argparse
import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

# OpenBLAS reads it when numpy loads; a kernel forced for one machine favors nobody here.
os.environ.pop("OPENBLAS_CORETYPE", None)

from benchmarks import _harness, _report

FAMILIES = ("linear_model", "multi_task", "logistic")


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("family", nargs="*", help=f"among {', '.join(FAMILIES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="smaller problems, about two minutes")
    parser.add_argument(
        "--case", action="append", metavar="NAME", help="exact name, or a part; may be repeated"
    )
    parser.add_argument(
        "--contestant",
        action="append",
        choices=list(_harness.PACKAGES),
        help="may be repeated; default: every installed one",
    )
    parser.add_argument("--repeat", type=int, metavar="N", help="hot rounds; default: by time")
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="longest call to wait for (300; quick 10)"
    )
    parser.add_argument(
        "--hot", action="store_true", help="no fresh processes, kernels as compiled already"
    )
    parser.add_argument(
        "--cpu-time", action="store_true", help="hot times of the processor, not of the clock"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the table between markers in FILE"
    )
    parser.add_argument(
        "--match",
        choices=("gap", "excess"),
        help="what has to meet the target: the coefficients' own duality gap, or their distance "
        "from the minimum (default: gap; logistic: excess)",
    )
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    options = parser.parse_args(arguments)
    unknown = set(options.family) - set(FAMILIES)
    if unknown:
        parser.error(f"unknown family {min(unknown)!r}: choose from {', '.join(FAMILIES)}")
    if options.repeat is not None and options.repeat < 1:
        parser.error(f"--repeat must be at least 1, got {options.repeat}")
    return parser, options


def select_cases(cases, names):
    """Cases with an exact name in `names`, else those that contain it.

    Raises
    ------
    ValueError
        If a name fits no case.
    """
    if not names:
        return list(cases)
    chosen = []
    for name in names:
        fitting = [case for case in cases if case.name == name]
        fitting = fitting or [case for case in cases if name in case.name]
        if not fitting:
            known = ", ".join(case.name for case in cases)
            raise ValueError(f"unknown case {name!r}: choose from {known}")
        chosen += [case for case in fitting if case not in chosen]
    return chosen


def run_family(family, cases, contestants, settings):
    """Measure and print; return title and rows of each case that ran."""
    module, sections = import_module(f"benchmarks.{family}"), []
    match = settings.match or getattr(module, "MATCH", "gap")
    settings = replace(settings, match=match)
    with _harness.Bench(family, module, contestants, settings) as bench:
        for case in cases:
            problem = case.make(settings.quick)
            if problem is None:
                print(f"\n{case.name}: skipped, its data set is not on this machine", flush=True)
                continue
            title = _report.format_title(case, problem, match)
            print(f"\n{title}\n{_report.format_line(_report.COLUMNS)}", flush=True)
            rows = bench.measure(case, problem)
            for row in rows:
                print(_report.format_line(_report.list_cells(row)), flush=True)
            sections.append((title, rows))
    return sections


def main(arguments=None):
    parser, options = _parse(arguments)
    contestants = _harness.list_installed(options.contestant or _harness.PACKAGES)
    timeout = options.timeout or (10.0 if options.quick else 300.0)
    settings = _harness.Settings(
        options.quick, options.repeat, timeout, options.match, options.hot, options.cpu_time
    )
    chosen = {}
    for family in options.family or FAMILIES:
        cases = import_module(f"benchmarks.{family}").CASES
        try:
            chosen[family] = select_cases(cases, options.case)
        except ValueError as error:
            parser.error(str(error))
    if options.list:
        for family, cases in chosen.items():
            print(*(f"{family}  {case.name}  {case.title}" for case in cases), sep="\n")
        return 0
    given = sys.argv[1:] if arguments is None else arguments
    machine = _report.describe_machine(" ".join(["python -m benchmarks", *given]))
    print(*machine, sep="\n", flush=True)
    for family, cases in chosen.items():
        sections = run_family(family, cases, contestants, settings)
        if options.markdown:
            text = _report.format_markdown(machine, sections)
            _report.write_between_markers(options.markdown, family, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
