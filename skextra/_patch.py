"""scikit-learn's classes replaced by ours, in code that imports scikit-learn.

Each of our drop-in classes gets a *substitute*: a subclass that passes as an instance of
scikit-learn's class, counts what it does, and hands an object over to scikit-learn's class
where ours refuses a parameter or the data.
"""

import functools
import inspect
import logging
import sys
import threading
import time
from contextlib import contextmanager
from importlib import import_module
from typing import NamedTuple

from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

logger = logging.getLogger("skextra")

# Packages of scikit-learn in which we have drop-in classes and functions.
_PACKAGES = ("ensemble", "linear_model", "mixture", "svm", "tree")
_FITS = ("fit", "fit_predict")
_lock = threading.RLock()
_replaced = []  # (module, name, original, substitute), in order
_counts = {}


class _Count:
    """Fits of one class, here or in scikit-learn."""

    def __init__(self):
        self.n_ours, self.n_theirs, self.seconds_ours, self.seconds_theirs = 0, 0, 0.0, 0.0
        self.reasons = {}


class PatchRow(NamedTuple):
    """What ran where, for one class of scikit-learn.

    Attributes
    ----------
    name : str
        Name of the class.
    n_skextra, n_sklearn : int
        Number of fits by our class, and by scikit-learn's where ours refused.
    seconds_skextra, seconds_sklearn : float
        Wall time of these fits.
    reasons : dict of str to int
        Why fits went to scikit-learn, and how often.
    """

    name: str
    n_skextra: int
    n_sklearn: int
    seconds_skextra: float
    seconds_sklearn: float
    reasons: dict


@functools.cache
def list_replaceable():
    """Public names of scikit-learn that we have a drop-in for.

    Returns
    -------
    found : dict of (str, str) to (object, object)
        Package and name; scikit-learn's class or function, and ours.
    """
    found = {}
    for package in _PACKAGES:
        theirs = import_module(f"sklearn.{package}")
        ours = import_module(f"skextra.{package}")
        for name in ours.__all__:
            if name in theirs.__all__:
                found[package, name] = _get_original(theirs, name), getattr(ours, name)
    return found


def _get_original(module, name):
    for patched, patched_name, original, _ in _replaced:
        if patched is module and patched_name == name:
            return original
    return getattr(module, name)


@functools.cache
def get_substitute(package, name):
    """What stands in scikit-learn's place while it is patched."""
    theirs, ours = list_replaceable()[package, name]
    if inspect.isclass(theirs):
        return _make_class(package, name, theirs, ours)
    return _make_function(name, theirs, ours)


def _make_class(package, name, theirs, ours):
    bases = (ours,)
    if not issubclass(ours, theirs) and not hasattr(theirs, "register"):
        bases = (ours, theirs)

    def __new__(cls, *args, **kwargs):
        if args or kwargs:
            try:
                inspect.signature(ours).bind(*args, **kwargs)
            except TypeError as error:
                inspect.signature(theirs).bind(*args, **kwargs)  # or their error
                _record(name, error)
                return theirs(*args, **kwargs)
        return super(substitute, cls).__new__(cls)

    def __reduce_ex__(self, protocol):
        # By name, so that pickles load where nothing is patched.
        return _make_empty, (package, name), self.__getstate__()

    def __sklearn_tags__(self):
        # Of our class alone: what scikit-learn's could do besides is no promise of ours.
        return ours(**self.get_params(deep=False)).__sklearn_tags__()

    methods = {
        "__module__": ours.__module__,
        "__qualname__": name,
        "__doc__": ours.__doc__,
        "__signature__": inspect.signature(ours),  # not that of __new__
        "__new__": __new__,
        "__init__": ours.__init__,
        "__reduce_ex__": __reduce_ex__,
        "_sklearn_class": theirs,
        "__sklearn_tags__": __sklearn_tags__,
    }
    for method in _FITS:
        if hasattr(ours, method):
            methods[method] = _make_fit(method, theirs, ours)
    substitute = type(bases[-1])(name, bases, methods)
    if not issubclass(substitute, theirs):
        theirs.register(substitute)
    return substitute


