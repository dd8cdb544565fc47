"""Separation of subtour, blossom and comb inequalities at a fractional point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.tsp.blossoms import blossom_cuts
from milp.tsp.cuts import Cut, comb_cut
from milp.tsp.subtours import component_cuts, minimum_cuts
from milp.tsp.support import Support
from milp.tsp.teeth import best_teeth, candidate_teeth, handle_violations, improve_handle, position_graph

_LONGEST_TOOTH = 60
_SHRINK_LEVELS = 4
_MEMORY = 2000


class Separator:
    """Finds violated cuts; remembers node sets of earlier cuts as handles for later combs.

    Args:
        tour: Reference tour, int64 [n]; stretches of it are the candidate teeth of combs.
        seed: Seed of the random choices.
    """

    def __init__(self, tour: NDArray[Any], seed: int = 0) -> None:
        self.tour = tour
        self._random = np.random.default_rng(seed)
        self._memory: dict[tuple[int, ...], None] = {}

    def separate(
        self, support: Support, *, max_cuts: int = 250, improve: int = 60, min_violation: float = 0.02
    ) -> list[Cut]:
        """Cuts violated by a point that satisfies the degree equations.

        Args:
            support: The point.
            max_cuts: Largest number of combs returned.
            improve: Number of handles refined by local search; 0 turns it off.
            min_violation: Smallest violation of a comb.

        Returns:
            Violated cuts, subtour eliminations first; empty if none was found. Subtour separation is exact.
        """
        cuts = component_cuts(support)
        if cuts or support.is_integral():
            return cuts
        cuts, sides = minimum_cuts(support)
        combs: dict[Cut, float] = {}
        handles = list(sides)
        for labels, graph in self._contractions(support):
            found, near = blossom_cuts(support, labels, graph)
            handles += near
            combs.update((cut, support.violation(cut)) for cut in found)
        for cut in self._toothed(support, handles, improve, min_violation):
            combs[cut] = support.violation(cut)
        order = sorted((cut for cut in combs if combs[cut] > min_violation), key=lambda c: (-combs[c], c.sets))
        cuts = cuts[:max_cuts] + order[:max_cuts]
        self.remember(cut.sets[0] for cut in cuts)
        return cuts

    def remember(self, handles: Iterable[tuple[int, ...]]) -> None:
        """Keep node sets as handles to try again.

        Args:
            handles: Sorted node tuples.
        """
        for nodes in handles:
            self._memory.pop(nodes, None)
            self._memory[nodes] = None
        while len(self._memory) > _MEMORY:
            del self._memory[next(iter(self._memory))]

    def _contractions(self, support: Support) -> list[tuple[NDArray[Any], Support]]:
        """The support graph itself and ever stronger contractions of it, while they differ."""
        levels = [(np.arange(support.n), support)]
        for passes in range(1, _SHRINK_LEVELS + 1):
            labels, graph = support.shrunk(passes)
            if graph.n == levels[-1][1].n or graph.n < 6:
                break
            levels.append((labels, graph))
        return levels

    def _toothed(
        self, support: Support, handles: list[NDArray[Any]], improve: int, min_violation: float
    ) -> list[Cut]:
        """Combs whose teeth are stretches of the reference tour."""
        n = support.n
        order = np.roll(self.tour, int(self._random.integers(n)))
        position = np.empty(n, np.int64)
        position[order] = np.arange(n)
        graph = position_graph(position, support.tails, support.heads, support.values)
        teeth = candidate_teeth(*graph, min(_LONGEST_TOOTH, n - 2))
        candidates = self._handle_matrix(n, handles)[:, order]
        violations = handle_violations(candidates, *graph, *teeth)
        ranking = np.argsort(-violations, kind="stable")
        for i in ranking[:improve]:
            violations[i] = improve_handle(candidates[i], 3, *graph, *teeth)
        cuts = []
        for i in np.flatnonzero(violations > min_violation):
            stretches = [order[a : b + 1] for a, b in best_teeth(candidates[i], *teeth)]
            if len(stretches) >= 3:
                cuts.append(comb_cut(n, order[candidates[i]], stretches))
        return cuts

    def _handle_matrix(self, n: int, handles: list[NDArray[Any]]) -> NDArray[Any]:
        """Distinct handles of two to n - 2 nodes, the remembered ones included, bool [h, n]."""
        remembered = np.zeros((len(self._memory), n), bool)
        for row, nodes in enumerate(self._memory):
            remembered[row, list(nodes)] = True
        stack = np.vstack([np.array(handles, bool).reshape(-1, n), remembered])
        stack = np.where(stack[:, :1], ~stack, stack)
        size = stack.sum(axis=1)
        stack = stack[(size > 1) & (size < n - 1)]
        packed = np.packbits(stack, axis=1)
        _, first = np.unique(packed.view(np.dtype((np.void, packed.shape[1]))).ravel(), return_index=True)
        return np.asarray(stack[first])
