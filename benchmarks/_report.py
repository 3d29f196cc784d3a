"""Tables: for a terminal, and as Markdown between markers in a file."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version

from skextra._compare._timing import format_ratio, format_seconds

COLUMNS = ("contestant", "ratio", "gap", "excess", "tol", "cold", "warm", "hot", "peak", "note")
# What titles of cases start with.
_ESTIMATORS = (
    *("Lasso", "ElasticNet", "lasso_path", "enet_path", "LassoCV", "ElasticNetCV"),
    *("MultiTaskLasso", "MultiTaskElasticNet", "MultiTaskLassoCV", "MultiTaskElasticNetCV"),
    *("Ridge", "RidgeCV", "LogisticRegressionCV"),
)
_WIDTHS = (15, 8, 7, 7, 8, 9, 9, 10, 10)


def _format(value, pattern):
    return "-" if value is None else pattern.format(value)


def list_cells(row):
    """The cells of a row, in the order of `COLUMNS`."""
    return (
        row.contestant,
        format_ratio(row.ratio),
        _format(row.gap, "{:.0e}"),
        _format(row.excess, "{:.0e}"),
        _format(row.tol, "{:.0e}") if row.gap is None or row.tol else "default",
        format_seconds(row.cold),
        format_seconds(row.warm),
        format_seconds(row.hot),
        _format(row.peak_mib, "{:.1f} MiB"),
        row.note,
    )


def format_line(cells):
    """One line of the terminal's table."""
    padded = [cell.rjust(width) for cell, width in zip(cells[1:-1], _WIDTHS[1:], strict=True)]
    return "  ".join([cells[0].ljust(_WIDTHS[0]), *padded, cells[-1]]).rstrip()


def format_title(case, problem, match):
    """What a case is, in one line."""
    target = "default tolerances" if case.target is None else f"{match} {case.target:.0e}"
    return f"{case.name}: {case.title}, {problem.shape_text}, {target}"


def describe_machine(command):
    """Lines that say what was measured, and where."""
    import numpy  # noqa: F401, so that its BLAS shows
    from threadpoolctl import threadpool_info

    names = ("skextra", "scikit-learn", "celer", "skglm", "glum", "numba", "numpy", "scipy")
    versions = ", ".join(f"{name} {_find_version(name)}" for name in names)
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    threads = sorted({pool["num_threads"] for pool in blas})
    kinds = sorted({f"{pool['internal_api']} {pool['version']}" for pool in blas})
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return [
        f"`{command}`",
        f"{_find_processor()}, {cores} cores; {system}",
        versions,
        f"BLAS: {', '.join(kinds)}; threads for every contestant: {', '.join(map(str, threads))}",
    ]


def _find_version(name):
    if name == "skextra":
        try:
            from skextra import __version__
        except ImportError:
            return "missing"
        return __version__
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _find_processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"


def format_markdown(machine, sections):
    """One table per estimator: a row per case, a column per contestant.

    A contestant's cell is the ratio of its time to ours, and in parentheses the accuracy that it
    reached. Notes follow the table.

    Parameters
    ----------
    machine : list of str
        Lines of `describe_machine`.
    sections : list of tuple
        Title and rows of each case; the title starts with the case's name and the estimator.
    """
    lines = [f"- {line}" for line in machine]
    for estimator in dict.fromkeys(_find_estimator(title) for title, _ in sections):
        own = [section for section in sections if _find_estimator(section[0]) == estimator]
        lines += ["", f"### {estimator}", "", *_format_table(estimator, own)]
    return "\n".join(lines) + "\n"


def _find_estimator(title):
    """Estimator that the first word of a title names; none stands for LogisticRegression."""
    first = re.match(r"\w+", title.partition(": ")[2])
    return first[0] if first and first[0] in _ESTIMATORS else "LogisticRegression"


def _format_table(estimator, sections):
    peers = dict.fromkeys(row.contestant for _, rows in sections for row in rows)
    peers.pop("skextra", None)
    # The title ends with the accuracy on which contestants were matched.
    measure = "excess" if any(", excess " in title for title, _ in sections) else "gap"
    lines = ["| " + " | ".join(["case", "skextra", measure, *peers]) + " |"]
    lines.append("|---|" + "---:|" * (2 + len(peers)))
    notes = []
    for title, rows in sections:
        name, _, rest = title.partition(": ")
        case = re.sub(rf", {measure} [^,]*$", "", rest.removeprefix(estimator)).lstrip(", ")
        found = {row.contestant: row for row in rows}
        ours = found.get("skextra")
        cells = [f"`{name}`: {case}", format_seconds(ours and ours.hot)]
        cells.append(_format(ours and getattr(ours, measure), "{:.0e}"))
        cells += [_format_peer(found.get(peer), measure) for peer in peers]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        notes += [f"- `{name}`, {row.contestant}: {row.note}" for row in rows if row.note]
    return lines + ([""] + notes if notes else [])


def _format_peer(row, measure):
    if row is None:
        return ""
    accuracy = _format(getattr(row, measure), "{:.0e}")
    return f"{format_ratio(row.ratio)} ({accuracy})" if row.ratio else "-"


def write_between_markers(path, family, text):
    """Replace a family's table in a Markdown file; append it if there is none."""
    start, end = f"<!-- benchmarks:{family}:start -->", f"<!-- benchmarks:{family}:end -->"
    content = path.read_text(encoding="utf-8") if path.exists() else ""
    block = f"{start}\n{text}{end}"
    if start in content and end in content:
        before, rest = content.split(start, 1)
        content = before + block + rest.split(end, 1)[1]
    else:
        content = f"{content.rstrip()}\n\n{block}\n".lstrip()
    path.write_text(content, encoding="utf-8")
