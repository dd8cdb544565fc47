"""Observations of a fixed size: raw ones of `milp.observation` as one-level dicts of padded arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Box, Space
from numpy.typing import NDArray

from co_gym.errors import InputError, unknown_name
from milp.envs.sizes import Limits, fitting
from milp.kernels.khalil import TOTAL
from milp.observation import ROW_FEATURES, VARIABLE_FEATURES, Khalil, NodeBipartite, Observation, Pseudocosts
from milp.strong_branching import StrongBranchingScores

LARGEST = float(np.finfo(np.float32).max)


class Form(Protocol):
    """How a raw observation becomes entries of a dict.

    Attributes:
        spaces: Space of each entry.
    """

    spaces: dict[str, Space]

    def entries(self, raw: Any, actions: NDArray) -> dict[str, NDArray]:
        """The entries, arrays of their own; all zero where raw is None.

        Args:
            raw: What the observation function returned, or None at the end of an episode.
            actions: Admissible actions, int [k]: the candidates.
        """


class GraphForm:
    """A `BipartiteGraph`: variables, rows, edge_indices [2, E] (row, variable), edge_values, sizes."""

    def __init__(self, limits: Limits, widths: tuple[int, int]) -> None:
        self.limits, longest = limits, max(limits.variables, limits.rows)
        self.spaces: dict[str, Space] = {
            "variables": _box(limits.variables, widths[0]),
            "rows": _box(limits.rows, widths[1]),
            "edge_indices": Box(0, longest - 1, (2, limits.edges), np.int64),
            "edge_values": _box(limits.edges),
            "sizes": Box(0, max(longest, limits.edges), (3,), np.int64),
        }

    def entries(self, raw: Any, actions: NDArray) -> dict[str, NDArray]:
        """See `Form`."""
        found, limits = _zeros(self.spaces), self.limits
        if raw is None:
            return found
        n = fitting(len(raw.variables), limits)
        m = min(int(np.searchsorted(raw.indptr, limits.edges, side="right")) - 1, limits.rows)
        edges = int(raw.indptr[m])
        found["variables"][:n] = _finite(raw.variables)
        found["rows"][:m] = _finite(raw.rows[:m])
        found["edge_indices"][0, :edges] = np.repeat(np.arange(m), np.diff(raw.indptr[: m + 1]))
        found["edge_indices"][1, :edges] = raw.indices[:edges]
        found["edge_values"][:edges] = raw.values[:edges]
        found["sizes"][:] = n, m, edges
        return found


class VariableForm:
    """The features of the variables alone."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.spaces: dict[str, Space] = {"variables": _box(limits.variables, len(VARIABLE_FEATURES))}

    def entries(self, raw: Any, actions: NDArray) -> dict[str, NDArray]:
        """See `Form`."""
        found = _zeros(self.spaces)
        if raw is not None:
            found["variables"][: fitting(len(raw.variables), self.limits)] = _finite(raw.variables)
        return found


class CandidateForm:
    """Features [k, width] or scores [k] of the candidates, put in their places; 0 at other variables."""

    def __init__(self, limits: Limits, name: str, *width: int) -> None:
        self.name, self.limits = name, limits
        self.spaces: dict[str, Space] = {name: _box(limits.variables, *width)}

    def entries(self, raw: Any, actions: NDArray) -> dict[str, NDArray]:
        """See `Form`."""
        found = _zeros(self.spaces)
        if raw is not None:
            found[self.name][actions] = _finite(raw)
        return found


class NoForm:
    """No entries beside the mask."""

    def __init__(self, limits: Limits) -> None:
        self.spaces: dict[str, Space] = {}

    def entries(self, raw: Any, actions: NDArray) -> dict[str, NDArray]:
        """See `Form`."""
        return {}


@dataclass(frozen=True)
class View:
    """An observation function together with its padded form; pass one of your own as `observation`.

    Attributes:
        observer: See `milp.observation.Observation`; None observes nothing.
        form: Makes the form for given sizes.
    """

    observer: Observation | None
    form: Callable[[Limits], Form]


GRAPH_WIDTHS = len(VARIABLE_FEATURES), len(ROW_FEATURES)

VIEWS: dict[str, Callable[[], View]] = {
    "node-bipartite": lambda: View(NodeBipartite(), partial(GraphForm, widths=GRAPH_WIDTHS)),
    "variables": lambda: View(NodeBipartite(), VariableForm),
    "khalil": lambda: View(Khalil(), lambda limits: CandidateForm(limits, "candidates", TOTAL)),
    "pseudocosts": lambda: View(Pseudocosts(), lambda limits: CandidateForm(limits, "scores")),
    "strong-branching": lambda: View(StrongBranchingScores(), lambda limits: CandidateForm(limits, "scores")),
    "none": lambda: View(None, NoForm),
}
"""Observations by name."""


def view(observation: str | View | None, known: tuple[str, ...] = tuple(VIEWS)) -> View:
    """An observation from its name, or as it is.

    Raises:
        InputError: If the name is unknown, or the object is no `View`.
    """
    if isinstance(observation, View):
        return observation
    name = "none" if observation is None else observation
    if not isinstance(name, str):
        raise InputError(f"{name!r} is no observation: expected a name or a View of an observer and its form")
    if name not in known:
        raise unknown_name("observation", name, known)
    return VIEWS[name]()


def _box(*shape: int) -> Box:
    return Box(-LARGEST, LARGEST, shape, np.float32)


def _zeros(wanted: dict[str, Space]) -> dict[str, NDArray]:
    return {name: np.zeros(space.shape or (), space.dtype) for name, space in wanted.items()}


def _finite(values: NDArray) -> NDArray:
    return np.nan_to_num(values, nan=0.0, posinf=LARGEST, neginf=-LARGEST)
