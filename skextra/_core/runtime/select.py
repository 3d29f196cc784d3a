"""A choice between two numbers that compiles to a conditional move, never to a branch.

Where a condition is as good as random, a branch is mispredicted half of the time, at the price
of some twenty instructions each. LLVM decides between branch and move by heuristics; marked
as unpredictable, a selection stays a move.
"""

import numba
from numba import types
from numba.core.cgutils import ir
from numba.extending import intrinsic


@intrinsic
def _choose_compiled(typing_context, condition, first, second):
    """`first` where the condition holds, else `second`; both uint64."""

    def generate(context, builder, signature, arguments):
        flag, *values = arguments
        selected = builder.select(builder.trunc(flag, ir.IntType(1)), *values)
        selected.set_metadata("unpredictable", builder.module.add_metadata([]))
        return selected

    return types.uint64(types.boolean, types.uint64, types.uint64), generate


def _choose_interpreted(condition, first, second):
    return first if condition else second


choose = _choose_interpreted if numba.config.DISABLE_JIT else _choose_compiled
