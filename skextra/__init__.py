"""skextra: scikit-learn's classical estimators, faster, certified and complete.

Sub-packages mirror scikit-learn's: change ``from sklearn.linear_model import
Lasso`` to ``from skextra.linear_model import Lasso`` and nothing else.
"""

from importlib import import_module

from skextra._version import __version__

# Everything public resolves on first access (PEP 562), so that importing
# skextra costs neither scikit-learn's submodules nor the kernel compiler.
_SUBMODULES = (
    "ensemble",
    "kernel_logistic",
    "linear_model",
    "mixture",
    "preprocessing",
    "sampling",
    "svm",
    "tree",
)
_FUNCTIONS = {
    "all_estimators": "skextra._discovery",
    "compare": "skextra._compare",
    "show_versions": "skextra._environment",
    "warmup": "skextra._environment",
}

__all__ = ["__version__", *_SUBMODULES, *_FUNCTIONS]


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f"skextra.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'skextra' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
