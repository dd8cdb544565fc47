"""Vectors of a processor as values of compiled loops: what the loops over amplitudes are made of.

A `Tile` is a few rows of one cache line each, 8 numbers of float64 or 16 of float32. Rows are far apart in
memory or next to each other; a loop loads a tile, works on it in registers, and stores it. Numba's own
vectorizer does not see through rows in the same array, nor does it permute numbers within a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, register_model

LINE = 64
"""Bytes of a row."""

FLAGS = ("contract", "nsz")


class Tile(types.Type):
    """Rows of numbers.

    Attributes:
        dtype: float64 or float32, as a type of numba.
        rows: How many rows.
    """

    def __init__(self, dtype: Any, rows: int) -> None:
        self.dtype, self.rows = dtype, rows
        super().__init__(name=f"Tile({dtype}, {rows})")

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return width(self.dtype)


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Tile) -> None:
        super().__init__(
            manager,
            kind,  # type: ignore[no-untyped-call]
            ir.ArrayType(_row(kind), kind.rows),
        )


def width(dtype: Any) -> int:
    """How many numbers a row has."""
    return LINE * 8 // int(dtype.bitwidth)


def _row(kind: Tile, dtype: ir.Type | None = None) -> ir.VectorType:
    number = ir.DoubleType() if kind.dtype == types.float64 else ir.FloatType()
    return ir.VectorType(dtype or number, kind.width)


class Emitter:
    """Writes the instructions of an operation on rows.

    Attributes:
        kind: Type of its tiles.
        builder: Where instructions go.
    """

    def __init__(self, context: Any, builder: ir.IRBuilder, kind: Tile) -> None:
        self.context, self.builder, self.kind, self.row = context, builder, kind, _row(kind)

    def rows(self, tile: ir.Value) -> list[ir.Value]:
        """The rows of a tile."""
        return [self.builder.extract_value(tile, r) for r in range(tile.type.count)]

    def tile(self, rows: list[ir.Value]) -> ir.Value:
        """A tile of rows."""
        made = ir.Constant(ir.ArrayType(rows[0].type, len(rows)), ir.Undefined)
        for r, row in enumerate(rows):
            made = self.builder.insert_value(made, row, r)
        return made

    def address(self, kind: Any, array: ir.Value, at: ir.Value) -> ir.Value:
        """Where a number of an array is."""
        data = self.context.make_array(kind)(self.context, self.builder, array).data
        return self.builder.gep(data, [at])

    def load(self, kind: Any, array: ir.Value, at: ir.Value, row: ir.VectorType | None = None) -> ir.Value:
        """A row of an array."""
        address = self.address(kind, array, at)
        pointer = self.builder.bitcast(address, (row or self.row).as_pointer())
        return self.builder.load(pointer, align=kind.dtype.bitwidth // 8)

    def store(self, kind: Any, array: ir.Value, at: ir.Value, row: ir.Value) -> None:
        """Write a row."""
        pointer = self.builder.bitcast(self.address(kind, array, at), row.type.as_pointer())
        self.builder.store(row, pointer, align=kind.dtype.bitwidth // 8)

    def splat(self, value: ir.Value) -> ir.Value:
        """A row of equal numbers."""
        empty = ir.Constant(ir.VectorType(value.type, self.kind.width), ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
        return self.permute(first, [0] * self.kind.width)

    def permute(self, row: ir.Value, order: list[int]) -> ir.Value:
        """The numbers of a row in another order."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
        return self.builder.shuffle_vector(row, ir.Constant(row.type, ir.Undefined), mask)

    def flip(self, row: ir.Value, bit: int) -> ir.Value:
        """Each number goes to the place whose number differs in one bit."""
        return self.permute(row, [place ^ (1 << bit) for place in range(self.kind.width)])

    def constant(self, value: float | int, dtype: ir.Type | None = None) -> ir.Value:
        """A row of a constant."""
        kind = _row(self.kind, dtype)
        return ir.Constant(kind, [value] * self.kind.width)

    def plus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The sum a + b."""
        return self.builder.fadd(a, b, flags=FLAGS)

    def minus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The difference a - b."""
        return self.builder.fsub(a, b, flags=FLAGS)

    def times(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The product a b."""
        return self.builder.fmul(a, b, flags=FLAGS)


def emit(result: Any, arguments: tuple[Any, ...], kind: Tile, write: Callable[..., Any]) -> Any:
    """What an intrinsic function of numba returns.

    Args:
        result: Type of the result.
        arguments: Types of the arguments.
        kind: Type of its tiles.
        write: From an `Emitter` and the values of arguments to that of the result, or values of a tuple.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = write(Emitter(context, builder, kind), *values)
        if isinstance(signature.return_type, types.BaseTuple):
            return context.make_tuple(builder, signature.return_type, made)
        return context.get_dummy_value() if made is None else made

    return result(*arguments), generate
