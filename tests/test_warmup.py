"""`skextra.warmup` leaves nothing to compile."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import skextra
from skextra import _warmup_fits, _warmup_workers

_REPOSITORY = Path(__file__).resolve().parents[1]

_WARMUP = """
import json
import pkgutil
from importlib import import_module
import skextra
from skextra import _core
from skextra._core.runtime import cache, jit
from skextra._core.runtime.families import IMPORTS

summary = skextra.warmup(verbose=True)
for module in pkgutil.walk_packages(_core.__path__, "skextra._core."):
    import_module(module.name)
folders = [folder for family in IMPORTS for folder in cache.find_folders(family)[0]]
ready = {p.name.rsplit(".", 2)[0] for folder in folders for p in folder.glob("*.kernel")}
kernels = jit.list_kernels()
# What a compiled kernel calls is compiled with it.
reached = [kernel for kernel in kernels if kernel._cache._impl.filename_base in ready]
for kernel in reached:
    for name in kernel.py_func.__code__.co_names:
        callee = kernel.py_func.__globals__.get(name)
        if any(callee is other for other in kernels) and callee not in reached:
            reached.append(callee)
# Kernels that numba inlines into their callers never compile on their own.
idle = [
    kernel.py_func.__qualname__
    for kernel in kernels
    if kernel.targetoptions.get("inline") != "always" and kernel not in reached
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
            Y = np.column_stack([data[1], data[1][::-1]])
            for model in (lm.MultiTaskLasso(), lm.MultiTaskElasticNetCV(cv=3, alphas=10)):
                model.fit(data[0], Y).predict(data[0])
                model.fit(data[0], Y, sample_weight=weights)
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


@pytest.mark.long
def test_warmup_runs_every_kernel(warmed):
    folder, summary, _ = warmed
    assert summary["idle"] == []
    assert summary["n_kernels"] > 0
    # A checkout of which a wheel was built has compiled kernels of its own.
    assert summary["n_compiled"] + summary["n_loaded"] >= summary["n_kernels"]
    assert summary["n_loaded"] or Path(summary["cache_folder"]) == folder / "skextra"


@pytest.mark.long
def test_warmup_reports_a_line_for_every_estimator(warmed):
    _, summary, lines = warmed
    if not summary["n_compiled"]:
        assert lines == []
        return
    heads = {line.split(":")[0] for line in lines}
    assert {name for name, _ in skextra.all_estimators()} <= heads
    assert not [line for line in lines if ", then " in line]


@pytest.mark.long
def test_nothing_is_compiled_after_warmup(warmed):
    folder, _, _ = warmed
    result, _ = _run(_ORDINARY_FITS, folder)
    assert result["n_fits"] > 0
    assert result["loaded"] > 0
    assert result["compiled"] == {}
    assert result["again"] == 0


@pytest.mark.long
def test_second_warmup_fits_nothing(warmed):
    folder, first, _ = warmed
    second, lines = _run(_WARMUP, folder)
    assert lines == []
    assert second["n_compiled"] == 0
    assert second["n_loaded"] >= first["n_compiled"]
    assert second["n_kernels"] == first["n_kernels"]


_WARM_ONE = """
import json
import skextra
from skextra._core.runtime import cache

options = json.loads(OPTIONS)
summary = skextra.warmup(estimators=["Lasso"], **options)
print(json.dumps(summary._asdict() | {"cache_folder": str(summary.cache_folder)}))
"""


def _warm_one(folder, **options):
    return _run(_WARM_ONE.replace("OPTIONS", repr(json.dumps(options))), folder)[0]


@pytest.mark.long
def test_native_kernels_come_beside_portable_ones_and_first(tmp_path):
    assert _warm_one(tmp_path)["n_kernels"] > 0
    native = _warm_one(tmp_path, native=True, n_jobs=1)
    assert native["n_compiled"] > 0
    assert native["n_loaded"] == 0
    assert _warm_one(tmp_path, native=True)["n_compiled"] == 0
    loaded, _ = _run(
        """
import json
from skextra.linear_model import Lasso
from skextra._core.runtime import cache

Lasso().fit([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]], [0.0, 1.0, 2.0])
print(json.dumps(sorted(cache.usage.loaded)))
""",
        tmp_path,
    )
    manifest = max(
        tmp_path.rglob("manifest-least_squares-*.json"), key=lambda path: path.stat().st_mtime_ns
    )
    assert loaded
    assert set(loaded) <= set(json.loads(manifest.read_text())["entries"])


@pytest.mark.long
def test_lost_entries_are_compiled_again_once(tmp_path):
    code = _WARM_ONE.replace("OPTIONS", repr(json.dumps({"native": True, "verbose": True})))
    first, _ = _run(code, tmp_path)
    entries = sorted(tmp_path.rglob("*.kernel"))
    assert len(entries) == first["n_compiled"]
    for entry in entries:
        entry.unlink()
    second, lines = _run(code, tmp_path)
    assert second["n_compiled"] == first["n_compiled"]
    assert len(lines) == 1
    assert sorted(tmp_path.rglob("*.kernel")) == entries
    # What nothing asks for, a callee compiled into its callers, is not missed.
    entries[0].unlink()
    assert _run(code, tmp_path)[0]["n_compiled"] <= 1
    third, lines = _run(code, tmp_path)
    assert (third["n_compiled"], lines) == (0, [])


def test_a_worker_that_dies_leaves_its_group_incomplete(monkeypatch):
    monkeypatch.setattr(_warmup_workers, "_COMMAND", "import os; os._exit(3)")
    lines = []
    replies = dict(_warmup_workers.run_jobs({"a": ["x"], "b": ["y"]}, {}, 2, lines.append))
    assert replies == {"a": _warmup_workers._FAILED, "b": _warmup_workers._FAILED}
    assert len(lines) == 2


@pytest.mark.parametrize("n_jobs", [0, -1, 1.5, "2"])
def test_number_of_processes_is_checked(n_jobs):
    with pytest.raises(ValueError, match="n_jobs must be a positive integer or None, got"):
        skextra.warmup(n_jobs=n_jobs)


def test_warmup_of_what_does_not_exist_is_refused():
    for names in (["Lasso", "Lassso"], "Lassso"):
        with pytest.raises(
            ValueError, match="estimators must be a list of names among .* 'Lassso'"
        ):
            skextra.warmup(estimators=names)


def test_options_come_from_the_parameter_constraints():
    estimator = dict(skextra.all_estimators())["ElasticNet"]()
    options = list(_warmup_fits._list_options(estimator, n_features=3))
    assert {"positive": True} in options
    assert {"fit_intercept": False} in options
    assert {"selection": "random"} in options
    assert {"copy_X": False} not in options
    assert [o for o in options if "penalty_weights" in o][0]["penalty_weights"].shape == (3,)
