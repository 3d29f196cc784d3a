"""The kernel cache, proven in fresh processes on a copy of the package.

Two scratch kernels in two files stand for any caller and callee; every process
reports the value it computed and how many kernels it loaded and compiled.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import skextra
from skextra._core.runtime import cache, jit, targets
from skextra._core.runtime.families import IMPORTS

SOURCES = Path(skextra.__file__).resolve().parent
POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="POSIX owners and modes")

INNER = """
from skextra._core.runtime.jit import njit

@njit
def scale(x):
    return 3 * x
"""
OUTER = """
from skextra._core.runtime.jit import njit
from skextra._core.scratch_inner import scale

@njit
def scale_and_shift(x):
    return scale(x) + 1
"""
REPORT = """
import json
from skextra._core.runtime import cache
from skextra._core.scratch_outer import scale_and_shift as kernel
value = kernel(ARGUMENT)
stats = getattr(kernel, "stats", None)
print(json.dumps({
    "value": value,
    "is_int": isinstance(value, int),
    "hits": sum(stats.cache_hits.values()) if stats else None,
    "misses": sum(stats.cache_misses.values()) if stats else None,
    "folder": str(cache.find_cache_folder()),
}))
"""
# A file system on which nothing can be created below the given folder: modes do
# not bind the super-user, as whom containers run their tests.
REFUSE_WRITES = """
import os, tempfile
def refuse_below(root):
    def wrap(function, argument):
        def guarded(*args, **kwargs):
            folder = kwargs.get("dir") or args[argument]
            if os.path.abspath(folder).startswith(root):
                raise OSError(30, "Read-only file system", str(folder))
            return function(*args, **kwargs)
        return guarded
    os.mkdir = wrap(os.mkdir, 0)
    os.replace = wrap(os.replace, 1)
    tempfile.TemporaryFile = wrap(tempfile.TemporaryFile, 3)
    tempfile.mkstemp = wrap(tempfile.mkstemp, 2)
"""


class Installation:
    """A copy of the core in a folder of its own, run in fresh processes."""

    def __init__(self, root):
        self.root = root
        self.home = root / "home"
        self.core = root / "site" / "skextra" / "_core"
        self.core.mkdir(parents=True)
        self.home.mkdir()
        (root / "tmp").mkdir()
        for name in ("__init__.py", "__init__.pyi", "_lazy.py", "_version.py"):
            shutil.copy(SOURCES / name, self.core.parent / name)
        for name in ("__init__.py", "__init__.pyi"):
            shutil.copy(SOURCES / "_core" / name, self.core / name)
        runtime = SOURCES / "_core" / "runtime"
        shutil.copytree(
            runtime, self.core / "runtime", ignore=shutil.ignore_patterns("__pycache__")
        )
        self.write_kernels()

    def write_kernels(self, inner=INNER, outer=OUTER):
        (self.core / "scratch_inner.py").write_text(inner)
        (self.core / "scratch_outer.py").write_text(outer)

    def start(self, argument="2.0", before="", environment=()):
        return self.start_script(before + REPORT.replace("ARGUMENT", argument), environment)

    def start_script(self, script, environment=()):
        inherited = {"PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG"}
        variables = {name: os.environ[name] for name in inherited & set(os.environ)}
        variables |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "PYTHONPATH": str(self.core.parents[1]),
            "PYTHONDONTWRITEBYTECODE": "1",  # __pycache__ here is the kernels' only
            **dict(environment),
        }
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script],
            cwd=self.root,
            env={name: value for name, value in variables.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args, **kwargs):
        return finish(self.start(*args, **kwargs))

    def list_entries(self):
        return sorted(self.root.rglob("*.kernel"))

    def block_tree(self):
        """Make the package's own cache folder impossible, for the super-user too."""
        shutil.rmtree(self.core / "__pycache__", ignore_errors=True)
        (self.core / "__pycache__").write_text("a file, not a folder")

    def make_accessible(self):
        """Let other users read all but the entries, whose modes are the cache's business."""
        for path in {self.root, *self.root.rglob("*")} - set(self.list_entries()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (self.root / "tmp").chmod(0o1777)


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output)


