"""Fitted estimators of ours as scikit-learn's own, for tools that know those only."""

from importlib import import_module

from sklearn.utils.validation import check_is_fitted


class SklearnConvertible:
    """An estimator whose fitted state scikit-learn's estimator of the same name can take."""

    def to_sklearn(self):
        """Return scikit-learn's own estimator in the same fitted state.

        For converters and explainers that look up scikit-learn's classes.

        Returns
        -------
        estimator : estimator
            scikit-learn's; predicts the same.
        """
        check_is_fitted(self)
        return copy_to_sklearn(self, find_counterpart(type(self)), self._get_sklearn_state())

    def _get_sklearn_state(self):
        """Fitted attributes that differ from ours, or have other names."""
        return {}


def find_counterpart(cls):
    """scikit-learn's class of the same name, from the public package of the same name."""
    package = cls.__module__.split(".")[1]
    found = getattr(import_module(f"sklearn.{package}"), cls.__name__)
    # While scikit-learn is patched, that is a subclass of ours, which knows what it replaces.
    return getattr(found, "_sklearn_class", found)


def copy_to_sklearn(estimator, cls, attributes):
    """scikit-learn's estimator with the parameters and fitted attributes of ours.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    cls : type
        scikit-learn's class.
    attributes : dict
        Fitted attributes that differ from ours.

    Returns
    -------
    copied : estimator
    """
    parameters = estimator.get_params(deep=False)
    copied = cls()
    names = set(copied.get_params(deep=False))
    copied.set_params(**{name: value for name, value in parameters.items() if name in names})
    hidden = ("_n_samples", "_n_samples_bootstrap", "_sample_weight")
    fitted = {
        name: value
        for name, value in vars(estimator).items()
        if name in hidden or name.endswith("_") and not name.startswith("_")
    }
    for name, value in (fitted | attributes).items():
        # What is a property there follows from other attributes.
        if not isinstance(getattr(cls, name, None), property):
            setattr(copied, name, value)
    return copied
