"""The build hook that compiles kernels into wheels: when it does, and that it never fails."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture
def module():
    specification = spec_from_file_location("hatch_build", CHECKOUT / "hatch_build.py")
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def hook(module, tmp_path, monkeypatch):
    messages = []
    application = SimpleNamespace(display_info=messages.append, display_warning=messages.append)
    metadata = SimpleNamespace(core=SimpleNamespace(dependencies=["numba>=0.61"]))
    hook = module.KernelBuildHook(str(tmp_path), {}, None, metadata, "", "wheel", application)
    hook.messages = messages
    monkeypatch.setattr(module.platform, "system", lambda: "Linux")
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.delenv("SKEXTRA_BUILD_KERNELS", raising=False)
    return hook


def build(hook, version="standard"):
    data = {"force_include": {}, "pure_python": True, "infer_tag": False}
    hook.initialize(version, data)
    return data


PURE = {"force_include": {}, "pure_python": True, "infer_tag": False}


def pretend(module, monkeypatch, code):
    monkeypatch.setattr(module, "_COMPILE", code)


WRITE = """
import json, sys
from pathlib import Path
path = Path(sys.argv[1]) / "skextra" / "_core" / "compiled" / "a.kernel"
path.parent.mkdir(parents=True)
path.touch()
Path(sys.argv[2]).write_text(json.dumps([str(path)]))
"""


def test_kernels_go_into_a_wheel_with_the_tags_of_machine_code(module, hook, monkeypatch):
    pretend(module, monkeypatch, WRITE)
    data = build(hook)
    assert data["force_include"] == {
        str(Path(hook.root) / "skextra/_core/compiled/a.kernel"): (
            "skextra/_core/compiled/a.kernel"
        )
    }
    assert (data["pure_python"], data["infer_tag"]) == (False, True)
    assert hook.dependencies() == ["numba>=0.61"]


@pytest.mark.parametrize("code", ["import sys; sys.exit(1)", "pass", "import os; os._exit(-11)"])
def test_a_compilation_that_fails_leaves_a_pure_wheel(module, hook, monkeypatch, code):
    pretend(module, monkeypatch, code)
    assert build(hook) == PURE
    assert any("No kernels are compiled" in message for message in hook.messages)


def test_no_python_to_run_leaves_a_pure_wheel(module, hook, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    assert build(hook) == PURE


def test_left_out_of_editable_installations(module, hook, monkeypatch):
    pretend(module, monkeypatch, WRITE)
    assert build(hook, "editable") == PURE


@pytest.mark.parametrize("wish", ["0", "false", "No"])
def test_left_out_on_request(module, hook, monkeypatch, wish):
    pretend(module, monkeypatch, WRITE)
    monkeypatch.setenv("SKEXTRA_BUILD_KERNELS", wish)
    assert build(hook) == PURE
    assert hook.dependencies() == []


def test_left_out_on_other_platforms(module, hook, monkeypatch):
    pretend(module, monkeypatch, WRITE)
    monkeypatch.setattr(module.platform, "machine", lambda: "riscv64")
    assert build(hook) == PURE
    assert hook.dependencies() == []


def test_platforms_are_those_with_a_portable_target(module):
    from skextra._core.runtime import targets

    assert set(module._PLATFORMS) == set(targets._PORTABLE)
