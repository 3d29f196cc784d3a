"""Blocks of rows, however they are loaded, and sums over them."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skextra.utils import Blocks
from skextra.utils._rows import PairwiseSum, Rows, read_numbers, summarize

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 3))
Y = RNG.standard_normal(50)


def make_rows(features, y=Y, sample_weight=None):
    return Rows(features, y, sample_weight, read_numbers)


def sum_block(block):
    return block.X.sum(), block.y.sum()


def test_blocks_of_an_array_are_its_rows():
    blocks = Blocks.from_array(X, 20)
    assert len(blocks) == 3
    np.testing.assert_array_equal(np.vstack(list(blocks)), X)
    assert np.shares_memory(blocks[1], X)


def test_a_memory_map_stays_on_disk(tmp_path):
    np.save(tmp_path / "X.npy", X)
    blocks = Blocks.from_array(np.load(tmp_path / "X.npy", mmap_mode="r"), 20)
    assert all(isinstance(block, np.memmap) for block in blocks)


def test_functions_are_called_in_every_pass():
    calls = []

    def load(i):
        calls.append(i)
        return X[10 * i : 10 * i + 10]

    rows = make_rows(Blocks([partial(load, i) for i in range(5)]), None)
    description, _ = summarize(rows, lambda block: 0)
    summarize(rows, lambda block: 0)
    assert calls == [0, 1, 2, 3, 4] * 2
    assert description.n_rows == 50


def test_unzipped_blocks_are_loaded_once_a_pass():
    calls = []

    def load(i):
        calls.append(i)
        return X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]

    features, y = Blocks.unzip([partial(load, i) for i in range(5)])
    total = make_rows(features, y).reduce(sum_block)
    assert calls == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(total, (X.sum(), Y.sum()))


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_results_do_not_depend_on_threads(n_jobs):
    def reduce(n_jobs):
        return make_rows(Blocks.from_array(X, 3, n_jobs=n_jobs)).reduce(sum_block)

    assert reduce(n_jobs) == reduce(1)


@pytest.mark.parametrize("n", range(1, 12))
def test_pairs_are_merged_as_in_a_tree(n):
    class Text(str):
        def __add__(self, other):
            return Text(f"({self}{other})")

    values = [Text(chr(ord("a") + i)) for i in range(n)]
    total = PairwiseSum()
    for value in values:
        total.add(value)
    while len(values) > 1:
        pairs = [values[i] + values[i + 1] for i in range(0, len(values) - 1, 2)]
        values = pairs + values[len(values) - len(values) % 2 :]
    assert total.get() == values[0]


@pytest.mark.parametrize("kind", ["csr", "frame", "single", "list"])
def test_kinds_of_blocks(kind):
    make = {
        "csr": sparse.csr_array,
        "frame": lambda part: pd.DataFrame(part, columns=list("abc")),
        "single": lambda part: part.astype(np.float32),
        "list": lambda part: part.tolist(),
    }[kind]
    blocks = Blocks([make(X[:20]), make(X[20:])])
    description, total = summarize(make_rows(blocks), sum_block)
    np.testing.assert_allclose(total, (X.sum(), Y.sum()), rtol=1e-5)
    assert description.n_features == 3
    assert description.names == (("a", "b", "c") if kind == "frame" else None)
    assert description.dtype == (np.float32 if kind == "single" else np.float64)


def test_parquet_row_groups(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = {"a": X[:, 0], "b": X[:, 1].astype(np.float32), "y": Y, "text": ["x"] * 50}
    for part, rows in enumerate((slice(0, 30), slice(30, 50))):
        piece = pyarrow.table({name: column[rows] for name, column in table.items()})
        parquet.write_table(piece, tmp_path / f"{part}.parquet", row_group_size=12)
    features = Blocks.from_parquet(tmp_path, ["b", "a"])
    assert [len(block) for block in features] == [12, 12, 6, 12, 8]
    np.testing.assert_array_equal(np.vstack(list(features))[:, 1], X[:, 0])
    description, total = summarize(
        make_rows(features, Blocks.from_parquet(tmp_path, "y")), sum_block
    )
    assert description.names == ("b", "a")
    assert description.n_rows == 50
    np.testing.assert_allclose(total[1], Y.sum())
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    assert len(Blocks.from_parquet(paths, "a")) == 5
    with pytest.raises(ValueError, match="columns must be among .*'nothing'"):
        Blocks.from_parquet(tmp_path, ["nothing"])
    with pytest.raises(ValueError, match="'text' must hold numbers"):
        Blocks.from_parquet(tmp_path, ["a", "text"])[0]


def test_rows_are_counted_once():
    calls = []

    def load():
        calls.append(0)
        return X

    rows = make_rows(Blocks([load]), Y)
    assert rows.count_rows().tolist() == [50] == rows.count_rows().tolist()
    assert len(calls) == 1


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Blocks(x for x in [X]), TypeError, "sequence.*got generator"),
        (lambda: Blocks(X), TypeError, "Blocks.from_array"),
        (lambda: Blocks([]), ValueError, "at least one block"),
        (lambda: Blocks([X], n_jobs=0), ValueError, "n_jobs must be a positive integer, got 0"),
        (lambda: Blocks.from_array(X, 0), ValueError, "block_rows must be a positive"),
        (lambda: Blocks.from_array(X[:0]), ValueError, "at least one row"),
        (lambda: Blocks.from_array(sparse.csc_array(X)), TypeError, "CSR"),
        (lambda: Blocks.unzip([(X, Y)], 3)[0][0], TypeError, "tuple of 3 arrays, got tuple of"),
    ],
)
def test_what_blocks_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_what_does_not_go_together_is_refused_by_name():
    def refuse(message, blocks, y=Y, weight=None):
        with pytest.raises(ValueError, match=message):
            summarize(make_rows(blocks, y, weight), sum_block)

    halves = Blocks.from_array(X, 25)
    refuse("number of features: 3 and 2", Blocks([X[:25], X[25:, :2]]))
    refuse("0 sample", Blocks([X[:0], X[:0]]), Y[:0])
    refuse("as many rows each", halves, Y[:-1])
    refuse("as many blocks each", halves, Blocks.from_array(Y, 10))
    refuse("block 1: X has 25 rows and y has 24", halves, Blocks([Y[:25], Y[25:-1]]))
    refuse("at least one non-zero", halves, weight=np.zeros(50))
    refuse("block 0: .*Negative", halves, weight=-np.ones(50))
    refuse("block 1: .*NaN", Blocks([X[:25], X[25:] * np.nan]))
    refuse("block 1: .*y contains NaN", halves, np.append(Y[:-1], np.nan))
    names = [pd.DataFrame(X[:25], columns=list("abc")), pd.DataFrame(X[25:], columns=list("acb"))]
    refuse("differ in their columns", Blocks(names))


def test_empty_blocks_are_skipped():
    blocks = Blocks([X[:0], X[:20], X[20:20], X[20:]])
    np.testing.assert_allclose(make_rows(blocks).reduce(sum_block), (X.sum(), Y.sum()))
