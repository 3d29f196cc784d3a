"""Typed state that compiled functions share, and functions that are compiled one by one.

A `Struct` declares named scalars and arrays; its instances hold them in one block of memory,
as Python sees them and as compiled functions do. A kernel takes one struct in place of twenty
arguments and reads ``state.rows.weights`` from it, of the declared type:

>>> class Rows(Struct):
...     n_rows: types.int64
...     weights: types.float64[::1]

Assigning an array from Python checks its type and layout, and keeps it alive. Kernels may
assign scalars, but not arrays; they allocate nothing, so that numba may leave reference counts
out. With ``SKEXTRA_DEBUG=1`` all kernels are compiled with bounds checks on arrays, and on every
`part` of one: a wrong length or index is then an `IndexError`. Without it, as everywhere in numba,
it reads or writes what lies there.

An `Entry` is a function of one struct that is compiled by itself and called by its address.
numba optimizes a function anew within each of its callers; where large functions call one
another, entries keep the time to compile proportional to their size.

This is the only module that computes with addresses. Without compilation (``NUMBA_DISABLE_JIT``)
structs are Python objects whose attributes are NumPy arrays, and an entry's address is a number.
"""

import threading
from math import prod

import numba
import numpy as np
from numba import types
from numba.core import cgutils, imputils
from numba.core.cgutils import ir
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, intrinsic, models, register_model, unbox
from numba.np.arrayobj import make_array, populate_array
from numba.np.numpy_support import as_dtype

from skextra._core.runtime.jit import njit

kernel = njit(_nrt=False, error_model="numpy")
# What is called from one place only, or is small and called in loops.
inlined_kernel = njit(_nrt=False, error_model="numpy", forceinline=True)
# What returns arrays, which a function without reference counts cannot: its callers' source has it.
spliced_kernel = njit(_nrt=False, error_model="numpy", inline="always")
# Sums may be taken in any order where they only describe a node.
summing_kernel = njit(_nrt=False, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})

_WORD = 8  # bytes; every scalar, address and length takes a word
_LINE = 64  # bytes of a cache line, where allocated arrays begin
_interpreted = {}  # functions of entries by number, where nothing is compiled


class StructType(types.Type):
    """numba's type of a `Struct`: a pointer to its memory.

    Parameters
    ----------
    name : str
    fields : tuple of (str, numba type, int)
        Name, type and first word of each field.
    """

    def __init__(self, name, fields):
        self.fields = fields
        super().__init__(name)

    def find(self, name):
        """Type and first word of a field; None if there is no such field."""
        for field, field_type, place in self.fields:
            if field == name:
                return field_type, place
        return None


register_model(StructType)(models.OpaqueModel)


