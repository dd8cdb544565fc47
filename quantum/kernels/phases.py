"""Phases by a diagonal Hamiltonian, applied to tiles of amplitudes.

A diagonal is a tuple: () is none, (table, unit, centre) has an energy unit * (table[x] - centre) at each state
x. The table is of float64, or of uint8 or uint16 to save memory. With an angle and a factor of the state it
makes a phase.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types as numba_types
from numba.extending import intrinsic, overload

from quantum.kernels.lanes import Emitter, Tile, emit
from quantum.kernels.tiles import scale, turn

types: Any = numba_types
_intrinsic: Any = intrinsic(prefer_literal=True)
QUARTERS = 2.0 / math.pi
"""Quarter turns per radian."""

ROUNDING = 1.5 * 2.0**52
"""Added to a float64, it leaves the nearest integer in its last bits."""


def _entries(e: Emitter, table: Any, data: ir.Value, first: ir.Value, centre: ir.Value) -> list[ir.Value]:
    """Rows of float64 of a table minus a number."""
    wide = ir.VectorType(ir.DoubleType(), e.kind.width)
    subtracted, rows = e.splat(centre), []
    for r in range(e.kind.rows):
        place = e.builder.add(first, ir.Constant(first.type, r * e.kind.width))
        if table.dtype == types.float64:
            row = e.load(table, data, place, wide)
        else:
            whole = ir.VectorType(ir.IntType(table.dtype.bitwidth), e.kind.width)
            row = e.builder.uitofp(e.load(table, data, place, whole), wide)
        rows.append(e.minus(row, subtracted))
    return rows


@_intrinsic
def phasors(typingctx: Any, phase: Any, x: Any, at: Any) -> Any:
    """Two tiles like x: factor cos(a) and factor sin(a), a the angle at the states from `at` on.

    The angle is reduced in float64; then Taylor polynomials on an eighth of a turn, to rounding.
    """
    terms = 8 if x.dtype == types.float64 else 5

    def write(e: Emitter, values: ir.Value, _: ir.Value, first: ir.Value) -> list[ir.Value]:
        data, rate, centre, size = (e.builder.extract_value(values, j) for j in range(4))
        turns, factor = e.splat(rate), e.splat(size)
        cosines, sines = [], []
        for row in _entries(e, phase.types[0], data, first, centre):
            cos, sin = _phasor(e, e.times(row, turns), terms)
            cosines.append(e.times(cos, factor))
            sines.append(e.times(sin, factor))
        return [e.tile(cosines), e.tile(sines)]

    return emit(types.UniTuple(x, 2), (phase, x, types.intp), x, write)


def _phasor(e: Emitter, turns: ir.Value, terms: int) -> tuple[ir.Value, ir.Value]:
    b, bits = e.builder, int(e.kind.dtype.bitwidth)
    integer, long = ir.IntType(bits), ir.VectorType(ir.IntType(64), e.kind.width)
    rounding = ir.Constant(turns.type, [ROUNDING] * e.kind.width)
    shifted = b.fadd(turns, rounding)
    f, quadrant = b.fsub(turns, b.fsub(shifted, rounding)), b.bitcast(shifted, long)
    if bits == 32:
        f, quadrant = b.fptrunc(f, e.row), b.trunc(quadrant, ir.VectorType(integer, e.kind.width))
    square = e.times(f, f)
    half = math.pi / 2.0
    cos = _polynomial(e, square, [(-1) ** i * half ** (2 * i) / math.factorial(2 * i) for i in range(terms + 1)])
    odd = [(-1) ** i * half ** (2 * i + 1) / math.factorial(2 * i + 1) for i in range(terms)]
    sin = e.times(f, _polynomial(e, square, odd))
    one, two, shift = (e.constant(n, integer) for n in (1, 2, bits - 2))
    swapped = b.icmp_unsigned("!=", b.and_(quadrant, one), e.constant(0, integer))
    signs = b.and_(b.add(quadrant, one), two), b.and_(quadrant, two)
    pair = b.select(swapped, sin, cos), b.select(swapped, cos, sin)
    negated = [
        b.bitcast(b.xor(b.bitcast(value, quadrant.type), b.shl(sign, shift)), e.row)
        for value, sign in zip(pair, signs, strict=True)
    ]
    return negated[0], negated[1]


def _polynomial(e: Emitter, x: ir.Value, coefficients: list[float]) -> ir.Value:
    value = e.constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = e.plus(e.times(value, x), e.constant(coefficient))
    return value


def bind(diagonal: Any, angle: float, factor: float, like: Any) -> Any:
    """The phase exp(-i angle D) times a factor, for a state whose parts are arrays like `like`; compiled."""
    raise NotImplementedError


@overload(bind)
def _bind(diagonal: Any, angle: Any, factor: Any, like: Any) -> Any:
    number = like.dtype

    def none(diagonal: Any, angle: Any, factor: Any, like: Any) -> Any:
        return (number(factor),)

    def some(diagonal: Any, angle: Any, factor: Any, like: Any) -> Any:
        table, unit, centre = diagonal
        return table, unit * angle * QUARTERS, centre, number(factor)

    return some if len(diagonal) else none


def advance(phase: Any, x: Any, y: Any, at: int) -> Any:
    """A tile x + i y of consecutive rows from `at` on, times the phase; compiled."""
    raise NotImplementedError


@overload(advance)
def _advance(phase: Any, x: Any, y: Any, at: Any) -> Any:
    def none(phase: Any, x: Any, y: Any, at: Any) -> Any:
        return scale(x, phase[0]), scale(y, phase[0])

    def some(phase: Any, x: Any, y: Any, at: Any) -> Any:
        cos, sin = phasors(phase, x, at)
        return turn(x, y, cos, sin)

    return some if len(phase) > 1 else none


def advance_both(phase: Any, x: Any, y: Any, u: Any, v: Any, at: int) -> Any:
    """The same for a state x + i y and a costate u + i v; compiled."""
    raise NotImplementedError


@overload(advance_both)
def _advance_both(phase: Any, x: Any, y: Any, u: Any, v: Any, at: Any) -> Any:
    def none(phase: Any, x: Any, y: Any, u: Any, v: Any, at: Any) -> Any:
        size = phase[0]
        return scale(x, size), scale(y, size), scale(u, size), scale(v, size)

    def some(phase: Any, x: Any, y: Any, u: Any, v: Any, at: Any) -> Any:
        cos, sin = phasors(phase, x, at)
        return turn(x, y, cos, sin) + turn(u, v, cos, sin)

    return some if len(phase) > 1 else none


@_intrinsic
def slope(typingctx: Any, phase: Any, x: Any, y: Any, u: Any, v: Any, at: Any) -> Any:
    """A tile of one row whose sum is that of (table - centre) Im conj(u + i v) (x + i y) over the tile."""
    one = Tile(x.dtype, 1)

    def write(e: Emitter, values: ir.Value, *rest: ir.Value) -> ir.Value:
        total = e.constant(0.0)
        if len(phase) == 1:
            return e.tile([total])
        data, centre = e.builder.extract_value(values, 0), e.builder.extract_value(values, 2)
        weights = _entries(e, phase.types[0], data, rest[4], centre)
        for a, b, c, d, w in zip(*(e.rows(tile) for tile in rest[:4]), weights, strict=True):
            weight = w if x.dtype == types.float64 else e.builder.fptrunc(w, e.row)
            total = e.plus(total, e.times(weight, e.minus(e.times(c, b), e.times(d, a))))
        return e.tile([total])

    return emit(one, (phase, x, y, u, v, types.intp), x, write)
