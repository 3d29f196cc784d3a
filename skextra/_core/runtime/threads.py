"""Threads of this process, and BLAS on one thread while our own code runs in several.

Two BLAS threads stall on each other when the cores are busy, and lose inside
threads of ours in any case.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock

import threadpoolctl


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
_blas_limits = []


@contextmanager
def single_threaded_blas():
    """Limit BLAS to one thread for the duration of the block.

    The limit is process-wide, so blocks that overlap in several threads are
    counted: the first sets it, the last restores what was there before.
    """
    global _blas_depth, _blas_limits
    with _blas_lock:
        if _blas_depth == 0:
            # Not the controller's own `limit`, which asks each library for its version and more:
            # 30 us, a twentieth of a small fit.
            libraries = _get_blas_controller().lib_controllers
            _blas_limits = [(library, library.num_threads) for library in libraries]
            for library in libraries:
                library.set_num_threads(1)
        _blas_depth += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_depth -= 1
            if _blas_depth == 0:
                _release_openblas()
                for library, n_threads in _blas_limits:
                    library.set_num_threads(n_threads)
                _release_openblas()


def call_with_one_blas_thread(function, *args):
    """Call with a limit that holds for the calling thread alone, where BLAS has those."""
    # MKL and OpenMP keep a limit for each thread: the caller's ends there.
    with _get_blas_controller().limit(limits=1):
        return function(*args)


def count_blas_threads():
    """Number of threads that BLAS may use now; 1 where there is no BLAS to ask."""
    counts = [library.num_threads for library in _get_blas_controller().lib_controllers]
    return max(counts, default=1) or 1


class Pool:
    """Threads for the duration of a block, for work that is handed out again and again.

    With one thread, and for single tasks, calls run where they are made.

    Parameters
    ----------
    n_threads : int
    """

    def __init__(self, n_threads):
        self.n_threads = n_threads
        self._executor = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def map(self, function, tasks):
        """Results in the order of `tasks`, as an iterator."""
        if self.n_threads <= 1 or len(tasks) <= 1:
            return map(function, tasks)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.n_threads)
        return self._executor.map(function, tasks)
