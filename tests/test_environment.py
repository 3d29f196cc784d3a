"""`skextra.warmup` leaves nothing to compile, and `skextra.show_versions` says what there is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy
import sklearn

import skextra
from skextra import _environment

_REPOSITORY = Path(__file__).resolve().parents[1]

_WARMUP = """
import json
import skextra
from skextra._core.runtime import jit

summary = skextra.warmup(verbose=True)
# Kernels that numba inlines into their callers never compile on their own.
idle = [
    kernel.py_func.__qualname__
    for kernel in jit.list_kernels()
    if not kernel.signatures and kernel.targetoptions.get("inline") != "always"
]
row = summary._asdict() | {"cache_folder": str(summary.cache_folder), "idle": idle}
print(json.dumps(row))
"""

_ORDINARY_FITS = """
import json
import numpy as np
import scipy.sparse as sp
from sklearn.datasets import make_regression
import skextra
from skextra import linear_model as lm
from skextra._core.runtime import jit

n_fits = 0
for n_samples, n_features in ((120, 7), (40, 400)):
    X, y = make_regression(n_samples, n_features, noise=5.0, random_state=0)
    weights = np.linspace(0.5, 1.5, n_samples)
    for dtype in (np.float64, np.float32):
        layouts = (np.ascontiguousarray, np.asfortranarray, sp.csc_array, sp.csr_matrix)
        for layout in layouts:
            data = layout(X.astype(dtype)), y.astype(dtype)
            for model in (
                lm.Lasso(),
                lm.Lasso(positive=True, fit_intercept=False),
                lm.Lasso(selection="random", random_state=0),
                lm.ElasticNet(penalty_weights=np.linspace(0.0, 2.0, n_features)),
                lm.Ridge(),
                lm.LassoCV(cv=3),
                lm.ElasticNetCV(cv=3, l1_ratio=[0.5, 0.9], selection_rule="1se"),
                lm.RidgeCV(),
            ):
                model.fit(*data).predict(data[0])
                model.fit(*data, sample_weight=weights)
                n_fits += 2
            for n_classes in (2, 3):
                classes = np.arange(n_samples) % n_classes
                for model in (
                    lm.LogisticRegression(),
                    lm.LogisticRegression(C=0.1, l1_ratio=1, fit_intercept=False),
                    lm.LogisticRegression(penalty_weights=np.linspace(0.0, 2.0, n_features)),
                ):
                    model.fit(data[0], classes).predict_proba(data[0])
                    model.fit(data[0], classes, sample_weight=weights)
                    n_fits += 2
compiled = {
    kernel.py_func.__qualname__: [str(s) for s in kernel.stats.cache_misses]
    for kernel in jit.list_kernels()
    if kernel.stats.cache_misses
}
loaded = sum(sum(kernel.stats.cache_hits.values()) for kernel in jit.list_kernels())
again = skextra.warmup(estimators=["Lasso", "LogisticRegression"])
row = {"n_fits": n_fits, "compiled": compiled, "loaded": loaded, "again": again.n_compiled}
print(json.dumps(row))
"""


def _run(code, cache_folder):
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=_REPOSITORY,
        env=os.environ | {"SKEXTRA_CACHE_DIR": str(cache_folder), "SKEXTRA_CACHE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    *lines, last = process.stdout.strip().splitlines()
    return json.loads(last), lines


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    summary, lines = _run(_WARMUP, folder)
    return folder, summary, lines


@pytest.mark.slow
def test_warmup_runs_every_kernel(warmed):
    folder, summary, _ = warmed
    assert summary["idle"] == []
    assert summary["n_kernels"] > 0
    assert summary["n_compiled"] >= summary["n_kernels"]
    assert Path(summary["cache_folder"]) == folder / "skextra"
    assert list(Path(summary["cache_folder"]).iterdir())


@pytest.mark.slow
def test_warmup_reports_a_line_for_every_estimator(warmed):
    _, _, lines = warmed
    assert [line.split(":")[0] for line in lines] == [name for name, _ in skextra.all_estimators()]


@pytest.mark.slow
def test_nothing_is_compiled_after_warmup(warmed):
    folder, _, _ = warmed
    result, _ = _run(_ORDINARY_FITS, folder)
    assert result["n_fits"] > 0
    assert result["loaded"] > 0
    assert result["compiled"] == {}
    assert result["again"] == 0


def test_warmup_of_what_does_not_exist_is_refused():
    for names in (["Lasso", "Lassso"], "Lassso"):
        with pytest.raises(
            ValueError, match="estimators must be a list of names among .* 'Lassso'"
        ):
            skextra.warmup(estimators=names)


def test_options_come_from_the_parameter_constraints():
    estimator = dict(skextra.all_estimators())["ElasticNet"]()
    options = list(_environment._list_options(estimator, n_features=3))
    assert {"positive": True} in options
    assert {"fit_intercept": False} in options
    assert {"selection": "random"} in options
    assert {"copy_X": False} not in options
    assert [o for o in options if "penalty_weights" in o][0]["penalty_weights"].shape == (3,)


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
    from skextra._core.runtime import jit

    monkeypatch.setattr(jit, "find_cache_folder", lambda: None)
    skextra.show_versions()
    assert "folder: none" in capsys.readouterr().out


def test_a_missing_package_is_said_to_be_missing():
    rows = _environment._describe_packages(("numpy", "no-such-distribution-at-all"))
    assert rows[0] == ("numpy", np.__version__)
    assert rows[1] == ("no-such-distribution-at-all", "not installed")
