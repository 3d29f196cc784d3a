"""Every public estimator, data that suits it, and ways to compare two fits.

A class that appears in a package's ``__all__`` is tested by everything in this folder, chosen by
its tags and its signature. Nothing is fitted when tests are collected.
"""

import inspect
import warnings
from functools import cache, wraps

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import all_estimators as all_sklearn_estimators, get_tags
from sklearn.utils.validation import has_fit_parameter

import skextra

CLASSES = [cls for _, cls in skextra.all_estimators()]
OUTPUT_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
)
N_SAMPLES, N_FEATURES = 60, 6


# Estimators whose default fit depends on the seed, and so on the order of rows; a test holds
# the list to the truth.
RANDOMIZED = {
    "AdaBoostRegressor",
    "DecisionTreeRegressor",
    "DensityForest",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GumbelMaxSampler",
    "GumbelSoftmaxSampler",
    "GumbelTopKSampler",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "VectorQuantizer",
}


def for_each(condition=lambda cls: True):
    """Parametrize a test over the public estimators that meet a condition.

    Where none does (yet), there is no test, rather than one that is skipped.
    """
    classes = [cls for cls in CLASSES if condition(cls)]

    def decorate(test):
        if not classes:
            return None
        return pytest.mark.parametrize("cls", classes, ids=lambda cls: cls.__name__)(test)

    return decorate


def in_turn(argument, values):
    """Run a test for all values of an argument, one after the other, as one test.

    Unlike ``parametrize`` this makes no test per value, which would be thousands over all
    estimators. Every value runs; the failures are reported together, each with its value.
    """

    def decorate(test):
        signature = inspect.signature(test)

        @wraps(test)
        def run(*args, **others):
            failures = []
            for value in values:
                try:
                    test(*args, **others, **{argument: value})
                except (Exception, pytest.fail.Exception) as failure:
                    failure.add_note(f"{argument}: {value!r}")
                    failures.append(failure)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(values)} cases", failures)

        del run.__wrapped__  # pytest would ask it for its arguments
        run.__signature__ = signature.replace(
            parameters=[p for name, p in signature.parameters.items() if name != argument]
        )
        return run

    return decorate


def list_parameters(cls):
    return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]


def has_parameter(name):
    return lambda cls: name in list_parameters(cls)


def is_parallel(cls):
    """Whether `n_jobs` is there and has an effect: that of LogisticRegression has none."""
    return "n_jobs" in list_parameters(cls) and cls.__name__ != "LogisticRegression"


def is_kind(kind):
    return lambda cls: get_tags(cls()).estimator_type == kind


def is_weighted(cls):
    return has_fit_parameter(cls(), "sample_weight")


def is_sparse(cls):
    return get_tags(cls()).input_tags.sparse


def is_multi_output(cls):
    return get_tags(cls()).target_tags.multi_output


def is_single_output(cls):
    return get_tags(cls()).target_tags.single_output


def requires_y(cls):
    return get_tags(cls()).target_tags.required


def make(cls, *, tight=False, **parameters):
    """An instance that is cheap and deterministic; `parameters` it lacks are dropped.

    `tight` asks for an accuracy at which two fits of one problem agree.
    """
    defaults = {"random_state": 0, "n_estimators": 10, "max_iter": 10_000, "max_components": 2}
    if tight:
        defaults |= {"tol": 1e-12, "max_iter": 1_000_000}
    accepted = set(list_parameters(cls))
    return cls(**{k: v for k, v in (defaults | parameters).items() if k in accepted})


