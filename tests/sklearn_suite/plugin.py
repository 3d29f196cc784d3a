"""A pytest plugin that swaps classes before a test module is imported.

Loaded with ``-p`` in a subprocess. It reads from the environment

SKLEARN_SUITE_SWAPS : JSON object, scikit-learn package -> package that replaces its names.
SKLEARN_SUITE_REPORT : file that receives one JSON record per test.

It imports nothing from the rest of this package, because it runs apart from it.
"""

import functools
import inspect
import json
import os
from importlib import import_module

import pytest

_touched = set()
_records = {}


def _mark_class(cls):
    # Attribute access, not construction: parametrized tests are handed
    # instances that were made while the module was collected.
    original = cls.__getattribute__

    def __getattribute__(self, name):
        _touched.add(cls.__name__)
        return original(self, name)

    cls.__getattribute__ = __getattribute__
    return cls


def _mark_function(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        _touched.add(function.__name__)
        return function(*args, **kwargs)

    return call


def swap_names(theirs, ours):
    """Put every public name of package `ours` in place of its namesake in `theirs`.

    The private module that defines the namesake is patched too, so that both
    ways of importing it agree. Names that `ours` lacks stay as they are.
    """
    package, replacement = import_module(theirs), import_module(ours)
    for name in set(package.__all__) & set(replacement.__all__):
        original, new = getattr(package, name), getattr(replacement, name)
        new = _mark_class(new) if inspect.isclass(new) else _mark_function(new)
        for module in (package, import_module(original.__module__)):
            setattr(module, name, new)


def pytest_configure(config):
    for theirs, ours in json.loads(os.environ["SKLEARN_SUITE_SWAPS"]).items():
        swap_names(theirs, ours)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    _touched.clear()
    result = yield
    record = _records.setdefault(item.name, {"outcome": "passed"})
    record["touched"] = sorted(_touched)
    return result


def pytest_runtest_logreport(report):
    if report.outcome == "passed":
        return
    record = _records.setdefault(report.nodeid.split("::", 1)[1], {"outcome": report.outcome})
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        message = crash.message if crash else str(report.longrepr)
        record.update(outcome="failed", message=message.strip()[:500])


def pytest_sessionfinish(session):
    with open(os.environ["SKLEARN_SUITE_REPORT"], "w", encoding="utf-8") as file:
        json.dump(_records, file)
