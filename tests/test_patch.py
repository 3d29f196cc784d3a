"""scikit-learn patched: what is replaced, what falls back, and that nothing stays behind."""

import copy
import inspect
import logging
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn.ensemble
import sklearn.linear_model
import sklearn.svm
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris
from sklearn.linear_model import Lasso as ImportedBefore
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators, get_tags
from sklearn.utils.validation import has_fit_parameter

import skextra
from skextra._patch import get_substitute, list_replaceable

X, Y = load_iris(return_X_y=True)
REPOSITORY = Path(__file__).resolve().parents[1]
CLASSES = [key for key, (theirs, _) in list_replaceable().items() if isinstance(theirs, type)]


@pytest.fixture
def patch():
    skextra.patch_sklearn()
    yield
    skextra.unpatch_sklearn()


def find_row(name):
    rows = {row.name: row for row in skextra.patch_report().rows}
    return rows.get(name)


def count_fits(name):
    row = find_row(name)
    return (row.n_skextra, row.n_sklearn) if row else (0, 0)


def test_every_drop_in_estimator_is_replaceable():
    theirs = dict(all_estimators())
    ours = {name for name, _ in skextra.all_estimators()}
    assert {name for _, name in CLASSES} == ours & set(theirs)


@pytest.mark.parametrize(("package", "name"), CLASSES, ids=lambda name: name)
def test_a_substitute_passes_for_the_class_of_scikit_learn(package, name):
    theirs, ours = list_replaceable()[package, name]
    substitute = get_substitute(package, name)
    model = substitute()
    assert isinstance(model, theirs) and isinstance(model, ours)
    assert issubclass(substitute, theirs)
    assert inspect.signature(substitute) == inspect.signature(ours)
    assert model.get_params() == ours().get_params()
    assert repr(model) == repr(ours())
    assert is_classifier(model) == is_classifier(theirs())
    assert is_regressor(model) == is_regressor(theirs())
    assert get_tags(model) == get_tags(ours())
    assert has_fit_parameter(model, "sample_weight") == has_fit_parameter(ours(), "sample_weight")


def test_modules_imported_before_are_patched_and_restored():
    original = ImportedBefore
    with skextra.patched():
        assert ImportedBefore is sklearn.linear_model.Lasso is not original
        assert ImportedBefore().fit(X, Y).converged_
    assert ImportedBefore is sklearn.linear_model.Lasso is original


def test_the_patch_is_taken_back_after_an_error():
    original = sklearn.svm.SVC
    with pytest.raises(KeyError), skextra.patched():
        raise KeyError
    assert sklearn.svm.SVC is original


def test_patching_twice_is_undone_at_once():
    original = sklearn.svm.SVC
    skextra.patch_sklearn()
    skextra.patch_sklearn()
    skextra.unpatch_sklearn()
    assert sklearn.svm.SVC is original


def test_only_the_requested_names():
    original = sklearn.svm.LinearSVC
    with skextra.patched(["SVC"]):
        assert sklearn.svm.LinearSVC is original
        assert sklearn.svm.SVC.__module__.startswith("skextra.")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"names must be among AdaBoost.*, got KMeans"):
        skextra.patch_sklearn(["KMeans"])


def test_searches_and_pipelines(patch):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), sklearn.svm.SVC()), {"svc__C": [1.0, 10.0]}, cv=3
    ).fit(X, Y)
    best = search.best_estimator_[-1]
    assert best.converged_ and isinstance(clone(best), sklearn.svm.SVC)
    assert search.score(X, Y) > 0.9


def test_parameters_that_we_do_not_have_make_an_object_of_scikit_learns(caplog, monkeypatch):
    theirs, ours = list_replaceable()["linear_model", "Ridge"]

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    monkeypatch.setattr(ours, "__init__", __init__)
    substitute = get_substitute.__wrapped__("linear_model", "Ridge")
    with caplog.at_level(logging.INFO, "skextra"):
        assert type(substitute(alpha=2.0)) is substitute
        model = substitute(alpha=2.0, positive=True)
    assert type(model) is theirs and model.positive and model.alpha == 2.0
    (record,) = caplog.records
    assert record.message.startswith("Ridge: scikit-learn's own class is used: ")
    with pytest.raises(TypeError, match="no_such_parameter"):
        substitute(no_such_parameter=1)


class Refusing:
    """Stands for a class of ours that refuses at fit what scikit-learn accepts."""

    def fit(self, X, y):
        self.half_set_ = self._state = True
        raise ValueError("alpha must not be 0.25 here")


