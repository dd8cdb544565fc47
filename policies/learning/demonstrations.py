"""Episodes that lead to given solutions, and how likely a policy is to stay on the way.

An action is right if it may still lead to the solution. What a policy is to learn is the total probability of
right actions, whatever their order: for a tour the next city in either direction, for a subset any of its elements
that is left. The gradient of log sum p(a) over the right actions is the expectation of the gradient of log p(a)
under the policy restricted to them, so one action drawn from there and its log-probability are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import torch
from torch import Tensor

from co_gym.envs import State
from co_gym.envs.subset import SubsetState
from co_gym.envs.tsp import TSPState
from co_gym.errors import InputError
from policies.graph import Context
from policies.policy import Choose, ConstructivePolicy, Encoding, Rollout


@singledispatch
def right_actions(state: State, solution: Tensor) -> Tensor:
    """The actions that may still lead to a solution.

    Args:
        state: States [B, S] from which the solution can be reached.
        solution: int64 [B, n]; in the problem's own form.

    Returns:
        bool [B, S, n], perhaps with inadmissible actions; nowhere true where the solution is complete.

    Raises:
        InputError: If it is not known how these states lead to solutions.
    """
    raise InputError(f"{type(state).__name__}: it is not known which actions lead to a given solution")


@right_actions.register
def _(state: TSPState, solution: Tensor) -> Tensor:
    position = torch.empty_like(solution)
    position.scatter_(1, solution, torch.arange(solution.shape[1], device=solution.device).expand_as(solution))
    here = position.gather(1, state.current.clamp_min(0))
    right = torch.zeros_like(state.action_mask)
    for step in (1, -1):
        beside = solution.gather(1, (here + step) % solution.shape[1])
        right.scatter_(-1, beside.unsqueeze(-1), True)
    return right | (state.steps == 0).unsqueeze(-1)


@right_actions.register
def _(state: SubsetState, solution: Tensor) -> Tensor:
    return (solution > 0).unsqueeze(1).expand_as(state.action_mask)


@dataclass(slots=True)
class Demonstration:
    """Episodes that lead to given solutions.

    Attributes:
        rollout: The episodes, recorded.
        weight: float32 [B, T, S]; 1 for the decisions to learn from, 0 where every admissible action is right, or
            where the first action is imposed.
        log_prob: float32 [B, T, S]; log of the total probability of the right actions, without gradient.
    """

    rollout: Rollout
    weight: Tensor
    log_prob: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """Mean of values [B, T, S] over the decisions to learn from; 0 if there are none."""
        return (self.weight * values).sum() / self.weight.sum().clamp_min(1.0)


@torch.no_grad()
def demonstrate(
    policy: ConstructivePolicy, encoding: Encoding, solution: Tensor, choose: Choose, starts: int, *, uniform: bool
) -> Demonstration:
    """Leads S episodes of each instance to a solution.

    Args:
        policy: Whose probabilities count.
        encoding: The instances.
        solution: int64 [B, n]; in the problem's own form.
        choose: Draws among the right actions.
        starts: S; the s-th episode begins with the s-th right action, cyclically, but for the first, which begins
            freely.
        uniform: Whether right actions are equally likely to be drawn, else in proportion to the policy's
            probabilities, which is what the gradient wants.
    """
    environment: Any = policy.environment
    begun: State = environment.reset(encoding.data)
    state = begun.take_starts(torch.zeros(begun.done.shape[0], starts, dtype=torch.int64, device=begun.device))
    contexts: list[Context] = []
    actions: list[Tensor] = []
    weights, log_probs = [], []
    while not state.all_done:
        context = policy.task.context(state, encoding.graph)
        logits = policy.decoder.logits(encoding.cache, context)
        right = _restricted(state, solution)
        log_prob = logits.masked_fill(~right, -torch.inf).logsumexp(-1) - logits.logsumexp(-1)
        weight = (right != state.action_mask).any(-1).float()
        preferred = torch.zeros_like(logits) if uniform else logits
        action = choose(preferred.masked_fill(~right, -torch.inf))
        if not actions and starts > 1:
            action[:, 1:], weight[:, 1:] = _spread(right)[:, 1:], 0.0
        contexts.append(context.clone())
        actions.append(action)
        weights.append(weight)
        log_probs.append(log_prob)
        environment.step(state, action, check=False)
    rollout = Rollout(state, environment.reward(state), contexts, actions)
    return Demonstration(rollout, torch.stack(weights, 1), torch.stack(log_probs, 1))


def _restricted(state: State, solution: Tensor) -> Tensor:
    """The admissible right actions [B, S, n]; all that is admissible where none is right any more."""
    right = right_actions(state, solution) & state.action_mask & ~state.done.unsqueeze(-1)
    return torch.where(right.any(-1, keepdim=True), right, state.action_mask)


def _spread(right: Tensor) -> Tensor:
    """The s-th right action of start s, cyclically: int64 [B, S] from bool [B, S, n]."""
    starts = torch.arange(right.shape[1], device=right.device)
    rank = starts % right.sum(-1)
    return (right.cumsum(-1) == rank.unsqueeze(-1) + 1).to(torch.uint8).argmax(-1)
