"""`skextra.show_versions` reports what is installed."""

import sys

import numpy as np
import scipy
import sklearn

import skextra
from skextra import _environment


def test_show_versions_names_what_is_installed(capsys):
    skextra.show_versions()
    shown = capsys.readouterr().out
    assert f"skextra: {skextra.__version__} in" in shown
    for name, module in (("numpy", np), ("scipy", scipy), ("scikit-learn", sklearn)):
        assert f"    {name}: {module.__version__}\n" in shown
    assert f"python: {sys.version.split()[0]}" in shown
    assert "blas (" in shown
    assert "    folder: " in shown


def test_show_versions_says_when_there_is_no_cache(monkeypatch, capsys):
    from skextra._core.runtime import cache

    monkeypatch.setattr(cache, "find_cache_folder", lambda family="core": None)
    skextra.show_versions()
    assert "folder: none" in capsys.readouterr().out


def test_a_missing_package_is_reported():
    rows = _environment._describe_packages(("numpy", "no-such-distribution-at-all"))
    assert rows[0] == ("numpy", np.__version__)
    assert rows[1] == ("no-such-distribution-at-all", "not installed")
