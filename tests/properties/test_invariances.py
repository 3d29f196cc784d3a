"""What must not change a model: repetition, order, units, origin, layout, threads, copies."""

import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.properties.models import (
    MODELS,
    assert_close,
    compute_outputs,
    fit,
    has_converged,
)
from tests.properties.strategies import LAYOUTS, arrange, designs, labels, targets, to_sparse

# Powers of two, so that nothing is rounded by the change itself.
SCALES = (2.0**-27, 2.0**-10, 2.0**10, 2.0**27)
each_model = pytest.mark.parametrize("name", MODELS)


def draw_problem(data, name, **options):
    """A design and a target that suits the model; the target of regressions is near unit scale.

    Units of features that differ are left to the certificates: penalties are not invariant to
    them, and a model may rightly be blind to the smaller ones.
    """
    task = MODELS[name].task
    options = {"exponents": [0], "offsets": (0.0, 1.0, -1e3)} | options
    if not MODELS[name].is_exact:
        # Weights of 1e9 are no penalty, and weights of 1e-9 no data.
        options = {"weights": ("none", "counts")} | options
    if name == "least squares":
        # Coefficients of 1e7 that cancel: what single precision leaves of them differs.
        options = {"spreads": (1.0, 1e-3)} | options
    design = data.draw(designs(**options))
    if task == "density":
        return design, None
    if task == "classification":
        return design, data.draw(labels(design))
    return design, data.draw(targets(design, exponents=[0], offsets=[0.0, 10.0]))


def compare(name, first, second, X, X_second=None, rtol=None, sign=1):
    """Outputs of two fits, if both claim to be right."""
    if has_converged(first, second):
        expected = compute_outputs(first, X)
        actual = sign * compute_outputs(second, X if X_second is None else X_second)
        if name == "svm":  # whose intercept may be anything between two margins
            actual, expected = actual - actual.mean(), expected - expected.mean()
        assert_close(actual, expected, MODELS[name].rtol if rtol is None else rtol)


def take_rows(array, rows):
    return None if array is None else array[rows]


@each_model
@given(st.data())
def test_integer_weights_equal_repeated_rows(name, data):
    if "forest" in name:
        return  # bootstrap draws rows, not weights
    design, y = draw_problem(data, name, weights=["none"])
    rng = np.random.default_rng(design.seed)
    weights = rng.integers(1, 4, len(design.X))
    rows = np.repeat(np.arange(len(weights)), weights)
    create = MODELS[name].create
    weighted = fit(create(1.0), design.X, y, weights)
    repeated = fit(create(1.0), design.X[rows], take_rows(y, rows))
    compare(name, repeated, weighted, design.X)


@each_model
@given(st.data())
def test_order_of_rows(name, data):
    if "forest" in name:
        return  # bootstrap draws rows by their numbers
    design, y = draw_problem(data, name)
    order = np.random.default_rng(design.seed).permutation(len(design.X))
    create = MODELS[name].create
    first = fit(create(1.0), design.X, y, design.sample_weight)
    weights = take_rows(design.sample_weight, order)
    second = fit(create(1.0), design.X[order], take_rows(y, order), weights)
    compare(name, first, second, design.X)


@each_model
@given(st.data())
def test_order_of_features(name, data):
    model = MODELS[name]
    if model.is_exact:
        return  # ties between splits go by the order of features, as in scikit-learn
    design, y = draw_problem(data, name)
    order = np.random.default_rng(design.seed).permutation(design.X.shape[1])
    first = fit(model.create(1.0), design.X, y, design.sample_weight)
    second = fit(model.create(1.0), design.X[:, order], y, design.sample_weight)
    compare(name, first, second, design.X, design.X[:, order])


@pytest.mark.parametrize("name", [n for n in MODELS if MODELS[n].task == "classification"])
@given(st.data())
def test_order_and_names_of_labels(name, data):
    model = MODELS[name]
    design, y = draw_problem(data, name)
    first = fit(model.create(1.0), design.X, y, design.sample_weight)
    renamed = fit(model.create(1.0), design.X, np.array(["no", "yes"])[y], design.sample_weight)
    np.testing.assert_array_equal(
        compute_outputs(renamed, design.X), compute_outputs(first, design.X)
    )
    if model.is_exact:
        return
    swapped = fit(model.create(1.0), design.X, 1 - y, design.sample_weight)
    compare(name, first, swapped, design.X, sign=-1)


@each_model
@given(st.data())
def test_unit_of_all_features(name, data):
    """A common factor, and the penalty that goes with it."""
    model = MODELS[name]
    design, y = draw_problem(data, name)
    scale = data.draw(st.sampled_from(SCALES), label="scale")
    first = fit(model.create(1.0), design.X, y, design.sample_weight)
    X = design.X * design.X.dtype.type(scale)
    second = fit(model.create(scale), X, y, design.sample_weight)
    if model.task == "density" and has_converged(first, second):
        shift = design.X.shape[1] * np.log(scale)
        assert_close(
            compute_outputs(second, X) + shift, compute_outputs(first, design.X), model.rtol
        )
        return
    compare(name, first, second, design.X, X)


