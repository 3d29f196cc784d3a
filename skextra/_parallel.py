"""Parallel work: in threads of this process, or on the joblib backend of the user.

BLAS runs on one thread inside our own threads, and the previous limit is restored
afterwards, also when an exception passes through.
"""

from contextlib import contextmanager

from joblib import cpu_count, effective_n_jobs
from joblib.parallel import get_active_backend

from skextra._compat import Parallel, delayed
from skextra._core.runtime.threads import (
    Pool,
    call_with_one_blas_thread,
    count_blas_threads,
    single_threaded_blas,
)


def map_in_threads(function, tasks, n_jobs=None):
    """Apply `function` to each tuple of `tasks`, in threads of this process.

    For functions that write into arrays of their caller, and for those whose arguments
    are too large to be sent to another process. Threads are used whatever backend a
    `joblib.parallel_config` asks for: in a worker process such a function would write
    into a copy.

    Parameters
    ----------
    function : callable
        Must release the GIL where it matters. Calls may write into shared arrays, each
        into a part of its own.
    tasks : iterable of tuple
        Positional arguments of each call.
    n_jobs : int or None
        As everywhere in scikit-learn: None is 1 unless in a joblib context.

    Returns
    -------
    results : list
        In the order of `tasks`, whatever `n_jobs` is.
    """
    n_workers = effective_n_jobs(n_jobs)
    if not getattr(get_active_backend()[0], "supports_sharedmem", False):
        # The number of workers of a cluster says nothing about the cores of this machine.
        n_workers = min(n_workers, cpu_count())
    # `prefer` overrules a configured preference for processes, which joblib would refuse.
    return _map(function, tasks, n_workers, prefer="threads", require="sharedmem")


def map_tasks(function, tasks, n_jobs=None):
    """Apply `function` to each tuple of `tasks`, on the joblib backend that is active.

    Without a `joblib.parallel_config` these are threads of this process.

    Parameters
    ----------
    function : callable
        Picklable. Must return its whole result and write into none of its arguments:
        it may run in another process. Data that all tasks share belong to it, in a partial
        function or as an attribute of a method's object, and not into `tasks`.
    tasks : iterable of tuple
        Positional arguments of each call.
    n_jobs : int or None
        As everywhere in scikit-learn: None is 1 unless in a joblib context.

    Returns
    -------
    results : list
        In the order of `tasks`, whatever `n_jobs` and the backend are.
    """
    return _map(function, tasks, effective_n_jobs(n_jobs), prefer="threads")


def _map(function, tasks, n_workers, **backend):
    tasks = list(tasks)
    n_workers = min(n_workers, len(tasks))
    if n_workers <= 1:
        return [function(*task) for task in tasks]
    shared = _Shared(function)
    with single_threaded_blas():
        return Parallel(n_jobs=n_workers, **backend)(
            delayed(_call_shared)(shared, *task) for task in tasks
        )


class _Shared:
    """A function with the data that it holds, to be sent to each worker once.

    joblib's Dask backend looks at the arguments of tasks: large ones it scatters, and passes
    references to the tasks. What is hidden in a partial function or a method would be a part of
    every task.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function):
        self.function = function

    def __sizeof__(self):
        # How large is not known; above what joblib calls large (1,000 bytes) is all that counts.
        return 1 << 20


def _call_shared(shared, *task):
    return call_with_one_blas_thread(shared.function, *task)


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


@contextmanager
def open_pool(n_jobs=None):
    """Threads that live through the many short rounds of an iteration, with BLAS on one.

    Parameters
    ----------
    n_jobs : int or None
        As `count_threads` reads it.

    Yields
    ------
    pool : Pool
    """
    with single_threaded_blas(), Pool(count_threads(n_jobs)) as pool:
        yield pool
