"""Machine code of a kernel: what its callers include, and what Python calls.

numba optimizes a function and turns it into machine code on its own, and again within each
function that calls it, although only what Python calls is ever run on its own. Here a kernel is
code that others may include; optimized and turned into machine code is a `CallableLibrary`,
which holds a kernel and its callees as a whole.

It exports one function, and runs its own copies of all that it calls. numba leaves callees
that are not inlined in the object of every caller, as weak symbols, of which a process keeps the
copy that it loads first; LLVM may vectorize the copies differently, so that the last bits of a
result depended on whether a process had compiled its kernels or loaded them, and on their order.
"""

from numba.core import codegen, compiler

_EXPORTED, _SHARED, _OWN = "external", "linkonce_odr", "internal"


class LinkableLibrary(codegen.JITCodeLibrary):
    """Code of a kernel and its callees for others to include; never machine code."""

    def _optimize_final_module(self):
        pass

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        _change_linkage(self._final_module, _SHARED)
        self._shared_module = self._final_module
        self._finalized = True


class CallableLibrary(codegen.JITCodeLibrary):
    """Machine code of a function and all of its callees, of which it exports that function only.

    Parameters
    ----------
    generator : numba.core.codegen.Codegen
    name : str
    exported : str
        Symbol of the function.
    """

    def __init__(self, generator, name, exported):
        super().__init__(generator, name)
        self._exported = exported
        self.enable_object_caching()

    def add_exported(self, library):
        """Add the library that defines the exported function."""
        module = library._get_module_for_linking().clone()
        # What is shared is only taken over where something calls it.
        module.get_function(self._exported).linkage = _EXPORTED
        self._final_module.link_in(module)

    def _optimize_final_module(self):
        # Before the optimization, which drops functions that are used nowhere any more.
        _change_linkage(self._final_module, _OWN, self._exported)
        super()._optimize_final_module()

    def dump(self):
        """Content as bytes, for `load`."""
        return self.name, self._exported, self._get_compiled_object()

    @classmethod
    def load(cls, generator, name, exported, machine_code):
        """Library with the content of another one."""
        library = cls(generator, name, exported)
        library._set_compiled_object(machine_code)
        library._finalize_final_module()
        generator._engine._defined_symbols.add(exported)
        return library


def _change_linkage(module, linkage, exported=None):
    for function in module.functions:
        if not function.is_declaration and function.linkage.name in (_EXPORTED, _SHARED):
            function.linkage = _EXPORTED if function.name == exported else linkage


class KernelFlags(compiler.Flags):
    """numba's options of a compilation, which it compares for every call that it types.

    There each comparison collects all options of both, which is a tenth of the time it takes to
    compile a kernel.
    """

    __slots__ = ()
    _hash = hash(compiler.Flags())  # of all flags alike: it is that of the names of the options

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        if isinstance(other, compiler.Flags) and self._values == other._values:
            return True
        return super().__eq__(other)


class KernelCompiler(compiler.Compiler):
    """numba's compiler, for a :class:`LinkableLibrary`."""

    def define_pipelines(self):
        state = self.state
        if state.library is None:
            state.library = LinkableLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return super().define_pipelines()