@pytest.fixture
def installation():
    # Not tmp_path: its parents are closed to the other users that run in here.
    root = Path(tempfile.mkdtemp(prefix="skextra-test-"))
    yield Installation(root.resolve())
    shutil.rmtree(root, ignore_errors=True)


def as_stranger(user=65534):
    """Lines that drop the super-user's rights for a user who owns nothing.

    numba is made to load all it needs first: the interpreter itself may lie in
    the super-user's home.
    """
    if os.name != "posix" or os.getuid() != 0:
        pytest.skip("only the super-user can turn into someone else")
    return f"""
import os, numba
numba.njit(lambda x: 2 * x)(1.0)
os.setgroups([]); os.setgid({user}); os.setuid({user})
"""


def test_second_process_loads_what_the_first_compiled(installation):
    first = installation.run()
    assert (first["value"], first["hits"], first["misses"]) == (7.0, 0, 1)
    assert Path(first["folder"]).parent == installation.core / "__pycache__"
    second = installation.run()
    assert (second["value"], second["hits"], second["misses"]) == (7.0, 1, 0)


@pytest.mark.parametrize("edited", ["callee", "caller"])
def test_upgrade_never_runs_stale(installation, edited):
    assert installation.run()["value"] == 7.0
    path = installation.core / ("scratch_inner.py" if edited == "callee" else "scratch_outer.py")
    times = path.stat()
    # Same size and same times, as from an archive with a fixed date.
    if edited == "callee":
        installation.write_kernels(inner=INNER.replace("3 * x", "5 * x"))
    else:
        installation.write_kernels(outer=OUTER.replace("+ 1", "+ 5"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    upgraded = installation.run()
    assert (upgraded["value"], upgraded["misses"]) == (11.0, 1)
    # The old version's entries are gone from the package's own folder.
    folders = list((installation.core / "__pycache__").glob("kernels-*"))
    assert folders == [Path(upgraded["folder"])]
    assert installation.run()["hits"] == 1


def test_upgrade_of_a_running_process_saves_nothing(installation):
    path = installation.core / "scratch_inner.py"
    upgrade = f"""
from pathlib import Path
from skextra._core.runtime import cache
cache.compute_source_digest()
Path({str(path)!r}).write_text(Path({str(path)!r}).read_text().replace("3 * x", "5 * x"))
"""
    assert installation.run(before=upgrade)["value"] == 11.0
    assert installation.list_entries() == []
    installation.write_kernels()
    assert installation.run()["value"] == 7.0


def test_damaged_entries_are_compiled_again_and_repaired(installation):
    warm = """
from skextra._core.scratch_outer import scale_and_shift as kernel
for argument in (2.0, 2, True):
    kernel(argument)
"""
    installation.run(before=warm)
    entries = [path for path in installation.list_entries() if "scale_and_shift" in path.name]
    truncated, flipped, swapped = entries
    swapped_content = truncated.read_bytes()  # whole and sealed, for another signature
    truncated.write_bytes(swapped_content[: len(swapped_content) // 2])
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    swapped.write_bytes(swapped_content)
    for path in installation.list_entries():
        if path not in entries:
            path.write_bytes(b"")
    report = installation.run(before=warm)
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 0, 3)
    assert installation.run("2", before=warm) == {**report, "is_int": True, "hits": 3, "misses": 0}


def test_unreadable_pickle_inside_a_sealed_entry_is_compiled_again(installation):
    import hashlib

    installation.run()
    for path in installation.list_entries():
        payload = b"not a pickle"
        path.write_bytes(hashlib.sha256(payload).digest() + payload)
    report = installation.run()
    assert (report["value"], report["misses"]) == (7.0, 1)


def test_racing_processes_are_not_handed_each_others_signatures(installation):
    racing = [installation.start(argument) for argument in ("2.0", "2")]
    for process, is_int in zip(racing, (False, True), strict=True):
        report = finish(process)
        assert (report["value"], report["is_int"]) == (7, is_int)
    for argument, is_int in (("2.0", False), ("2", True)):
        report = installation.run(argument)
        assert (report["value"], report["is_int"], report["hits"]) == (7, is_int, 1)
    assert not list(installation.root.rglob("*.tmp"))


def test_blocked_tree_falls_back_to_home(installation):
    installation.block_tree()
    report = installation.run()
    assert report["value"] == 7.0
    assert Path(report["folder"]).parent == installation.home / ".cache" / "skextra"
    assert installation.run()["hits"] == 1


def test_blocked_tree_and_missing_home_fall_back_to_a_private_temporary_folder(installation):
    installation.block_tree()
    missing = installation.root / "no-such-home"
    report = installation.run(environment={"HOME": str(missing)})
    assert report["value"] == 7.0
    base = Path(report["folder"]).parent
    assert base.parent == installation.root / "tmp"
    assert not missing.exists(), "a home that is missing is not ours to create"
    if os.name == "posix":
        assert base.stat().st_mode & 0o077 == 0
    assert installation.run(environment={"HOME": str(missing)})["hits"] == 1


@pytest.mark.parametrize("variable", ["SKEXTRA_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"])
def test_blocked_by_files_everywhere_raises_nothing(installation, variable):
    installation.block_tree()
    blocked = installation.root / "blocked"
    blocked.write_text("a file, not a folder")
    no_temporary = f"import tempfile; tempfile.tempdir = {str(blocked)!r}\n"
    report = installation.run(
        before=no_temporary, environment={"HOME": str(blocked), variable: str(blocked)}
    )
    assert (report["value"], report["folder"]) == (7.0, "None")
    assert installation.list_entries() == []


def test_no_temporary_folder_at_all_raises_nothing(installation):
    installation.block_tree()
    no_temporary = """
import tempfile
def nowhere():
    raise FileNotFoundError(2, "No usable temporary directory found")
tempfile.gettempdir = nowhere
"""
    report = installation.run(before=no_temporary, environment={"HOME": "relative"})
    assert (report["value"], report["folder"]) == (7.0, "None")


def test_read_only_file_system_raises_nothing(installation):
    everywhere = REFUSE_WRITES + "refuse_below('/')\n"
    report = installation.run(before=everywhere)
    assert (report["value"], report["folder"]) == (7.0, "None")


def test_disk_that_fills_up_later_raises_nothing(installation):
    found = "from skextra._core.runtime import cache; assert cache.find_cache_folder().is_dir()\n"
    report = installation.run(before=found + REFUSE_WRITES + "refuse_below('/')\n")
    assert (report["value"], report["misses"]) == (7.0, 1)
    assert installation.list_entries() == []


def test_warmed_read_only_cache_is_used(installation):
    installation.run()
    report = installation.run(before=REFUSE_WRITES + "refuse_below('/')\n")
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 1, 0)
    # What it lacks is compiled for this process alone.
    report = installation.run("2", before=REFUSE_WRITES + "refuse_below('/')\n")
    assert (report["value"], report["is_int"], report["hits"]) == (7, True, 0)


def test_what_a_read_only_cache_lacks_goes_to_the_users(installation):
    installation.run()
    read_only_tree = REFUSE_WRITES + f"refuse_below({str(installation.core)!r})\n"
    report = installation.run("2", before=read_only_tree)
    assert report["misses"] == 1
    assert Path(report["folder"]).parent == installation.home / ".cache" / "skextra"
    assert installation.run("2", before=read_only_tree)["hits"] == 1
    assert installation.run("2.0", before=read_only_tree)["hits"] == 1


@POSIX_ONLY
def test_strangers_use_what_root_warmed_in_a_system_installation(installation):
    stranger = as_stranger()
    installation.run()
    installation.make_accessible()
    report = installation.run(before=stranger, environment={"HOME": "/nonexistent"})
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 1, 0)


@POSIX_ONLY
def test_user_without_home_or_name(installation):
    stranger = as_stranger(54321)
    installation.make_accessible()
    report = installation.run(before=stranger, environment={"HOME": None})
    assert report["value"] == 7.0
    assert Path(report["folder"]).parent == installation.root / "tmp" / "skextra-54321"


@POSIX_ONLY
def test_mode_bits_bind_ordinary_users(installation):
    if os.getuid() == 0:
        pytest.skip("modes do not bind the super-user")
    installation.core.chmod(0o555)
    report = installation.run()
    installation.core.chmod(0o755)
    assert Path(report["folder"]).parent == installation.home / ".cache" / "skextra"


def test_cache_can_be_switched_off(installation):
    report = installation.run(environment={"SKEXTRA_CACHE": "0"})
    assert (report["value"], report["folder"], report["hits"]) == (7.0, "None", 0)
    assert installation.list_entries() == []


def test_compilation_can_be_switched_off(installation):
    report = installation.run(environment={"NUMBA_DISABLE_JIT": "1"})
    assert (report["value"], report["hits"]) == (7.0, None)
    assert installation.list_entries() == []


@pytest.mark.parametrize("variable", ["SKEXTRA_CACHE_DIR", "NUMBA_CACHE_DIR"])
def test_chosen_folder_is_honoured(installation, variable):
    chosen = installation.root / "chosen" / "deep"
    report = installation.run(environment={variable: str(chosen)})
    assert Path(report["folder"]).parent == chosen / "skextra"
    assert not (installation.core / "__pycache__").exists()
    assert installation.run(environment={variable: str(chosen)})["hits"] == 1


def test_our_variable_comes_before_numbas(installation):
    chosen = {name: str(installation.root / name) for name in ("ours", "numbas")}
    environment = {"SKEXTRA_CACHE_DIR": chosen["ours"], "NUMBA_CACHE_DIR": chosen["numbas"]}
    report = installation.run(environment=environment)
    assert report["folder"].startswith(chosen["ours"])


def test_relative_folder_survives_a_change_of_directory(installation):
    leave = """
from skextra._core.runtime import cache
assert cache.find_cache_folder() is not None
import os; os.chdir('home')
"""
    installation.run(before=leave, environment={"SKEXTRA_CACHE_DIR": "relative"})
    folders = {path.parents[1] for path in installation.list_entries()}
    assert folders == {installation.root / "relative" / "skextra"}


def test_sources_that_cannot_be_read_are_not_cached(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_CORE", tmp_path)
    assert cache.compute_source_digest() is None
    assert cache.find_folders.__wrapped__("core") == ((), None)


@pytest.fixture
def shipped(installation):
    """An installation with kernels compiled for a portable target in the package itself."""
    if targets.find_base_target() is None:
        pytest.skip("no portable target for this processor")
    build = {**targets.describe_target(targets.find_base_target()), cache.BUILD_VARIABLE: "1"}
    assert installation.run(environment=build)["misses"] == 1
    assert {path.parents[1] for path in installation.list_entries()} == {
        installation.core / "compiled"
    }
    return installation


NO_CACHE = {"SKEXTRA_CACHE": "0"}


def test_shipped_kernels_are_used_without_a_cache(shipped):
    for environment in (NO_CACHE, {}):
        report = shipped.run(environment=environment)
        assert (report["value"], report["hits"], report["misses"]) == (7.0, 1, 0)
    report = shipped.run(before=REFUSE_WRITES + "refuse_below('/')\n")
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 1, 0)


def test_shipped_kernels_of_other_sources_are_not_used(shipped):
    shipped.write_kernels(inner=INNER.replace("3 * x", "5 * x"))
    report = shipped.run(environment=NO_CACHE)
    assert (report["value"], report["hits"], report["misses"]) == (11.0, 0, 1)


@pytest.mark.parametrize("package", ["numba", "llvmlite"])
def test_shipped_kernels_of_another_compiler_are_not_used(shipped, package):
    other = f"import numba, llvmlite; {package}.__version__ = '0.1'\n"
    report = shipped.run(before=other, environment=NO_CACHE)
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 0, 1)


