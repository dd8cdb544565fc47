"""Trained policies as a solver. Importing this is cheap: torch loads with the first solve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor, Options, Role
from policies.weights.cards import cards

if TYPE_CHECKING:
    from policies.policy import ConstructivePolicy


class PolicySolver:
    """Greedy constructions by a trained policy from many first actions in all symmetric copies; the best wins.

    Of the weights for a problem those are taken that were trained on instances nearest in size and in number of
    constraints. The method ends when every start was tried in every copy, or when the time is up; the first
    solution is completed however short the time. Other methods go on from the best: `policy+local-search`.

    Args:
        folder: Where the weights are; the package's by default.
        polish: Whether every construction is improved to a local optimum by the environment's local search.
        most_nodes: Instances with more nodes are refused: memory grows with the square, to some 4 GB.
    """

    name = "policy"
    role: Role = "baseline"
    summary = "best of many constructions by a trained network (Kool et al. 2019, Kwon et al. 2020)"

    def __init__(self, folder: str | Path | None = None, *, polish: bool = False, most_nodes: int = 4000) -> None:
        self.folder, self.polish, self.most_nodes = folder, polish, most_nodes
        self.cards = cards(folder)
        self.problems: frozenset[str] | None = frozenset(card.problem for card in self.cards.values())
        self._loaded: dict[str, ConstructivePolicy] = {}

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`; a start solution is kept if it is the better one."""
        from co_gym import registry
        from policies.solving import Constructions, choose

        problem = registry.problem(instance.problem)
        if start is not None:
            monitor.incumbent(start, problem.objective(instance, start))
        card, data = choose(instance, list(self.cards.values()), self.folder, self.most_nodes)
        policy = self._policy(card.name)
        monitor.forgive()
        search = Constructions(policy, instance, data, monitor, seed=options.seed, polish=self.polish)
        search.run()
        details: dict[str, Any] = {"weights": card.name, "decoding": self.decoding} | search.details()
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective, details=details)

    @property
    def decoding(self) -> str:
        """How solutions are obtained."""
        return "greedy, polished" if self.polish else "greedy"

    def _policy(self, name: str) -> ConstructivePolicy:
        from policies.weights.checkpoint import load

        if name not in self._loaded:
            self._loaded[name] = load(name, folder=self.folder)
        return self._loaded[name]
