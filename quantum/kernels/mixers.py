"""Rotations of the qubits within a tile, and the overlaps that their derivatives are.

A rotation is either about x, given by its tangent, or about any axis, given by its matrix; arrays of tangents
[S] and of matrices [S, 4] choose which. The first qubits of a tile of consecutive rows are the bits of the place
in a row, others those of the number of the row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types as numba_types
from numba.extending import intrinsic

from quantum.kernels.lanes import Emitter, Tile, emit

types: Any = numba_types
_intrinsic: Any = intrinsic(prefer_literal=True)
Rows = list[ir.Value]
Amplitudes = tuple[Rows, Rows]


class Move:
    """The rotation of one qubit of a tile.

    Attributes:
        e: Writes instructions.
        lanes: Whether the qubit is a bit of the place in a row, not of its number.
        bit: Which bit.
        numbers: Tangent of half the angle, or real and imaginary parts of the matrix's first column.
    """

    def __init__(self, e: Emitter, kind: Any, moves: ir.Value, slot: ir.Value, lanes: bool, bit: int) -> None:
        self.e, self.lanes, self.bit = e, lanes, bit
        count = 1 if kind.ndim == 1 else 4
        first = e.builder.mul(slot, ir.Constant(slot.type, count))
        places = [e.builder.add(first, ir.Constant(slot.type, j)) for j in range(count)]
        self.numbers = [e.splat(e.builder.load(e.address(kind, moves, place))) for place in places]

    def partners(self, rows: Rows) -> Rows:
        """The same with the qubit flipped."""
        if self.lanes:
            return [self.e.flip(row, self.bit) for row in rows]
        return [rows[r ^ (1 << self.bit)] for r in range(len(rows))]

    def signed(self, row: ir.Value, number: int) -> ir.Value:
        """A row that is negated where the qubit is 1."""
        if self.lanes:
            signs = [1.0 - 2.0 * (place >> self.bit & 1) for place in range(self.e.kind.width)]
            return self.e.times(row, ir.Constant(self.e.row, signs))
        return self.e.builder.fneg(row) if number >> self.bit & 1 else row

    def apply(self, x: Rows, y: Rows) -> Amplitudes:
        """The rotation of x + i y; about x it is longer by one over the cosine."""
        a, b = self.partners(x), self.partners(y)
        plus, minus, times = self.e.plus, self.e.minus, self.e.times
        if len(self.numbers) == 1:
            t = self.numbers[0]
            return (
                [plus(p, times(t, q)) for p, q in zip(x, b, strict=True)],
                [minus(p, times(t, q)) for p, q in zip(y, a, strict=True)],
            )
        cos, tilt, side, across = self.numbers
        real, imag = [], []
        for r in range(len(x)):
            turn, shift = self.signed(tilt, r), self.signed(side, r)
            own = minus(times(cos, x[r]), times(turn, y[r])), plus(times(cos, y[r]), times(turn, x[r]))
            real.append(minus(minus(own[0], times(shift, a[r])), times(across, b[r])))
            imag.append(plus(minus(own[1], times(shift, b[r])), times(across, a[r])))
        return real, imag

    def overlaps(self, x: Rows, y: Rows, u: Rows, v: Rows) -> Rows:
        """Im <u + i v| P |x + i y> for P = X, or for X, Y and Z; the sum is over the numbers of the row."""
        a, b = self.partners(x), self.partners(y)
        if len(self.numbers) == 1:
            return [self._sum(u, b, v, a)]
        own = [self._sum([u[r]], [y[r]], [v[r]], [x[r]]) for r in range(len(x))]
        across = [
            self.e.builder.fneg(self.e.plus(self.e.times(u[r], a[r]), self.e.times(v[r], b[r])))
            for r in range(len(x))
        ]
        return [self._sum(u, b, v, a), self._alternating(across), self._alternating(own)]

    def _sum(self, u: Rows, b: Rows, v: Rows, a: Rows) -> ir.Value:
        total = self.e.constant(0.0)
        for r in range(len(u)):
            total = self.e.minus(self.e.plus(total, self.e.times(u[r], b[r])), self.e.times(v[r], a[r]))
        return total

    def _alternating(self, rows: Rows) -> ir.Value:
        total = self.e.constant(0.0)
        for r, row in enumerate(rows):
            total = self.e.plus(total, self.signed(row, r))
        return total


def moves_of(e: Emitter, kind: Any, moves: ir.Value, slot: ir.Value, lanes: bool) -> list[Callable[[], Move]]:
    """The rotations of all qubits of a tile that are bits of places, or of numbers of rows."""
    count = ((e.kind.width if lanes else e.kind.rows) - 1).bit_length()

    def make(bit: int) -> Callable[[], Move]:
        return lambda: Move(e, kind, moves, e.builder.add(slot, ir.Constant(slot.type, bit)), lanes, bit)

    return [make(bit) for bit in range(count)]


@_intrinsic
def mix(typingctx: Any, x: Any, y: Any, moves: Any, slot: Any, lanes: Any) -> Any:
    """Rotate the qubits of a tile x + i y by moves[slot], moves[slot + 1], ...

    The constant `lanes` says whether these are the bits of places in rows or of numbers of rows.
    """

    def write(e: Emitter, real: ir.Value, imag: ir.Value, values: ir.Value, at: ir.Value, _: Any) -> Rows:
        a, b = e.rows(real), e.rows(imag)
        for move in moves_of(e, moves, values, at, lanes.literal_value):
            a, b = move().apply(a, b)
        return [e.tile(a), e.tile(b)]

    return emit(types.UniTuple(x, 2), (x, y, moves, types.intp, lanes), x, write)


@_intrinsic
def mix_both(typingctx: Any, x: Any, y: Any, u: Any, v: Any, moves: Any, slot: Any, lanes: Any) -> Any:
    """The same for a state x + i y and a costate u + i v.

    Returns:
        The four tiles, and a tile with the overlaps `Move.overlaps` of each qubit, before it is rotated.
    """
    count = (x.width if lanes.literal_value else x.rows) - 1
    sums = Tile(x.dtype, count.bit_length() * (1 if moves.ndim == 1 else 3))

    def write(e: Emitter, *arguments: ir.Value) -> Rows:
        a, b, c, d = (e.rows(tile) for tile in arguments[:4])
        overlaps: Rows = []
        for move in moves_of(e, moves, arguments[4], arguments[5], lanes.literal_value):
            made = move()
            overlaps += made.overlaps(a, b, c, d)
            (a, b), (c, d) = made.apply(a, b), made.apply(c, d)
        return [e.tile(rows) for rows in (a, b, c, d, overlaps)]

    return emit(types.Tuple([x] * 4 + [sums]), (x, y, u, v, moves, types.intp, lanes), x, write)
