"""Structs that kernels share, and entries that are compiled by themselves."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from numba import types

from skextra._core.runtime import entries
from skextra._core.runtime.entries import Entry, Struct, call_entry, kernel, part


class Inner(Struct):
    scale: types.float64
    matrix: types.float64[:, ::1]


class Outer(Struct):
    start: types.int64
    numbers: types.int32[::1]
    inner: Inner
    add: types.int64


def add_all(state):
    total = state.inner.scale
    for value in part(state.numbers, state.start, len(state.numbers)):
        total += value
    state.inner.matrix[1, 2] = total
    state.start += 1
    return int(total)


@kernel
def call_twice(state):
    first = call_entry(state.add, state)
    return first, call_entry(state.add, state)


def make_state():
    state = Outer()
    state.numbers, state.inner.matrix = np.arange(5, dtype=np.int32), np.zeros((2, 3))
    state.inner.scale, state.start = 0.5, 2
    return state


def test_kernels_and_python_see_the_same_fields():
    state = make_state()
    state.add = Entry(add_all, Outer).address
    assert call_twice(state) == (9, 7)
    assert state.start == 4
    np.testing.assert_array_equal(state.inner.matrix, [[0, 0, 0], [0, 0, 7.5]])


def test_entries_without_compilation(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    monkeypatch.setattr(sys.modules[__name__], "part", entries._part_interpreted)
    state = make_state()
    assert entries._call_interpreted(Entry(add_all, Outer).address, state) == 9
    assert state.start == 3
    assert state.inner.matrix[1, 2] == 9.5
    state.start = 6
    with pytest.raises(IndexError, match="out of bounds"):
        add_all(state)


@pytest.mark.parametrize(
    "array",
    [np.arange(3), np.zeros((1, 3), np.int32), np.zeros(6, np.int32)[::2], np.zeros(3, np.float32)],
    ids=["type", "dimensions", "strides", "kind"],
)
def test_arrays_of_another_type_are_refused(array):
    state = make_state()
    with pytest.raises(TypeError, match="Outer.numbers must be a C-contiguous array of int32"):
        state.numbers = array
    assert len(state.numbers) == 5


def test_only_fields_can_be_set():
    state = make_state()
    with pytest.raises(AttributeError, match="Outer has no field 'stop'"):
        state.stop = 1
    with pytest.raises(AttributeError, match="Outer has no field 'stop'"):
        _ = state.stop
    with pytest.raises(AttributeError, match="set its fields"):
        state.inner = Inner()
    with pytest.raises(TypeError, match="Wrong.text cannot be of type"):
        type("Wrong", (Struct,), {"__annotations__": {"text": types.unicode_type}})


@kernel
def replace(state):
    state.numbers = part(state.numbers, 0, 1)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="the compiler refuses; nothing is compiled")
def test_kernels_cannot_replace_arrays():
    with pytest.raises(TypeError, match="may not replace"):
        replace(make_state())


WRONG_VIEWS = """
import numpy as np
from skextra._core import tree

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 3)).astype(np.float32)
target = tree.problem.regression_target(rng.standard_normal(60))
settings = tree.grow.Settings("squared_error", max_features=3)


def raises(group, name, array):
    grower = tree.grow.Grower(tree.encode.encode_dense(X), target, settings)
    grower.grow(None, 0)
    setattr(getattr(grower.state, group), name, array)
    try:
        grower.grow(None, 0)
    except IndexError:
        return True


assert raises("scratch", "code", np.zeros(59, np.int32))  # a part of it, too long
assert raises("scratch", "keys", np.zeros(10, np.int64))  # an index
assert raises("codes", "by_row_8", np.zeros(1, np.uint8))  # an unsigned index
assert raises("nodes", "values", np.zeros((2, 1)))  # a row
assert not raises("scratch", "code", np.zeros(60, np.int32))
"""


def test_debug_mode_raises_instead_of_reading_what_lies_behind_an_array():
    environment = {**os.environ, "SKEXTRA_DEBUG": "1"}
    subprocess.run([sys.executable, "-c", WRONG_VIEWS], env=environment, check=True)
