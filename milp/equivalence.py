"""Whether two mixed-integer programs are the same model up to the names and the order of variables and rows.

Decided on the graphs of the programs. Colour refinement (Weisfeiler and Leman 1968) finds nearly all differences.
Where it finds none and the graphs are symmetric decomposable, they are isomorphic (Wang et al. 2025, ORGEval), and
the renaming follows from the colours. Otherwise single variables or rows are matched, with backtracking, until one
of the two holds. A renaming that is found is checked, so that neither answer rests on hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from milp.colours import ProgramGraph, count, individualized

LIMIT = 500
"""Matches tried before the search gives up."""


@dataclass(frozen=True, eq=False)
class Equivalence:
    """What was found out about two programs.

    Attributes:
        verdict: `"equivalent"`, `"different"`, or `"undecided"` where the search gave up.
        reason: How it was decided, in words.
        variables: [n] int64, the second program's variable for each of the first; None unless equivalent.
        rows: [m] int64, the same for rows.
        decomposable: Whether the graphs are symmetric decomposable as refined, so that no search was needed.
    """

    verdict: Literal["equivalent", "different", "undecided"]
    reason: str
    variables: NDArray | None = None
    rows: NDArray | None = None
    decomposable: bool = False


def equivalence(first: MixedIntegerProgram, second: MixedIntegerProgram, limit: int = LIMIT) -> Equivalence:
    """Whether two programs are the same but for names and order; numbers are compared exactly.

    Args:
        first: A program.
        second: Another one.
        limit: Matches of single variables or rows that may be tried; at most 500.
    """
    if unequal := _unequal_counts(first, second):
        return Equivalence("different", unequal)
    pair = _Pair(first, second, min(limit, LIMIT))
    colours = pair.refine(pair.graph.colours)
    if colours is None:
        return Equivalence("different", pair.difference())
    decomposable = pair.decomposed(colours)
    try:
        found = pair.search(colours)
    except _GaveUpError:
        return Equivalence("undecided", f"colours agree, and no renaming was found in {pair.limit} matches")
    if found is None:
        return Equivalence("different", "colours agree, but no renaming exists: all matches were tried")
    n = first.num_variables
    how = "the graphs are symmetric decomposable" if decomposable else f"{pair.tried} matches were tried"
    return Equivalence("equivalent", f"a renaming was found: {how}", found[:n], found[n:] - n, decomposable)


def fingerprint(program: MixedIntegerProgram) -> str:
    """64 hexadecimal digits that equivalent programs share; different ones nearly always differ."""
    graph = ProgramGraph.of([program])
    colours, before = graph.colours, 0
    while (now := count(colours)) > before:
        colours, before = graph.refined(colours), now
    head = repr((program.sense, program.offset + 0.0, program.A.shape))
    return hashlib.sha256(head.encode() + np.sort(colours).tobytes()).hexdigest()


def groups(programs: Iterable[MixedIntegerProgram]) -> list[list[int]]:
    """Positions of the programs, those of equivalent ones together; undecided pairs are kept apart.

    The first of each group is enough to train on. One program of each group is held in memory.
    """
    found: dict[str, list[tuple[MixedIntegerProgram, list[int]]]] = {}
    for index, program in enumerate(programs):
        alike = found.setdefault(fingerprint(program), [])
        members = next((m for known, m in alike if equivalence(known, program).verdict == "equivalent"), None)
        if members is None:
            alike.append((program, [index]))
        else:
            members.append(index)
    return sorted(members for alike in found.values() for _, members in alike)


class _GaveUpError(Exception):
    """More matches than allowed."""


class _Pair:
    """Two programs of equal size, and colours [2 v] of both graphs side by side."""

    def __init__(self, first: MixedIntegerProgram, second: MixedIntegerProgram, limit: int) -> None:
        self.first, self.second, self.limit = first, second, limit
        self.graph = ProgramGraph.of([first, second])
        self.size = first.num_variables + first.num_rows
        self.tried = 0

    def refine(self, colours: NDArray) -> NDArray | None:
        """Stable colours, or None as soon as the graphs differ in them."""
        before = 0
        while self._agree(colours):
            now = count(colours)
            if now == before:
                return colours
            self.last, colours, before = colours, self.graph.refined(colours), now
        self.last = colours
        return None

    def search(self, colours: NDArray) -> NDArray | None:
        """[v] the second graph's vertex for each of the first, or None if there is no such matching.

        Raises:
            _GaveUpError: If the limit is reached.
        """
        if self.decomposed(colours):
            matching = self._matched(colours)
            return matching if self._is_renaming(matching) else None
        left, candidates = self._choice(colours)
        for right in candidates:
            if self.tried >= self.limit:
                raise _GaveUpError
            self.tried += 1
            branch = colours.copy()
            branch[[left, right]] = individualized(colours[[left, right]])
            refined = self.refine(branch)
            if refined is not None and (found := self.search(refined)) is not None:
                return found
        return None

    def decomposed(self, colours: NDArray) -> bool:
        """Whether, without the vertices of unique colours, each component has each colour at most once.

        Then the graphs are isomorphic: an edge leads from a colour to another one at most once within a component,
        so that components that share a colour are copies of each other, and there are equally many in both graphs.
        """
        return not self._crowded(colours).any()

    def difference(self) -> str:
        """A variable or row of the first program that the second has fewer or more of."""
        half = np.split(self.last, 2)
        known, sizes = np.unique(half[0], return_counts=True)
        theirs = np.sort(half[1])
        others = np.searchsorted(theirs, known, "right") - np.searchsorted(theirs, known)
        rarest = np.where(sizes != others, sizes, self.size + 1).argmin()
        vertex, n = int(np.flatnonzero(half[0] == known[rarest])[0]), self.first.num_variables
        name = self.first.variable_name(vertex) if vertex < n else self.first.row_name(vertex - n)
        kind = "variable" if vertex < n else "row"
        return f"{kind} {name}: {sizes[rarest]} like it in the first program, {others[rarest]} in the second"

    def _agree(self, colours: NDArray) -> bool:
        half = np.split(colours, 2)
        return bool((np.sort(half[0]) == np.sort(half[1])).all())

    def _crowded(self, colours: NDArray) -> NDArray:
        """[2 v] bool, vertices whose colour is not unique and comes twice in their component."""
        _, kinds, sizes = np.unique(colours, return_inverse=True, return_counts=True)
        shared = sizes[kinds] > 2
        places = self.graph.components(shared)
        _, together, members = np.unique(places * sizes.size + kinds, return_inverse=True, return_counts=True)
        crowded: NDArray = shared & (members[together] > 1)
        return crowded

    def _choice(self, colours: NDArray) -> tuple[int, NDArray]:
        """A vertex of the first graph in the smallest colour that stands in the way, and its counterparts."""
        kinds, sizes = np.unique(colours[self._crowded(colours)], return_counts=True)
        members = np.flatnonzero(colours == kinds[sizes.argmin()])
        return int(members[0]), members[members >= self.size]

    def _matched(self, colours: NDArray) -> NDArray:
        """Vertices matched component by component, in the order of the colours."""
        _, kinds, sizes = np.unique(colours, return_inverse=True, return_counts=True)
        places = self.graph.components(sizes[kinds] > 2)
        least = np.full(int(places.max()) + 1, kinds.size)
        np.minimum.at(least, places, kinds)
        matching = np.empty(self.size, dtype=np.int64)
        left, right = (_ordered(half, least, places, kinds) for half in np.split(np.arange(colours.size), 2))
        matching[left] = right - self.size
        return matching

    def _is_renaming(self, matching: NDArray) -> bool:
        first, second, n = self.first, self.second, self.first.num_variables
        variables, rows = matching[:n], matching[n:] - n
        if (variables >= n).any() or (rows < 0).any():
            return False
        aligned = {"c": variables, "lower": variables, "upper": variables, "integer": variables}
        aligned |= {"row_lower": rows, "row_upper": rows}
        same = all(np.array_equal(getattr(first, k), getattr(second, k)[order]) for k, order in aligned.items())
        same = same and _are_equal(first.A, second.A[rows][:, variables])
        if first.Q is not None and second.Q is not None:
            theirs = second.Q[variables][:, variables]
            same = same and _are_equal(first.Q + first.Q.T, theirs + theirs.T)
        return same


def _are_equal(one: sparse.csr_matrix, other: sparse.csr_matrix) -> bool:
    return bool((one != other).nnz == 0)


def _ordered(vertices: NDArray, least: NDArray, places: NDArray, kinds: NDArray) -> NDArray:
    """Vertices by the least colour of their component, by component, by colour."""
    ordered: NDArray = vertices[np.lexsort((kinds[vertices], places[vertices], least[places[vertices]]))]
    return ordered


def _unequal_counts(first: MixedIntegerProgram, second: MixedIntegerProgram) -> str | None:
    """What already differs without looking at single variables."""
    for label, one, other in (
        ("sense", first.sense, second.sense),
        ("number of variables", first.num_variables, second.num_variables),
        ("number of rows", first.num_rows, second.num_rows),
        ("number of coefficients", np.count_nonzero(first.A.data), np.count_nonzero(second.A.data)),
        ("constant of the objective", first.offset, second.offset),
        ("quadratic objective", first.Q is not None, second.Q is not None),
    ):
        if one != other:
            return f"{label}: {one} in the first program, {other} in the second"
    return None
