"""How this package's kernels are compiled, and how they call one another.

The searches, and what else is large, are entries: each takes the address of one table,
in which stand its integers and the addresses of its arrays. They compile one by one,
when a problem first needs them, and do not grow into their callers.

Kernels allocate nothing, so that numba may leave reference counts out.

Without compilation views and calls are Python's own: an entry's address is then its number.
"""

import ctypes

import numba
import numpy as np
from numba import types
from numba.core.cgutils import ir
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from skextra._core.runtime.jit import Entry, call_interpreted, njit

kernel = njit(_nrt=False, error_model="numpy")
# What is called from one place only, with many arrays to hand over.
inlined_kernel = njit(_nrt=False, error_model="numpy", forceinline=True)
# Sums may be taken in any order where they only describe a node.
summing_kernel = njit(_nrt=False, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
# Arrays can be returned only where references are counted.
returning_kernel = njit(error_model="numpy")
entry = Entry


def _make_view(dtype, n_dimensions):
    """Function that makes an array of what lies at an address, which owns nothing."""
    if numba.config.DISABLE_JIT:
        return lambda address, *shape: _view_interpreted(np.dtype(dtype.name), address, shape)

    def generate(context, builder, signature, arguments):
        array_type = signature.return_type
        array = context.make_array(array_type)(context, builder)
        itemsize = context.get_abi_sizeof(context.get_data_type(dtype))
        shape, strides = list(arguments[1:]), []
        stride = context.get_constant(types.intp, itemsize)
        for size in reversed(shape):
            strides.insert(0, stride)
            stride = builder.mul(stride, size)
        pointer = builder.inttoptr(arguments[0], context.get_data_type(dtype).as_pointer())
        populate_array(
            array, data=pointer, shape=shape, strides=strides,
            itemsize=context.get_constant(types.intp, itemsize), meminfo=None,
        )  # fmt: skip
        return array._getvalue()

    array_type = types.Array(dtype, n_dimensions, "C")
    if n_dimensions == 1:

        @intrinsic
        def view(typing_context, address, n):
            return array_type(types.int64, types.int64), generate

    else:

        @intrinsic
        def view(typing_context, address, n_rows, n):
            return array_type(types.int64, types.int64, types.int64), generate

    return view


def _view_interpreted(dtype, address, shape):
    size = int(np.prod(shape)) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    return np.frombuffer((ctypes.c_char * size).from_address(int(address)), dtype).reshape(shape)


view_uint8 = _make_view(types.uint8, 1)
view_uint16 = _make_view(types.uint16, 1)
view_uint32 = _make_view(types.uint32, 1)
view_int32 = _make_view(types.int32, 1)
view_int64 = _make_view(types.int64, 1)
view_float32 = _make_view(types.float32, 1)
view_float64 = _make_view(types.float64, 1)
view_int32_rows = _make_view(types.int32, 2)
view_int64_rows = _make_view(types.int64, 2)
view_uint64_rows = _make_view(types.uint64, 2)
view_float64_rows = _make_view(types.float64, 2)


@intrinsic
def _call_compiled(typing_context, address, table):
    """Call the entry at an address with the address of a table."""

    def generate(context, builder, signature, arguments):
        integer = context.get_value_type(types.int64)
        function = builder.inttoptr(
            arguments[0], ir.PointerType(ir.FunctionType(integer, [integer]))
        )
        return builder.call(function, [arguments[1]])

    return types.int64(types.int64, types.int64), generate


call_entry = call_interpreted if numba.config.DISABLE_JIT else _call_compiled
