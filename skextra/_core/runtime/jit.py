"""The one way kernels are compiled and cached.

numba's own cache stamps only the file of the outermost function, so an edited
or upgraded callee can go on running its old machine code from disk; processes
that race for its index can be handed each other's signatures; a damaged index
raises; and so does importing where no folder is writable. Here every entry is
a file of its own, sealed with a checksum, in a folder named after the digest of
all sources that its family of kernels may import, and whatever is missing, damaged
or read-only means "compile in this process", never an error.

Environment variables
---------------------
SKEXTRA_CACHE_DIR : folder for compiled kernels (before NUMBA_CACHE_DIR).
SKEXTRA_CACHE=0   : never read or write compiled kernels.
SKEXTRA_DEBUG=1   : check the bounds of every array; such kernels have folders of their own.
"""

import hashlib
import os
import pickle
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps

from skextra._core.runtime.families import IMPORTS, list_imports

_CORE = Path(__file__).resolve().parents[1]
_IN_TREE = _CORE / "__pycache__"
_registered = []


def _is_set(variable, default):
    return os.environ.get(variable, default).lower() not in ("0", "false", "no")


# Read once: kernels compiled with and without checks must not meet in one process.
CHECKS_BOUNDS = _is_set("SKEXTRA_DEBUG", "0")
_PREFIX = "kernels-debug" if CHECKS_BOUNDS else "kernels"
# Stands for the kernels of a file outside of all families; their digest is of all sources.
_ALL = "core"


def find_family(file):
    """Family that the kernels of a source file belong to."""
    try:
        first = Path(file).resolve().relative_to(_CORE).parts[0]
    except ValueError:
        return _ALL
    return first if first in IMPORTS else _ALL


def _hash_folder(folder):
    """Digest of the Python sources below a folder; None if there are none."""
    digest = hashlib.sha256()
    paths = sorted(folder.rglob("*.py"))
    for path in paths:
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    # Without sources (an archive, stripped to bytecode) upgrades would go unseen.
    return digest.digest() if paths else None


# As first seen by this process: what it has imported since must not go under a later digest.
_hash_folder_once = cache(_hash_folder)


def _hash_sources(family, hash_folder):
    names = [""] if family == _ALL else list_imports(family)
    digests = [hash_folder(_CORE / name) for name in names]
    if not all(digests):
        return None
    return hashlib.sha256(b"".join(digests)).hexdigest()[:20]


def compute_source_digest(family=_ALL):
    """Digest of the sources of a family and its imports as this process found them, or None."""
    try:
        return _hash_sources(family, _hash_folder_once)
    except OSError:
        return None


def _is_writable(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _holds_kernels(folder):
    try:
        return any(folder.glob("*.kernel"))
    except OSError:
        return False


def _is_private(folder):
    # A predictable folder under a shared temporary directory could be planted
    # by another user, and cache entries are pickles: use it only if it is ours.
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return ours and folder.is_dir() and not folder.is_symlink() and not status.st_mode & 0o022


def _list_candidate_folders():
    """Base folders in order of preference, without touching the disk's contents."""
    for variable in ("SKEXTRA_CACHE_DIR", "NUMBA_CACHE_DIR"):
        if os.environ.get(variable):
            # Absolute now: the process may change its working directory later.
            yield Path(os.path.expanduser(os.environ[variable])).absolute() / "skextra"
    yield _IN_TREE
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):
        yield Path(xdg) / "skextra"
    home = os.path.expanduser("~")
    if os.path.isabs(home) and os.path.isdir(home):  # a missing home is not ours to create
        yield Path(home) / ".cache" / "skextra"


@cache
def _find_cache_folders(family):
    """Folders to look entries of a family up in, in order, and the one for new ones or None.

    Read-only folders that hold this version's kernels (a container image warmed
    at build time) are looked up before the writable one.
    """
    digest = compute_source_digest(family)
    if digest is None or not _is_set("SKEXTRA_CACHE", "1"):
        return (), None
    name = f"{_PREFIX}-{family}-{digest}"
    readable = []
    for base in _list_candidate_folders():
        folder = base / name
        if _is_writable(folder):
            if base == _IN_TREE:
                _remove_superseded(base, family, keep=name)
            return (*readable, folder), folder
        if _holds_kernels(folder):
            readable.append(folder)
    base = _find_private_temporary_folder()
    if base is not None and _is_writable(base / name):
        return (*readable, base / name), base / name
    return tuple(readable), None


def _find_private_temporary_folder():
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir()) / f"skextra-{user}"
    except OSError:  # not even a temporary folder in this system
        return None
    return folder if _is_private(folder) else None


