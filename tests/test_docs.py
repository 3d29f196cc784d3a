"""What README and docs show is run, and what they name exists."""

import doctest
import importlib.util
import re
from importlib import import_module
from pathlib import Path

import pytest

import skextra

_REPOSITORY = Path(__file__).resolve().parents[1]
_PAGES = [
    path.relative_to(_REPOSITORY).as_posix()
    for path in [
        *_REPOSITORY.glob("*.md"),
        *_REPOSITORY.glob("docs/*.md"),
        *_REPOSITORY.glob("docs/user_guide/*.md"),
    ]
]
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _read(page):
    return (_REPOSITORY / page).read_text(encoding="utf-8")


def _find_examples(text):
    # A closing fence right after an output would be read as part of it.
    blocks = re.findall(r"^```(?:python|pycon)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join(block for block in blocks if ">>>" in block)


def _run_examples(text, name):
    test = doctest.DocTestParser().get_doctest(_find_examples(text), {}, name, name, 0)
    report = []
    doctest.DocTestRunner(optionflags=_FLAGS).run(test, out=report.append)
    return len(test.examples), "".join(report)


def _load_extension(name):
    path = _REPOSITORY / "docs" / "_ext" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", _PAGES)
def test_examples_give_the_output_shown(page):
    n_examples, report = _run_examples(_read(page), page)
    assert report == ""
    assert n_examples > 0 or page != "README.md"


def test_a_wrong_output_would_be_seen():
    n_examples, report = _run_examples("```python\n>>> 1 + 1\n3\n```\n", "wrong")
    assert n_examples == 1
    assert "Expected:" in report


@pytest.mark.parametrize("page", _PAGES)
def test_relative_links_lead_somewhere(page):
    folder = (_REPOSITORY / page).parent
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)", _read(page))
    assert [t for t in targets if not (folder / t).exists()] == []


def test_layout_in_design_page_is_the_one_there_is():
    block = re.search(r"```text\n(.*?)```", _read("docs/design.md"), flags=re.DOTALL).group(1)
    folders, described = [], set()
    for line in block.splitlines():
        indent, names = re.match(r"( *)((?:\S+\.py\b|\S+/)(?:  \S+\.py\b)*)", line).groups()
        folders = folders[: len(indent) // 2]
        described |= {"".join(folders) + name for name in names.split()}
        folders.append(names)
    assert [name for name in sorted(described) if not (_REPOSITORY / name).exists()] == []
    present = {
        f"skextra/{path.name}{'/' * path.is_dir()}"
        for path in (_REPOSITORY / "skextra").iterdir()
        if path.is_dir() or path.suffix == ".py"
    }
    present -= {"skextra/__pycache__/", "skextra/_version.py"}
    assert present - described == set()


def test_api_index_has_every_public_name():
    generator = _load_extension("generated_pages")
    index = "\n".join(generator.make_family_page(family) for family in generator.list_families())
    names = [f"skextra.{name}" for name in skextra._FUNCTIONS]
    for package in skextra._SUBMODULES:
        module = import_module(f"skextra.{package}")
        names += [f"{module.__name__}.{name}" for name in module.__all__]
    listed = re.findall(r"^   ~(skextra\S+)$", index, flags=re.MULTILINE)
    assert sorted(listed) == sorted(names)


def test_listed_failures_of_scikit_learns_tests_are_rendered():
    generator = _load_extension("generated_pages")
    page = generator.make_failure_list()
    from tests.sklearn_suite.runner import load_expected

    tests = [test for group in load_expected()[1].values() for test in group]
    assert [test for test in tests if test not in page] == []
    assert page.strip()


def test_chart_of_speedups_has_every_figure_of_the_readme():
    pytest.importorskip("docutils")
    chart = _load_extension("speedup_chart")
    rows = chart.read_speedups(
        "| `skextra.a` | over scikit-learn | beyond |\n| --- | --- | --- |\n"
        "| `A`, `B` | 2.5x on iris, 0.8x on wine | 3x |\n\n"
        "| `skextra.b` | over PyTorch | beyond |\n| --- | --- | --- |\n| `C` | 9x | |\n"
    )
    assert rows == [("A, B", [2.5, 0.8])]
    picture = chart.draw_chart(rows)
    assert picture.count('class="slower"') == 1
    assert picture.count('class="faster"') == 1
    # A factor of two is the same width everywhere on a logarithmic axis.
    one, two, four = map(chart._find_position, (1, 2, 4))
    assert abs((two - one) - (four - two)) <= 0.1
    with pytest.raises(ValueError, match="no table"):
        chart.read_speedups("# Nothing")
    charted = {
        name for names, _ in chart.read_speedups(_read("README.md")) for name in names.split(", ")
    }
    assert {"Lasso", "RidgeCV", "SVC", "GaussianMixture"} <= charted


def test_versions_agree():
    citation = re.search(r"^version: (.+)$", _read("CITATION.cff"), flags=re.MULTILINE).group(1)
    newest = re.search(r"^## (\S+)", _read("CHANGELOG.md"), flags=re.MULTILINE).group(1)
    assert skextra.__version__ == citation == newest