def test_what_we_refuse_at_fit_goes_to_scikit_learn(patch, caplog, monkeypatch):
    theirs, ours = list_replaceable()["linear_model", "Lasso"]
    substitute = get_substitute.__wrapped__("linear_model", "Lasso")
    monkeypatch.setattr(ours, "fit", Refusing.fit)
    refusing = get_substitute.__wrapped__("linear_model", "Lasso")
    before = count_fits("Lasso")
    with caplog.at_level(logging.INFO, "skextra"):
        models = [refusing(alpha=0.25).fit(X, Y) for _ in range(2)]
    for model in models:
        assert type(model) is theirs and not {"half_set_", "_state"} & set(vars(model))
        np.testing.assert_allclose(model.coef_, theirs(alpha=0.25).fit(X, Y).coef_)
    assert [record.message for record in caplog.records] == [
        "Lasso: scikit-learn's own class is used: alpha must not be 0.25 here"
    ]
    after = count_fits("Lasso")
    assert (after[0] - before[0], after[1] - before[1]) == (0, 2)
    assert find_row("Lasso").reasons["alpha must not be 0.25 here"] == 2
    assert issubclass(substitute, theirs)


def test_a_fit_with_our_own_parameters_never_goes_to_scikit_learn(patch):
    model = sklearn.linear_model.Lasso(penalty_weights=[1.0])
    with pytest.raises(ValueError, match="penalty_weights"):
        model.fit(X, Y)


@pytest.mark.parametrize(("package", "name"), CLASSES, ids=lambda name: name)
def test_what_both_refuse_is_scikit_learns_error(package, name):
    theirs, _ = list_replaceable()[package, name]
    broken = np.where(X[0, 0] == X, np.inf, X)
    messages = []
    for cls in (theirs, get_substitute(package, name)):
        with warnings.catch_warnings(), pytest.raises(ValueError, match="infinity") as raised:
            warnings.simplefilter("ignore", FutureWarning)  # of scikit-learn's defaults
            cls().fit(broken, Y)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


def test_functions(patch):
    before = count_fits("lasso_path")
    alphas, coefs, _ = sklearn.linear_model.lasso_path(X, Y, alphas=[1.0, 0.5, 0.1])
    assert len(alphas) == coefs.shape[1] == 3
    assert count_fits("lasso_path")[0] == before[0] + 1


@pytest.mark.parametrize("copy_of", [copy.copy, copy.deepcopy, clone])
def test_copies_stay_substitutes(patch, copy_of):
    model = sklearn.linear_model.Lasso(0.1).fit(X, Y)
    assert type(copy_of(model)) is type(model)


def test_pickles_load_without_the_patch(tmp_path):
    with skextra.patched():
        model = sklearn.ensemble.RandomForestClassifier(5, random_state=0).fit(X, Y)
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
        joblib.dump(model, tmp_path / "model.joblib")
    code = """
import pickle, sys, joblib, sklearn.ensemble
from sklearn.datasets import load_iris
X, _ = load_iris(return_X_y=True)
models = [pickle.load(open(sys.argv[1], "rb")), joblib.load(sys.argv[2])]
assert all(isinstance(model, sklearn.ensemble.RandomForestClassifier) for model in models)
assert not sklearn.ensemble.RandomForestClassifier.__module__.startswith("skextra")
print(*(model.predict(X).sum() for model in models))
"""
    files = [str(tmp_path / name) for name in ("model.pkl", "model.joblib")]
    output = run("-c", code, *files)
    assert output.split() == [str(model.predict(X).sum())] * 2


def run(*arguments, status=0):
    process = subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == status, process.stderr
    return process.stdout + process.stderr


SCRIPT = """
import sys
from sklearn.linear_model import Ridge
from sklearn.datasets import load_diabetes
import neighbor

assert __name__ == "__main__" and sys.argv[1:] == ["one", "--two"], sys.argv
print(Ridge().fit(*load_diabetes(return_X_y=True)).dual_gap_ < 1e-6, neighbor.Ridge is Ridge)
"""


@pytest.mark.parametrize("as_module", [False, True])
def test_scripts_run_unchanged(tmp_path, monkeypatch, as_module):
    (tmp_path / "neighbor.py").write_text("from sklearn.linear_model import Ridge\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}:{tmp_path}")
    target = ["-m", "script"] if as_module else [str(tmp_path / "script.py")]
    output = run("-m", "skextra.patch", "--report", *target, "one", "--two")
    assert "True True" in output and "Ridge" in output and "1 in " in output


def test_the_command_explains_itself():
    assert "usage: python -m skextra.patch" in run("-m", "skextra.patch", status=2)


def test_notebook_extension():
    original = sklearn.svm.SVC
    skextra.load_ipython_extension(None)
    assert sklearn.svm.SVC is not original
    skextra.unload_ipython_extension(None)
    assert sklearn.svm.SVC is original
