"""`to_sklearn`: scikit-learn's own estimator, which predicts the same."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse

import skextra
from skextra.svm import SVC
from tests.common.estimators import (
    compute_outputs,
    fit,
    for_each,
    get_sklearn_class,
    is_drop_in,
    is_kind,
    is_sparse,
    make,
    make_data,
)


def assert_converts(model, X, probability_tolerance=1e-12):
    converted = model.to_sklearn()
    assert type(converted) is get_sklearn_class(type(model))
    converted = pickle.loads(pickle.dumps(converted))
    expected = compute_outputs(model, X)
    outputs = compute_outputs(converted, X)
    outputs.pop("predict_log_proba", None)  # ours is finite where a probability rounds to 0
    for method, values in outputs.items():
        scale = max(np.abs(expected[method]).max(), 1.0)
        tolerance = probability_tolerance if "proba" in method else 1e-12
        np.testing.assert_allclose(
            values, expected[method], rtol=0, atol=tolerance * scale, err_msg=method
        )


@for_each(is_drop_in)
def test_predictions_are_equal(cls):
    X, y = make_data(cls)
    assert_converts(fit(make(cls), X, y), X)


@for_each(lambda cls: is_drop_in(cls) and is_kind("classifier")(cls))
def test_two_classes(cls):
    X, y = make_data(cls)
    assert_converts(fit(make(cls), X, y > 0), X)


@for_each(lambda cls: is_drop_in(cls) and is_sparse(cls))
def test_models_of_sparse_data(cls):
    X, y = make_data(cls)
    X[np.abs(X) < 0.5] = 0.0
    X = sparse.csr_array(X)
    assert_converts(fit(make(cls), X, y), X)


@pytest.mark.parametrize("kernel", ["linear", "poly", "sigmoid", "precomputed", "callable"])
def test_kernels(kernel):
    X, y = make_data(SVC)
    if kernel == "precomputed":
        X = X @ X.T
    model = SVC(kernel=(lambda a, b: a @ b.T) if kernel == "callable" else kernel).fit(X, y)
    expected = model.decision_function(X)
    np.testing.assert_allclose(model.to_sklearn().decision_function(X), expected, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_support_vector_machines(n_classes):
    X, y = make_data(SVC)
    model = SVC(probability=True).fit(X, np.minimum(y, n_classes - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of `probability`, in scikit-learn
        # libsvm couples the pairs by an iteration that it stops at 0.005 / n_classes.
        assert_converts(model, X, probability_tolerance=0.02)


def test_a_kernel_that_scikit_learn_lacks_is_refused():
    X, y = make_data(SVC)
    with pytest.raises(ValueError, match="kernel='laplacian'"):
        SVC(kernel="laplacian").fit(X, y).to_sklearn()


def test_substitutes_of_the_patch_convert():
    with skextra.patched():
        from sklearn.linear_model import Lasso

        X, y = make_data(Lasso)
        model = Lasso().fit(X, y).to_sklearn()
    assert type(model).__module__.startswith("sklearn.")