@pytest.mark.parametrize(
    "environment",
    [
        {"NUMBA_ENABLE_AVX": "0"},
        {"NUMBA_CPU_NAME": "generic"},
        {"NUMBA_CPU_FEATURES": "+sse2"},
        {"NUMBA_BOUNDSCHECK": "1"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_shipped_kernels_of_another_target_are_not_used(shipped, environment):
    if "NUMBA_ENABLE_AVX" in environment and "x86-64-v3" not in targets.list_portable_targets():
        pytest.skip("AVX is a feature of x86-64")
    report = shipped.run(environment=NO_CACHE | environment)
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 0, 1)


def test_damaged_shipped_kernels_are_not_used(shipped):
    for path in shipped.list_entries():
        path.write_bytes(path.read_bytes()[:1000])
    report = shipped.run(environment=NO_CACHE)
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 0, 1)


@POSIX_ONLY
@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_kernels_that_others_can_write_are_not_loaded(shipped, mode):
    for path in shipped.list_entries():
        path.parent.chmod(mode)
    report = shipped.run(environment=NO_CACHE)
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 0, 1)


@POSIX_ONLY
def test_a_cache_that_others_can_write_is_left_alone(installation):
    chosen = installation.root / "chosen"
    report = installation.run(environment={"SKEXTRA_CACHE_DIR": str(chosen)})
    Path(report["folder"]).chmod(0o777)
    report = installation.run(environment={"SKEXTRA_CACHE_DIR": str(chosen)})
    assert (report["value"], report["hits"], report["misses"]) == (7.0, 0, 1)
    assert not report["folder"].startswith(str(chosen))


