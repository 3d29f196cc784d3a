"""Decision trees on rank codes: encoding, split search, growing, prediction."""

from importlib import import_module

_SUBMODULES = ("encode", "grow", "importances", "nodes", "predict", "quantiles", "targets")

__all__ = list(_SUBMODULES)


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f"skextra._core.tree.{name}")
    raise AttributeError(f"module 'skextra._core.tree' has no attribute {name!r}")
