"""The one way kernels are compiled and cached.

numba's own cache stamps only the file of the outermost function, so an edited
or upgraded callee can go on running its old machine code from disk; processes
that race for its index can be handed each other's signatures; a damaged index
raises; and so does importing where no folder is writable. Here entries are kept
as :mod:`skextra._core.runtime.cache` says, and looked up for every target that
this processor can run, so that kernels shipped in a wheel are found.
"""

import hashlib
import logging
import sys
import time

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps

from skextra._core.runtime import cache
from skextra._core.runtime.library import KernelCompiler
from skextra._core.runtime.targets import (
    CHECKS_BOUNDS,
    get_compiler_versions,
    list_usable_targets,
)

_registered = []


class _DigestLocator(_CacheLocator):
    """Names a kernel's entries within the folder of its family's current digest."""

    def __init__(self, py_file):
        self._py_file = py_file
        self._family = cache.find_family(py_file)

    def get_cache_path(self):
        return str(cache.find_cache_folder(self._family))

    def get_source_stamp(self):
        return cache.compute_source_digest(self._family)

    def get_disambiguator(self):
        # Two files of one name in different folders must not share an entry.
        relative = cache.name_within_core(self._py_file)
        return hashlib.sha256(relative.encode()).hexdigest()[:8]

    @classmethod
    def from_function(cls, py_func, py_file):
        return cls(py_file)


class _DigestCacheImpl(CompileResultCacheImpl):
    _locator_classes = [_DigestLocator]


class _DigestCache(FunctionCache):
    _impl_class = _DigestCacheImpl

    def __init__(self, py_func):
        super().__init__(py_func)
        self._family = cache.find_family(py_func.__code__.co_filename)
        self._cache_file = cache.EntryFiles(
            self._impl.filename_base, self._family, get_compiler_versions()
        )

    def _index_key(self, sig, codegen, target=None):
        signature, _, code = super()._index_key(sig, codegen)
        return signature, target or list_usable_targets(codegen)[0], code

    def load_overload(self, sig, target_context):
        found = None
        try:
            found = super().load_overload(sig, target_context)
        except Exception:  # an entry that cannot be rebuilt means: compile again
            pass
        if found is None:
            notice.start(self)
        return found

    def _load_overload(self, sig, target_context):
        codegen = target_context.codegen()
        for target in list_usable_targets(codegen):
            data = self._cache_file.load(self._index_key(sig, codegen, target))
            if data is not None:
                return self._impl.rebuild(target_context, data)
        return None

    def save_overload(self, sig, data):
        notice.stop(self)
        self._cache_file.count_compiled(self._index_key(sig, data.codegen))
        try:
            # Sources replaced since this process started (an upgrade, an editor)
            # may be what was compiled: that must not go under the old digest.
            if cache.find_folders(self._family)[1] and cache.has_current_sources(self._family):
                super().save_overload(sig, data)
        except OSError:
            pass  # read-only or full: the kernel runs all the same

    def _save_overload(self, sig, data):
        if self._impl.check_cachable(data):
            key = self._index_key(sig, data.codegen)
            self._cache_file.save(key, self._impl.reduce(data), dumps)


class _Notice:
    """Says once per process that kernels are being compiled, where that takes seconds.

    numba compiles one kernel at a time, callees while their callers wait: the outermost one
    counts the time.
    """

    patience = 2.0  # seconds

    def __init__(self):
        self.is_wanted = True
        self._outermost, self._begin, self._seconds = None, 0.0, 0.0

    def start(self, kernel):
        """Note that a kernel is not in the cache."""
        if self._outermost is None:
            self._outermost, self._begin = kernel, time.monotonic()

    def stop(self, kernel):
        """Note that it is compiled."""
        if self._outermost is None:
            return
        seconds = self._seconds + time.monotonic() - self._begin
        if kernel is self._outermost:
            self._outermost, self._seconds = None, seconds
        if self.is_wanted and seconds > self.patience:
            self.is_wanted = False
            self._say()

    def _say(self):
        name = _find_estimator(sys._getframe())
        once = cache.find_folders("runtime")[1] is not None
        logging.getLogger("skextra").warning(
            "skextra: compiling kernels%s, %s, usually 5 to 20 s; see skextra.warmup",
            f" for {name}" if name else "",
            "once" if once else "in every process, as they are not cached",
        )


notice = _Notice()


def _find_estimator(frame):
    """Name of the class of the outermost estimator at work, if it is in this thread."""
    name = None
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("skextra."):
            owner = type(frame.f_locals.get("self"))
            if hasattr(owner, "get_params") and owner.__module__.startswith("skextra."):
                name = owner.__name__
        frame = frame.f_back
    return name


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
    # The wrapper is for kernels passed as arguments, which ours never are; without it, a
    # kernel compiles in 0.82 of the time (156 signatures of Lasso, trees and samplers).
    flags.setdefault("no_cfunc_wrapper", True)
    flags.setdefault("pipeline_class", KernelCompiler)
    dispatcher = numba.njit(nogil=True, **flags)(function)
    if not numba.config.DISABLE_JIT:
        dispatcher._cache = _DigestCache(function)
    _registered.append(dispatcher)
    return dispatcher


def list_kernels():
    """Every kernel decorated so far, in order of definition."""
    return tuple(_registered)
