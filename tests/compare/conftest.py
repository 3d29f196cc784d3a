"""scikit-learn's estimators in the place of ours: what is tested here is the comparison."""

import dataclasses

import pytest

from skextra._compare import _registry

_ALIKE = tuple(
    dataclasses.replace(case, ours=case.theirs)
    for case in (
        _registry._make_case(
            "linear_model.Lasso", "regression", ("diabetes",), {}, {"alpha": [1, 0.1]}
        ),
        _registry._make_case("linear_model.Ridge", "regression", ("diabetes", "digits-halves")),
        _registry._make_case(
            "linear_model.LassoCV", "regression", ("diabetes",), {"cv": 3, "alphas": 5}
        ),
        _registry._make_case(
            "linear_model.LogisticRegression", "classification", ("wine",), {}, {"C": [0.1, 1.0]}
        ),
        _registry._make_case(
            "mixture.GaussianMixture", "density", ("wine",), {"n_components": 2, "random_state": 0}
        ),
        _registry._make_case("preprocessing.SplineTransformer", "transform", ("wine",)),
    )
)


@pytest.fixture
def alike(monkeypatch):
    """Install cases of every task whose two sides are the same class."""
    monkeypatch.setattr(_registry, "CASES", _ALIKE)
    return _ALIKE