@POSIX_ONLY
class TestTrust:
    @pytest.fixture
    def folder(self, tmp_path):
        tmp_path.chmod(0o755)
        return tmp_path

    def test_own_folder(self, folder):
        assert cache.is_trusted(folder)
        assert not cache.is_trusted(folder / "missing")

    def test_foreign_owner(self, folder):
        if os.getuid() != 0:
            pytest.skip("only the super-user can give a folder away")
        os.chown(folder, 54321, -1)
        assert not cache.is_trusted(folder)

    @pytest.mark.parametrize(
        ("group", "members", "expected"),
        [("someone", [], True), ("someone", ["another"], False), ("staff", [], False)],
    )
    def test_group_may_write(self, folder, monkeypatch, group, members, expected):
        import grp
        import pwd
        from types import SimpleNamespace

        folder.chmod(0o775)
        monkeypatch.setattr(pwd, "getpwuid", lambda user: SimpleNamespace(pw_name="someone"))
        monkeypatch.setattr(
            grp, "getgrgid", lambda number: SimpleNamespace(gr_name=group, gr_mem=members)
        )
        assert cache.is_trusted(folder) is expected


def run_with_errors(installation, before, environment=()):
    process = installation.start(before=before, environment=environment)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return errors


def test_a_long_compilation_is_announced_once(installation):
    impatient = "from skextra._core.runtime import jit; jit.notice.patience = 0.0\n"
    twice = impatient + "from skextra._core.scratch_outer import scale_and_shift as k; k(2)\n"
    errors = run_with_errors(installation, twice)
    assert errors.count("skextra: compiling kernels, once, usually") == 1
    assert run_with_errors(installation, twice) == ""
    errors = run_with_errors(installation, twice, NO_CACHE)
    assert errors.count("skextra: compiling kernels, in every process") == 1


