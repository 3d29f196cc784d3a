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
from numba.core.compiler import compile_result
from numba.core.serialize import dumps

from skextra._core.runtime import cache
from skextra._core.runtime.kernel import Kernel
from skextra._core.runtime.library import CallableLibrary
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
    """Content of an entry: a function's machine code, and what Python needs to call it."""

    _locator_classes = [_DigestLocator]

    def reduce(self, result):
        description = result.fndesc
        # Not needed any more, and not always picklable.
        description.typemap = description.calltypes = None
        environments = tuple(result._find_referenced_environments())
        rest = result.environment, result.signature, result.reload_init, environments
        return result.library.dump(), description, *rest

    def rebuild(self, target_context, payload):
        content, description, environment, signature, reload_init, environments = payload
        for function in reload_init:
            function()
        library = CallableLibrary.load(target_context.codegen(), *content)
        entry_point = target_context.get_executable(library, description, environment)
        for referenced in environments:
            library.codegen.set_env(referenced.env_name, referenced)
        return compile_result(
            typing_context=target_context.typing_context,
            target_context=target_context,
            entry_point=entry_point,
            signature=signature,
            objectmode=False,
            lifted=(),
            fndesc=description,
            library=library,
            environment=environment,
            reload_init=reload_init,
            referenced_envs=environments,
        )


class _DigestCache(FunctionCache):
    _impl_class = _DigestCacheImpl

    def __init__(self, py_func):
        super().__init__(py_func)
        self._family = cache.find_family(py_func.__code__.co_filename)
        self._cache_file = cache.EntryFiles(
            self._impl.filename_base, self._family, get_compiler_versions()
        )

    def _make_key(self, form, arguments, codegen, target=None):
        signature, _, code = self._index_key(arguments, codegen)
        return form, signature, target or list_usable_targets(codegen)[0], code

    def load(self, form, arguments, target_context):
        """What was compiled for these types of arguments, in a form, or None."""
        found = None
        try:
            target_context.refresh()
            codegen = target_context.codegen()
            for target in list_usable_targets(codegen):
                payload = self._cache_file.load(self._make_key(form, arguments, codegen, target))
                if payload is not None:
                    found = self._impl.rebuild(target_context, payload)
                    break
        except Exception:  # an entry that cannot be rebuilt means: compile again
            pass
        if found is None:
            notice.start(self)
        return found

    def save(self, form, arguments, result):
        """Keep what was compiled."""
        notice.stop(self)
        key = self._make_key(form, arguments, result.codegen)
        self._cache_file.count_compiled(key)
        try:
            # Sources replaced since this process started (an upgrade, an editor)
            # may be what was compiled: that must not go under the old digest.
            is_wanted = cache.find_folders(self._family)[1] and cache.has_current_sources(
                self._family
            )
            if is_wanted and self._impl.check_cachable(result):
                self._cache_file.save(key, self._impl.reduce(result), dumps)
        except OSError:
            pass  # read-only or full: the kernel runs all the same


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
        Options of :func:`numba.njit`, e.g. ``fastmath={"contract", "reassoc"}``.

    Returns
    -------
    kernel : Kernel
    """
    if function is None:
        return lambda f: njit(f, **flags)
    # A kernel that names no fast-math flags would take over those of whichever caller compiles
    # it first, and the cache would keep that.
    flags.setdefault("fastmath", False)
    flags.setdefault("boundscheck", CHECKS_BOUNDS)
    if numba.config.DISABLE_JIT:
        kernel = function
    else:
        kernel = Kernel(function, targetoptions={"nogil": True, "nopython": True, **flags})
        kernel._cache = _DigestCache(function)
    _registered.append(kernel)
    return kernel


def list_kernels():
    """Every kernel decorated so far, in order of definition."""
    return tuple(_registered)
