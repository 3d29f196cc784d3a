"""Copies: clone, pickle with its version stamp, joblib's cache, skops."""

import copy
import pickle
import warnings

import joblib
import pytest
import skops.io
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import skextra
import skextra._base
from tests.common.estimators import (
    assert_same_outputs,
    fit,
    for_each,
    get_fitted_attributes,
    in_turn,
    make,
    make_data,
)

# Types besides the estimator's own class that skops must be told to trust.
SKOPS_TRUSTED = {"GaussianMixtureIC": ["skextra.mixture._gaussian_mixture.GaussianMixture"]}


def get_full_name(cls):
    return f"{cls.__module__}.{cls.__qualname__}"


@for_each()
def test_clone_keeps_parameters_and_forgets_the_fit(cls):
    X, y = make_data(cls)
    fitted = fit(make(cls), X, y)
    copied = clone(fitted)
    assert type(copied) is cls
    assert repr(copied.get_params()) == repr(fitted.get_params())
    assert get_fitted_attributes(fitted) and not get_fitted_attributes(copied)
    assert_same_outputs(fitted, fit(copied, X, y), X, exact=True)


@for_each()
@in_turn("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickle_round_trip(cls, protocol):
    X, y = make_data(cls)
    fitted = fit(make(cls), X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = pickle.loads(pickle.dumps(fitted, protocol=protocol))
    assert vars(loaded).keys() == vars(fitted).keys(), "the stamp stays in the file"
    assert_same_outputs(fitted, loaded, X, exact=True)


@for_each()
def test_pickle_of_another_version_warns(cls, monkeypatch):
    X, y = make_data(cls)
    fitted = fit(make(cls), X, y)
    monkeypatch.setattr(skextra._base, "__version__", "0.0.0")
    content = pickle.dumps(fitted)
    monkeypatch.undo()
    with pytest.warns(InconsistentVersionWarning) as record:
        loaded = pickle.loads(content)
    # An estimator within another one has a stamp of its own, and speaks first.
    *_, warning = record
    for part in (cls.__name__, "skextra 0.0.0", f"skextra {skextra.__version__}"):
        assert part in str(warning.message)
    assert_same_outputs(fitted, loaded, X, exact=True)


@for_each()
def test_state_without_a_stamp_warns(cls):
    state = make(cls).__getstate__()
    assert state.pop("_skextra_version") == skextra.__version__
    before = dict(state)
    with pytest.warns(InconsistentVersionWarning, match="unknown version"):
        cls.__new__(cls).__setstate__(state)
    assert state == before, "the caller's state is not ours to change"


@for_each()
def test_deepcopy(cls):
    X, y = make_data(cls)
    fitted = fit(make(cls), X, y)
    assert_same_outputs(fitted, copy.deepcopy(fitted), X, exact=True)


def fit_anew(estimator, X, y):
    return clone(estimator).fit(X, y)


@for_each()
def test_joblib_memory(cls, tmp_path):
    X, y = make_data(cls)
    cached = joblib.Memory(tmp_path, verbose=0).cache(fit_anew)
    first = cached(make(cls), X, y)
    assert cached.check_call_in_cache(make(cls), X, y)
    assert_same_outputs(first, cached(make(cls), X, y), X, exact=True)
    # A fitted estimator is an argument like any other, before and after a copy.
    assert joblib.hash(first) == joblib.hash(pickle.loads(pickle.dumps(first)))
    assert not cached.check_call_in_cache(make(cls), 2 * X, y)


@for_each()
def test_skops_needs_no_trust_but_in_the_class(cls):
    X, y = make_data(cls)
    fitted = fit(make(cls), X, y)
    content = skops.io.dumps(fitted)
    trusted = {get_full_name(cls), *SKOPS_TRUSTED.get(cls.__name__, ())}
    assert set(skops.io.get_untrusted_types(data=content)) <= trusted
    loaded = skops.io.loads(content, trusted=sorted(trusted))
    assert_same_outputs(fitted, loaded, X, exact=True)
