"""The best solution of each instance among all that a search finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

LAST = torch.iinfo(torch.int64).max


@dataclass(slots=True, kw_only=True)
class Solutions:
    """The best solution of each of B instances.

    Attributes:
        solution: int64 [B, n]; in the problem's own form.
        objective: [B]; by the environment, from the instance as it was given, in the environment's dtype.
        start: int64 [B]; which of the starts it came from, 0 where the first action was free.
        augmentation: int64 [B]; which symmetric copy of the instance it came from, 0 for the instance itself.
        details: What else there is to say: `episodes`, solutions found in all; `finished`, false if the time was
            up before the search was over.
    """

    solution: Tensor
    objective: Tensor
    start: Tensor
    augmentation: Tensor
    details: dict[str, Any] = field(default_factory=dict)


class Best:
    """Keeps the best solution of each instance; of equal ones that of the lowest (augmentation, start).

    Args:
        batch: B.
        maximize: Whether larger objectives are better.

    Attributes:
        episodes: How many were looked at; counted by the caller.
    """

    def __init__(self, batch: int, maximize: bool) -> None:
        self.maximize, self.batch, self.episodes = maximize, batch, 0
        self._kept: Solutions | None = None
        self._found = torch.zeros(batch, dtype=torch.bool)

    def have(self, instance: Tensor) -> bool:
        """Whether there is a solution of each of these instances int64 [b]."""
        return bool(self._found[instance.cpu()].all())

    def offer(
        self, instance: Tensor, augmentation: Tensor, start: Tensor, solution: Tensor, objective: Tensor
    ) -> None:
        """Takes what is better than before.

        Args:
            instance: int64 [b]; which instances these are, several times only with different augmentations.
            augmentation: int64 [b].
            start: int64 [b, S].
            solution: int64 [b, S, n].
            objective: [b, S].
        """
        value = objective if self.maximize else -objective
        first = start.masked_fill(value != value.amax(1, keepdim=True), LAST).argmin(1, keepdim=True)
        start, objective = start.gather(1, first).squeeze(1), objective.gather(1, first).squeeze(1)
        solution = solution[torch.arange(len(first), device=first.device), first.squeeze(1)]
        for turn in sorted(set(augmentation.tolist())):
            rows = (augmentation == turn).nonzero().squeeze(1)
            self._update(instance[rows], turn, start[rows], solution[rows], objective[rows])

    def _update(self, instance: Tensor, turn: int, start: Tensor, solution: Tensor, objective: Tensor) -> None:
        """The same for one solution of each of some different instances, all of one augmentation."""
        kept = self._kept = self._kept or self._empty(solution, objective)
        old = kept.objective[instance]
        better = objective > old if self.maximize else objective < old
        turns, starts = kept.augmentation[instance], kept.start[instance]
        earlier = (turn < turns) | ((turn == turns) & (start < starts))
        take = better | ((objective == old) & earlier) | ~self._found.to(instance.device)[instance]
        taken = instance[take]
        kept.solution[taken], kept.objective[taken] = solution[take], objective[take]
        kept.start[taken], kept.augmentation[taken] = start[take], turn
        self._found[instance.cpu()] = True

    def _empty(self, solution: Tensor, objective: Tensor) -> Solutions:
        return Solutions(
            solution=solution.new_zeros(self.batch, solution.shape[-1]),
            objective=objective.new_zeros(self.batch),
            start=solution.new_zeros(self.batch),
            augmentation=solution.new_zeros(self.batch),
        )

    def solutions(self, finished: bool) -> Solutions:
        """What was kept; there must be a solution of each instance."""
        if self._kept is None or not bool(self._found.all()):
            raise RuntimeError("the search found no solution of some instance")
        self._kept.details = {"episodes": self.episodes, "finished": finished}
        return self._kept
