"""The writer of LP text in CPLEX's format.

Every number is written in full. SCIP's reader drops coefficients below 1e-9; MPS text keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io.mps_reader import INFINITE
from co_gym.io.names import claim
from co_gym.io.text import digits

_ILLEGAL = re.compile(r"[^A-Za-z0-9_.#$&!@~]")
_NUMBER = re.compile(r"[eE]([0-9.].*)?")
_WORD = re.compile(
    r"(max|min)(imi[sz]e|imum)?|subject|such|st\.?|s\.t\.?|bounds?|free|inf(inity)?|nan|bin(ary|aries)?|gen(erals?)?"
    r"|int(egers?)?|semis?|sin|sos[12]?|end|lazy|user",
    re.IGNORECASE,
)
_LONGEST = 200
_TERMS = 8


def format_lp(program: MixedIntegerProgram) -> str:
    """A program without quadratic term as an LP file.

    The objective names every column, so that readers keep their order. A row with two sides becomes two rows, as
    SCIP takes only one. Names become unique and legal; where there are none, columns are x1, x2, ... and rows r1,
    r2, ...

    Raises:
        InputError: If the objective is quadratic, there is no column, or a coefficient is too large.
    """
    if program.Q is not None:
        raise InputError("the objective is quadratic: expected a linear one")
    if not program.num_variables:
        raise InputError("no variable: expected at least one")
    for what, values in (("objective", program.c), ("row", program.A.data), ("offset", [program.offset])):
        if np.size(values) and np.abs(values).max() >= INFINITE:
            raise InputError(f"a coefficient ({what}) is at least {INFINITE:g}, which reads as infinite")
    columns = _legal(program.variable_names, program.num_variables, "x", set())
    return "".join(
        [
            "Maximize\n" if program.sense == "maximize" else "Minimize\n",
            f" obj:{_expression(zip(columns, program.c.tolist(), strict=True), program.offset)}\n",
            "Subject To\n",
            *_rows(program, columns),
            "Bounds\n",
            *_bounds(program, columns),
            *_kinds(program, columns),
            "End\n",
        ]
    )


def _legal(names: tuple[str, ...] | None, count: int, prefix: str, taken: set[str]) -> list[str]:
    """`count` different names that readers accept."""
    legal = []
    for index in range(count):
        wanted = _ILLEGAL.sub("_", names[index])[:_LONGEST] if names else f"{prefix}{index + 1}"
        if not wanted[:1].isalpha() or _NUMBER.fullmatch(wanted) or _WORD.fullmatch(wanted):
            wanted = f"{prefix}_{wanted}"
        legal.append(claim(wanted, taken))
    return legal


def _expression(terms: Iterable[tuple[str, float]], constant: float = 0.0) -> str:
    """A sum over as many lines as it needs; LP readers limit the length of a line."""
    parts = [f" {_signed(value)} {name}" for name, value in terms]
    if constant:
        parts.append(f" {_signed(constant)}")
    return "\n  ".join("".join(parts[i : i + _TERMS]) for i in range(0, len(parts), _TERMS))


def _signed(value: float) -> str:
    return f"- {digits(-value)}" if value < 0 else f"+ {digits(value)}"


def _rows(program: MixedIntegerProgram, columns: list[str]) -> Iterator[str]:
    A = program.A
    names = _legal(program.row_names, program.num_rows, "r", {"obj"})
    taken = set(names)
    sides = zip(names, program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
    for i, (name, lower, upper) in enumerate(sides):
        span = slice(A.indptr[i], A.indptr[i + 1])
        terms = list(zip(A.indices[span].tolist(), A.data[span].tolist(), strict=True)) or [(0, 0.0)]
        left = _expression((columns[j], value) for j, value in terms)
        if lower == upper:
            yield f" {name}:{left} = {digits(lower)}\n"
        elif np.isneginf(lower) or np.isposinf(upper):
            yield f" {name}:{left} {_side(lower, upper)}\n"
        else:
            low, high = _legal((f"{name}_lhs", f"{name}_rhs"), 2, "r", taken)
            yield f" {low}:{left} >= {digits(lower)}\n {high}:{left} <= {digits(upper)}\n"


def _side(lower: float, upper: float) -> str:
    """The only side of a row; of a row that is always true, an infinite one."""
    if not np.isposinf(upper):
        return f"<= {digits(upper)}"
    return f">= {digits(lower) if np.isfinite(lower) else '-1e30'}"


def _bounds(program: MixedIntegerProgram, columns: list[str]) -> Iterator[str]:
    for name, lower, upper, integer in _boxes(program, columns):
        if integer and (lower, upper) == (0.0, 1.0):
            continue
        if lower == upper:
            yield f" {name} = {digits(lower)}\n"
        elif np.isneginf(lower) and np.isposinf(upper):
            yield f" {name} free\n"
        elif np.isposinf(upper):
            yield f" {name} >= {digits(lower)}\n" if lower else ""
        else:
            yield f" {digits(lower) if np.isfinite(lower) else '-inf'} <= {name} <= {digits(upper)}\n"


def _kinds(program: MixedIntegerProgram, columns: list[str]) -> Iterator[str]:
    """The sections of binary and of other integer variables."""
    boxes = list(_boxes(program, columns))
    binary = [name for name, lower, upper, integer in boxes if integer and (lower, upper) == (0.0, 1.0)]
    general = [name for name, lower, upper, integer in boxes if integer and (lower, upper) != (0.0, 1.0)]
    for title, members in (("Binary", binary), ("General", general)):
        if members:
            yield f"{title}\n"
            yield from (" " + " ".join(members[i : i + _TERMS]) + "\n" for i in range(0, len(members), _TERMS))


def _boxes(program: MixedIntegerProgram, columns: list[str]) -> Iterator[tuple[str, float, float, bool]]:
    yield from zip(columns, program.lower.tolist(), program.upper.tolist(), program.integer.tolist(), strict=True)
