"""What the project files say of one another: versions, bounds, workflows."""

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENT = re.compile(r"([\w-]+)>=([\d.]+)(?:,<([\d.]+))?")


def read(name):
    return (CHECKOUT / name).read_text(encoding="utf-8")


@pytest.fixture
def numba_pin():
    specification = spec_from_file_location("numba_pin", CHECKOUT / ".ci" / "numba_pin.py")
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_oldest_dependencies_are_the_declared_minimum():
    declared = [REQUIREMENT.fullmatch(line).group(1, 2) for line in PROJECT["dependencies"]]
    lines = [line for line in read(".ci/oldest.txt").splitlines() if not line.startswith("#")]
    assert lines == [f"{name}=={version}" for name, version in sorted(declared)]


def test_ci_runs_every_declared_python():
    listed = re.search(r"python: \[(.*)\]", read(".github/workflows/ci.yml"))[1]
    prefix = "Programming Language :: Python :: 3."
    declared = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if c.startswith(prefix)]
    assert re.findall(r"[\d.]+", listed) == declared
    assert PROJECT["requires-python"] == f">={declared[0]}"


@pytest.mark.parametrize(
    "installed, upper",
    [
        ("0.69.0", "0.70"),
        ("0.71.3", "0.72"),
        ("1.0.0", "1.1"),
        ("0.68.1", "0.69"),  # the bound stands there already
        ("0.61.2", "0.69"),  # never lowered
        ("0.69.0rc1", "0.69"),  # a pre-release is not the release
        ("0.69.0dev0", "0.69"),
    ],
)
def test_numba_bound_is_raised_to_the_next_minor_version(numba_pin, installed, upper):
    text = '    "numba>=0.61.2,<0.69",\n    "numpy>=2.0.2",\n'
    assert numba_pin.raise_bound(text, installed) == text.replace("0.69", upper)


def test_numba_bound_that_is_missing_is_an_error(numba_pin):
    with pytest.raises(ValueError, match="numba>=A,<B"):
        numba_pin.raise_bound('"numba>=0.61.2"', "0.70.0")
    assert numba_pin.raise_bound(read("pyproject.toml"), "0.61.2") == read("pyproject.toml")


def test_numpy_requirement_of_numba(numba_pin):
    assert (
        numba_pin.find_numpy_requirement(["llvmlite<1", "numpy<2.6,>=1.22"]) == "numpy<2.6,>=1.22"
    )


def test_installed_dependencies_are_within_the_bounds():
    """Else the tests would say nothing about what users install."""
    from importlib.metadata import version

    def parse(text):
        return tuple(int(part) for part in re.match(r"[\d.]*\d", text)[0].split("."))

    for line in PROJECT["dependencies"]:
        name, lower, _ = REQUIREMENT.fullmatch(line).groups()
        assert parse(version(name)) >= parse(lower), line


def test_coverage_is_measured_for_every_family_of_the_core():
    job = read(".github/workflows/ci.yml").partition("  coverage:")[2]
    listed = re.findall(r"^          - (\w+)$", job, flags=re.MULTILINE)
    folders = (CHECKOUT / "tests" / "_core").iterdir()
    assert listed == sorted(
        path.name for path in folders if any(path.glob("test_*.py")) and path.name != "runtime"
    )