def test_a_short_compilation_is_not_announced(installation):
    patient = "from skextra._core.runtime import jit; jit.notice.patience = 1e9\n"
    assert run_with_errors(installation, patient) == ""


def test_the_notice_names_the_estimator():
    from skextra.linear_model import Lasso

    code = compile("def call(self):\n    return find(frame())", "x", "exec")
    names = {
        "__name__": "skextra.linear_model.probe", "find": jit._find_estimator,
        "frame": sys._getframe,
    }  # fmt: skip
    exec(code, names)
    assert names["call"](Lasso()) == "Lasso"
    assert names["call"](object()) is None


FAMILY_KERNEL = """
from skextra._core.runtime.jit import njit

@njit
def add_one(x):
    return x + 1.0
"""
RUN_FAMILIES = """
import json
from importlib import import_module
compiled = []
for family in ("numerics", "mixture", "svm"):
    kernel = import_module(f"skextra._core.{family}.scratch").add_one
    assert kernel(1.0) == 2.0
    if kernel.stats.cache_misses:
        compiled.append(family)
print(json.dumps(compiled))
"""


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("numerics", ["numerics", "mixture", "svm"]),
        ("mixture", ["mixture"]),
        ("svm", ["svm"]),
        ("tree", []),
    ],
)
def test_an_edit_recompiles_its_family_and_those_that_may_import_it(installation, edited, expected):
    for family in IMPORTS:
        folder = installation.core / family
        folder.mkdir(exist_ok=True)
        (folder / "scratch.py").write_text(FAMILY_KERNEL)
    assert finish(installation.start_script(RUN_FAMILIES)) == ["numerics", "mixture", "svm"]
    assert finish(installation.start_script(RUN_FAMILIES)) == []
    with (installation.core / edited / "scratch.py").open("a") as file:
        file.write("# A remark.\n")
    assert finish(installation.start_script(RUN_FAMILIES)) == expected


