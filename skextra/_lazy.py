"""Submodules and names that load on first access, listed in a stub.

As in SPEC 1 of scientific-python.org, the stub ``__init__.pyi`` beside a package's
``__init__.py`` is the only list of what the package offers: type checkers and editors read
it as it is, and `attach_stub` makes the same names available at run time.
"""

import ast
from importlib import import_module
from pathlib import Path


def attach_stub(package, file):
    """Make the names that a package's stub imports load on first access.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    file : str
        ``__file__`` of its ``__init__.py``. The stub may hold imports of the forms
        ``from . import module as module`` and ``from .module import name as name``.

    Returns
    -------
    getattr, dir : callable
        ``__getattr__`` and ``__dir__`` of the package.
    names : list of str
        Its ``__all__``.
    """
    sources = read_stub(file)

    def load(name):
        if name not in sources:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if sources[name] is None:
            return import_module(f"{package}.{name}")
        return getattr(import_module(f"{package}.{sources[name]}"), name)

    names = sorted(sources)
    return load, lambda: names, names


def read_stub(file):
    """Names of a package's stub, each with the module it comes from; None for a submodule."""
    sources = {}
    for node in ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            sources.update({alias.name: node.module for alias in node.names})
    return sources


def forward_to_sklearn(package):
    """Pass names that a sub-package does not have on to scikit-learn's of the same name.

    Parameters
    ----------
    package : str
        ``__name__`` of one of our sub-packages.

    Returns
    -------
    getattr : callable
        ``__getattr__`` of the sub-package. Public names of scikit-learn's only.
    """
    source = f"sklearn.{package.rpartition('.')[2]}"

    def load(name):
        # Private names and dunders are asked for by tools, which must not import scikit-learn.
        if not name.startswith("_"):
            module = import_module(source)
            if name in module.__all__:
                return getattr(module, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
