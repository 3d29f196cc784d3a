"""What may import what, and what importing costs."""

import ast
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path

import pytest

import skextra
from skextra._core.runtime.families import IMPORTS, list_imports as list_families
from skextra._lazy import read_stub

PACKAGE = Path(skextra.__file__).resolve().parent
REPOSITORY = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "skextra.")
    if not module.name.endswith("__main__")
)
# What estimators stand on, and therefore must not know of them.
FOUNDATION = (
    "_base",
    "_callbacks",
    "_compat",
    "_core",
    "_lazy",
    "_parallel",
    "_validation",
    "_version",
)
HEAVY = ("numba", "llvmlite", "pandas", "polars", "matplotlib", "dask")
OPTIONAL = ("pandas", "polars", "pyarrow", "matplotlib", "dask", "distributed", "skops")


def get_module_name(path):
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def list_imports(path):
    """Every module a file imports, anywhere in it, with the names taken from it."""
    module = get_module_name(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                yield source, alias.name


def name_in_full(source, name):
    return source if name is None else f"{source}.{name}"


def starts_with(module, prefix):
    return module == prefix or module.startswith(prefix + ".")


def is_in_core(path):
    return (PACKAGE / "_core") in path.parents


CORE_FILES = [path for path in FILES if is_in_core(path)]


def describe_path(path):
    return path.relative_to(REPOSITORY).as_posix()


def run(code):
    process = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.split()


def test_the_walk_sees_imports(tmp_path):
    """The walk itself: absolute, relative, nested and lazy imports are all found."""
    assert ("numba", None) in set(list_imports(PACKAGE / "_core" / "runtime" / "jit.py"))
    assert len(FILES) > 10 and len(MODULES) > 10
    found = {name_in_full(*found) for path in FILES for found in list_imports(path)}
    assert any(starts_with(name, "sklearn.base") for name in found)


def list_offenders(paths, is_allowed):
    """Imports that are not allowed, as file and module; each module with the name taken from it."""
    return [
        (describe_path(path), name_in_full(source, name))
        for path in paths
        for source, name in list_imports(path)
        if not is_allowed(source, name_in_full(source, name))
    ]


def test_core_imports_neither_sklearn_nor_the_rest_of_skextra():
    def is_allowed(source, module):
        if starts_with(module, "skextra"):
            return starts_with(module, "skextra._core") or source == "skextra._lazy"
        return not starts_with(module, "sklearn")

    assert list_offenders(CORE_FILES, is_allowed) == []


def test_core_imports_numpy_scipy_and_numba_only():
    # threadpoolctl sets the threads of NumPy's and SciPy's own BLAS; llvmlite is numba's back end,
    # whose version and processor are part of the keys of compiled kernels.
    allowed = {"numpy", "scipy", "numba", "llvmlite", "threadpoolctl", "skextra"}
    allowed |= set(sys.stdlib_module_names)
    assert list_offenders(CORE_FILES, lambda source, _: source.partition(".")[0] in allowed) == []


def test_numba_is_imported_by_the_core_alone():
    # show_versions reports numba's settings, and imports it when it is called.
    paths = [path for path in FILES if not is_in_core(path) and path.name != "_environment.py"]

    def is_allowed(source, module):
        return not starts_with(source, "numba") and not starts_with(source, "llvmlite")

    assert list_offenders(paths, is_allowed) == []


def test_kernels_are_compiled_by_our_decorator_alone():
    compilers = {"njit", "jit", "vectorize", "guvectorize", "cfunc", "stencil", "generated_jit"}
    for path in CORE_FILES:
        if path.name == "jit.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{describe_path(path)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert not (node.value.id in ("numba", "nb") and node.attr in compilers), where
            if isinstance(node, ast.ImportFrom) and node.module == "numba":
                assert not compilers & {alias.name for alias in node.names}, where


def is_private(module):
    return any(part.startswith("_") and part != "__version__" for part in module.split("."))


BUT_COMPAT = [path for path in FILES if path.name != "_compat.py"]


def test_private_names_of_sklearn_come_through_compat():
    def is_allowed(source, module):
        return not (starts_with(module, "sklearn") and is_private(module))

    assert list_offenders(BUT_COMPAT, is_allowed) == []


def test_versions_of_sklearn_are_distinguished_in_compat_only():
    for path in BUT_COMPAT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "id", getattr(node, "attr", None))
            assert name != "parse_version", describe_path(path)
            is_version = isinstance(node, ast.Attribute) and node.attr == "__version__"
            assert not (is_version and getattr(node.value, "id", "") == "sklearn"), describe_path(
                path
            )


def test_nothing_imports_upward():
    def get_part(path):
        return path.relative_to(PACKAGE).parts[0].split(".")[0]

    def is_allowed(source, module):
        if not starts_with(module, "skextra"):
            return True
        return (module.split(".")[1] if "." in module else "") in FOUNDATION

    foundation = [path for path in FILES if get_part(path) in FOUNDATION]
    assert list_offenders(foundation, is_allowed) == []


def test_estimator_packages_do_not_import_the_tools_above_them():
    packages = [PACKAGE / name for name in skextra._SUBMODULES]
    for path in FILES:
        if any(package in path.parents for package in packages):
            for source, name in list_imports(path):
                module = name_in_full(source, name)
                for tool in ("_compare", "_environment", "_discovery", "_warmup", "__main__"):
                    assert not starts_with(module, f"skextra.{tool}"), (path, module)


