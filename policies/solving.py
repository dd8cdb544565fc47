"""The constructions of one instance by a policy, within a time limit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from co_gym import registry
from co_gym.envs.wrappers import SYMMETRIES
from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.solvers.base import Monitor
from policies.decoding.augmentation import augmented
from policies.decoding.states import with_solution
from policies.policy import ConstructivePolicy, Encoding
from policies.preparation import prepare, sizes
from policies.tasks.base import Data, Task
from policies.weights.cards import Card, find
from policies.weights.classes import construct

CHUNK_SECONDS = 0.25
"""About how long constructions made at once may take: clock and Ctrl-C are served in between."""
GROWTH = 8
CHUNK_NUMBERS = 1 << 22
"""Most constructions times nodes at once."""


def choose(
    instance: Instance, known: Sequence[Card], folder: str | Path | None, most_nodes: int
) -> tuple[Card, Data]:
    """The weights trained on instances nearest to this one, and the instance as they expect it.

    Raises:
        SolverError: If there are none for the problem, or the instance is too large.
    """
    able = [card for card in known if card.problem == instance.problem]
    size = registry.problem(instance.problem).size(instance)
    if not able:
        raise SolverError(f"there are no weights for {instance.problem}")
    if size > most_nodes:
        raise SolverError(f"{instance.name} has size {size}: policies take instances up to {most_nodes}")
    try:
        found = [(_measured(instance, card, folder), card) for card in able]
    except InputError as error:
        raise SolverError(f"{instance.name}: {error}") from error
    (_, data), card = min(found, key=lambda one: (one[0][0], one[1].name))
    return card, data


def _measured(instance: Instance, card: Card, folder: str | Path | None) -> tuple[float, Data]:
    """Distance of an instance to what was trained on, and its data for this card's task."""
    task: Task = construct(card.policy.task, Task, find(card.name, folder), "policy.task")
    data = prepare(instance, task)
    return card.distance(*sizes(instance, task, data)), data


class _OutOfTime(Exception):
    pass


class Constructions:
    """Greedy constructions from all first actions, in random order, of all symmetric copies of an instance.

    Each copy gets an equal share of the time that is left, and one construction at least while there is time.

    Args:
        policy: The policy, in evaluation mode.
        instance: The instance as given; its problem's objective counts.
        data: The same as the policy expects it, a batch of one.
        monitor: Clock and keeper.
        seed: Of the order of the first actions.
        polish: Whether each construction is improved by `Environment.polish`.
    """

    def __init__(
        self,
        policy: ConstructivePolicy,
        instance: Instance,
        data: Data,
        monitor: Monitor,
        *,
        seed: int = 0,
        polish: bool = False,
    ) -> None:
        self.policy, self.instance, self.data, self.monitor, self.polish = policy, instance, data, monitor, polish
        self.problem = registry.problem(instance.problem)
        self.environment: Any = policy.environment
        self.copies = SYMMETRIES if policy.task.symmetric else 1
        self.seed, self.chunk, self.starts, self.augmentations, self.episodes = seed, 1, 0, 0, 0

    def details(self) -> dict[str, Any]:
        """What was done: first actions tried in the best covered copy, copies, constructions in all, seconds."""
        return {
            "starts": self.starts,
            "augmentations": self.augmentations,
            "constructions": self.episodes,
            "seconds": round(self.monitor.elapsed, 4),
        }

    @torch.no_grad()
    def run(self) -> None:
        """Constructs until all is done or the time is up; reports each improvement."""
        for turn in range(self.copies):
            if turn and self.monitor.remaining == 0:
                return
            until = self.monitor.elapsed + self.monitor.remaining / (self.copies - turn)
            try:
                self._copy(turn, until)
            except _OutOfTime:
                return

    def _copy(self, turn: int, until: float) -> None:
        """One symmetric copy, until a time."""
        encoding = self.policy.encode(augmented(self.data, torch.tensor([turn])))
        begun: Any = self.environment.reset(encoding.data)
        first = begun.action_mask[0].nonzero().flatten()
        order = np.random.default_rng((self.seed, turn)).permutation(len(first))
        first, done = first[torch.from_numpy(order)], 0
        while done < len(first) and (done == 0 or self.monitor.elapsed < until):
            now = self.monitor.elapsed
            some = first[done : done + min(self.chunk, max(1, CHUNK_NUMBERS // begun.action_mask.shape[-1]))]
            self._construct(encoding, begun, some, turn)
            done += len(some)
            self.episodes, self.starts = self.episodes + len(some), max(self.starts, done)
            self._pace(self.monitor.elapsed - now)

    def _construct(self, encoding: Encoding, begun: Any, first: Tensor, turn: int) -> None:
        """Constructions from some first actions int64 [S]."""
        state = begun.take_starts(torch.zeros(1, len(first), dtype=torch.int64))
        self.environment.step(state, first.unsqueeze(0), check=False)
        state = self.policy.complete(encoding, state, self._greedy).state
        if self.polish:
            polished = self.environment.polish(self.data, self.environment.solution(state))
            state = with_solution(state, polished)
        value = self.environment.objective(state)[0]
        best = int(value.argmax() if self.environment.maximize else value.argmin())
        solution = self.environment.solution(state)[0, best].long().numpy()
        self.monitor.incumbent(solution, self.problem.objective(self.instance, solution))
        self.augmentations = turn + 1

    def _greedy(self, logits: Tensor) -> Tensor:
        """The most probable actions; ends the search in the middle once the time is up, if there is a solution."""
        if self.monitor.remaining == 0 and self.monitor.solution is not None:
            raise _OutOfTime
        return logits.argmax(-1)

    def _pace(self, seconds: float) -> None:
        """Sets how many constructions are next made at once, from what the latest took."""
        fitting = int(self.chunk * CHUNK_SECONDS / max(seconds, 1e-6))
        self.chunk = max(1, min(fitting, GROWTH * self.chunk))
