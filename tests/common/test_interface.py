"""What scikit-learn's users see: signatures, attributes, names, output, display."""

import inspect
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.common.estimators import (
    OUTPUT_METHODS,
    assert_same_outputs,
    compute_outputs,
    fit,
    for_each,
    get_fitted_attributes,
    get_sklearn_class,
    in_turn,
    is_drop_in,
    is_multi_output,
    is_weighted,
    make,
    make_data,
)

# (class, parameter) -> our default, where scikit-learn's is "warn": about to change.
ANNOUNCED_DEFAULTS = {
    ("LassoCV", "alphas"): 100,
    ("ElasticNetCV", "alphas"): 100,
    ("LogisticRegressionCV", "l1_ratios"): (0.0,),
    ("LogisticRegressionCV", "scoring"): "neg_log_loss",
    ("LogisticRegressionCV", "use_legacy_attributes"): False,
}
# Parameters that scikit-learn is about to remove and that we keep on purpose.
KEPT = {
    ("SVC", "probability"),
    ("LogisticRegression", "penalty"),
    ("LogisticRegression", "n_jobs"),
    ("LogisticRegressionCV", "penalty"),
}
ANNOUNCED_METHOD_DEFAULTS = {("path", "alphas"): 100}
NAMES = [f"column {j}" for j in range(6)]


def get_signature(function):
    parameters = dict(inspect.signature(function).parameters)
    parameters.pop("self", None)
    return parameters


def list_current(cls, signature):
    """scikit-learn's parameters that are not on their way out."""
    documented = cls.__doc__.split("Attributes\n")[0]
    current = []
    for name, parameter in signature.items():
        _, _, section = documented.partition(f"\n    {name} : ")
        section = section.split("\n    " + "\n    ")[0]
        about = []
        for line in section.splitlines()[1:]:
            if line.strip() and not line.startswith("        "):
                break  # the next parameter
            about.append(line)
        # A deprecated value is not a deprecated parameter.
        gone = any(
            ".. deprecated::" in line
            and re.search(rf"`{name}` (was|is) deprecated", " ".join(about))
            for line in about
        )
        if parameter.default != "deprecated" and not gone:
            current.append(name)
    return current


@for_each(is_drop_in)
def test_constructor_takes_all_that_sklearns_takes(cls):
    theirs_class = get_sklearn_class(cls)
    ours, theirs = get_signature(cls.__init__), get_signature(theirs_class.__init__)
    current = list_current(theirs_class, theirs)
    for name in [name for name in ours if (cls.__name__, name) in KEPT]:
        assert ours.pop(name).kind == theirs[name].kind, name
    shared = [name for name in ours if name in theirs]
    assert shared == current
    for name in current:
        assert ours[name].kind == theirs[name].kind, name
        expected = theirs[name].default
        if expected == "warn":
            expected = ANNOUNCED_DEFAULTS[cls.__name__, name]
        assert repr(ours[name].default) == repr(expected), name
    additions = [name for name in ours if name not in current]
    assert list(ours)[len(current) :] == additions
    assert all(ours[name].kind is inspect.Parameter.KEYWORD_ONLY for name in additions)


@for_each(is_drop_in)
def test_methods_take_all_that_sklearns_take(cls):
    for name, method in inspect.getmembers(get_sklearn_class(cls), callable):
        if name.startswith("_"):
            continue
        assert callable(getattr(cls, name)), name
        theirs, ours = get_signature(method), get_signature(getattr(cls, name))
        for parameter, default in theirs.items():
            if default.default == "deprecated" or default.kind is inspect.Parameter.VAR_KEYWORD:
                continue
            assert parameter in ours, f"{name}({parameter})"
            assert ours[parameter].kind == default.kind, f"{name}({parameter})"
            expected = default.default
            if expected == "warn":
                expected = ANNOUNCED_METHOD_DEFAULTS[name, parameter]
            assert repr(ours[parameter].default) == repr(expected), f"{name}({parameter})"


def describe(value):
    if value is None or isinstance(value, str | bool):
        return type(value).__name__
    if hasattr(value, "dtype") or isinstance(value, int | float | list):
        # scikit-learn's integers and floats change places with NumPy's at will.
        return np.asarray(value).dtype.kind if not hasattr(value, "nnz") else "sparse", np.shape(
            value
        )
    return type(value).__name__


@for_each(is_drop_in)
@in_turn("n_targets", [1, 2])
@in_turn("dtype", [np.float64, np.float32])
def test_fitted_attributes_match_sklearn(cls, n_targets, dtype):
    if n_targets > 1 and not is_multi_output(cls):
        return
    X, y = make_data(cls, n_targets=n_targets)
    X, y = X.astype(dtype), y.astype(dtype) if np.asarray(y).dtype.kind == "f" else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = make(get_sklearn_class(cls), use_legacy_attributes=False, l1_ratios=(0.0,)).fit(
            X, y
        )
        theirs = get_fitted_attributes(theirs)
    ours = get_fitted_attributes(fit(make(cls), X, y))
    assert set(theirs) <= set(ours)
    for name, value in theirs.items():
        assert describe(ours[name]) == describe(value), name
        # Certificates are worth having in double precision, whatever the data's.
        if getattr(value, "dtype", None) == np.float32 and name != "dual_gap_":
            assert ours[name].dtype == np.float32, name


