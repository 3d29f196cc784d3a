"""Everything public is documented in numpydoc's form, with examples that run."""

import doctest
import inspect
import re
import warnings
from importlib import import_module

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

import skextra

# What numpydoc demands beyond the form, and we leave to judgment: an extended
# summary (ES01), nameless return values (RT02), a See Also section (SA01) and its
# wording (SA04), a one-line summary (SS06) that opens with a verb (SS05), capitals
# (PR08, RT04) and full stops (PR09, RT05) in descriptions that may be a formula.
LEFT_TO_JUDGMENT = {"ES01", "RT02", "SA01", "SA04", "SS05", "SS06", "PR08", "PR09", "RT04", "RT05"}
# Their meaning is in the name, in scikit-learn's words or in the class docstring.
SHORT_IS_FINE = {"EX01", "RT01", "RT03", "GL08"}
INHERITED = ("sklearn.", "builtins")


def list_public_objects():
    """Classes and functions of every public package, by the name users import."""
    for name in skextra._FUNCTIONS:
        yield f"skextra.{name}", getattr(skextra, name)
    for package in skextra._SUBMODULES:
        module = import_module(f"skextra.{package}")
        for name in module.__all__:
            yield f"skextra.{package}.{name}", getattr(module, name)


def list_public_methods():
    for name, item in list_public_objects():
        if not inspect.isclass(item):
            continue
        for method_name, method in inspect.getmembers(item, callable):
            if method_name.startswith("_") or inspect.isclass(method):
                continue
            function = inspect.unwrap(method)
            if not getattr(function, "__module__", "").startswith("skextra."):
                continue  # inherited from scikit-learn, documented there
            yield f"{name}.{method_name}", method


OBJECTS = dict(list_public_objects())
METHODS = dict(list_public_methods())


def find_errors(name, ignored):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = validate(name)["errors"]
    return [f"{code} {message}" for code, message in found if code not in ignored]


@pytest.mark.parametrize("name", OBJECTS)
def test_public_objects_are_documented(name):
    assert find_errors(name, LEFT_TO_JUDGMENT) == []


@pytest.mark.parametrize("name", METHODS)
def test_public_methods_are_documented(name):
    assert METHODS[name].__doc__, "no docstring"
    assert find_errors(name, LEFT_TO_JUDGMENT | SHORT_IS_FINE) == []


@pytest.mark.parametrize("name", [n for n, item in OBJECTS.items() if inspect.isclass(item)])
def test_estimators_say_where_their_method_is_from(name):
    sections = get_doc_object(OBJECTS[name])
    if hasattr(OBJECTS[name], "fit"):
        assert sections["References"], "no References section"
        assert sections["Attributes"], "no Attributes section"
    assert sections["Examples"], "no Examples section"


def find_example(name, item):
    (example,) = doctest.DocTestFinder(recurse=False).find(item, name, globs={})
    return example


def run_example(example):
    """Each on its own, where nothing may warn."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    report = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doctest.DocTestRunner(optionflags=flags).run(example, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", OBJECTS)
def test_examples_run(name):
    example = find_example(name, OBJECTS[name])
    commands = [command for command in example.examples if command.source.strip()]
    skipped = [command for command in commands if command.options.get(doctest.SKIP)]
    assert commands and len(skipped) < len(commands), "no example that runs"
    run_example(example)


@pytest.mark.parametrize(
    "name", [n for n, method in METHODS.items() if ">>>" in (method.__doc__ or "")]
)
def test_examples_of_methods_run(name):
    run_example(find_example(name, METHODS[name]))


@pytest.mark.parametrize("name", OBJECTS)
def test_no_docstring_promises_later_work(name):
    text = inspect.getdoc(OBJECTS[name])
    assert not re.search(r"\bTODO\b|\bFIXME\b|\bXXX\b|not (yet )?implemented", text, re.I)
