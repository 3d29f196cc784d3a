"""What every test may lean on."""

import os
from pathlib import Path

import hypothesis
import pytest

# Before anything imports pyplot: tests draw into memory, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")
# Before anything imports numpy: workers share the cores, and BLAS threads of one would wait for
# those of another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


# The same examples in every run. ``--hypothesis-profile=long`` looks for new ones, for hours.
_PROFILE = {"deadline": None, "print_blob": True}
hypothesis.settings.register_profile(
    "default", derandomize=True, max_examples=10, database=None, **_PROFILE
)
hypothesis.settings.register_profile("long", max_examples=3000, **_PROFILE)
hypothesis.settings.load_profile("default")


# Started first, so that no worker is left alone with the longest of them at the end.
_LONGEST = ("tests/test_warmup.py", "tests/sklearn_suite/", "tests/common/")


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="also run the tests marked long, as CI does at night"
    )


def pytest_collection_modifyitems(config, items):
    def find_rank(item):
        return next((i for i, p in enumerate(_LONGEST) if item.nodeid.startswith(p)), len(_LONGEST))

    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=find_rank)


@pytest.fixture(scope="session")
def data_folder():
    """Folder of the real data sets; tests that need it skip where it is absent."""
    beside_checkout = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SKEXTRA_DATA", beside_checkout))
    if not folder.is_dir():
        message = f"no data sets in {folder}: set SKEXTRA_DATA to their folder"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder
