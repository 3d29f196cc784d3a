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
    pages |= {family: make_family_page(family) for family in list_families()}
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
    """The page that lists the families."""
    lines = _head("API reference", "=")
    lines += [".. toctree::", "   :hidden:", "", *(f"   {name}" for name in list_families()), ""]
    lines += [".. list-table::", "   :widths: 30 70", ""]
    for name in list_families():
        lines += [f"   * - :doc:`{name}`", f"     - {_summarize(import_module(name))}"]
    return "\n".join([*lines, ""])


def list_families():
    """The package itself and its public sub-packages."""
    return ["skextra", *(f"skextra.{name}" for name in skextra._SUBMODULES)]


def make_family_page(family):
    """The public names of one family, a table for each kind of name."""
    module = import_module(family)
    lines = _head(family, "=") + [_summarize(module), ""]
    if family == "skextra":
        functions = [name for name in skextra.__all__ if callable(getattr(skextra, name))]
        return "\n".join(lines + _list_names(skextra, functions))
    estimators = {cls for _, cls in skextra.all_estimators()}
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


def _summarize(module):
    return inspect.getdoc(module).splitlines()[0]


def _head(title, underline):
    return [title, underline * len(title), ""]


def _list_names(module, names):
    entries = [f"   ~{module.__name__}.{name}" for name in sorted(names)]
    return [".. autosummary::", "   :toctree: .", "   :nosignatures:", "", *entries, ""]


def make_api_pages():
    """One page per public name: qualified name -> reStructuredText."""
    pages = {}
    for package in list_families():
        module = import_module(package)
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item):
                pages[f"{package}.{name}"] = _make_class_page(package, item)
            elif inspect.isroutine(item):
                lines = _head(name, "=") + [f".. autofunction:: {package}.{name}", ""]
                lines += _list_examples(f"{package}.{name}")
                pages[f"{package}.{name}"] = "\n".join(lines)
    return pages


def _make_class_page(package, cls):
    qualified = f"{package}.{cls.__name__}"
    lines = _head(cls.__name__, "=") + [f".. autoclass:: {qualified}", ""]
    members = list(_list_members(cls))
    for kind, title in (("property", "Properties"), ("method", "Methods")):
        names = [name for name, found, is_own in members if found == kind and is_own]
        if names:
            lines += _head(title, "-")
        for name in names:
            lines += [f".. auto{kind}:: {qualified}.{name}", ""]
    inherited = [f"``{name}``" for name, kind, is_own in members if kind == "method" and not is_own]
    if inherited:
        lines += [".. rubric:: Inherited from scikit-learn", "", ", ".join(inherited) + ".", ""]
    return "\n".join(lines + _list_examples(qualified))


def _list_members(cls):
    """Name, kind, and whether it is defined in skextra, of each public member.

    What is inherited from scikit-learn is documented there, and its docstrings refer to labels
    that only its own pages have.
    """
    for attribute in inspect.classify_class_attrs(cls):
        if attribute.name.startswith("_") or attribute.kind == "data":
            continue
        if attribute.defining_class is object:
            continue
        function = getattr(attribute.object, "fget", None)
        function = function or getattr(attribute.object, "__func__", attribute.object)
        is_own = getattr(inspect.unwrap(function), "__module__", "").startswith("skextra")
        yield attribute.name, "property" if attribute.kind == "property" else "method", is_own


def _list_examples(qualified):
    return [
        f".. minigallery:: {qualified}",
        f"   :add-heading: Examples with {qualified.rpartition('.')[2]}",
        "   :heading-level: -",
        "",
    ]


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
