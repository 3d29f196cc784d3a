"""scikit-learn's checks, and those that it defines and never runs."""

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks as checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.common.estimators import CLASSES

# Class name -> check -> why it must fail. Only what scikit-learn expects to fail
# for the same estimator may stand here, where passing would break what is promised.
_RESAMPLING = dict.fromkeys(
    (
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ),
    "rows are drawn by their weights, so that repeated rows change what is drawn, in "
    "scikit-learn's estimator as in ours",
)
EXPECTED_FAILURES = {
    "AdaBoostRegressor": _RESAMPLING,
    "RandomForestClassifier": _RESAMPLING,
    "RandomForestRegressor": _RESAMPLING,
    "Ridge": {
        "check_non_transformer_estimators_n_iter": (
            "n_iter_ is None for solvers that do not iterate, in scikit-learn's Ridge as in ours"
        )
    },
}

# As scikit-learn sets its own: one check has three samples a class.
SETTINGS = {"LogisticRegressionCV": {"cv": 3}, "GaussianMixtureIC": {"max_components": 2}}

NEVER_YIELDED = {
    "all": [
        checks.check_param_validation,
        checks.check_dataframe_column_names_consistency,
        checks.check_inplace_ensure_writeable,
    ],
    "transform": [
        checks.check_set_output_transform,
        checks.check_set_output_transform_pandas,
        checks.check_global_output_transform_pandas,
        checks.check_set_output_transform_polars,
        checks.check_global_set_output_transform_polars,
    ],
    "get_feature_names_out": [
        checks.check_get_feature_names_out_error,
        checks.check_transformer_get_feature_names_out,
        checks.check_transformer_get_feature_names_out_pandas,
    ],
}


def get_expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


@parametrize_with_checks(
    [cls(**SETTINGS.get(cls.__name__, {})) for cls in CLASSES],
    expected_failed_checks=get_expected_failures,
    xfail_strict=True,
)
def test_sklearn_checks(estimator, check):
    check(estimator)


def list_never_yielded():
    for cls in CLASSES:
        for method, group in NEVER_YIELDED.items():
            if method == "all" or hasattr(cls, method):
                for check in group:
                    yield pytest.param(cls, check, id=f"{cls.__name__}-{check.__name__}")


@pytest.mark.parametrize("cls, check", list(list_never_yielded()))
def test_checks_that_sklearn_never_yields(cls, check):
    check(cls.__name__, clone(cls()))


def test_every_public_estimator_is_found():
    import skextra

    assert CLASSES
    for cls in CLASSES:
        assert cls.__module__.startswith("skextra.")
        assert get_tags(cls()).estimator_type is not None or hasattr(cls, "transform")
    assert [name for name, _ in skextra.all_estimators()] == [cls.__name__ for cls in CLASSES]


def test_expected_failures_name_what_exists():
    names = {cls.__name__ for cls in CLASSES}
    assert set(EXPECTED_FAILURES) <= names
    for failures in EXPECTED_FAILURES.values():
        assert all(hasattr(checks, name) and reason for name, reason in failures.items())
