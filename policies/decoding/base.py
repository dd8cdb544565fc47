"""What a way to obtain solutions from a policy is, and what all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from co_gym.envs import State
from co_gym.errors import InputError
from policies.decoding.augmentation import augmented, require_augmentations
from policies.decoding.best import Best, Solutions
from policies.decoding.states import begin, require_at_least, with_solution
from policies.policy import ConstructivePolicy, Encoding
from policies.tasks.base import Data

Polish = Callable[[Data, Tensor], Tensor]
"""Improves solutions int64 [B, S, n] of a batch of instances, by local search for one."""

Deadline = Callable[[], bool]
"""Whether the time is up."""

PER_INSTANCE = 32
"""Numbers that encoding an instance takes for each two of its nodes (tables of scores of all heads)."""


class Decoding(Protocol):
    """A way to obtain solutions from a policy."""

    def __call__(
        self, policy: ConstructivePolicy, data: Mapping[str, Tensor], *, deadline: Deadline | None = None
    ) -> Solutions:
        """The best solution found of each instance.

        Args:
            policy: The policy; neither its weights nor its mode change.
            data: The instances, as the environment takes them.
            deadline: Asked now and then; once it is true, the search ends when there is a solution of each
                instance.
        """


@dataclass(slots=True)
class Candidates:
    """Finished episodes.

    Attributes:
        state: The final states, [b, S].
        start: int64 [b, S]; the start of each.
    """

    state: State
    start: Tensor


class Search(ABC):
    """A decoding by episodes: batches, symmetric copies, polishing and choice of the best are done here.

    Every candidate is valued on the instance as it was given, not on its copy, whose coordinates are rounded.

    Args:
        num_starts: With how many first actions episodes begin, the first ones that are admissible (so they are not
            spread over a large instance); None: with all, but at most `max_starts`; 0: the policy chooses the
            first action too.
        max_starts: Most starts where `num_starts` is None.
        augmentations: Symmetric copies of each instance that are solved, 1 to 8; more than 1 only for tasks whose
            instances are points in the unit square.
        polish: Improves every candidate; what it returns competes with what it was given. None: nothing does.
        batch_numbers: How large a batch may become: a bound on the numbers of a tensor of all its episodes and
            nodes, or of the encoder for all its pairs of nodes. One instance is solved at least.

    Raises:
        InputError: If an argument is out of range.
    """

    def __init__(
        self,
        num_starts: int | None,
        max_starts: int,
        augmentations: int,
        polish: Polish | None,
        batch_numbers: int,
    ) -> None:
        self.num_starts = num_starts if num_starts is None else require_at_least(0, num_starts=num_starts)
        self.max_starts = require_at_least(1, max_starts=max_starts)
        self.batch_numbers = require_at_least(1, batch_numbers=batch_numbers)
        self.augmentations, self.polish = augmentations, polish

    def starts(self, n: int) -> int:
        """Episodes with which the search of an instance with n nodes begins."""
        return min(n, self.max_starts) if self.num_starts is None else max(1, self.num_starts)

    def begin(self, policy: ConstructivePolicy, encoding: Encoding) -> tuple[State, Tensor]:
        """States [b, S] before the policy's first decision, and their starts int64 [b, S]."""
        starts = self.starts(encoding.graph.nodes.shape[1])
        state = begin(policy, encoding, None if self.num_starts == 0 else starts)
        return state, torch.arange(starts, device=state.device).expand(state.done.shape)

    def at_once(self, n: int) -> int:
        """Episodes that the search of an instance with n nodes holds at once."""
        return self.starts(n)

    @abstractmethod
    def episodes(self, policy: ConstructivePolicy, encoding: Encoding) -> Iterator[Candidates]:
        """Finished episodes of a batch of instances, some at a time; at least one of each in the first."""

    def __call__(
        self, policy: ConstructivePolicy, data: Mapping[str, Tensor], *, deadline: Deadline | None = None
    ) -> Solutions:
        """See `Decoding`."""
        require_augmentations(policy.task, self.augmentations)
        tensors = {str(key): value for key, value in data.items()}
        batch = next(iter(tensors.values())).shape[0]
        best = Best(batch, policy.environment.maximize)
        with torch.no_grad(), _evaluating(policy):
            batches = self._batches(policy, tensors, batch)
            in_time = [self._solve(policy, tensors, rows, best, deadline) for rows in batches]
        return best.solutions(all(in_time))

    def _batches(self, policy: ConstructivePolicy, data: Data, batch: int) -> tuple[Tensor, ...]:
        """Rows int64 [b] of each batch; row r is copy r // B of instance r % B."""
        if batch < 1:
            raise InputError("there is no instance in the batch: expected at least one")
        n = policy.task.graph({key: value[:1] for key, value in data.items()}).nodes.shape[1]
        numbers = n * (self.at_once(n) + PER_INSTANCE * n)
        device = next(iter(data.values())).device
        rows = torch.arange(self.augmentations * batch, device=device)
        return torch.split(rows, max(1, self.batch_numbers // numbers))

    def _solve(
        self, policy: ConstructivePolicy, data: Data, rows: Tensor, best: Best, deadline: Deadline | None
    ) -> bool:
        """Solves a batch; returns whether the time sufficed."""
        count = next(iter(data.values())).shape[0]
        instance, turn = rows % count, rows // count
        if deadline is not None and best.have(instance) and deadline():
            return False
        own = {key: value[instance] for key, value in data.items()}
        encoding = policy.encode(augmented(own, turn))
        environment: Any = policy.environment
        for found in self.episodes(policy, encoding):
            best.episodes += found.start.numel()
            for state in self._valued(environment, found.state, own):
                best.offer(instance, turn, found.start, environment.solution(state), environment.objective(state))
            if deadline is not None and deadline():
                return False
        return True

    def _valued(self, environment: Any, state: State, own: Data) -> Iterator[State]:
        """The states on the instances as they were given, then with what polishing makes of them."""
        if "coordinates" in state.data:
            state = replace(state, data={**state.data, "coordinates": own["coordinates"]}, arrays=None)
        yield state
        if self.polish is not None:
            yield with_solution(state, self.polish(own, environment.solution(state)))


@contextmanager
def _evaluating(policy: ConstructivePolicy) -> Iterator[None]:
    """Evaluation mode, and afterwards the mode as it was."""
    training = policy.training
    policy.eval()
    try:
        yield
    finally:
        policy.train(training)