@POSIX_ONLY
class TestPrivateTemporaryFolder:
    """Entries are pickles: a folder another user could have planted is refused."""

    @pytest.fixture(autouse=True)
    def temporary(self, monkeypatch, tmp_path):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        monkeypatch.setattr(cache, "_list_candidate_folders", lambda: ())
        self.folder = tmp_path / f"skextra-{os.getuid()}"

    def find(self):
        return cache.find_folders.__wrapped__("core")[1]

    def test_created_private(self):
        assert self.find().parent == self.folder
        assert self.folder.stat().st_mode & 0o077 == 0

    def test_foreign_owner(self, monkeypatch):
        self.folder.mkdir(mode=0o700)
        assert self.find() is not None
        owner = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
        self.folder.rename(self.folder.with_name(f"skextra-{owner + 1}"))
        assert self.find() is None

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
    def test_others_may_write(self, mode):
        self.folder.mkdir()
        self.folder.chmod(mode)
        assert self.find() is None

    def test_symbolic_link(self, tmp_path):
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        self.folder.symlink_to(tmp_path / "elsewhere")
        assert self.find() is None

    def test_dangling_link_and_file(self, tmp_path):
        self.folder.symlink_to(tmp_path / "nowhere")
        assert self.find() is None
        self.folder.unlink()
        self.folder.write_text("a file, not a folder")
        assert self.find() is None


def test_a_caller_hands_no_fast_math_flags_down():
    before = jit.list_kernels()

    @jit.njit
    def is_nan(x):
        return x != x

    @jit.njit(fastmath=True)
    def call(x):
        return is_nan(x)

    try:
        call(1.0)  # compiles both
        assert is_nan(float("nan"))
    finally:
        del jit._registered[len(before) :]


def test_kernels_are_registered_without_the_gil():
    before = jit.list_kernels()

    @jit.njit
    def double(x):
        return 2 * x

    @jit.njit(fastmath={"contract"})
    def halve(x):
        return x / 2

    try:
        assert jit.list_kernels() == (*before, double, halve)
        assert (double(2), halve(3.0)) == (4, 1.5)
        if jit.numba.config.DISABLE_JIT:
            return
        assert double.targetoptions["nogil"] and halve.targetoptions["nogil"]
        assert halve.targetoptions["fastmath"] == {"contract"}
    finally:
        del jit._registered[len(before) :]
