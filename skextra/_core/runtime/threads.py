"""BLAS on one thread, for as long as our own code runs many small products.

Two BLAS threads stall on each other when the cores are busy, and lose inside
threads of ours in any case.
"""

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


def call_with_one_blas_thread(function, *args):
    """Call with a limit that holds for the calling thread alone, where BLAS has those."""
    # MKL and OpenMP keep a limit for each thread: the caller's ends there.
    with _get_blas_controller().limit(limits=1):
        return function(*args)


def count_blas_threads():
    """Number of threads that BLAS may use now; 1 where there is no BLAS to ask."""
    counts = [library.num_threads for library in _get_blas_controller().lib_controllers]
    return max(counts, default=1) or 1