def _make_empty(package, name):
    substitute = get_substitute(package, name)
    return BaseEstimator.__new__(substitute)


def _make_fit(method, theirs, ours):
    fit_ours, fit_theirs = getattr(ours, method), getattr(theirs, method)
    parameters = inspect.signature(ours).parameters.keys()

    @functools.wraps(fit_ours)
    def fit(self, *args, **kwargs):
        shared = {name: value for name, value in vars(self).items() if _is_shared(name)}
        start = time.perf_counter()
        try:
            result = fit_ours(self, *args, **kwargs)
        except (ValueError, TypeError) as error:
            if _get_additions(self, theirs):
                raise  # scikit-learn would fit another model than the one asked for
            refused = error
        else:
            _record(ours.__name__, None, time.perf_counter() - start)
            return result
        # The object is scikit-learn's from here on, with nothing left of our attempt.
        # Parameters that only scikit-learn has, such as deprecated ones, keep their defaults.
        names = inspect.signature(theirs).parameters.keys() & parameters
        fresh = theirs(**{name: getattr(self, name) for name in names})
        vars(self).clear()
        vars(self).update(vars(fresh) | shared)
        self.__class__ = theirs
        start = time.perf_counter()
        result = fit_theirs(self, *args, **kwargs)
        _record(ours.__name__, refused, time.perf_counter() - start)
        return result

    return fit


def _get_additions(estimator, theirs):
    """Names of parameters that scikit-learn's class does not have, and that are not at defaults."""
    theirs = inspect.signature(theirs).parameters
    return [
        name
        for name, parameter in inspect.signature(type(estimator)).parameters.items()
        if name not in theirs and getattr(estimator, name) is not parameter.default
    ]


def _is_shared(name):
    """Whether an attribute is scikit-learn's own: callbacks and metadata requests."""
    return name.startswith(("_skl", "_parent", "_metadata"))


def _make_function(name, theirs, ours):
    @functools.wraps(ours)
    def call(*args, **kwargs):
        start = time.perf_counter()
        try:
            result = ours(*args, **kwargs)
        except (ValueError, TypeError) as error:
            refused = error
        else:
            _record(name, None, time.perf_counter() - start)
            return result
        start = time.perf_counter()
        result = theirs(*args, **kwargs)
        _record(name, refused, time.perf_counter() - start)
        return result

    return call


def _record(name, refused, seconds=None):
    """Count a fit by our class, or by scikit-learn's after ours has refused.

    Without `seconds` our constructor refused: scikit-learn's fits are then not seen here.
    """
    with _lock:
        count = _counts.setdefault(name, _Count())
        if refused is None:
            count.n_ours += 1
            count.seconds_ours += seconds
            return
        reason = str(refused).partition("\n")[0]
        is_new = reason not in count.reasons
        count.reasons[reason] = count.reasons.get(reason, 0) + 1
        if seconds is not None:
            count.n_theirs += 1
            count.seconds_theirs += seconds
    if is_new:
        logger.info("%s: scikit-learn's own class is used: %s", name, reason)


