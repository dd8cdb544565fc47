"""Operations on tiles of amplitudes, in registers. Real and imaginary parts are tiles of their own."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types as numba_types
from numba.extending import intrinsic

from quantum.kernels.lanes import Emitter, Tile, emit

types: Any = numba_types
_intrinsic: Any = intrinsic(prefer_literal=True)


@_intrinsic
def load(typingctx: Any, array: Any, at: Any, step: Any, rows: Any) -> Any:
    """The rows of an array that begin at `at`, `at + step`, ...; their number is a constant."""
    kind = Tile(array.dtype, rows.literal_value)

    def write(e: Emitter, data: ir.Value, first: ir.Value, stride: ir.Value, _: Any) -> ir.Value:
        return e.tile([e.load(array, data, place) for place in _places(e, first, stride)])

    return emit(kind, (array, types.intp, types.intp, rows), kind, write)


@_intrinsic
def store(typingctx: Any, array: Any, at: Any, step: Any, tile: Any) -> Any:
    """Write the rows of a tile to where `load` takes them from."""

    def write(e: Emitter, data: ir.Value, first: ir.Value, stride: ir.Value, value: ir.Value) -> None:
        for place, row in zip(_places(e, first, stride), e.rows(value), strict=True):
            e.store(array, data, place, row)

    return emit(types.void, (array, types.intp, types.intp, tile), tile, write)


def _places(e: Emitter, first: ir.Value, stride: ir.Value) -> list[ir.Value]:
    places = [first]
    for _ in range(e.kind.rows - 1):
        places.append(e.builder.add(places[-1], stride))
    return places


@_intrinsic
def scale(typingctx: Any, x: Any, factor: Any) -> Any:
    """The tile x times a number."""

    def write(e: Emitter, tile: ir.Value, value: ir.Value) -> ir.Value:
        row = e.splat(value)
        return e.tile([e.times(one, row) for one in e.rows(tile)])

    return emit(x, (x, x.dtype), x, write)


@_intrinsic
def turn(typingctx: Any, x: Any, y: Any, c: Any, s: Any) -> Any:
    """(x + i y) (c - i s), as two tiles."""

    def write(e: Emitter, *tiles: ir.Value) -> list[ir.Value]:
        real, imag = [], []
        for a, b, cos, sin in zip(*(e.rows(tile) for tile in tiles), strict=True):
            real.append(e.plus(e.times(a, cos), e.times(b, sin)))
            imag.append(e.minus(e.times(b, cos), e.times(a, sin)))
        return [e.tile(real), e.tile(imag)]

    return emit(types.UniTuple(x, 2), (x, y, c, s), x, write)


@_intrinsic
def accumulate(typingctx: Any, sums: Any, slot: Any, tile: Any) -> Any:
    """Add the rows of a tile to rows slot, slot + 1, ... of an array."""

    def write(e: Emitter, data: ir.Value, first: ir.Value, value: ir.Value) -> None:
        for r, row in enumerate(e.rows(value)):
            number = e.builder.add(first, ir.Constant(first.type, r))
            place = e.builder.mul(number, ir.Constant(first.type, tile.width))
            e.store(sums, data, place, e.plus(e.load(sums, data, place), row))

    return emit(types.void, (sums, types.intp, tile), tile, write)
