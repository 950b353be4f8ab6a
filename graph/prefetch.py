"""A hint to the processor: this row of an array is needed soon. It changes nothing but the time that a later read takes.

A walk through a large forest waits for memory at every step, and steps of one walk must wait for each other. Those of different walks need not: so
what a later event will touch is asked for while earlier ones are worked on.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]  # it has no types
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _hint(_context: Any, array: Any, _place: Any) -> tuple[Signature, Any]:  # noqa: ANN401  # types as numba knows them
    """The hint as machine code."""

    def built(context: Any, builder: Any, signature: Signature, values: Any) -> Any:  # noqa: ANN401  # as above
        kind = signature.args[0]
        rows = make_array(kind)(context, builder, values[0])  # type: ignore[no-untyped-call]  # numba's own
        address = cgutils.get_item_pointer(context, builder, kind, rows, [values[1]], wraparound=False)  # type: ignore[no-untyped-call]  # as above
        pointer = builder.bitcast(address, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch", [pointer.type], ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        )
        builder.call(hint, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), built


prefetch: Callable[[Any, int], None] = cast("Callable[[Any, int], None]", intrinsic(_hint))
"""Ask for the row of a one-dimensional array at that place, from compiled code; a place outside of it is harmless."""