class Struct:
    """Base of all structs: its subclasses declare fields by annotations.

    A field is a `types.int64`, a `types.float64`, a C-contiguous array type such as
    ``types.float64[:, ::1]``, or another struct, which then lies within this one.
    """

    def __init_subclass__(cls):
        # By name: first words of integers and of real numbers, structs, arrays.
        cls._integer_places, cls._real_places, cls._structs, cls._arrays = {}, {}, {}, {}
        cls._empty = {}
        fields, place = [], 0
        for name, annotation in cls.__annotations__.items():
            is_struct = isinstance(annotation, type)
            field_type = annotation.struct_type if is_struct else annotation
            fields.append((name, field_type, place))
            if isinstance(field_type, types.Array):
                dtype = as_dtype(field_type.dtype)
                cls._arrays[name] = place, dtype, dtype.itemsize
                cls._empty[name] = np.empty((0,) * field_type.ndim, dtype)
                place += 1 + field_type.ndim  # the address and the lengths
            elif is_struct:
                cls._structs[name] = place, annotation
                place += annotation.n_words
            elif field_type in (types.int64, types.float64):
                is_integer = field_type is types.int64
                (cls._integer_places if is_integer else cls._real_places)[name] = place
                place += 1
            else:
                raise TypeError(f"{cls.__name__}.{name} cannot be of type {annotation}")
        cls.n_words = place
        # Types are the same to numba if their names are.
        name = f"{cls.__module__}.{cls.__qualname__}"
        cls.struct_type = cls._numba_type_ = StructType(name, tuple(fields))

    def __init__(self, memory=None):
        memory = np.zeros(self.n_words, np.int64) if memory is None else memory
        own = vars(self)
        own.update(self._empty, _integers=memory, _reals=memory.view(np.float64))
        for name, (place, struct) in self._structs.items():
            own[name] = struct(memory[place : place + struct.n_words])

    @property
    def address(self):
        """Where the memory begins, which kernels are handed."""
        return self._integers.ctypes.data

    def allocate(self, **shapes):
        """Set arrays to new ones of the given shapes, of zeros, from one piece of memory."""
        plan, n_bytes = [], 0
        for name, shape in shapes.items():
            shape = shape if isinstance(shape, tuple) else (shape,)
            plan.append((name, shape, n_bytes))
            n_bytes += -(-prod(shape) * self._arrays[name][2] // _LINE) * _LINE
        memory = np.zeros(n_bytes, np.uint8)
        address = memory.ctypes.data
        for name, shape, offset in plan:
            array = np.ndarray(shape, self._arrays[name][1], memory, offset)
            self._keep(name, array, address + offset)

    def __getattr__(self, name):
        # Of scalars: arrays and structs are attributes.
        if name in self._integer_places:
            return self._integers[self._integer_places[name]].item()
        if name in self._real_places:
            return self._reals[self._real_places[name]].item()
        raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def __setattr__(self, name, value):
        if name in self._integer_places:
            self._integers[self._integer_places[name]] = value
        elif name in self._real_places:
            self._reals[self._real_places[name]] = value
        elif name in self._arrays:
            self._set_array(name, value)
        elif name in self._structs:
            raise AttributeError(f"{type(self).__name__}.{name} is a struct: set its fields")
        else:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def _set_array(self, name, array):
        expected = self._empty[name]
        if (
            array.dtype != expected.dtype
            or array.ndim != expected.ndim
            or not array.flags.c_contiguous
        ):
            raise TypeError(
                f"{type(self).__name__}.{name} must be a C-contiguous array of "
                f"{expected.dtype} with {expected.ndim} dimensions, got one of "
                f"{array.dtype} with shape {array.shape} and strides {array.strides}"
            )
        self._keep(name, array, array.ctypes.data)

    def _keep(self, name, array, address):
        vars(self)[name] = array
        integers, place = self._integers, self._arrays[name][0]
        integers[place] = address
        for length in array.shape:
            place += 1
            integers[place] = length


@unbox(StructType)
def _unbox_struct(struct, instance, context):
    address = context.pyapi.object_getattr_string(instance, "address")
    value = context.pyapi.long_as_longlong(address)
    context.pyapi.decref(address)
    pointer = context.builder.inttoptr(value, context.context.get_value_type(struct))
    error = cgutils.is_not_null(context.builder, context.pyapi.err_occurred())
    return NativeValue(pointer, is_error=error)


@infer_getattr
class _Fields(AttributeTemplate):
    key = StructType

    def generic_resolve(self, struct, name):
        found = struct.find(name)
        return found and found[0]


def _locate(builder, pointer, place, llvm_type):
    """Pointer to a word of a struct."""
    byte = builder.gep(pointer, [ir.Constant(ir.IntType(64), _WORD * place)])
    return builder.bitcast(byte, llvm_type.as_pointer())


def _load_fixed(builder, pointer, place, llvm_type):
    """Load what no kernel ever stores to, so that loops need not load it again."""
    value = builder.load(_locate(builder, pointer, place, llvm_type))
    value.set_metadata("invariant.load", builder.module.add_metadata([]))
    return value


@imputils.lower_getattr_generic(StructType)
def _get_field(context, builder, struct, pointer, name):
    field_type, place = struct.find(name)
    if isinstance(field_type, StructType):
        return builder.gep(pointer, [ir.Constant(ir.IntType(64), _WORD * place)])
    if not isinstance(field_type, types.Array):
        return builder.load(_locate(builder, pointer, place, context.get_value_type(field_type)))
    word = context.get_value_type(types.intp)
    data_type = context.get_data_type(field_type.dtype).as_pointer()
    data = _load_fixed(builder, pointer, place, data_type)
    shape = [
        _load_fixed(builder, pointer, place + 1 + axis, word) for axis in range(field_type.ndim)
    ]
    return _build_array(context, builder, field_type, data, shape)


def _build_array(context, builder, array_type, data, shape):
    """An array that owns nothing."""
    itemsize = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    strides, stride = [], context.get_constant(types.intp, itemsize)
    for size in reversed(shape):
        strides.insert(0, stride)
        stride = builder.mul(stride, size)
    array = make_array(array_type)(context, builder)
    populate_array(
        array, data=data, shape=shape, strides=strides,
        itemsize=context.get_constant(types.intp, itemsize), meminfo=None,
    )  # fmt: skip
    return array._getvalue()


@imputils.lower_setattr_generic(StructType)
def _set_field(context, builder, setting, arguments, name):
    struct, value_type = setting.args
    pointer, value = arguments
    if isinstance(value_type, types.Array | StructType):
        raise TypeError(f"a kernel may not replace the array or struct {struct.name}.{name}")
    _, place = struct.find(name)
    llvm_type = context.get_value_type(value_type)
    builder.store(value, _locate(builder, pointer, place, llvm_type))


@intrinsic
def _part_compiled(typing_context, array, start, stop):
    """``array[start:stop]``, without clipping: the bounds are checked in debug mode only."""

    def generate(context, builder, signature, arguments):
        array_type = signature.return_type
        array = make_array(array_type)(context, builder, arguments[0])
        start, stop = arguments[1:]
        if context.enable_boundscheck:
            size = builder.extract_value(array.shape, 0)
            # Unsigned, a negative number is larger than any length.
            is_wrong = builder.or_(
                builder.icmp_unsigned(">", start, stop), builder.icmp_unsigned(">", stop, size)
            )
            with cgutils.if_unlikely(builder, is_wrong):
                message = "part of an array is out of bounds"
                context.call_conv.return_user_exc(builder, IndexError, (message,))
        data = builder.gep(array.data, [start])
        return _build_array(context, builder, array_type, data, [builder.sub(stop, start)])

    if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C":
        return None
    return array(array, types.int64, types.int64), generate


def _part_interpreted(array, start, stop):
    if not 0 <= start <= stop <= len(array):
        raise IndexError("part of an array is out of bounds")
    return array[start:stop]


@intrinsic
def _call_compiled(typing_context, address, struct):
    """Call the entry at an address."""

    def generate(context, builder, signature, arguments):
        convention = context.call_conv
        function_type = convention.get_function_type(types.int64, (struct,))
        function = builder.inttoptr(arguments[0], function_type.as_pointer())
        status, result = convention.call_function(
            builder, function, types.int64, (struct,), [arguments[1]]
        )
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return result

    if not isinstance(struct, StructType):
        return None
    return types.int64(types.int64, struct), generate


def _call_interpreted(number, struct):
    return _interpreted[number](struct)


part = _part_interpreted if numba.config.DISABLE_JIT else _part_compiled
call_entry = _call_interpreted if numba.config.DISABLE_JIT else _call_compiled


class Entry:
    """A function of one struct, compiled at its first use, and called by its address.

    Parameters
    ----------
    function : callable
        Takes the struct and returns an int64.
    struct : type
    """

    def __init__(self, function, struct):
        self._function = function
        self._signature = (struct.struct_type,)
        self._kernel = kernel(function)
        self._lock = threading.Lock()
        self._address = None

    @property
    def address(self):
        """Where the machine code begins; without compilation, a number for `call_entry`."""
        with self._lock:
            if self._address is None:
                self._address = self._compile()
        return self._address

    def _compile(self):
        if numba.config.DISABLE_JIT:
            _interpreted[id(self._function)] = self._function
            return id(self._function)
        return self._kernel.compile_for_address(self._signature)


def entry(struct):
    """Decorate a function of a struct as an `Entry`."""
    return lambda function: Entry(function, struct)
