"""What every test may lean on."""

import os
from pathlib import Path

import pytest

# Before anything imports pyplot: tests draw into memory, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")


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
