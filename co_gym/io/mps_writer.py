"""The writer of MPS text in free form; every number reads back equal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io.mps_reader import INFINITE
from co_gym.io.names import claim
from co_gym.io.text import digits


def format_mps(program: MixedIntegerProgram) -> str:
    """A program without quadratic term as free MPS.

    Names become unique and free of blanks; where there are none, columns are x1, x2, ... and rows r1, r2, ...

    Raises:
        InputError: If the objective is quadratic, or a coefficient is too large for the format.
    """
    if program.Q is not None:
        raise InputError("the objective is quadratic: expected a linear one")
    for what, values in (("objective", program.c), ("row", program.A.data), ("offset", [program.offset])):
        if np.size(values) and np.abs(values).max() >= INFINITE:
            raise InputError(f"a coefficient ({what}) is at least {INFINITE:g}, which reads as infinite")
    columns = _safe(program.variable_names, program.num_variables, "x", set())
    rows = _safe(program.row_names, program.num_rows, "r", set())
    objective = _safe(None, 1, "obj", set(rows))[0]
    sides = [(name, *_row(*side)) for name, *side in zip(rows, program.row_lower, program.row_upper, strict=True)]
    return "".join(
        [
            f"NAME {_clean(program.name)}\n",
            "OBJSENSE\n    MAX\n" if program.sense == "maximize" else "",
            f"ROWS\n N {objective}\n",
            *(f" {kind} {row}\n" for row, kind, _, _ in sides),
            "COLUMNS\n",
            *_columns(program, columns, rows, objective),
            "RHS\n",
            f" RHS {objective} {digits(-program.offset)}\n" if program.offset else "",
            *(f" RHS {row} {digits(side)}\n" for row, _, side, _ in sides if side),
            "RANGES\n",
            *(f" RNG {row} {digits(width)}\n" for row, _, _, width in sides if width is not None),
            "BOUNDS\n",
            *_bounds(program, columns),
            "ENDATA\n",
        ]
    )


def _clean(name: str) -> str:
    """A name of printable characters without blanks, not too long."""
    return re.sub(r"[^!-~]", "_", name)[:200]


def _safe(names: tuple[str, ...] | None, count: int, prefix: str, taken: set[str]) -> list[str]:
    """`count` different names that a reader accepts."""
    safe = []
    for index in range(count):
        wanted = _clean(names[index]) if names else prefix if count == 1 else f"{prefix}{index + 1}"
        if not wanted or wanted[0] in "*$'":
            wanted = f"{prefix}_{wanted}"
        safe.append(claim(wanted, taken))
    return safe


def _row(lower: float, upper: float) -> tuple[str, float, float | None]:
    """Type, right-hand side and range; a range that gives the other side exactly, where there is one."""
    if lower == upper:
        return "E", float(lower), None
    if np.isneginf(lower):
        return ("G", -1e30, None) if np.isposinf(upper) else ("L", float(upper), None)
    if np.isposinf(upper):
        return "G", float(lower), None
    near = upper - lower
    for width in (near, np.nextafter(near, np.inf), np.nextafter(near, 0.0)):
        if lower + width == upper:
            return "G", float(lower), float(width)
        if upper - width == lower:
            return "L", float(upper), float(width)
    return "G", float(lower), float(near)


def _columns(program: MixedIntegerProgram, columns: list[str], rows: list[str], objective: str) -> Iterator[str]:
    by_column = program.A.tocsc()
    inside = False
    for j, name in enumerate(columns):
        if bool(program.integer[j]) != inside:
            inside = not inside
            yield f" MARKER 'MARKER' '{'INTORG' if inside else 'INTEND'}'\n"
        span = slice(by_column.indptr[j], by_column.indptr[j + 1])
        if program.c[j] or span.start == span.stop:
            yield f" {name} {objective} {digits(float(program.c[j]))}\n"
        for i, value in zip(by_column.indices[span].tolist(), by_column.data[span].tolist(), strict=True):
            yield f" {name} {rows[i]} {digits(value)}\n"
    if inside:
        yield " MARKER 'MARKER' 'INTEND'\n"


def _bounds(program: MixedIntegerProgram, columns: list[str]) -> Iterator[str]:
    sides = zip(columns, program.lower.tolist(), program.upper.tolist(), program.integer.tolist(), strict=True)
    for name, lower, upper, integer in sides:
        if integer and (lower, upper) == (0.0, 1.0):
            yield f" BV BND {name}\n"
        elif lower == upper:
            yield f" FX BND {name} {digits(lower)}\n"
        elif np.isneginf(lower) and np.isposinf(upper):
            yield f" FR BND {name}\n"
        else:
            if np.isneginf(lower):
                yield f" MI BND {name}\n"
            elif lower:
                yield f" LO BND {name} {digits(lower)}\n"
            if not np.isposinf(upper):
                yield f" UP BND {name} {digits(upper)}\n"
            elif integer and not lower:
                yield f" PL BND {name}\n"
