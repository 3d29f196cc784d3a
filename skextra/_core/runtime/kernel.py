"""Kernels: functions that numba compiles, each signature once, whoever calls it."""

from numba.core import compiler, errors, event, sigutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import _FunctionCompiler
from numba.core.registry import CPUDispatcher
from numba.core.runtime import rtsys
from numba.core.targetconfig import ConfigStack

from skextra._core.runtime.library import CallableLibrary, KernelCompiler, KernelFlags

# Forms of the machine code of a kernel, each with entries of its own in the cache: a function of
# Python, and one that is called by its address.
CALLABLE, ADDRESSED = "callable", "addressed"


class _FrontEnd(_FunctionCompiler):
    def _customize_flags(self, flags):
        flags = KernelFlags(flags)
        # Wrappers and machine code come later, where they are wanted.
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        return flags

    def compute_flags(self):
        """Options of the compilation of the kernel."""
        flags = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        return self._customize_flags(flags)


class Kernel(CPUDispatcher):
    """Dispatcher of a function that is compiled at its first call, or loaded from the cache.

    Parameters are those of numba's dispatchers. `overloads` are the signatures that other
    kernels may include.
    """

    def __init__(self, py_func, locals=None, targetoptions=None, pipeline_class=KernelCompiler):
        super().__init__(py_func, locals or {}, targetoptions, pipeline_class)
        self._compiler = _FrontEnd(
            py_func, self.targetdescr, targetoptions, locals or {}, pipeline_class
        )
        self._functions = {}

    def compile(self, sig):
        """Make a signature ready; what Python calls for it, if it was Python that asked."""
        arguments = tuple(sigutils.normalize_signature(sig)[0])
        with global_compiler_lock:
            if ConfigStack():  # a kernel that is being compiled asks
                self._find_linkable(arguments)
                return None
            return self._find_function(arguments, CALLABLE).entry_point

    def compile_for_address(self, arguments):
        """Address of the machine code for a tuple of types of arguments."""
        with global_compiler_lock:
            result = self._find_function(arguments, ADDRESSED)
        return result.library.get_pointer_to_function(result.fndesc.llvm_func_name)

    def get_overload(self, sig):
        """What stands for a signature in numba's table of functions that can be called."""
        return self.overloads[tuple(sigutils.normalize_signature(sig)[0])].library

    def _find_linkable(self, arguments):
        result = self.overloads.get(arguments)
        if result is None:
            result = self._compile(arguments)
            library = result.library
            self.targetctx.insert_user_function(library, result.fndesc, [library])
            self.overloads[arguments] = result
        return result

    def _compile(self, arguments):
        details = {"dispatcher": self, "args": arguments, "return_type": None}
        with event.trigger_event("numba:compile", data=details):
            try:
                return self._compiler.compile(arguments, None)
            except errors.ForceLiteralArg as error:

                def fold(args, kws):
                    return self._compiler.fold_argument_types(args, kws)[1]

                raise error.bind_fold_arguments(fold) from None

    def _find_function(self, arguments, form):
        result = self._functions.get((arguments, form))
        if result is None:
            result = self._cache.load(form, arguments, self.targetctx)
            if result is None:
                self._cache_misses[arguments] += 1
                result = self._build(self._find_linkable(arguments), form)
                self._cache.save(form, arguments, result)
            else:
                self._cache_hits[arguments] += 1
            self._functions[arguments, form] = result
            if form == CALLABLE:
                self._insert([a._code for a in arguments], result.entry_point, False)
        return result

    def _build(self, linkable, form):
        """Turn a kernel and its callees into machine code."""
        flags = self._compiler.compute_flags()
        context = compiler._make_subtarget(self.targetctx, flags)
        description, environment = linkable.fndesc, linkable.environment
        is_wrapped = form == CALLABLE
        names = description.llvm_func_name, description.llvm_cpython_wrapper_name
        library = CallableLibrary(context.codegen(), linkable.library.name, names[is_wrapped])
        library.add_linking_library(rtsys.library)
        if is_wrapped:
            library.add_linking_library(linkable.library)
            with ConfigStack().enter(flags), context.push_code_library(library):
                context.create_cpython_wrapper(
                    library, description, environment, linkable.call_helper, flags.release_gil
                )
        else:
            library.add_exported(linkable.library)
        function = context.get_executable(library, description, environment)
        result = linkable._replace(library=library, entry_point=function)
        for referenced in result._find_referenced_environments():
            library.codegen.set_env(referenced.env_name, referenced)
        return result
