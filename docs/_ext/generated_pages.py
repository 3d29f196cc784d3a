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
    api = source / "api"
    pages = make_api_pages()
    _write(api / "index.rst", make_api_index())
    for name, page in pages.items():
        _write(api / f"{name}.rst", page)
    for stale in api.glob("*.rst"):
        if stale.stem != "index" and stale.stem not in pages:
            stale.unlink()
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
    lines += _head("skextra", "-") + _list_names(skextra, functions)
    estimators = {cls for _, cls in skextra.all_estimators()}
    for package in skextra._SUBMODULES:
        module = import_module(f"skextra.{package}")
        lines += _head(module.__name__, "-")
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


def _head(title, underline):
    return [title, underline * len(title), ""]


def _list_names(module, names):
    entries = [f"   ~{module.__name__}.{name}" for name in sorted(names)]
    return [".. autosummary::", "   :toctree: .", "   :nosignatures:", "", *entries, ""]


def make_api_pages():
    """A page a public name: qualified name -> reStructuredText."""
    pages = {}
    for package in ("skextra", *(f"skextra.{name}" for name in skextra._SUBMODULES)):
        module = import_module(package)
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item):
                pages[f"{package}.{name}"] = _make_class_page(package, item)
            elif inspect.isroutine(item):
                lines = _head(name, "=") + [f".. autofunction:: {package}.{name}", ""]
                pages[f"{package}.{name}"] = "\n".join(lines)
    return pages


def _make_class_page(package, cls):
    qualified = f"{package}.{cls.__name__}"
    lines = _head(cls.__name__, "=") + [f".. autoclass:: {qualified}", ""]
    for kind, title in (("property", "Properties"), ("method", "Methods")):
        names = [name for name, found in _list_own_members(cls) if found == kind]
        if names:
            lines += _head(title, "-")
        for name in names:
            lines += [f".. auto{kind}:: {qualified}.{name}", ""]
    return "\n".join(lines)


def _list_own_members(cls):
    # What is inherited from scikit-learn is documented there, and its
    # docstrings refer to labels that only its own pages have.
    for attribute in inspect.classify_class_attrs(cls):
        if attribute.name.startswith("_") or attribute.kind == "data":
            continue
        function = getattr(attribute.object, "fget", None)
        function = function or getattr(attribute.object, "__func__", attribute.object)
        if getattr(inspect.unwrap(function), "__module__", "").startswith("skextra"):
            yield attribute.name, "property" if attribute.kind == "property" else "method"


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
