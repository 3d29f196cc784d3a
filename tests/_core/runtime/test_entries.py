"""Entries: compiled by themselves, called by address, with arrays made of addresses."""

import ctypes

import numba
import numpy as np

from skextra._core.runtime.entries import (
    _view_interpreted,
    call_entry,
    kernel,
    view_float64_rows,
    view_int32,
    view_int64,
)
from skextra._core.runtime.jit import Entry, call_interpreted


def add_all(address):
    table = view_int64(address, 4)
    total = table[3]
    for value in view_int32(table[0], table[1]):
        total += value
    matrix = view_float64_rows(table[2], 2, 3)
    matrix[1, 2] = total
    return total


@kernel
def call_twice(entry, address):
    return call_entry(entry, address) + call_entry(entry, address)


def make_table():
    numbers, matrix = np.arange(5, dtype=np.int32), np.zeros((2, 3))
    table = np.array([numbers.ctypes.data, 5, matrix.ctypes.data, 100])
    return table, numbers, matrix


def test_an_entry_reads_and_writes_what_lies_at_addresses():
    entry = Entry(add_all)
    table, _, matrix = make_table()
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(entry.address)
    assert function(table.ctypes.data) == 110
    np.testing.assert_array_equal(matrix, [[0, 0, 0], [0, 0, 110]])
    assert entry.address == entry.address


def test_kernels_call_entries_by_address():
    table, _, _ = make_table()
    assert call_twice(Entry(add_all).address, table.ctypes.data) == 220


def test_entries_and_views_without_compilation(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    table, numbers, matrix = make_table()

    def add(address):
        held = _view_interpreted(table.dtype, address, (4,))
        rows = _view_interpreted(matrix.dtype, held[2], (2, 3))
        rows[1, 2] = _view_interpreted(numbers.dtype, held[0], (held[1],)).sum()
        return held[3]

    assert call_interpreted(Entry(add).address, table.ctypes.data) == 100
    np.testing.assert_array_equal(matrix, [[0, 0, 0], [0, 0, 10]])
    assert _view_interpreted(matrix.dtype, 0, (0, 3)).shape == (0, 3)
