"""The upper bound of numba in pyproject.toml: read it, raise it.

The kernel cache uses numba's internals, so that a new minor version of numba counts as unsupported
until the tests have passed on it; the nightly workflow then calls ``raise``.

    python .ci/numba_pin.py raise   # to the next minor version after the one that is installed
    python .ci/numba_pin.py numpy   # a requirement for the NumPy that the installed numba accepts
"""

import re
import sys
from importlib.metadata import requires, version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_PIN = re.compile(r'"numba>=(?P<lower>[\d.]+),<(?P<upper>\d+\.\d+)"')


def raise_bound(text, installed):
    """The text of pyproject.toml with the bound after `installed`; never lower than it was.

    A pre-release does not count: the version that is released may differ.
    """
    match = _PIN.search(text)
    if match is None:
        raise ValueError("pyproject.toml has no requirement of the form numba>=A,<B")
    release = re.fullmatch(r"(\d+)\.(\d+)\.\d+", installed)
    if release is None:
        return text
    following = (int(release[1]), int(release[2]) + 1)
    if following <= tuple(map(int, match["upper"].split("."))):
        return text
    start, stop = match.span("upper")
    return f"{text[:start]}{following[0]}.{following[1]}{text[stop:]}"


def find_numpy_requirement(requirements):
    """Among the requirements of a package, the one that concerns NumPy."""
    return next(line.partition(";")[0] for line in requirements if re.match(r"numpy\b", line))


if __name__ == "__main__":
    if sys.argv[1:] == ["raise"]:
        PROJECT.write_text(raise_bound(PROJECT.read_text(), version("numba")))
    elif sys.argv[1:] == ["numpy"]:
        print(find_numpy_requirement(requires("numba")))
    else:
        sys.exit(__doc__)