def make_data(cls, n_samples=N_SAMPLES, n_features=N_FEATURES, *, n_targets=1, seed=0):
    """Data of the kind an estimator's tags ask for: X and y, or X and None."""
    rng = np.random.default_rng(seed)
    tags = get_tags(cls())
    if not is_single_output(cls):
        n_targets = max(n_targets, 2)
    X = rng.standard_normal((n_samples, n_features))
    X += 0.5 * rng.standard_normal((n_samples, 1))  # columns are correlated, as in life
    if tags.input_tags.positive_only:
        X = np.abs(X)
    coefficients = np.linspace(1.0, -1.0, n_features * n_targets).reshape(n_features, n_targets)
    signal = X @ coefficients + 0.3 * rng.standard_normal((n_samples, n_targets)) + 2.0
    if n_targets == 1:
        signal = signal[:, 0]
    if tags.estimator_type == "regressor":
        return X, np.abs(signal) if tags.target_tags.positive_only else signal
    if tags.estimator_type == "classifier":
        multi_class = tags.classifier_tags is None or tags.classifier_tags.multi_class
        cuts = np.quantile(signal, [1 / 3, 2 / 3] if multi_class else [1 / 2])
        return X, np.digitize(signal, cuts)
    return X, (signal if tags.target_tags.required else None)


def fit(estimator, X, y, sample_weight=None):
    """Fit with warnings as errors, but for a solver that says it was not done."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("default", ConvergenceWarning)
        if sample_weight is None:
            return estimator.fit(X, y)
        return estimator.fit(X, y, sample_weight=sample_weight)


@cache
def fit_default(cls):
    """A default fit, its data X and y; shared, so that nobody may change any of them."""
    X, y = make_data(cls)
    for array in (X, y):
        if array is not None:
            array.flags.writeable = False
    return fit(make(cls), X, y), X, y


def compute_outputs(estimator, X):
    """What each of the estimator's methods says about X, as dense arrays."""
    outputs = {}
    for name in OUTPUT_METHODS:
        if hasattr(estimator, name):
            output = getattr(estimator, name)(X)
            outputs[name] = output.toarray() if sparse.issparse(output) else np.asarray(output)
    assert outputs, f"{estimator} has no output to compare"
    return outputs


def assert_same_outputs(first, second, X, X_second=None, *, rtol=1e-6, exact=False):
    """Compare two fitted estimators by all they say; `rtol` is relative to the largest entry."""
    expected = compute_outputs(first, X)
    actual = compute_outputs(second, X if X_second is None else X_second)
    assert expected.keys() == actual.keys()
    for name, reference in expected.items():
        if exact or reference.dtype.kind not in "fc":
            np.testing.assert_array_equal(actual[name], reference, err_msg=name)
        else:
            scale = np.abs(reference[np.isfinite(reference)]).max(initial=0.0)
            np.testing.assert_allclose(
                actual[name], reference, rtol=0, atol=rtol * scale, err_msg=name
            )


def add_rows_between(X):
    """X with rows between its own: what interpolates its data is all one on X alone."""
    return np.vstack([X, (X[1:] + X[:-1]) / 2])


def get_fitted_attributes(estimator):
    """Public fitted attributes by name, properties included."""
    names = {name for name in dir(estimator) if name.endswith("_") and not name.startswith("_")}
    fitted = {}
    for name in sorted(names):
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            try:
                fitted[name] = getattr(estimator, name)
            except (AttributeError, FutureWarning):
                continue  # not for these parameters, or deprecated
    return {name: value for name, value in fitted.items() if not callable(value)}


def get_sklearn_class(cls):
    """The estimator of scikit-learn's that ours stands in for, or None."""
    return _sklearn_classes().get(cls.__name__)


def is_drop_in(cls):
    return get_sklearn_class(cls) is not None


@cache
def _sklearn_classes():
    return dict(all_sklearn_estimators())


def is_randomized(cls):
    return cls.__name__ in RANDOMIZED


def is_deterministic(cls):
    return not is_randomized(cls)


def make_splits(groups):
    """Leave-one-group-out splits: the same folds however rows are repeated or ordered."""
    return [
        (np.flatnonzero(groups != group), np.flatnonzero(groups == group))
        for group in np.unique(groups)
    ]
