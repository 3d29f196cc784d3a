"""Where compiled kernels are kept, under which name, and which of them are trusted.

Every entry is a file of its own, sealed with a checksum, in a folder named after the digest of
all sources that its family of kernels may import. Whatever is missing, damaged, read-only or
open to other users means "compile in this process", never an error.

The first folder looked into is the package's own ``_core/compiled``, filled when a wheel is
built and never written to later; the others are caches, the first writable of which takes what
a process compiles.

Environment variables
---------------------
SKEXTRA_CACHE_DIR : folder for compiled kernels (before NUMBA_CACHE_DIR).
SKEXTRA_CACHE=0   : never read or write a cache; kernels of the package are used all the same.
"""

import hashlib
import os
import pickle
import shutil
import tempfile
from functools import cache
from pathlib import Path

from skextra._core.runtime.families import IMPORTS, list_imports

_CORE = Path(__file__).resolve().parents[1]
_SHIPPED = _CORE / "compiled"
_IN_TREE = _CORE / "__pycache__"
# Stands for the kernels of a file outside of all families; their digest is of all sources.
_ALL = "core"


# Set in the processes that compile what a wheel will carry: entries then go into the package
# itself, and none comes from a cache.
BUILD_VARIABLE = "SKEXTRA_COMPILES_PACKAGE"


class _Usage:
    """Entries that this process loaded or compiled, as ``folder/name``."""

    def __init__(self):
        self.loaded, self.compiled = set(), set()


usage = _Usage()


def find_family(file):
    """Family that the kernels of a source file belong to."""
    try:
        first = Path(file).resolve().relative_to(_CORE).parts[0]
    except ValueError:
        return _ALL
    return first if first in IMPORTS else _ALL


def name_within_core(file):
    """Path of a source file from the core's folder."""
    return os.path.relpath(file, _CORE)


def hash_folder(folder):
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
_hash_folder_once = cache(hash_folder)


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


def has_current_sources(family):
    """Whether a family's sources are still as this process found them."""
    return _hash_sources(family, hash_folder) == compute_source_digest(family)


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


def is_trusted(folder):
    """Whether nobody else can write to a folder: entries are pickles, which can run anything.

    Its owner must be this user, the super-user, or whoever owns the package's sources. The
    owner's private group, whose name is the owner's, counts as the owner. Windows keeps
    access lists instead of modes; there, folders are trusted as the package itself is.
    """
    if not hasattr(os, "getuid"):
        return True
    try:
        status = folder.stat()
        owners = {os.getuid(), 0, os.stat(__file__).st_uid}
    except OSError:
        return False
    if status.st_uid not in owners or status.st_mode & 0o002:
        return False
    return not status.st_mode & 0o020 or _is_private_group(status.st_gid, status.st_uid)


def _is_private_group(group, owner):
    import grp
    import pwd

    try:
        name, members = pwd.getpwuid(owner).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return members.gr_name == name and set(members.gr_mem) <= {name}


def _is_private(folder):
    # A predictable folder under a shared temporary directory could be planted
    # by another user: use it only if it is ours.
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
def find_folders(family):
    """Folders to look entries of a family up in, in order, and the one for new ones or None.

    Read-only folders that hold this version's kernels (the package's own, a container image
    warmed at build time) are looked up before the writable one.
    """
    digest = compute_source_digest(family)
    if digest is None:
        return (), None
    name = f"kernels-{family}-{digest}"
    shipped = _SHIPPED / name
    if BUILD_VARIABLE in os.environ:
        return ((shipped,), shipped) if _is_writable(shipped) else ((), None)
    readable = [shipped] if _holds_kernels(shipped) and is_trusted(shipped) else []
    if os.environ.get("SKEXTRA_CACHE", "1").lower() in ("0", "false", "no"):
        return tuple(readable), None
    for base in _list_candidate_folders():
        folder = base / name
        if _is_writable(folder) and is_trusted(folder):
            if base == _IN_TREE:
                _remove_superseded(base, family, keep=name)
            return (*readable, folder), folder
        if _holds_kernels(folder) and is_trusted(folder):
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
    readable, writable = find_folders(family)
    return writable or (readable[0] if readable else None)


def find_cache_base():
    """Folder that holds the cache folders of all families, else None."""
    folder = find_cache_folder()
    return folder and folder.parent


def find_shipped_base():
    """The package's own folder of compiled kernels."""
    return _SHIPPED


def has_entry(name):
    """Whether a folder that is looked into has the entry ``folder/name``."""
    folders = find_folders(name.split("-")[1])[0]
    return any((f.parent / name).is_file() for f in folders if name.startswith(f"{f.name}/"))


def remove_outdated(base):
    """Remove entries of other sources from the package's folder of compiled kernels."""
    current = {f"kernels-{family}-{compute_source_digest(family)}" for family in (*IMPORTS, _ALL)}
    for folder in base.glob("kernels-*"):
        if folder.name not in current:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_superseded(base, family, keep):
    # In the package's own folder older digests can never be asked for again.
    for folder in base.glob(f"kernels-{family}-*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


class EntryFiles:
    """One sealed file per kernel, signature, target and version of the compiler.

    There is no index: processes that compile at the same time can only replace
    an entry by an equal one, whole.
    """

    def __init__(self, kernel, family, versions):
        self._kernel, self._family, self._versions = kernel, family, versions

    def _name(self, key):
        text = repr((*self._versions, *key))
        return f"{self._kernel}.{hashlib.sha256(text.encode()).hexdigest()[:20]}.kernel"

    def load(self, key):
        """Content of the entry of a key, or None."""
        name = self._name(key)
        for folder in find_folders(self._family)[0]:
            try:
                seal, payload = _split_seal((folder / name).read_bytes())
            except OSError:
                continue
            if hashlib.sha256(payload).digest() == seal:
                stored_key, data = pickle.loads(payload)
                if stored_key == key:
                    usage.loaded.add(f"{folder.name}/{name}")
                    return data
        return None

    def save(self, key, data, dumps):
        """Write the entry of a key, whole or not at all."""
        payload = dumps((key, data))
        path = find_folders(self._family)[1] / self._name(key)
        write_file(path, hashlib.sha256(payload).digest() + payload)

    def count_compiled(self, key):
        """Note that the entry of a key was compiled, whether or not it can be kept."""
        digest = compute_source_digest(self._family)
        usage.compiled.add(f"kernels-{self._family}-{digest}/{self._name(key)}")

    def flush(self):
        """Remove this kernel's entries (numba calls it to recompile)."""
        folder = find_folders(self._family)[1]
        for path in folder.glob(f"{self._kernel}.*.kernel") if folder else ():
            path.unlink(missing_ok=True)


def write_file(path, content):
    """Replace a file, whole or not at all, readable by everyone."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp's 0600 would hide a cache warmed by root from its users.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _split_seal(content):
    size = hashlib.sha256().digest_size
    return content[:size], content[size:]
