"""Sizes of padded observations, found from the programs of an environment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.envs.sources import Programs

SPARE = 1.25
"""Where probed programs differ in size, so much more room than the largest of them needs."""

CUTS = 0.5
"""Room for cuts, as a share of the rows and entries of the program."""


@dataclass(frozen=True)
class Limits:
    """Sizes to which observations are padded.

    Attributes:
        variables: Columns of the LP, and actions of a branching environment.
        rows: Finite sides of the LP's rows; what is beyond, the youngest cuts, is left out.
        edges: Entries of these sides; sides that do not fit are left out.
    """

    variables: int
    rows: int
    edges: int


def find_limits(
    programs: Programs, variables: int | None = None, rows: int | None = None, edges: int | None = None
) -> Limits:
    """The sizes that are given, and room enough for the probed programs and their cuts where none is.

    Raises:
        InputError: If a size is below 1.
    """
    given = (variables, rows, edges)
    for size in given:
        if size is not None and size < 1:
            raise InputError(f"a size of {size}: expected at least 1")
    if variables is not None and rows is not None and edges is not None:
        return Limits(variables, rows, edges)
    sizes = np.array([_sizes(program) for program in programs.probe()])
    largest, smallest = sizes.max(axis=0), sizes.min(axis=0)
    room = np.where(largest > smallest, SPARE, 1.0) * largest * (1.0, 1.0 + CUTS, 1.0 + CUTS)
    found = [max(1, math.ceil(size)) for size in room]
    return Limits(*(size if size is not None else room for size, room in zip(given, found, strict=True)))


def fitting(columns: int, limits: Limits) -> int:
    """The number of an LP's columns, checked.

    Raises:
        InputError: If there are too many.
    """
    if columns > limits.variables:
        raise InputError(f"an LP with {columns} columns: expected at most max_variables = {limits.variables}")
    return columns


def _sizes(program: MixedIntegerProgram) -> tuple[int, int, int]:
    """Columns, finite sides and their entries."""
    sides = np.isfinite(program.row_lower).astype(int) + np.isfinite(program.row_upper)
    return program.num_variables, int(sides.sum()), int(sides @ np.diff(program.A.indptr))
