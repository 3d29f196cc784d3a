"""The version stamp and the links that every estimator shares."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning

import skextra
from skextra import _base


class Plain(_base.BaseEstimator):
    """An estimator of some other package that builds on ours."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha


class Ours(Plain):
    """An estimator of our own, as far as its module tells."""

    __module__ = "skextra.some_family._some_file"


def load(state, cls=Ours):
    loaded = cls.__new__(cls)
    loaded.__setstate__(state)
    return loaded


def test_state_carries_the_version_and_the_estimator_does_not():
    estimator = Ours(alpha=2.0)
    estimator.coef_ = np.arange(3.0)
    state = estimator.__getstate__()
    assert state["_skextra_version"] == skextra.__version__
    assert "_skextra_version" not in vars(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load(state)
    assert vars(loaded).keys() == {"alpha", "coef_"}


def test_another_version_warns_once_and_names_all_three():
    state = Ours().__getstate__() | {"_skextra_version": "0.0.1"}
    with pytest.warns(InconsistentVersionWarning) as record:
        load(state)
    assert len(record) == 1
    message = record[0].message
    assert message.estimator_name == "Ours"
    assert message.original_sklearn_version == "0.0.1"
    for part in ("Ours", "skextra 0.0.1", f"skextra {skextra.__version__}"):
        assert part in str(message)
    assert state["_skextra_version"] == "0.0.1", "a state can be loaded twice"


def test_a_state_without_a_stamp_warns():
    with pytest.warns(InconsistentVersionWarning, match="an unknown version"):
        load({"alpha": 1.0})


def test_other_packages_answer_for_their_own_versions():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load({"alpha": 3.0, "_skextra_version": "0.0.1"}, Plain)
    assert vars(loaded) == {"alpha": 3.0}


def test_copies_are_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert copy.deepcopy(Ours(alpha=4.0)).alpha == 4.0
        assert pickle.loads(pickle.dumps(Plain(alpha=5.0))).alpha == 5.0


def test_documentation_link_leaves_private_modules_out():
    assert _base.public_module(Ours) == "skextra.some_family"
    link = Ours()._get_doc_link()
    assert link.startswith("https://")
    assert link.endswith("/skextra.some_family.Ours.html")
    assert Plain()._get_doc_link() == "", "no page of ours for other people's estimators"
