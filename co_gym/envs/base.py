"""What every batched environment shares: masked steps in place, rewards, per-row resets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, Literal, TypeVar

import torch
from numpy.typing import NDArray
from tensordict import TensorDictBase
from torch import Tensor

from co_gym.envs.state import State as State
from co_gym.envs.tensors import require_tensor
from co_gym.errors import InputError

Backend = Literal["auto", "torch"]
Data = TensorDictBase | Mapping[str, Tensor]
"""A batch of instances: the problem's arrays by key, each with the batch in front."""

S = TypeVar("S", bound=State)


class Environment(ABC, Generic[S]):
    """A Markov decision process over batches of instances of one problem.

    On the CPU a step is one compiled kernel on the memory of the tensors; on other devices, or with
    `backend="torch"`, it is batched torch operations with the same results.

    Args:
        backend: "auto", or "torch" to do without compiled kernels on the CPU too.

    Attributes:
        problem: Name of the problem whose verifier judges the solutions.
        maximize: Whether the objective is maximized.
        state_type: The class of the states.
    """

    problem: ClassVar[str]
    maximize: ClassVar[bool]
    state_type: ClassVar[type[State]]

    def __init__(self, *, backend: Backend = "auto") -> None:
        self.backend = backend

    def reset(self, data: Data, *, num_starts: int | None = None) -> S:
        """Begins an episode for each instance.

        Args:
            data: The instances, as the class documents them; `co_gym.envs.batch.stack` makes them.
            num_starts: Episodes for each instance (POMO, Kwon et al. 2020): the s-th begins with the s-th
                admissible action, cyclically where there are fewer. None: one, its first action free.

        Raises:
            InputError: If a key is missing or unknown, or a shape or dtype is not as documented.
        """
        if num_starts is not None and num_starts < 1:
            raise InputError(f"num_starts is {num_starts}: expected at least 1")
        tensors = self._prepare(_tensors(data))
        first = next(iter(tensors.values()))
        shape = first.shape[:1] if num_starts is None else torch.Size((first.shape[0], num_starts))
        state = self._begin(tensors, shape)
        if state.active < 0:
            state.count_active()
        if num_starts is not None:
            actions = self._first_actions(state)
            if actions is not None:
                self.step(state, actions, check=False)
        self.bind(state)
        return state

    def step(self, state: S, action: Tensor, *, check: bool = True) -> S:
        """Applies one action to each row, in place, and returns the same state.

        Args:
            state: Where the episodes stand.
            action: int64 (other integers are converted), of the state's batch size.
            check: Whether an action against the mask raises, before anything changes. (On other devices than the
                CPU this waits for the device.) Without the check such an action has no defined result.

        Raises:
            InputError: If an action is against the mask, or `action` has another shape or a float dtype.
        """
        if action.shape != state.done.shape:
            raise InputError(f"action has shape {list(action.shape)}: expected {list(state.done.shape)}")
        if action.dtype is not torch.int64:
            if action.is_floating_point():
                raise InputError(f"action has dtype {action.dtype}: expected int64")
            action = action.to(torch.int64)
        arrays = state.arrays
        if arrays is None:
            arrays = self.bind(state)
        if arrays:
            rows = action.contiguous().numpy()
            result = self._advance(state, arrays, rows if action.ndim == 1 else rows.reshape(-1), check)
            if result < 0:
                raise _refusal(state, action, -1 - result)
            state.active = result
            return state
        if check:
            _require_admissible(state, action)
        self._advance_torch(state, action)
        state.count_active()
        return state

    def reset_rows(self, state: S, rows: Tensor, data: Data) -> S:
        """Begins new episodes for some instances, in place; other rows stay as they are, bit for bit.

        Args:
            state: The state to change.
            rows: The instances, as int64 indices [k] or a bool mask [B]; all starts of each begin anew.
            data: Their new instances, [k, ...], of the sizes of those they replace.

        Raises:
            InputError: If an instance does not fit in the place of the old one.
        """
        rows = rows.nonzero().squeeze(-1) if rows.dtype is torch.bool else rows
        fresh = self.reset(data, num_starts=state.num_starts)
        _require_same_sizes(state, fresh, rows)
        if not state.owns_data:
            state.data = {key: value.clone() for key, value in state.data.items()}
            state.owns_data, state.arrays = True, None
        for key, value in state.data.items():
            value.index_copy_(0, rows, fresh.data[key])
        replaced = fresh.tensors()
        for name, value in state.tensors().items():
            if value.is_contiguous():
                value.index_copy_(0, rows, replaced[name])
        state.count_active()
        return state

    def reward(self, state: S) -> Tensor:
        """The final reward [...]: the objective, negated where it is minimized, in a float dtype.

        Of an unfinished row: the sum of its step rewards so far. float32 for float32 data, else float64.
        """
        objective = self.objective(state)
        signed = objective if self.maximize else -objective
        return signed if signed.is_floating_point() else signed.to(torch.float64)

    def polish(self, data: Data, solution: Tensor) -> Tensor:
        """Improves solutions to local optima; see `co_gym.envs.polish` for how.

        Args:
            data: The instances, as for `reset`.
            solution: The solutions in the problem's own form, integers or bool, [B, n] or [B, S, n].

        Returns:
            New solutions of the same shape, none worse than what was given, int64.

        Raises:
            InputError: If nothing polishes solutions of this problem, or some solution is infeasible.
        """
        return self._polish(self._prepare(_tensors(data)), solution)

    def bind(self, state: S) -> tuple[NDArray, ...]:
        """NumPy views of a state for the kernels, kept in the state; () where the torch path is to be taken."""
        usable = self.backend == "auto" and state.done.is_cpu
        state.arrays = self._views(state) if usable else ()
        return state.arrays

    def is_compiled(self, state: S) -> bool:
        """Whether the steps of a state are compiled kernels."""
        return bool(self.bind(state) if state.arrays is None else state.arrays)

    @abstractmethod
    def objective(self, state: S) -> Tensor:
        """The verifier's objective of each row's solution [...]: int64, or for float data its dtype."""

    @abstractmethod
    def step_reward(self, state: S) -> Tensor:
        """The latest step's share [...] of the final reward; computed when asked for, 0 where a row did not move.

        Over an episode the shares add up to the final reward minus the reward at reset (0 for a construction;
        with several starts the forced first step counts as a step).
        """

    @abstractmethod
    def solution(self, state: S) -> Tensor:
        """The solutions in the problem's own form, int64 [..., n]."""

    @abstractmethod
    def _prepare(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        """Checks keys, shapes and dtypes; may add derived tensors."""

    @abstractmethod
    def _begin(self, data: dict[str, Tensor], shape: torch.Size) -> S:
        """The state before the first action."""

    def _polish(self, data: dict[str, Tensor], solution: Tensor) -> Tensor:
        """`polish` for instances as `_prepare` returns them."""
        raise InputError(f"nothing polishes solutions of {self.problem} in a {type(self).__name__}")

    def _first_actions(self, state: S) -> Tensor | None:
        """Distinct first actions for the starts [B, S]; None leaves the starts free."""
        admissible = state.action_mask
        rank = torch.arange(admissible.shape[1], device=admissible.device) % admissible.sum(-1)
        return (admissible.cumsum(-1) == rank.unsqueeze(-1) + 1).to(torch.uint8).argmax(-1)

    @abstractmethod
    def _views(self, state: S) -> tuple[NDArray, ...]:
        """The arrays that `_advance` passes to the kernel, rows flattened."""

    @abstractmethod
    def _advance(self, state: S, arrays: tuple[NDArray, ...], action: NDArray, check: bool) -> int:
        """One step by the kernel: rows still active, or -1 - row for the first row whose action is refused."""

    @abstractmethod
    def _advance_torch(self, state: S, action: Tensor) -> None:
        """The same step by torch operations, for actions [...] that are admissible."""


def _tensors(data: Data) -> dict[str, Tensor]:
    return {str(key): require_tensor(key, value).detach().contiguous() for key, value in data.items()}


def _refusal(state: State, action: Tensor, row: int) -> InputError:
    starts = state.num_starts
    place = f"row {row}" if starts is None else f"row {row // starts}, start {row % starts}"
    count = state.action_mask.shape[-1]
    value = int(action.reshape(-1)[row])
    if not 0 <= value < count:
        return InputError(f"action {value} in {place}: expected 0..{count - 1}")
    return InputError(f"action {value} in {place} is against the mask")


def _require_admissible(state: State, action: Tensor) -> None:
    count = state.action_mask.shape[-1]
    inside = action.clamp(0, count - 1)
    good = state.action_mask.gather(-1, inside.unsqueeze(-1)).squeeze(-1) | state.done
    good &= inside == action
    if not bool(good.all()):
        raise _refusal(state, action, int((~good).reshape(-1).to(torch.uint8).argmax()))


def _require_same_sizes(state: State, fresh: State, rows: Tensor) -> None:
    if fresh.done.shape[0] != rows.numel():
        raise InputError(f"{fresh.done.shape[0]} instances for {rows.numel()} rows")
    for key, old in state.data.items():
        new = fresh.data.get(key)
        if new is None or new.shape[1:] != old.shape[1:] or new.dtype != old.dtype:
            raise InputError(f"{key} does not fit: expected {list(old.shape[1:])} {old.dtype} for each instance")