@pytest.mark.parametrize("name", ["least squares", *(n for n in MODELS if MODELS[n].is_exact)])
@given(st.data())
def test_unit_of_each_feature(name, data):
    """What has no penalty does not depend on any unit."""
    model = MODELS[name]
    design, y = draw_problem(data, name, spreads=[1.0])
    powers = st.lists(st.integers(-26, 26), min_size=design.X.shape[1],
                      max_size=design.X.shape[1])  # fmt: skip
    X = design.X * 2.0 ** np.array(data.draw(powers, label="powers of two"))
    X = X.astype(design.X.dtype)
    first = fit(model.create(1.0), design.X, y, design.sample_weight)
    second = fit(model.create(1.0), X, y, design.sample_weight)
    compare(name, first, second, design.X, X)


@pytest.mark.parametrize("name", [n for n in MODELS if MODELS[n].task == "regression"])
@given(st.data())
def test_unit_of_the_target(name, data):
    model = MODELS[name]
    design, y = draw_problem(data, name)
    scale = data.draw(st.sampled_from(SCALES), label="scale")
    first = fit(model.create(1.0), design.X, y, design.sample_weight)
    changed = model.create(1.0)
    if name == "lasso":
        changed.set_params(alpha=changed.alpha * scale)
    elif name == "elastic net":  # both penalties are 0.05: only that of the L1 norm grows
        changed.set_params(alpha=0.05 * scale + 0.05, l1_ratio=scale / (scale + 1))
    second = fit(changed, design.X, y * scale, design.sample_weight)
    if has_converged(first, second):
        outputs = compute_outputs(second, design.X) / scale
        assert_close(outputs, compute_outputs(first, design.X), model.rtol)


@each_model
@given(st.data())
def test_origin_of_features(name, data):
    """Numbers on a grid, so that a shift rounds nothing."""
    model = MODELS[name]
    design, y = draw_problem(data, name, offsets=[0.0], dtypes=[np.float64], spreads=[1.0, 1e-3])
    shifts = st.lists(st.sampled_from([0.0, 2.0**10, -(2.0**20)]), min_size=design.X.shape[1],
                      max_size=design.X.shape[1])  # fmt: skip
    # Trees work on float32, and what falls between two thresholds depends on its rounding.
    grid = 2.0**3 if model.is_exact else 2.0**20
    X = np.round(design.X * grid) / grid
    moved = X + np.array(data.draw(shifts, label="shifts"))
    first = fit(model.create(1.0), X, y, design.sample_weight)
    second = fit(model.create(1.0), moved, y, design.sample_weight)
    compare(name, first, second, X, moved)


@each_model
@given(st.data())
def test_layout_of_memory(name, data):
    design, y = draw_problem(data, name, layouts=["C"])
    layout = data.draw(st.sampled_from(LAYOUTS), label="other layout")
    create = MODELS[name].create
    before = design.X.copy()
    first = fit(create(1.0), design.X, y, design.sample_weight)
    second = fit(create(1.0), arrange(design.X, layout), y, design.sample_weight)
    compare(name, first, second, design.X)
    np.testing.assert_array_equal(design.X, before)


@pytest.mark.parametrize("name", [n for n in MODELS if MODELS[n].is_sparse])
@given(st.data())
def test_sparse_equals_dense(name, data):
    model = MODELS[name]
    design, y = draw_problem(data, name, offsets=[0.0, 1.0])
    X = design.X * (np.random.default_rng(design.seed).random(design.X.shape) < 0.6)
    X = X.astype(design.X.dtype)
    format = data.draw(st.sampled_from(["csr", "csc"]), label="format")
    with_zeros = data.draw(st.booleans(), label="with zeros stored")
    first = fit(model.create(1.0), X, y, design.sample_weight)
    second = fit(model.create(1.0), to_sparse(X, format, with_zeros), y, design.sample_weight)
    compare(name, first, second, X)


@each_model
@given(st.data())
def test_float32_is_close_to_float64(name, data):
    """On the same numbers; the rounding of a target is its own."""
    model = MODELS[name]
    design, y = draw_problem(data, name, dtypes=[np.float32], spreads=[1.0, 1e-3])
    y = y.astype(np.float32) if model.task == "regression" else y
    in_double = y.astype(np.float64) if model.task == "regression" else y
    first = fit(model.create(1.0), design.X.astype(np.float64), in_double, design.sample_weight)
    second = fit(model.create(1.0), design.X, y, design.sample_weight)
    compare(name, first, second, design.X.astype(np.float64), design.X, rtol=3e-3)


@each_model
@given(st.data())
def test_threads_and_pickles_change_no_bit(name, data):
    design, y = draw_problem(data, name)
    create = MODELS[name].create
    first = fit(create(1.0), design.X, y, design.sample_weight)
    expected = compute_outputs(first, design.X)
    copy = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(compute_outputs(copy, design.X), expected)
    if "n_jobs" in first.get_params():
        other = fit(create(1.0).set_params(n_jobs=3), design.X, y, design.sample_weight)
        np.testing.assert_array_equal(compute_outputs(other, design.X), expected)
