"""scikit-learn's checks, and those that it defines and never runs."""

import re

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks as checks, get_tags
from sklearn.utils.estimator_checks import check_estimator

from tests.common.estimators import CLASSES, for_each, in_turn

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
SETTINGS = {"LogisticRegressionCV": {"cv": 3}}

# Why a check may be skipped: another package, a setting of SciPy's, or a method that the check
# is about is absent.
SKIPPED = r"not installed|SCIPY_ARRAY_API is not set|does not have a \w+ method"

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


@for_each()
def test_sklearn_checks(cls):
    """All checks of scikit-learn pass, and those that are expected to fail do fail."""
    estimator = cls(**SETTINGS.get(cls.__name__, {}))
    expected = get_expected_failures(estimator)
    results = check_estimator(
        estimator, expected_failed_checks=expected, on_skip=None, on_fail=None
    )
    assert len(results) > 20
    failures = []
    for result in results:
        if result["status"] == "failed":
            result["exception"].add_note(result["check_name"])
            failures.append(result["exception"])
        if result["status"] == "skipped":
            assert re.search(SKIPPED, str(result["exception"])), result["check_name"]
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} of {len(results)} checks", failures)
    failed = {result["check_name"] for result in results if result["status"] == "xfail"}
    assert failed == set(expected)


@pytest.mark.filterwarnings("ignore:X (has|does not have) (valid )?feature names:UserWarning")
@for_each()
@in_turn("group", NEVER_YIELDED)
def test_checks_that_sklearn_never_yields(cls, group):
    if group == "all" or hasattr(cls, group):
        for check in NEVER_YIELDED[group]:
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
