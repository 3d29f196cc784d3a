"""Every public estimator, found from the packages' ``__all__``."""

import inspect
from importlib import import_module

from sklearn.base import BaseEstimator


def all_estimators():
    """List every public estimator class.

    Returns
    -------
    estimators : list of (str, type)
        Name and class, sorted by name.

    Examples
    --------
    >>> import skextra
    >>> "Lasso" in dict(skextra.all_estimators())
    True
    """
    import skextra

    found = {}
    for package in skextra._SUBMODULES:
        module = import_module(f"skextra.{package}")
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item) and issubclass(item, BaseEstimator):
                found[name] = item
    return sorted(found.items())