def find_cache_folder(family=_ALL):
    """Folder where a family's compiled kernels go, else are read from, else None."""
    readable, writable = _find_cache_folders(family)
    return writable or (readable[0] if readable else None)


def find_cache_base():
    """Folder that holds the cache folders of all families, else None."""
    folder = find_cache_folder()
    return folder and folder.parent


def _remove_superseded(base, family, keep):
    # In the package's own folder older digests can never be asked for again.
    for folder in base.glob(f"{_PREFIX}-{family}-*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


class _DigestLocator(_CacheLocator):
    """Names a kernel's entries within the folder of its family's current digest."""

    def __init__(self, py_file):
        self._py_file = py_file
        self._family = find_family(py_file)

    def get_cache_path(self):
        return str(find_cache_folder(self._family))

    def get_source_stamp(self):
        return compute_source_digest(self._family)

    def get_disambiguator(self):
        # Two files of one name in different folders must not share an entry.
        relative = os.path.relpath(self._py_file, _CORE)
        return hashlib.sha256(relative.encode()).hexdigest()[:8]

    @classmethod
    def from_function(cls, py_func, py_file):
        return cls(py_file)


class _DigestCacheImpl(CompileResultCacheImpl):
    _locator_classes = [_DigestLocator]


class _EntryFiles:
    """One sealed file per kernel, signature, machine and numba version.

    There is no index: processes that compile at the same time can only replace
    an entry by an equal one, whole.
    """

    def __init__(self, kernel, family):
        self._kernel, self._family = kernel, family

    def _name(self, key):
        text = repr((numba.__version__, *key))
        return f"{self._kernel}.{hashlib.sha256(text.encode()).hexdigest()[:20]}.kernel"

    def load(self, key):
        for folder in _find_cache_folders(self._family)[0]:
            try:
                seal, payload = _split_seal((folder / self._name(key)).read_bytes())
            except OSError:
                continue
            if hashlib.sha256(payload).digest() == seal:
                stored_key, data = pickle.loads(payload)
                if stored_key == key:
                    return data
        return None

    def save(self, key, data):
        path = _find_cache_folders(self._family)[1] / self._name(key)
        payload = dumps((key, data))
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(payload).digest() + payload)
            # mkstemp's 0600 would hide a cache warmed by root from its users.
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def flush(self):
        """Remove this kernel's entries (numba calls it to recompile)."""
        folder = _find_cache_folders(self._family)[1]
        for path in folder.glob(f"{self._kernel}.*.kernel") if folder else ():
            path.unlink(missing_ok=True)


def _split_seal(content):
    size = hashlib.sha256().digest_size
    return content[:size], content[size:]


def _find_family_of(function):
    return find_family(function.__code__.co_filename)


class _DigestCache(FunctionCache):
    _impl_class = _DigestCacheImpl

    def __init__(self, py_func):
        super().__init__(py_func)
        self._family = _find_family_of(py_func)
        self._cache_file = _EntryFiles(self._impl.filename_base, self._family)

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # an entry that cannot be rebuilt means: compile again
            return None

    def save_overload(self, sig, data):
        try:
            # Sources replaced since this process started (an upgrade, an editor)
            # may be what was compiled: that must not go under the old digest.
            now = _hash_sources(self._family, _hash_folder)
            is_current = now == compute_source_digest(self._family)
            if is_current and _find_cache_folders(self._family)[1]:
                super().save_overload(sig, data)
        except OSError:
            pass  # read-only or full: the kernel runs all the same


def njit(function=None, **flags):
    """Compile `function` without the GIL, cached under the digest of its family's sources.

    Parameters
    ----------
    function : callable
        Module-level function. Closures would never hit the cache.
    **flags : dict
        Passed to :func:`numba.njit`, e.g. ``fastmath={"contract", "reassoc"}``.

    Returns
    -------
    dispatcher : numba dispatcher
    """
    if function is None:
        return lambda f: njit(f, **flags)
    # A kernel that names no fast-math flags would take over those of whichever caller compiles
    # it first, and the cache would keep that.
    flags.setdefault("fastmath", False)
    flags.setdefault("boundscheck", CHECKS_BOUNDS)
    dispatcher = numba.njit(nogil=True, **flags)(function)
    if find_cache_folder(_find_family_of(function)) is not None and not numba.config.DISABLE_JIT:
        dispatcher._cache = _DigestCache(function)
    _registered.append(dispatcher)
    return dispatcher


def list_kernels():
    """Every kernel decorated so far, in order of definition."""
    return tuple(_registered)
