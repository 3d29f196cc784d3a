"""Each signature of a kernel is compiled once, in a process, whoever calls it."""

import numba
import numpy as np
import pytest
from numba.core import compiler, event

from skextra._core.runtime import jit
from skextra._core.runtime.library import KernelFlags

COMPILED_ONLY = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


class Compilations(event.Listener):
    """Names of the functions of this file that numba compiles."""

    def __init__(self):
        self.names = []

    def on_start(self, event):
        function = event.data["dispatcher"].py_func
        if function.__module__ == __name__:
            self.names.append(function.__name__)

    def on_end(self, event):
        pass


@pytest.fixture
def kernels():
    n_before = len(jit.list_kernels())

    @jit.njit
    def scale(x):
        if x < 0:
            raise ValueError("negative")
        return 3 * x

    @jit.njit
    def scale_and_add(x):
        return scale(x) + scale(x + 1)

    yield scale, scale_and_add
    del jit._registered[n_before:]


@COMPILED_ONLY
@pytest.mark.parametrize("is_callee_first", [False, True])
def test_a_callee_is_compiled_once_whoever_calls_it_first(kernels, is_callee_first):
    scale, scale_and_add = kernels
    with event.install_listener("numba:compile", Compilations()) as compilations:
        if is_callee_first:
            assert scale(2.0) == 6.0
        assert scale_and_add(2.0) == 15.0
        assert scale(2.0) == 6.0
        assert scale_and_add(3.0) == 21.0
    assert sorted(compilations.names) == ["scale", "scale_and_add"]


def test_errors_of_callees_reach_the_caller(kernels):
    with pytest.raises(ValueError, match="negative"):
        kernels[1](-1.5)


@COMPILED_ONLY
def test_machine_code_exports_one_function(kernels):
    assert kernels[1](2.0) == 15.0
    (result,) = kernels[1]._functions.values()
    exported = {
        function.name
        for function in result.library.get_defined_functions()
        if function.linkage.name != "internal"
    }
    assert exported == {result.fndesc.llvm_cpython_wrapper_name}


@COMPILED_ONLY
def test_kernels_refuse_types_that_they_cannot_be_compiled_for(kernels):
    with pytest.raises(numba.TypingError):
        kernels[1](np.zeros((2, 2)).dtype)
    assert kernels[1](2.0) == 15.0  # and go on working


def test_flags_are_those_of_numba():
    plain, ours = compiler.Flags(), KernelFlags()
    assert plain == ours
    assert hash(plain) == hash(ours)
    ours.nrt = True
    assert plain != ours
    plain.nrt = True
    assert plain == ours
    assert hash(plain) == hash(ours)
    plain.error_model = "python"  # the default, set or not
    assert plain == ours
    assert KernelFlags(plain) == ours
