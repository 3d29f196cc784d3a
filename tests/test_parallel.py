"""Threads: in order, limited inside, and restored whatever happens."""

import os
import threading

import joblib
import numpy as np
import pytest
import threadpoolctl

from skextra._parallel import map_in_threads, map_tasks, single_threaded_blas

BLAS = threadpoolctl.ThreadpoolController().select(user_api="blas")


def get_blas_threads():
    return {module["num_threads"] for module in BLAS.info()}


def set_blas_threads(limit):
    """Set, and leave no thread in charge: from 3.8 on, threadpoolctl has that notion."""
    BLAS.limit(limits=limit)
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(controller, "clear_controlling_thread"):
        controller.clear_controlling_thread(force=True)


@pytest.fixture(autouse=True)
def two_blas_threads():
    """A known state that differs from the limit, on machines of any size."""
    before = max(get_blas_threads())
    set_blas_threads(2)
    try:
        if get_blas_threads() != {2}:
            pytest.skip("this BLAS does not let its threads be counted or set")
        yield
        assert get_blas_threads() == {2}, "threads were not restored"
    finally:
        set_blas_threads(before)


def square(x):
    return x * x


def report_threads(_):
    return threading.get_ident(), get_blas_threads()


@pytest.mark.parametrize("n_jobs", [None, 1, 2, 7, -1])
def test_results_come_in_order(n_jobs):
    tasks = ((i,) for i in range(20))
    assert map_in_threads(square, tasks, n_jobs) == [i * i for i in range(20)]


def test_no_tasks():
    assert map_in_threads(square, [], 4) == []


def test_several_arguments():
    assert map_in_threads(divmod, [(7, 2), (9, 4)], 2) == [(3, 1), (2, 1)]


def test_blas_is_single_threaded_inside_threads():
    reports = map_in_threads(report_threads, [(i,) for i in range(8)], 2)
    assert all(blas == {1} for _, blas in reports)
    assert threading.get_ident() not in {thread for thread, _ in reports}


def test_one_job_runs_in_the_callers_thread():
    reports = map_in_threads(report_threads, [(i,) for i in range(3)], 1)
    assert {thread for thread, _ in reports} == {threading.get_ident()}


def test_number_of_jobs_comes_from_the_context():
    gate = threading.Barrier(2, timeout=30)

    def meet():
        gate.wait()  # passes only if two run at once
        return True

    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert map_in_threads(meet, [(), ()]) == [True, True]


def test_zero_jobs_are_refused():
    with pytest.raises(ValueError, match="n_jobs"):
        map_in_threads(square, [(1,), (2,)], 0)


def test_limits_are_restored_after_an_error():
    def fail(x):
        raise ArithmeticError(f"task {x}")

    with pytest.raises(ArithmeticError, match="task"):
        map_in_threads(fail, [(i,) for i in range(4)], 2)
    assert get_blas_threads() == {2}
    with pytest.raises(KeyError), single_threaded_blas():
        assert get_blas_threads() == {1}
        raise KeyError
    assert get_blas_threads() == {2}


def test_nested_blocks_restore_once():
    with single_threaded_blas():
        with single_threaded_blas():
            assert get_blas_threads() == {1}
        assert get_blas_threads() == {1}, "the inner block must not lift the outer's limit"
    assert get_blas_threads() == {2}


def test_overlapping_blocks_restore_what_was_before_the_first():
    first_entered, second_entered, first_left = (threading.Event() for _ in range(3))
    seen = {}

    def hold_first():
        with single_threaded_blas():
            first_entered.set()
            second_entered.wait(30)
        first_left.set()

    def hold_second():
        first_entered.wait(30)
        with single_threaded_blas():
            second_entered.set()
            first_left.wait(30)
            seen["after the first left"] = get_blas_threads()

    threads = [threading.Thread(target=target) for target in (hold_first, hold_second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == {"after the first left": {1}}
    assert get_blas_threads() == {2}


def test_the_right_to_set_limits_is_given_back():
    """Also when the thread that used it lives on, as a server's or a notebook's does."""
    used, release = threading.Event(), threading.Event()

    def use_and_live_on():
        with single_threaded_blas():
            pass
        used.set()
        release.wait(30)

    thread = threading.Thread(target=use_and_live_on)
    thread.start()
    used.wait(30)
    try:
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            assert get_blas_threads() == {1}
    finally:
        release.set()
        thread.join(60)


def test_limits_set_around_a_block_hold_after_it():
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        with single_threaded_blas():
            assert get_blas_threads() == {1}
        assert get_blas_threads() == {1}
    assert get_blas_threads() == {2}


def test_nested_maps():
    def inner(i):
        return sum(map_in_threads(square, [(i + j,) for j in range(3)], 2))

    expected = [sum((i + j) ** 2 for j in range(3)) for i in range(4)]
    assert map_in_threads(inner, [(i,) for i in range(4)], 2) == expected


def test_arrays_are_shared_not_copied():
    data = np.zeros(10)
    results = map_in_threads(lambda array: array, [(data,), (data,)], 2)
    assert all(np.shares_memory(result, data) for result in results)


def fill(array, start):
    array[start] = start + 1.0


@pytest.mark.parametrize("options", [{}, {"max_nbytes": None}], ids=["memory map", "copies"])
@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_functions_that_write_see_the_callers_arrays_on_every_backend(backend, options):
    data = np.zeros(4)
    with joblib.parallel_config(backend=backend, n_jobs=2, **options):
        map_in_threads(fill, [(data, i) for i in range(4)])
    assert data.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_functions_that_write_run_in_threads_where_processes_are_preferred():
    data = np.zeros(4)
    with joblib.parallel_config(prefer="processes", n_jobs=2):
        map_in_threads(fill, [(data, i) for i in range(4)])
    assert data.tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_tasks_run_on_the_backend_of_the_user(backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        processes = {process for (process,) in map_tasks(get_process, [()] * 2)}
    assert os.getpid() not in processes


def test_tasks_run_in_threads_by_default():
    assert map_tasks(get_process, [()] * 2, 2) == [(os.getpid(),)] * 2


def get_process():
    return (os.getpid(),)
