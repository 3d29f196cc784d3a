"""The one door to scikit-learn's private names."""

import builtins
import importlib.util
from numbers import Real

import numpy as np
import pytest
import sklearn
from scipy import sparse

from skextra import _compat


def load_as_if_without(monkeypatch, *missing):
    """A second copy of the module, in a world that lacks some names."""
    import_normally = builtins.__import__

    def import_without(name, globals=None, locals=None, fromlist=(), level=0):
        if any(f"{name}.{item}" in missing or name in missing for item in fromlist or ("",)):
            raise ImportError(name)
        return import_normally(name, globals, locals, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", import_without)
    specification = importlib.util.spec_from_file_location("old_compat", _compat.__file__)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_all_that_is_exported_exists():
    assert sorted(_compat.__all__) == _compat.__all__
    assert all(hasattr(_compat, name) for name in _compat.__all__)


def test_scikit_learn_without_sparse_interface(monkeypatch):
    old = load_as_if_without(monkeypatch, "sklearn.utils._sparse")
    matrix = old.align_sparse_interface(sparse.csr_array(np.eye(2)))
    assert isinstance(matrix, sparse.csr_matrix)


def test_scikit_learn_without_callbacks(monkeypatch):
    old = load_as_if_without(monkeypatch, "sklearn.callback")
    assert issubclass(type("Estimator", (old.CallbackSupportMixin,), {}), old.CallbackSupportMixin)


@pytest.mark.skipif(
    "sparse_interface" not in sklearn.get_config(), reason="scikit-learn has no such setting"
)
@pytest.mark.parametrize(
    "setting, expected", [("spmatrix", sparse.csr_matrix), ("sparray", sparse.csr_array)]
)
def test_sparse_results_come_in_the_interface_asked_for(setting, expected):
    with sklearn.config_context(sparse_interface=setting):
        aligned = _compat.align_sparse_interface(sparse.csr_matrix(np.eye(2)))
    assert type(aligned) is expected


def test_fit_context_validates_parameters():
    from sklearn.base import BaseEstimator

    class Estimator(BaseEstimator):
        _parameter_constraints = {
            "alpha": [_compat.Interval(Real, 0, None, closed="left")],
            "mode": [_compat.StrOptions({"a", "b"})],
        }

        def __init__(self, alpha=1.0, mode="a"):
            self.alpha = alpha
            self.mode = mode

        @_compat.fit_context(prefer_skip_nested_validation=True)
        def fit(self):
            return self

    assert Estimator().fit()
    with pytest.raises(ValueError, match="'alpha' parameter of Estimator"):
        Estimator(alpha=-1.0).fit()
    with pytest.raises(ValueError, match="'mode' parameter of Estimator"):
        Estimator(mode="c").fit()


def test_workers_inherit_the_configuration():
    def read_config():
        return sklearn.get_config()["assume_finite"]

    with sklearn.config_context(assume_finite=True):
        tasks = (_compat.delayed(read_config)() for _ in range(4))
        assert _compat.Parallel(n_jobs=2, prefer="threads")(tasks) == [True] * 4
