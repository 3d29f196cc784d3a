"""Measures the contestants of a case: exactness first, then time and memory.

1. One lasting subprocess a contestant finds the tolerance that reaches the
   case's duality gap, and the peak memory of that call.
2. Two fresh subprocesses time import and first call, without and with compiled
   kernels on disk.
3. Here, in one process, hot calls are timed in turns (A B C A B C ...).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import Timer

import numpy as np

from benchmarks._accuracy import compute_relative_gaps
from benchmarks._data import Problem
from skextra._compare._timing import time_in_turns

_CHECKOUT = Path(__file__).resolve().parents[1]

#: Contestant -> the package that has to be importable.
PACKAGES = {
    "skextra": "skextra",
    "scikit-learn": "sklearn",
    "celer": "celer",
    "skglm": "skglm",
    "glum": "glum",
    # scikit-learn's solvers, where a family has several.
    "lbfgs": "sklearn",
    "newton-cg": "sklearn",
    "newton-cholesky": "sklearn",
    "liblinear": "sklearn",
    "saga": "sklearn",
}

# glibc keeps freed blocks for later; a peak can be told from a baseline only if
# they go back at once. For the memory measurement alone, as it costs time.
_RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


@dataclass(frozen=True)
class Solution:
    """Solved problems side by side: a path's models, or a fit's targets.

    Attributes
    ----------
    coefs : ndarray of shape (n_features, n_solutions)
    intercepts : ndarray of shape (n_solutions,)
    alphas : ndarray of shape (n_solutions,)
        In the objective that averages the loss over the samples.
    l1_ratio : float
    """

    coefs: np.ndarray
    intercepts: np.ndarray
    alphas: np.ndarray
    l1_ratio: float


def measure_squared_gap(case, problem, result, refine=False):
    """Largest relative duality gap among the models in `result`."""
    solution = case.read(result, problem)
    gaps = compute_relative_gaps(
        problem.X,
        problem.y,
        solution.coefs,
        solution.intercepts,
        solution.alphas,
        solution.l1_ratio,
        problem.fit_intercept,
        refine=refine,
    )
    largest = float(gaps.max())
    # Rounding alone can put the bound above the objective; anything more is a fault to see.
    return 0.0 if -1e-12 < largest < 0 else largest


@dataclass(frozen=True)
class Case:
    """One problem and how each contestant is asked to solve it.

    Attributes
    ----------
    make : callable
        ``make(quick)`` returns the problem, or None if its data is not here.
    runs : dict of str to callable
        Contestant -> ``run(problem, tol)``: import, solve, return anything.
    read : callable
        ``read(result, problem)`` returns a `Solution`.
    target : float or None
        Relative duality gap to reach; None is every contestant's default tolerance.
    has_tolerance : bool
        Whether the contestants take one.
    fresh_when_quick : bool
        Whether ``--quick`` times fresh processes too.
    measure : callable
        ``measure(case, problem, result, refine)`` returns the largest relative
        gap of the models in a result; with `refine`, of a tighter bound.
    problem_type : type
        Has the ``load`` that undoes the problem's ``save``.
    """

    name: str
    title: str
    make: Callable
    runs: dict
    read: Callable
    target: float | None = 1e-6
    has_tolerance: bool = True
    fresh_when_quick: bool = False
    measure: Callable = measure_squared_gap
    problem_type: type = Problem


@dataclass(frozen=True)
class Settings:
    """What the command line decides.

    Attributes
    ----------
    repeat : int or None
        Hot rounds; None is as many as fit the time, within limits.
    timeout : float
        Seconds after which one call counts as too slow.
    match : "gap", "excess" or None
        Which of a row's two accuracies has to meet the target; None leaves it to the family.
    hot_only : bool
        Whether to leave out fresh processes, and to use the kernels compiled already.
    cpu_time : bool
        Whether hot times are the processor's, which others on the machine change less.
    """

    quick: bool = False
    repeat: int | None = None
    timeout: float = 300.0
    match: str | None = None
    hot_only: bool = False
    cpu_time: bool = False


@dataclass
class Row:
    """Everything measured about one contestant in one case; None is not measured."""

    case: str
    contestant: str
    gap: float | None = None
    excess: float | None = None
    tol: float | None = None
    hot: float | None = None
    cold: float | None = None
    warm: float | None = None
    peak_mib: float | None = None
    note: str = ""
    ratio: float | None = None


def _worker_command(mode, family, case, contestant, folder):
    command = [sys.executable, "-m", "benchmarks._worker", mode, family, case, contestant]
    return [*command, str(folder)]


def _worker_environment(cache, **extra):
    names = ("SKEXTRA_CACHE_DIR", "NUMBA_CACHE_DIR")
    caches = {} if cache is None else dict.fromkeys(names, str(cache))
    path = os.pathsep.join(filter(None, [str(_CHECKOUT), os.environ.get("PYTHONPATH")]))
    return os.environ | caches | {"PYTHONPATH": path} | extra


class CallFailed(RuntimeError):
    """A contestant raised, crashed, or took too long; the message says which."""


class LastingWorker:
    """A contestant's own process that stays alive from case to case."""

    def __init__(self, family, contestant, cache, startup=60.0):
        self._startup = startup
        self._command = _worker_command("serve", family, "-", contestant, "-")
        self._environment = _worker_environment(cache, **_RETURN_MEMORY)
        self._process = None

    def ask(self, request, timeout):
        """Send one request, return the reply as a dict.

        A new process gets more time, for imports and compilation.

        Raises
        ------
        CallFailed
            The process is then stopped, and a next request starts a new one.
        """
        allowed = timeout
        if self._process is None:
            allowed += self._startup
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        expired = []
        alarm = Timer(allowed, lambda: (expired.append(True), self._process.kill()))
        alarm.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            alarm.cancel()
        if not line:
            self.close()
            raise CallFailed(f"over {timeout:g} s" if expired else "its process died")
        reply = json.loads(line)
        if "error" in reply:
            raise CallFailed(reply["error"])
        return reply

    def close(self):
        """Stop the process if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Bench:
    """Measures cases of one family; a context manager that owns workers and files.

    Parameters
    ----------
    family : str
        Module of this package with ``CASES`` and ``find_first_tolerance``; its
        ``prepare(problem, case)``, if there is one, adds what judging will need,
        and its ``find_remark(contestant, problem)`` goes into the notes.
    contestants : list of str
        Whom to measure; those that are not installed must be left out.
    settings : Settings
    """

    def __init__(self, family, module, contestants, settings):
        self.family = family
        self.module = module
        self.contestants = contestants
        self.settings = settings
        self._workers = {}

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="benchmarks-")
        return self

    def __exit__(self, *exception):
        for worker in self._workers.values():
            worker.close()
        self._folder.cleanup()

    def measure(self, case, problem):
        """Rows of one case, ours first; those that failed have a note and no times."""
        if hasattr(self.module, "prepare"):
            problem = self.module.prepare(problem, case)
        rows = [Row(case.name, name) for name in case.runs if name in self.contestants]
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            problem.save(Path(folder))
            expected = {}
            for row in rows:
                expected[row.contestant] = self._calibrate(case, problem, row, folder)
            running = [row for row in rows if expected[row.contestant] is not None]
            if (case.fresh_when_quick or not self.settings.quick) and not self.settings.hot_only:
                for row in running:
                    self._time_fresh(case, row, folder)
        self._time_hot(case, problem, running, expected)
        ours = next((row.hot for row in rows if row.contestant == "skextra"), None)
        for row in rows:
            if ours and row.hot:
                row.ratio = row.hot / ours
        return rows

    def _calibrate(self, case, problem, row, folder):
        """Fill in tolerance, gap and peak memory; return seconds of the call."""
        if row.contestant not in self._workers:
            cache = None if self.settings.hot_only else Path(self._folder.name) / "kernels"
            self._workers[row.contestant] = LastingWorker(self.family, row.contestant, cache)
        worker, reply = self._workers[row.contestant], None
        match = self.settings.match or "gap"
        deadline = time.monotonic() + 3 * self.settings.timeout
        for tol in self._list_tolerances(case, problem, row.contestant):
            if time.monotonic() > deadline:
                row.note = f"out of time before tol {tol:.0e}"
                break
            request = {"case": case.name, "folder": folder, "tol": tol}
            try:
                latest = worker.ask(request, self.settings.timeout)
            except CallFailed as failure:
                row.note = str(failure) if tol is None else f"{failure} at tol {tol:.0e}"
                break
            stalled = reply is not None and latest["gap"] == reply["gap"]
            if reply is None or not latest[match] >= reply[match]:
                reply, row.tol = latest, tol
            if stalled or case.target is None or latest[match] <= case.target:
                break
        if reply is None:
            return None
        row.gap, row.excess, row.peak_mib = reply["gap"], reply["excess"], reply["peak_mib"]
        if case.target is not None and not reply[match] <= case.target:
            row.note = f"stays above {case.target:.0e}" + (f" ({row.note})" if row.note else "")
        if hasattr(self.module, "find_remark"):
            remark = self.module.find_remark(row.contestant, problem)
            row.note = "; ".join(filter(None, [row.note, remark]))
        return reply["seconds"]

    def _list_tolerances(self, case, problem, contestant):
        if case.target is None or not case.has_tolerance:
            return [None]
        first = self.module.find_first_tolerance(contestant, problem, case.target)
        return [first / 10**k for k in range(12)]

    def _time_fresh(self, case, row, folder):
        with tempfile.TemporaryDirectory(dir=self._folder.name) as cache:
            try:
                row.cold = self._time_first_call(case, row, folder, cache)
                row.warm = self._time_first_call(case, row, folder, cache)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failure:
                row.note = f"fresh process failed: {type(failure).__name__}"

    def _time_first_call(self, case, row, folder, cache):
        command = _worker_command("once", self.family, case.name, row.contestant, folder)
        process = subprocess.run(
            [*command, "" if row.tol is None else str(row.tol)],
            env=_worker_environment(cache),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=self.settings.timeout + 60.0,
        )
        return json.loads(process.stdout)["seconds"]

    def _time_hot(self, case, problem, rows, expected):
        quick, repeat = self.settings.quick, self.settings.repeat
        calls = {}
        for row in rows:
            # The rest of what is compiled or loaded, on a problem that costs nothing.
            _call_quietly(case.runs[row.contestant], problem.miniature(), row.tol)
            start = time.perf_counter()
            self._call_repeatedly(case, problem, row, 1)
            seconds = min(expected[row.contestant], time.perf_counter() - start)
            calls[row.contestant] = max(1, round(0.02 / max(seconds, 1e-5)))
        if repeat is None:
            once = sum(calls[row.contestant] * expected[row.contestant] for row in rows)
            fewest, most, budget = (1, 5, 3.0) if quick else (3, 11, 60.0)
            repeat = int(np.clip(budget / max(once, 1e-9), fewest, most))
        repeats = {
            row.contestant: partial(
                self._call_repeatedly, case, problem, row, calls[row.contestant]
            )
            for row in rows
        }
        clock = time.process_time if self.settings.cpu_time else time.perf_counter
        times = time_in_turns(repeats, repeat, clock)
        for row in rows:
            row.hot = statistics.median(times[row.contestant]) / calls[row.contestant]

    def _call_repeatedly(self, case, problem, row, n_calls):
        for _ in range(n_calls):
            _call_quietly(case.runs[row.contestant], problem, row.tol)


def _call_quietly(run, problem, tol):
    # Not reaching a tolerance shows in the gap; the warnings would drown the table.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run(problem, tol)


def list_installed(names):
    """Those contestants among `names` that can be imported."""
    return [name for name in names if find_spec(PACKAGES[name]) is not None]
