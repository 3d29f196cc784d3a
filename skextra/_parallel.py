"""Threads: how many, and who uses them.

One rule: BLAS runs on one thread inside our own threads, and everything is put
back as it was, also when an error passes through.
"""

from contextlib import contextmanager
from functools import cache
from threading import Lock

import threadpoolctl
from joblib import effective_n_jobs

from skextra._compat import Parallel, delayed


@cache
def _get_blas_controller():
    # Introspecting the loaded libraries takes milliseconds: once per process.
    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def _release_openblas():
    # Since 3.8, threadpoolctl lets one thread at a time set the limit of an
    # OpenBLAS that has one pool for all, and takes that right back only from
    # a `with` block of the same thread; ours may end in another one. Kept, it
    # would make everybody else's limits, and our restoring, silently void.
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(controller, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


_blas_lock = Lock()
_blas_depth = 0
_blas_limiter = None


@contextmanager
def single_threaded_blas():
    """Limit BLAS to one thread for the duration of the block.

    The limit is process-wide, so blocks that overlap in several threads are
    counted: the first sets it, the last restores what was there before.
    """
    global _blas_depth, _blas_limiter
    with _blas_lock:
        if _blas_depth == 0:
            _blas_limiter = _get_blas_controller().limit(limits=1)
        _blas_depth += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_depth -= 1
            if _blas_depth == 0:
                _release_openblas()
                _blas_limiter.restore_original_limits()
                _blas_limiter = None
                _release_openblas()


def map_in_threads(function, tasks, n_jobs=None):
    """Apply `function` to each tuple of `tasks` and return results in order.

    Parameters
    ----------
    function : callable
        Must release the GIL where it matters and write nothing shared.
    tasks : iterable of tuple
        Positional arguments of each call.
    n_jobs : int or None
        As everywhere in scikit-learn: None is 1 unless in a joblib context.

    Returns
    -------
    results : list
        In the order of `tasks`, whatever `n_jobs` is.
    """
    tasks = list(tasks)
    n_threads = min(effective_n_jobs(n_jobs), len(tasks))
    if n_threads <= 1:
        return [function(*task) for task in tasks]
    with single_threaded_blas():
        return Parallel(n_jobs=n_threads, prefer="threads")(
            delayed(_call_with_one_thread)(function, task) for task in tasks
        )


def _call_with_one_thread(function, task):
    # MKL and OpenMP keep a limit for each thread: the caller's ends there.
    with _get_blas_controller().limit(limits=1):
        return function(*task)
