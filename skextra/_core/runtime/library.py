"""Machine code of a kernel that does not depend on which kernels were loaded before.

numba compiles callees that are not inlined into the object of every caller, as weak symbols:
a process keeps the copy that it loads first, for all callers. LLVM may vectorize the copies
differently, so the last bits of a result depended on whether a process had compiled its
kernels or loaded them, and on their order. Here each object runs the copies it was compiled with.
"""

from numba.core import codegen, compiler

_EXPORTED, _SHARED, _OWN = "external", "linkonce_odr", "internal"


class SelfContainedLibrary(codegen.JITCodeLibrary):
    """Library whose object exports the kernel itself, and none of its callees."""

    def _finalize_final_module(self):
        # Callers are given a clone in which definitions can still be merged: without it, each
        # path through the call graph would bring a copy of its own.
        self._shared_module = self._final_module.clone()
        _change_linkage(self._shared_module, _EXPORTED, _SHARED)
        _change_linkage(self._final_module, _SHARED, _OWN)
        super()._finalize_final_module()


def _change_linkage(module, before, after):
    for function in module.functions:
        if not function.is_declaration and function.linkage.name == before:
            function.linkage = after


class KernelCompiler(compiler.Compiler):
    """numba's compiler, for :class:`SelfContainedLibrary`."""

    def define_pipelines(self):
        state = self.state
        if state.library is None:
            state.library = SelfContainedLibrary(
                state.targetctx.codegen(), state.func_id.func_qualname
            )
            state.library.enable_object_caching()
        return super().define_pipelines()
