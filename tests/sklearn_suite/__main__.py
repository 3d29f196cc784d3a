"""``python -m tests.sklearn_suite``: how much of scikit-learn's own tests we pass."""

import argparse
import sys

from .runner import SUITES, load_expected, load_outside, run_suite

_ROW = "{:<32} {:>7} {:>7} {:>7} {:>8} {:>8} {:>10} {:>10}"


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.sklearn_suite", description=__doc__)
    parser.add_argument("suite", nargs="*", help=f"among {', '.join(SUITES)}; default: all")
    parser.add_argument(
        "--baseline", action="store_true", help="scikit-learn's own classes in place"
    )
    parser.add_argument("--verbose", action="store_true", help="print every failure's message")
    parser.add_argument(
        "--markdown", action="store_true", help="run nothing; print the expected failures"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.suite) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite {min(unknown)!r}: choose from {', '.join(SUITES)}")
    return options


def format_expected(reasons):
    """Markdown list of the tests that fail, grouped by file and reason."""
    lines = []
    for name, tests in reasons.items():
        lines += [f"### `{name}.py`", ""]
        for reason in dict.fromkeys(tests.values()):
            names = ", ".join(f"`{test}`" for test, why in tests.items() if why == reason)
            lines.append(f"- {reason} {names}")
        lines.append("")
    return "\n".join(lines)


def main(arguments=None):
    options = _parse(arguments)
    _, reasons = load_expected()
    if options.markdown:
        print(format_expected(reasons))
        return 0
    package = "sklearn" if options.baseline else "skextra"
    outside = load_outside()
    titles = ("suite", "touched", "passed", "failed", "outside", "share", "untouched", "unexpected")
    print(_ROW.format(*titles))
    surprises = False
    for name in options.suite or SUITES:
        result = run_suite(name, package)
        expected = {} if options.baseline else reasons.get(name, {})
        failures = set(result.failed) | result.untouched_failed
        unexpected = failures ^ set(expected)
        touched = len(result.passed) + len(result.failed)
        row = (name, touched, len(result.passed), len(result.failed))
        left_out = outside.get(name, set()) & set(result.failed)
        share = f"{result.compute_share(left_out):.1%}"
        row += (len(left_out), share, len(result.untouched), len(unexpected))
        print(_ROW.format(*row), flush=True)
        for test in sorted(failures if options.verbose else unexpected):
            verdict = result.messages.get(test, "listed as failing, but it passed or is gone")
            verdict = verdict if options.verbose else verdict.splitlines()[0]
            print(f"    {test}: {verdict}")
        surprises = surprises or bool(unexpected)
    return int(surprises)


if __name__ == "__main__":
    sys.exit(main())
