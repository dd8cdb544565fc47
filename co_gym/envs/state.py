"""The state of a batch of episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import torch
from numpy.typing import NDArray
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from co_gym.errors import InputError


@dataclass(slots=True, eq=False, kw_only=True)
class State:
    """A batch of episodes. Every tensor is allocated once, at reset, and updated in place.

    `...` stands for [B], or for [B, S] with S starts for each of B instances; the instance data is never copied
    to the starts.

    Attributes:
        data: The instances by key, [B, ...]; the tensors given to `reset`, not copies.
        action_mask: bool [..., A]; the admissible actions. A finished row admits action 0 alone (so that a softmax
            over its mask is defined); it ignores any action in range.
        additive_mask: float32 [..., A]; 0 where `action_mask` is true, else -inf.
        current: int64 [...]; the latest action, -1 before the first and where a finished row ignored it.
        steps: int64 [...]; actions taken.
        done: bool [...]; whether the episode has ended.
        active: Rows that are not done; -1 where counting them would wait for a device.
        owns_data: Whether `data` belongs to this state alone, so that `reset_rows` may write into it.
        arrays: NumPy views of the tensors for the compiled kernels, rows flattened; () where these cannot be used.
            Unless the mask is shared, they begin with those of the fields below `data`, in that order.
        shares_mask: Whether one mask holds for all rows and steps (and is one piece of memory).
    """

    shares_mask: ClassVar[bool] = False
    data: dict[str, Tensor]
    action_mask: Tensor
    additive_mask: Tensor
    current: Tensor
    steps: Tensor
    done: Tensor
    active: int = -1
    owns_data: bool = False
    arrays: tuple[NDArray, ...] | None = None

    @property
    def batch_size(self) -> torch.Size:
        """[B] or [B, S]."""
        return self.done.shape

    @property
    def num_starts(self) -> int | None:
        """S, or None for a batch of shape [B]."""
        return self.done.shape[1] if self.done.ndim == 2 else None

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.done.device

    @property
    def all_done(self) -> bool:
        """Whether every episode has ended; free on the CPU, else it waits for the device."""
        return self.active == 0 if self.active >= 0 else bool(self.done.all())

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by field name, without the instance data."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def to_tensordict(self) -> TensorDict:
        """Everything needed to go on, as views; batch size [B], the instances under "data".

        `torch.save(state.to_tensordict().to_dict(), path)` and `torch.load(path, weights_only=True)` keep a state.
        """
        batch = self.done.shape[:1]
        return TensorDict({**self.tensors(), "data": TensorDict(self.data, batch_size=batch)}, batch_size=batch)

    @classmethod
    def from_tensordict(cls, saved: TensorDictBase | Mapping[str, Any]) -> Self:
        """The state that `to_tensordict` (or its `to_dict`) described, on the same tensors."""
        values: dict[str, Any] = {str(name): value for name, value in saved.items()}
        data = {str(name): value for name, value in values.pop("data").items()}
        return cls(data=data, **values).count_active()

    def clone(self) -> Self:
        """An independent copy; the instance data stays shared until one of the two resets a row."""
        self.owns_data = False
        copies: dict[str, Any] = {
            name: t.clone() if t.is_contiguous() else t for name, t in self.tensors().items()
        }
        return replace(self, **copies, arrays=None)

    def take_starts(self, index: Tensor) -> Self:
        """Copies of chosen starts of each instance, as states of their own; the instances stay shared.

        Args:
            index: int64 [B, S']; the starts to take, a start any number of times. A state [B] is one start, 0.

        Raises:
            InputError: If `index` is not [B, S'].
        """
        batch = self.done.shape[0]
        if index.ndim != 2 or index.shape[0] != batch:
            raise InputError(f"index has shape {list(index.shape)}: expected [{batch}, S]")
        rows = (index + (self.num_starts or 1) * torch.arange(batch, device=index.device).unsqueeze(-1)).flatten()
        dims = self.done.ndim
        taken: dict[str, Any] = {}
        for name, t in self.tensors().items():
            if self.shares_mask and name in ("action_mask", "additive_mask"):
                taken[name] = t[(0,) * dims].expand(*index.shape, -1)
            else:
                taken[name] = t.flatten(0, dims - 1).index_select(0, rows).view(*index.shape, *t.shape[dims:])
        self.owns_data = False
        return replace(self, **taken, arrays=None).count_active()

    def to(self, device: torch.device | str) -> Self:
        """A copy on a device."""
        moved: dict[str, Any] = {name: t.to(device, copy=t.is_contiguous()) for name, t in self.tensors().items()}
        data = {name: value.to(device) for name, value in self.data.items()}
        return replace(self, **moved, data=data, arrays=None, owns_data=False).count_active()

    def count_active(self) -> Self:
        """Sets `active` from `done`, on the CPU."""
        self.active = int((~self.done).sum()) if self.done.is_cpu else -1
        return self
