"""Criteria of scikit-learn and ours: what estimators allow, and what impurities mean."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance, mean_squared_error

from skextra.ensemble import ExtraTreesRegressor, RandomForestRegressor
from skextra.tree import DecisionTreeRegressor, ExtraTreeRegressor

LOSSES = {
    "squared_error": mean_squared_error,
    "poisson": lambda y, mean, **weights: mean_poisson_deviance(y, mean, **weights) / 2,
    "gamma": lambda y, mean, **weights: mean_gamma_deviance(y, mean, **weights) / 2,
}


def make_data(n_samples=300):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, 4))
    y = rng.gamma(2.0, np.exp(X[:, 0] + (X[:, 1] > 0)) / 2)
    return X, y, rng.uniform(0.5, 2.0, n_samples)


@pytest.mark.parametrize("criterion", LOSSES)
@pytest.mark.parametrize("cls", [DecisionTreeRegressor, ExtraTreeRegressor])
def test_impurities_are_half_mean_deviances(cls, criterion):
    X, y, weights = make_data()
    model = cls(criterion=criterion, min_samples_leaf=10, random_state=0)
    tree = model.fit(X, y, sample_weight=weights).tree_
    visits = model.decision_path(X).toarray().astype(bool)
    for node in range(tree.node_count):
        rows = visits[:, node]
        mean = np.average(y[rows], weights=weights[rows])
        expected = LOSSES[criterion](
            y[rows], np.full(rows.sum(), mean), sample_weight=weights[rows]
        )
        assert tree.value[node, 0, 0] == pytest.approx(mean)
        assert tree.impurity[node] == pytest.approx(expected)


@pytest.mark.parametrize("exponent", [-200, -30, 0, 200])
def test_gamma_does_not_depend_on_units(exponent):
    X, y, _ = make_data()
    model = DecisionTreeRegressor(criterion="gamma", random_state=0)
    reference, scaled = clone(model).fit(X, y), model.fit(X, np.ldexp(y, exponent))
    np.testing.assert_array_equal(scaled.tree_.feature, reference.tree_.feature)
    np.testing.assert_array_equal(scaled.tree_.impurity, reference.tree_.impurity)
    np.testing.assert_array_equal(scaled.predict(X), np.ldexp(reference.predict(X), exponent))


@pytest.mark.parametrize("cls", [RandomForestRegressor, ExtraTreesRegressor])
def test_forests_by_gamma_deviance_predict_better_than_the_mean(cls):
    X, y, _ = make_data()
    model = cls(20, criterion="gamma", min_samples_leaf=5, random_state=0).fit(X[:200], y[:200])
    deviance = mean_gamma_deviance(y[200:], model.predict(X[200:]))
    assert deviance < 0.8 * mean_gamma_deviance(y[200:], np.full(100, y[:200].mean()))


@pytest.mark.parametrize(
    "cls", [DecisionTreeRegressor, ExtraTreeRegressor, RandomForestRegressor, ExtraTreesRegressor]
)
def test_gamma_deviance_is_of_positive_targets(cls):
    X, y, _ = make_data()
    y[7] = 0.0
    with pytest.raises(ValueError, match="not positive which is not allowed for gamma"):
        cls(criterion="gamma").fit(X, y)
    with pytest.raises(ValueError, match="'criterion' parameter of .* must be .*'gamma'"):
        cls(criterion="tweedie").fit(X, y)
