"""One operation on blocks of a row as vectors: at such lengths a loop hardly vectorizes."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

BLOCK = 16
_BYTES = ir.VectorType(ir.IntType(8), BLOCK)
_INTS = ir.VectorType(ir.IntType(32), BLOCK)
_COUNTED = ir.IntType(8 * BLOCK)
_MINUS_INFINITY = -(1 << 23)
"""The bits of -inf in float32, as int32."""


def _vector(builder: Any, kind: Any, data: Any, first: Any) -> Any:
    """A pointer to the entries of an array from `first` on, as one vector."""
    return builder.bitcast(builder.gep(data, [first]), kind.as_pointer())


def _emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    free, added, joined = (
        context.make_array(kind)(context, builder, value).data
        for kind, value in zip(signature.args[:3], args[:3], strict=True)
    )
    place = _vector(builder, _BYTES, free, args[3])
    before = builder.load(place, align=1)
    hit = builder.and_(before, builder.load(_vector(builder, _BYTES, joined, args[3]), align=1))
    after = builder.xor(before, hit)
    builder.store(after, place, align=1)
    # 1 - 1 = 0 has no bits in common with -inf, 0 - 1 = -1 all.
    wide = builder.sub(builder.zext(after, _INTS), ir.Constant(_INTS, [1] * BLOCK))
    bits = builder.and_(wide, ir.Constant(_INTS, [_MINUS_INFINITY] * BLOCK))
    builder.store(bits, _vector(builder, _INTS, added, args[3]), align=4)
    return builder.trunc(builder.ctpop(builder.bitcast(hit, _COUNTED)), ir.IntType(64))


def _exclude_block(typing_context: Any, free: Any, added: Any, joined: Any, first: Any) -> Any:
    """Takes the joined ones of the entries first..first + 15 out of a row's mask and additive mask.

    Args:
        free: bool [n], the mask.
        added: float32 [n], the same as 0 and -inf.
        joined: bool [n].
        first: int64, at most n - 16.

    Returns:
        How many of them were in the mask.
    """
    return types.int64(free, added, joined, types.int64), _emit


exclude_block: Any = intrinsic(_exclude_block)
