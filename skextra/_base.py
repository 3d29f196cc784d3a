"""What every public estimator shares beyond scikit-learn's BaseEstimator."""

import warnings

from sklearn.base import BaseEstimator as SklearnBaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from skextra._compat import list_constraints
from skextra._version import __version__


class BaseEstimator(SklearnBaseEstimator):
    """scikit-learn's BaseEstimator with our documentation links and version stamp."""

    _doc_link_module = "skextra"
    _doc_link_template = (
        "https://skextra.readthedocs.io/en/stable/api/{estimator_module}.{estimator_name}.html"
    )

    def _doc_link_url_param_generator(self):
        return {
            "estimator_module": public_module(type(self)),
            "estimator_name": type(self).__name__,
        }

    def _validate_params(self):
        # scikit-learn's method makes all constraints anew for each fit, which takes longer than
        # the arithmetic of a small one (LinearSVC on iris).
        for name, constraints in list_constraints(type(self)):
            value = getattr(self, name)
            if not any(constraint.is_satisfied_by(value) for constraint in constraints):
                super()._validate_params()  # has the message

    def __getstate__(self):
        return {**super().__getstate__(), "_skextra_version": __version__}

    def __setstate__(self, state):
        state = dict(state)  # a copy: the caller may use the state again
        version = state.pop("_skextra_version", "an unknown version")
        if version != __version__ and type(self).__module__.startswith("skextra."):
            warnings.warn(
                _InconsistentVersion(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)


class _InconsistentVersion(InconsistentVersionWarning):
    # scikit-learn's class, so that filters on it apply; the text names skextra.
    def __str__(self):
        return (
            f"Trying to unpickle estimator {self.estimator_name} from skextra "
            f"{self.original_sklearn_version} when using skextra "
            f"{self.current_sklearn_version}. This might lead to breaking code or "
            "invalid results. Use at your own risk."
        )


def public_module(cls):
    """Name of the public package a class is imported from, without private parts."""
    return ".".join(part for part in cls.__module__.split(".") if not part.startswith("_"))
