"""Processes that fit estimators so that their kernels are compiled, several at a time.

numba compiles one kernel at a time in a process, and takes the processor that it compiles
for from the environment: each worker is a fresh interpreter, which takes groups of
estimators from its standard input and answers on its standard output, one JSON object per line.
"""

import json
import os
import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
_COMMAND = _START + "from skextra._warmup_workers import serve; serve()"
_FAILED = {"compiled": [], "loaded": [], "is_complete": False}


def run_jobs(groups, environment, n_workers, report=None):
    """Run the fits of groups of estimators in processes of their own.

    Parameters
    ----------
    groups : dict of str to list of str
        Members of each group, in the order in which groups begin.
    environment : dict of str to str
        Variables of the workers beside this process's own.
    n_workers : int
        Number of processes.
    report : callable, default=None
        Called with a line about each member.

    Yields
    ------
    group : str
    reply : dict
        Entries ``compiled`` and ``loaded``, and whether the group ``is_complete``. A worker
        that dies leaves its group incomplete.
    """
    waiting, replies = deque(groups.items()), SimpleQueue()

    def work():
        worker = None
        while True:
            try:
                group, members = waiting.popleft()
            except IndexError:
                break
            try:
                worker = worker or _Worker(environment)
                reply = worker.run(group, members, lambda line: replies.put((line, None)))
            except (OSError, ValueError) as error:
                replies.put((f"{group}: the process that compiles ended: {error}", None))
                worker, reply = worker and worker.close(), _FAILED
            replies.put((group, reply))
        if worker:
            worker.close()

    with ThreadPoolExecutor(max(1, n_workers)) as pool:
        for _ in range(n_workers):
            pool.submit(work)
        n_left = len(groups)
        while n_left:
            item, reply = replies.get()
            if reply is not None:
                n_left -= 1
                yield item, reply
            elif report is not None:
                report(item)


class _Worker:
    def __init__(self, environment):
        path = [os.path.abspath(folder) for folder in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", _COMMAND, json.dumps(path)],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, group, members, report):
        self._process.stdin.write(json.dumps([group, members]) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
            report(answer)
        raise OSError(f"exit status {self._process.wait()}")

    def close(self):
        try:
            self._process.stdin.close()
        except OSError:
            pass  # it is gone
        self._process.stdout.close()
        self._process.wait()


def serve():
    """What a worker does: groups in, lines and a reply for each group out."""
    from skextra._core.runtime import cache, jit
    from skextra._warmup import run_group

    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what fits print is no answer
    jit.notice.is_wanted = False

    def answer(item):
        answers.write(json.dumps(item) + "\n")
        answers.flush()

    for line in sys.stdin:
        group, members = json.loads(line)
        is_complete = True
        for text, is_well in run_group(group, members):
            is_complete &= is_well
            answer(text)
        # Of all groups so far: later groups of a process load nothing that earlier ones did.
        compiled, loaded = sorted(cache.usage.compiled), sorted(cache.usage.loaded)
        answer({"compiled": compiled, "loaded": loaded, "is_complete": is_complete})