@for_each()
def test_every_fitted_attribute_is_documented(cls):
    X, y = make_data(cls)
    attributes = cls.__doc__.partition("Attributes\n")[2]
    fitted = get_fitted_attributes(fit(make(cls), pd.DataFrame(X, columns=NAMES), y))
    missing = [name for name in fitted if f"\n    {name} : " not in attributes]
    assert not missing


@for_each()
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
class TestFeatureNames:
    def make_frame(self, frame, X, names=NAMES):
        return frame(dict(zip(names, X.T, strict=True)))

    def test_are_kept_and_held_to(self, cls, frame):
        X, y = make_data(cls)
        data = self.make_frame(frame, X)
        estimator = fit(make(cls), data, y)
        assert estimator.feature_names_in_.tolist() == NAMES
        assert_same_outputs(fit(make(cls), X, y), estimator, X, data)
        for name in set(OUTPUT_METHODS) & set(dir(estimator)):
            method = getattr(estimator, name)
            with pytest.raises(ValueError, match="same order"):
                method(self.make_frame(frame, X, NAMES[::-1]))
            with pytest.raises(ValueError, match="unseen at fit time"):
                method(self.make_frame(frame, X, ["new", *NAMES[1:]]))
            with pytest.raises(ValueError, match="yet now missing"):
                method(self.make_frame(frame, X[:, :3], NAMES[:3]))
            with pytest.warns(UserWarning, match="does not have valid feature names"):
                method(X)

    def test_missing_at_fit_warn_at_predict(self, cls, frame):
        X, y = make_data(cls)
        estimator = fit(make(cls), X, y)
        assert not hasattr(estimator, "feature_names_in_")
        for name in set(OUTPUT_METHODS) & set(dir(estimator)):
            with pytest.warns(UserWarning, match="fitted without feature names"):
                getattr(estimator, name)(self.make_frame(frame, X))

    def test_are_forgotten_by_the_next_fit(self, cls, frame):
        X, y = make_data(cls)
        estimator = fit(make(cls), self.make_frame(frame, X), y)
        assert not hasattr(fit(estimator, X, y), "feature_names_in_")

    def test_reach_through_a_pipeline_that_outputs_frames(self, cls, frame):
        X, y = make_data(cls)
        library = "pandas" if frame is pd.DataFrame else "polars"
        pipeline = make_pipeline(StandardScaler(), make(cls))
        pipeline[:-1].set_output(transform=library)
        fit(pipeline, self.make_frame(frame, X), y)
        assert pipeline[-1].feature_names_in_.tolist() == NAMES
        scaled = StandardScaler().fit_transform(X)
        reference = fit(make(cls), scaled, y)
        assert_same_outputs(reference, pipeline, scaled, self.make_frame(frame, X))

    def test_frames_go_to_transformers_output_alone(self, cls, frame):
        X, y = make_data(cls)
        estimator = fit(make(cls), X, y)
        library = "pandas" if frame is pd.DataFrame else "polars"
        with sklearn.config_context(transform_output=library):
            for name in set(OUTPUT_METHODS) & set(dir(estimator)):
                output = getattr(estimator, name)(X)
                assert isinstance(output, frame if name == "transform" else np.ndarray), name


@for_each()
def test_unfitted_raises(cls):
    X, _ = make_data(cls)
    # Some methods are there for some parameters only.
    for name in [name for name in OUTPUT_METHODS if hasattr(make(cls), name)]:
        with pytest.raises(NotFittedError, match=cls.__name__):
            getattr(make(cls), name)(X)


@for_each()
def test_html_and_text_display(cls):
    X, y = make_data(cls)
    estimator = make(cls)
    package = ".".join(part for part in cls.__module__.split(".") if not part.startswith("_"))
    page = f"{package}.{cls.__name__}.html"
    for state in (estimator, fit(clone(estimator), X, y)):
        display = state._repr_mimebundle_()
        assert display["text/plain"] == repr(state)
        assert cls.__name__ in display["text/html"]
        assert page in display["text/html"], "links to our documentation"
    assert repr(cls()) == f"{cls.__name__}()"


@for_each(is_weighted)
def test_metadata_routing(cls):
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = make(cls).set_fit_request(sample_weight=True)
        routing = estimator.get_metadata_routing()
        assert routing.consumes("fit", {"sample_weight", "other"}) == {"sample_weight"}


@for_each()
def test_refit_forgets_the_first_fit(cls):
    X, y = make_data(cls)
    other_X, other_y = make_data(cls, n_samples=40, n_features=9, seed=1)
    estimator = fit(fit(make(cls), other_X, other_y), X, y)
    assert_same_outputs(fit(make(cls), X, y), estimator, X, exact=True)


@for_each()
def test_fit_changes_neither_parameters_nor_data(cls):
    X, y = make_data(cls)
    estimator = make(cls)
    before = {name: id(value) for name, value in estimator.get_params().items()}
    X_before, y_before = X.copy(), None if y is None else y.copy()
    compute_outputs(fit(estimator, X, y), X)
    assert {name: id(value) for name, value in estimator.get_params().items()} == before
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
