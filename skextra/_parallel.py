"""Threads: how many, and who uses them.

One rule: BLAS runs on one thread inside our own threads, and everything is put
back as it was, also when an error passes through.
"""

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

from skextra._compat import Parallel, delayed
from skextra._core.threads import (
    call_with_one_blas_thread,
    count_blas_threads,
    single_threaded_blas,
)


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
            delayed(call_with_one_blas_thread)(function, *task) for task in tasks
        )


def count_threads(n_jobs=None):
    """Threads for work that scikit-learn leaves to a threaded BLAS.

    Parameters
    ----------
    n_jobs : int or None
        None is what the joblib context says and, where it says nothing, as many
        as BLAS may use; one inside joblib's own workers.

    Returns
    -------
    n_threads : int
    """
    n_threads = effective_n_jobs(n_jobs)
    if n_jobs is not None or n_threads > 1 or get_active_backend()[0].nesting_level:
        return n_threads
    return count_blas_threads()