def find_heavy(modules):
    return {name.partition(".")[0] for name in modules} & set(HEAVY)


def test_importing_the_top_loads_nothing_heavy():
    loaded = run("import sys, skextra; print(*sys.modules)")
    assert "skextra" in loaded
    assert not find_heavy(loaded)


@pytest.mark.parametrize("family", skextra._SUBMODULES)
def test_importing_a_family_loads_nothing_heavy(family):
    """But what scikit-learn's own import brings with it, where that is installed."""
    loaded = run(f"import sys, skextra.{family}; print(*sys.modules)")
    assert f"skextra.{family}" in loaded
    sklearns = find_heavy(run("import sys, sklearn.linear_model; print(*sys.modules)"))
    assert not find_heavy(loaded) - (sklearns & {"pandas"})


def test_importing_the_top_loads_no_subpackage():
    loaded = run("import sys, skextra; print(*sys.modules)")
    assert not [name for name in loaded if starts_with(name, "sklearn")]
    assert {name for name in loaded if starts_with(name, "skextra")} == {
        "skextra",
        "skextra._lazy",
        "skextra._version",
    }


def test_every_module_is_importable_without_the_optional_packages():
    block = "; ".join(f"sys.modules[{name!r}] = None" for name in OPTIONAL)
    code = f"import sys; from importlib import import_module; {block}\n"
    code += f"for name in {MODULES!r}: import_module(name)\n"
    code += "print(*(name for name in sys.modules if name.startswith('skextra')))"
    assert set(MODULES) <= set(run(code))


def test_estimators_work_without_the_optional_packages():
    block = "; ".join(f"sys.modules[{name!r}] = None" for name in OPTIONAL)
    code = f"import sys; {block}\n"
    code += """
import numpy as np
import skextra
rng = np.random.default_rng(0)
X = rng.standard_normal((30, 3))
y = np.arange(30) % 2
for name, cls in skextra.all_estimators():
    cls().fit(np.abs(X), np.column_stack([y, 1 - y]) if name.startswith("MultiTask") else y)
    repr(cls())
    print(name)
"""
    assert run(code) == [name for name, _ in skextra.all_estimators()]


def test_public_names_resolve():
    assert set(dir(skextra)) == set(skextra.__all__)
    for name in skextra.__all__:
        assert getattr(skextra, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = skextra.no_such_name
    from skextra import _core

    assert all(getattr(_core, name).__name__ == f"skextra._core.{name}" for name in _core.__all__)
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = _core.no_such_name


STUBS = sorted(PACKAGE.rglob("__init__.pyi"))


@pytest.mark.parametrize("path", STUBS, ids=describe_path)
def test_a_stub_lists_every_module_and_every_name_resolves(path):
    package = import_module(get_module_name(path))
    sources = read_stub(path)
    assert set(sources) <= set(package.__all__)
    if is_in_core(path):
        modules = {other.stem for other in path.parent.glob("*.py")} - {"__init__"}
        packages = {other.parent.name for other in path.parent.glob("*/__init__.py")}
        assert set(sources) == modules | packages
    for name, module in sources.items():
        item = getattr(package, name)
        if module is None:
            assert item.__name__ == f"{package.__name__}.{name}"


def test_every_family_of_the_core_has_its_place_in_the_table_of_imports():
    folders = {path.parent.name for path in (PACKAGE / "_core").glob("*/__init__.py")}
    assert folders == set(IMPORTS)


def test_floor_plan_in_the_design_page_is_the_one_there_is():
    page = (REPOSITORY / "docs" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|$", page, flags=re.MULTILINE)
    plan = {family: tuple(re.findall(r"`(\w+)`", allowed)) for family, *_, allowed in rows}
    assert plan == IMPORTS
    for family, contents, first, _ in rows:
        assert contents.strip() and first.strip()
        for name in re.findall(r"`(\S+)`", first):
            assert (PACKAGE / "_core" / family / name).is_file(), (family, name)


@pytest.mark.parametrize("family", IMPORTS)
def test_families_of_the_core_import_what_the_table_allows(family):
    allowed = {f"skextra._core.{name}" for name in list_families(family)} | {"skextra._lazy"}
    for path in (PACKAGE / "_core" / family).glob("*.py"):
        for source, name in list_imports(path):
            module = name_in_full(source, name)
            if starts_with(module, "skextra"):
                assert any(starts_with(module, other) for other in allowed), (path, module)


def test_modules_and_functions_stay_readable():
    for path in FILES:
        source = path.read_text(encoding="utf-8")
        assert len(source.splitlines()) <= 600, describe_path(path)
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            body = node.body
            if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                body = body[1:]  # a docstring is as long as it needs to be
            if body:
                length = body[-1].end_lineno - body[0].lineno + 1
                assert length <= 80, f"{describe_path(path)}: {node.name} has {length} lines"


FORWARDING = ("ensemble", "linear_model", "mixture", "svm", "tree")


@pytest.mark.parametrize("family", FORWARDING)
def test_names_that_we_do_not_have_are_scikit_learns(family):
    ours, theirs = (import_module(f"{root}.{family}") for root in ("skextra", "sklearn"))
    for name in theirs.__all__:
        item = getattr(ours, name)
        assert (item is getattr(theirs, name)) == (name not in ours.__all__), name
    for name in ("no_such_name", "_no_such_name"):
        with pytest.raises(AttributeError, match=f"module 'skextra.{family}' has no attribute"):
            getattr(ours, name)
