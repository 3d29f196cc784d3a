"""The other end of the harness: runs one contestant in a process of its own.

``python -m benchmarks._worker once FAMILY CASE CONTESTANT FOLDER TOL`` times import and first
call; ``... serve FAMILY - CONTESTANT -`` answers requests, one JSON object per line.
"""

import json
import os
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path


def _find_case(family, name):
    module = import_module(f"benchmarks.{family}")
    return next(case for case in module.CASES if case.name == name)


def _read_memory(field):
    """A field of /proc/self/status in MiB, or None where there is no such file."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return None


def _measure_peak(function):
    """Result, seconds, and by how many MiB the process grew at its highest."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forgets earlier peaks
    except OSError:
        before = None
    else:
        before = _read_memory("VmRSS")
    start = time.perf_counter()
    result = function()
    seconds = time.perf_counter() - start
    peak = None if before is None else max(0.0, _read_memory("VmHWM") - before)
    return result, seconds, peak


def answer(case, run, request, seen):
    """Solve what a request asks for; `seen` keeps the problem between requests."""
    if seen.get("folder") != request["folder"]:
        problem = case.problem_type.load(request["folder"])
        seen.update(folder=request["folder"], problem=problem)
        run(seen["problem"].miniature(), request["tol"])  # kernels are not the problem's memory
    problem = seen["problem"]
    result, seconds, peak = _measure_peak(lambda: run(problem, request["tol"]))
    gap, excess = (case.measure(case, problem, result, refine) for refine in (False, True))
    return {"seconds": seconds, "peak_mib": peak, "gap": gap, "excess": excess}


def serve(family, contestant, requests, replies):
    """Answer requests until their stream ends; errors are answers too."""
    seen = {}
    for line in requests:
        request = json.loads(line)
        case = _find_case(family, request["case"])
        try:
            reply = answer(case, case.runs[contestant], request, seen)
        except Exception as error:  # whatever a peer raises belongs in its row
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def time_first_call(family, case, contestant, folder, tol):
    """Seconds of import and first call together."""
    case = _find_case(family, case)
    problem = case.problem_type.load(folder)
    start = time.perf_counter()
    case.runs[contestant](problem, float(tol) if tol else None)
    return time.perf_counter() - start


def main(arguments):
    mode, family, case, contestant, folder, *tol = arguments
    # Whatever a peer prints must not mix with the replies.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    if mode == "serve":
        serve(family, contestant, sys.stdin, replies)
    else:
        replies.write(
            json.dumps({"seconds": time_first_call(family, case, contestant, folder, *tol)})
        )
        replies.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
