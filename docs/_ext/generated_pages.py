"""Pages written from the package itself: the API index and the list of known test failures.

Nothing here names an estimator: a public name appears as soon as its package's
``__all__`` has it, and disappears with it.
"""

import inspect
import sys
from importlib import import_module
from pathlib import Path

import skextra

_REPOSITORY = Path(__file__).resolve().parents[2]


def setup(app):
    # Before autosummary (500) and sphinx-gallery look for what to generate.
    app.connect("builder-inited", write_pages, priority=100)
    return {"parallel_read_safe": True}


def write_pages(app):
    source = Path(app.srcdir)
    _write(source / "api" / "index.rst", make_api_index())
    _write(source / "generated" / "sklearn_suite.md", make_failure_list())


def _write(path, text):
    # An untouched page is not read again by an incremental build.
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def make_api_index():
    """The public names of the package and of each sub-package, a table a kind."""
    lines = _head("API reference", "=")
    functions = [name for name in skextra.__all__ if callable(getattr(skextra, name))]
    lines += _head("skextra", "-", "skextra") + _list_names(skextra, functions)
    estimators = {cls for _, cls in skextra.all_estimators()}
    for package in skextra._SUBMODULES:
        module = import_module(f"skextra.{package}")
        lines += _head(module.__name__, "-", module.__name__)
        lines += [inspect.getdoc(module).splitlines()[0], ""]
        public = {name: getattr(module, name) for name in module.__all__}
        kinds = {
            "Estimators": [n for n, v in public.items() if v in estimators],
            "Functions": [n for n, v in public.items() if inspect.isroutine(v)],
        }
        listed = {name for names in kinds.values() for name in names}
        kinds["Displays and other classes"] = [n for n in public if n not in listed]
        for kind, names in kinds.items():
            if names:
                lines += [f".. rubric:: {kind}", ""] + _list_names(module, names)
    return "\n".join(lines)


def _head(title, underline, module=None):
    lines = [title, underline * len(title), ""]
    return lines + ([f".. currentmodule:: {module}", ""] if module else [])


def _list_names(module, names):
    entries = [f"   {module.__name__}.{name}" for name in sorted(names)]
    return [".. autosummary::", "   :toctree: .", "   :nosignatures:", "", *entries, ""]


def make_failure_list():
    """The listed failures of scikit-learn's own tests, as Markdown."""
    sys.path.insert(0, str(_REPOSITORY))
    try:
        from tests.sklearn_suite.__main__ import format_expected
        from tests.sklearn_suite.runner import load_expected
    finally:
        sys.path.remove(str(_REPOSITORY))
    version, reasons = load_expected()
    if not any(reasons.values()):
        return f"None: every test of scikit-learn {version} that touches these classes passes.\n"
    # The page that includes this has its own headings above the third level.
    return format_expected(reasons)
