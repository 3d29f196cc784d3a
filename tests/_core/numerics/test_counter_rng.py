"""The generator against its published vectors and uniformity; keys of rows."""

import numpy as np
import pytest
from scipy import stats

from skextra._core.numerics import counter_rng

# Counter, key and output words of philox4x32-10 in Random123's known-answer tests.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def as_uniform(high, low):
    return ((high >> 6) * 2**26 + (low >> 6) + 0.5) / 2**52


def fill(rows, n_pairs, seed=0, stream=0):
    rows = np.asarray(rows, dtype=np.uint64)
    out = np.empty(len(rows) * 2 * n_pairs)
    counter_rng.fill_uniforms(rows, n_pairs, np.uint64(seed), np.uint64(stream), out)
    return out.reshape(len(rows), 2 * n_pairs)


@pytest.mark.parametrize("counter, key, words", VECTORS)
def test_known_answers(counter, key, words):
    out = np.empty(2)
    counter_rng._fill_strip(
        np.array([counter[0]], dtype=np.uint64),
        np.array([counter[2] | counter[3] << 32], dtype=np.uint64),
        np.uint64(key[0] | key[1] << 32),
        np.uint64(counter[1]),
        out,
    )
    assert out.tolist() == [as_uniform(*words[:2]), as_uniform(*words[2:])]


def test_numbers_are_uniform_and_never_zero_or_one():
    numbers = fill(np.arange(1000), 100, seed=3).ravel()
    assert numbers.min() > 0 and numbers.max() < 1
    assert stats.kstest(numbers, "uniform").pvalue > 1e-4
    # The smallest and the largest that can come out at all.
    assert as_uniform(0, 0) > 0 and as_uniform(2**32 - 1, 2**32 - 1) < 1


def test_neighbors_of_every_kind_are_uncorrelated():
    numbers = fill(np.arange(400), 50, seed=5)
    pairs = {
        "columns": (numbers[:, :-1], numbers[:, 1:]),
        "rows": (numbers[:-1], numbers[1:]),
        "seeds": (numbers, fill(np.arange(400), 50, seed=6)),
        "streams": (numbers, fill(np.arange(400), 50, seed=5, stream=1)),
    }
    for name, (first, second) in pairs.items():
        z = np.corrcoef(first.ravel(), second.ravel())[0, 1] * np.sqrt(first.size)
        assert abs(z) < 4, name


def test_a_row_does_not_depend_on_its_company():
    rows = np.random.default_rng(0).integers(0, 2**63, 5000, dtype=np.uint64)
    together = fill(rows, 3, seed=2**63 + 7)
    np.testing.assert_array_equal(fill(rows[::-1], 3, seed=2**63 + 7), together[::-1])
    np.testing.assert_array_equal(fill(rows[4000:4001], 3, seed=2**63 + 7), together[4000:4001])
    np.testing.assert_array_equal(fill(rows, 2, seed=2**63 + 7), together[:, :4])


def compute_keys(values, n_dropped=0):
    return counter_rng.compute_row_keys(np.ascontiguousarray(values), n_dropped)


@pytest.mark.parametrize("n_columns", [1, 2, 3, 4, 5, 7, 8, 64, 1500])
def test_keys_see_every_number_and_its_place(n_columns):
    row = np.random.default_rng(1).standard_normal(n_columns)
    changed = [row]
    for j in range(n_columns):
        for change in (-row[j], row[j] + 1, np.nextafter(row[j], np.inf), 0.0):
            other = row.copy()
            other[j] = change
            changed.append(other)
    if n_columns > 1:
        changed.append(row[::-1])
    keys = compute_keys(changed)
    assert len(set(keys.tolist())) == len(changed)


def test_keys_of_sign_patterns_and_small_integers_do_not_collide():
    grid = np.array(np.meshgrid(*[[-1.0, 1.0]] * 12)).reshape(12, -1).T
    assert len(np.unique(compute_keys(grid))) == len(grid)
    grid = np.array(np.meshgrid(*[np.arange(8.0)] * 5)).reshape(5, -1).T
    assert len(np.unique(compute_keys(grid))) == len(grid)
    low = compute_keys(grid) & np.uint64(0xFF)
    assert stats.chisquare(np.bincount(low.astype(int), minlength=256)).pvalue > 1e-4


def test_keys_are_of_values_not_of_types_or_signs_of_zero():
    values = np.random.default_rng(2).standard_normal((50, 5)).astype(np.float32)
    np.testing.assert_array_equal(compute_keys(values), compute_keys(values.astype(np.float64)))
    zeros = np.array([[0.0, 1.0], [-0.0, 1.0]])
    assert len(set(compute_keys(zeros).tolist())) == 1


def test_dropped_bits_hide_rounding_and_nothing_else():
    values = np.random.default_rng(3).standard_normal((1000, 20))
    noisy = values * (1 + 4e-16 * np.random.default_rng(4).standard_normal(values.shape))
    same = compute_keys(values, 20) == compute_keys(noisy, 20)
    assert same.mean() > 0.995
    assert not (compute_keys(values, 0) == compute_keys(noisy, 0)).any()
    assert not (compute_keys(values, 20) == compute_keys(values * (1 + 1e-9), 20)).any()


@pytest.mark.parametrize(
    "n_keys, n_distinct", [(0, 1), (1, 1), (1000, 7), (5000, 1), (20_000, 300), (40_000, 30_000)]
)
def test_repeated_keys_differ_by_their_count(n_keys, n_distinct):
    rng = np.random.default_rng(0)
    pool = rng.integers(0, 2**64, size=n_distinct, dtype=np.uint64)
    pool[0] = 2**64 - 1
    keys = rng.choice(pool, size=n_keys)
    changed = keys.copy()
    counter_rng.tell_repeats_apart(changed)
    _, first = np.unique(keys, return_index=True)
    np.testing.assert_array_equal(changed[first], keys[first])
    assert len(np.unique(changed)) == n_keys
    # The n-th occurrence of a key is the same whatever stands between.
    order = np.argsort(keys, kind="stable")
    grouped = keys[order]
    counter_rng.tell_repeats_apart(grouped)
    np.testing.assert_array_equal(grouped, changed[order])
