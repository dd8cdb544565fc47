"""States as searches need them: begun, given solutions from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any

import torch
from torch import Tensor

from co_gym.envs import State
from co_gym.envs.subset import SubsetState
from co_gym.envs.tsp import TSPState
from co_gym.errors import InputError
from policies.policy import ConstructivePolicy, Encoding


def require_at_least(least: int, **argument: int) -> int:
    """The argument, given by name.

    Raises:
        InputError: If it is less than this.
    """
    ((name, value),) = argument.items()
    if value < least:
        raise InputError(f"{name} is {value}: expected at least {least}")
    return value


def require_above(bound: float, **argument: float) -> float:
    """The argument, given by name.

    Raises:
        InputError: If it is not above this.
    """
    ((name, value),) = argument.items()
    if not value > bound:
        raise InputError(f"{name} is {value}: expected a number above {bound:g}")
    return value


def begin(policy: ConstructivePolicy, encoding: Encoding, starts: int | None) -> State:
    """The states [B, S] before the policy's first decision.

    Args:
        policy: Whose environment it is.
        encoding: The instances.
        starts: S; the s-th episode begins with the s-th admissible action, see `Environment.reset`. None: one
            episode, its first action left to the policy.
    """
    environment: Any = policy.environment
    state: State = environment.reset(encoding.data, num_starts=starts)
    if starts is not None:
        return state
    return state.take_starts(torch.zeros(state.done.shape[0], 1, dtype=torch.int64, device=state.device))


@singledispatch
def with_solution(state: State, solution: Tensor) -> State:
    """Finished states that hold other solutions of the same instances, so that these can be valued.

    Args:
        state: Finished states [B, S].
        solution: int64 [B, S, n]; in the problem's own form.

    Raises:
        InputError: If it is not known how these states hold their solutions.
    """
    raise InputError(
        f"{type(state).__name__} cannot be given solutions from elsewhere, so they cannot be polished"
    )


@with_solution.register
def _(state: TSPState, solution: Tensor) -> State:
    return replace(state, tour=solution.contiguous(), arrays=None)


@with_solution.register
def _(state: SubsetState, solution: Tensor) -> State:
    return replace(state, selected=(solution > 0).contiguous(), arrays=None)
