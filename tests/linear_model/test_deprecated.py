"""Arguments that scikit-learn has deprecated and still takes: its warnings and its meaning."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn.linear_model
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

import skextra
from skextra import linear_model


@pytest.fixture(scope="module")
def data():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def run(call):
    """Result of a call, its warnings as (category, start of the message), and their files.

    The start, as scikit-learn 1.9 says more than 1.8 does.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    caught = [w for w in caught if not issubclass(w.category, ConvergenceWarning)]
    return result, {(w.category, str(w.message)[:50]) for w in caught}, {w.filename for w in caught}


@pytest.mark.parametrize(
    "arguments",
    [
        {"penalty": "l1"},
        {"penalty": "l2"},
        {"penalty": "elasticnet", "l1_ratio": 0.3},
        {"penalty": "l1", "l1_ratio": 0.5},
        {"penalty": "l1", "l1_ratio": 1},
        {"penalty": "l2", "l1_ratio": 1},
        {"l1_ratio": None},
        {"n_jobs": 2},
    ],
    ids=str,
)
def test_a_logistic_regression_as_scikit_learn_fits_it(data, arguments):
    options = {"solver": "saga", "tol": 1e-7, "max_iter": 5000, "C": 0.1, **arguments}
    ours, warned, files = run(lambda: clone(linear_model.LogisticRegression(**options)).fit(*data))
    theirs, expected, _ = run(lambda: sklearn.linear_model.LogisticRegression(**options).fit(*data))
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert warned == expected and files == {__file__}
    assert ours.get_params() == {**theirs.get_params(), "penalty_weights": None}


def test_no_penalty(data):
    X, y = data[0][:, :2], data[1] == 1
    model, warned, _ = run(lambda: linear_model.LogisticRegression(penalty=None, C=3.0).fit(X, y))
    free = linear_model.LogisticRegression(C=np.inf).fit(X, y)
    np.testing.assert_array_equal(model.coef_, free.coef_)
    assert (UserWarning, "Setting penalty=None will ignore the C and l1_rati") in warned
    assert any(category is FutureWarning for category, _ in warned)


def test_the_default_warns_of_nothing(data):
    for model in (linear_model.LogisticRegression(), linear_model.LogisticRegressionCV(cv=3)):
        assert not run(lambda model=model: model.fit(*data))[1]
        assert "penalty" not in repr(model)


@pytest.mark.filterwarnings("ignore:'penalty' was deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Inconsistent values:UserWarning")
def test_positional_searched_patched_and_pickled(data):
    model = linear_model.LogisticRegression("l1").fit(*data)
    direct = linear_model.LogisticRegression(l1_ratio=1).fit(*data)
    np.testing.assert_array_equal(model.coef_, direct.coef_)
    assert pickle.loads(pickle.dumps(model)).penalty == "l1"
    search = GridSearchCV(model, {"penalty": ["l1", "l2"], "C": [0.1, 1.0]}, cv=3).fit(*data)
    assert search.best_params_["C"] == 1.0
    with skextra.patched(["LogisticRegression"]):
        patched = sklearn.linear_model.LogisticRegression(penalty="l1", solver="saga").fit(*data)
    assert patched.dual_gap_ <= 1e-4


@pytest.mark.parametrize(
    "arguments",
    [{"penalty": "l1"}, {"penalty": "l2"}, {"penalty": "elasticnet", "l1_ratios": (0.3, 1.0)}],
    ids=str,
)
def test_a_search_for_a_penalty(data, arguments):
    shares = {"l1": (1.0,), "l2": (0.0,)}.get(arguments["penalty"], (0.3, 1.0))
    model, warned, files = run(
        lambda: linear_model.LogisticRegressionCV(cv=3, **arguments).fit(*data)
    )
    expected = linear_model.LogisticRegressionCV(cv=3, l1_ratios=shares).fit(*data)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    ((category, message),) = warned
    assert category is FutureWarning and message.startswith("'penalty' was deprecated")
    assert files == {__file__}


def test_refusals(data):
    model = linear_model.LogisticRegression(penalty="elasticnet", l1_ratio=None)
    with (
        pytest.warns(FutureWarning, match="'penalty' was deprecated"),
        pytest.raises(ValueError, match="l1_ratio must be specified"),
    ):
        model.fit(*data)
    for options in ({}, {"l1_ratios": None}):
        search = clone(linear_model.LogisticRegressionCV(penalty="elasticnet", **options))
        with (
            pytest.warns(FutureWarning, match="'penalty' was deprecated"),
            pytest.raises(ValueError, match="l1_ratios must be an array-like of numbers"),
        ):
            search.fit(*data)
    with pytest.raises(ValueError, match="'penalty' parameter of LogisticRegression must be"):
        linear_model.LogisticRegression(penalty="l3").fit(*data)


@pytest.mark.parametrize("function", [linear_model.lasso_path, linear_model.enet_path])
def test_paths_take_n_alphas(data, function):
    X, y = data[0], data[1].astype(float)
    (alphas, *_), warned, files = run(lambda: function(X, y, n_alphas=5))
    np.testing.assert_array_equal(alphas, function(X, y, alphas=5)[0])
    assert [message[:26] for _, message in warned] == ["'n_alphas' was deprecated "]
    assert files == {__file__}
    (alphas, *_), warned, _ = run(lambda: function(X, y, alphas=None))
    assert len(alphas) == 100 and [m[:27] for _, m in warned] == ["'alphas=None' is deprecated"]