def patch_sklearn(names=None):
    """Use our classes wherever code imports scikit-learn's.

    Replaces the classes and functions that we have drop-ins for, in scikit-learn's public
    packages and in every module that has imported them already. Where our class refuses a
    parameter or the data, the object in question becomes one of scikit-learn's, and a line
    of the logger ``skextra`` says so. Instances pass ``isinstance`` with scikit-learn's class,
    and their pickles load without the patch.

    Parameters
    ----------
    names : list of str, default=None
        Names to replace, such as ``"RandomForestClassifier"``; None for all.

    Raises
    ------
    ValueError
        If a name is not one that can be replaced.

    See Also
    --------
    patched : The same for the duration of a block.
    patch_report : What ran where.

    Examples
    --------
    >>> import skextra
    >>> skextra.patch_sklearn()
    >>> from sklearn.linear_model import Ridge
    >>> Ridge().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).dual_gap_ < 1e-8
    True
    >>> skextra.unpatch_sklearn()
    """
    replaceable = list_replaceable()
    if names is not None:
        unknown = sorted(set(names) - {name for _, name in replaceable})
        if unknown:
            allowed = ", ".join(sorted({name for _, name in replaceable}))
            raise ValueError(f"names must be among {allowed}, got {', '.join(unknown)}")
    with _lock:
        chosen = {}
        for (package, name), (theirs, _) in replaceable.items():
            if names is None or name in names:
                chosen[id(theirs)] = theirs, get_substitute(package, name)
                module = sys.modules[f"sklearn.{package}"]
                _replace(module, name, *chosen[id(theirs)])
        for module_name, module in list(sys.modules.items()):
            if module is None or module_name.partition(".")[0] in ("sklearn", "skextra"):
                continue
            for name, value in list(getattr(module, "__dict__", {}).items()):
                if id(value) in chosen:
                    _replace(module, name, *chosen[id(value)])


def _replace(module, name, theirs, substitute):
    if vars(module).get(name) is theirs:
        setattr(module, name, substitute)
        _replaced.append((module, name, theirs, substitute))


def unpatch_sklearn():
    """Undo :func:`patch_sklearn`; what was created meanwhile stays as it is.

    Examples
    --------
    >>> import skextra
    >>> skextra.patch_sklearn()
    >>> skextra.unpatch_sklearn()
    """
    with _lock:
        while _replaced:
            module, name, theirs, substitute = _replaced.pop()
            if vars(module).get(name) is substitute:
                setattr(module, name, theirs)


@contextmanager
def patched(names=None):
    """Patch scikit-learn for the duration of a block.

    Parameters
    ----------
    names : list of str, default=None
        As in :func:`patch_sklearn`.

    Yields
    ------
    None

    Examples
    --------
    >>> import skextra
    >>> with skextra.patched():
    ...     from sklearn.svm import SVC
    >>> SVC.__module__.partition(".")[0]
    'skextra'
    """
    patch_sklearn(names)
    try:
        yield
    finally:
        unpatch_sklearn()


def patch_report():
    """Say what ran where since the process started, or since the last reset.

    Returns
    -------
    report : Bunch
        ``rows``, a list of :class:`PatchRow`, one per class that was fitted; printing the
        report prints them as a table.

    Examples
    --------
    >>> import skextra
    >>> from sklearn.datasets import load_iris
    >>> with skextra.patched(["SVC"]):
    ...     from sklearn.svm import SVC
    ...
    ...     model = SVC().fit(*load_iris(return_X_y=True))
    >>> [row.name for row in skextra.patch_report().rows if row.n_skextra][-1]
    'SVC'
    """
    with _lock:
        rows = [
            PatchRow(
                name,
                count.n_ours,
                count.n_theirs,
                count.seconds_ours,
                count.seconds_theirs,
                dict(count.reasons),
            )
            for name, count in sorted(_counts.items())
        ]
    return _Report(rows=rows)


class _Report(Bunch):
    def __str__(self):
        lines = [f"{'class':28} {'skextra':>18} {'scikit-learn':>18}"]
        for row in self.rows:
            ours = f"{row.n_skextra} in {row.seconds_skextra:.2f} s"
            theirs = f"{row.n_sklearn} in {row.seconds_sklearn:.2f} s"
            lines.append(f"{row.name:28} {ours:>18} {theirs:>18}")
            lines += [f"    {n} x {reason}" for reason, n in row.reasons.items()]
        return "\n".join(lines)

    __repr__ = __str__
