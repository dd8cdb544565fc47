"""An instance: the named arrays that define one problem to solve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError


@dataclass(frozen=True)
class Key:
    """One array of an instance: its shape in terms of the problem's sizes, what it may hold, what it means.

    Attributes:
        name: The key in `Instance.data`.
        shape: Sizes by name, bound on first use (`("n", 2)`); `()` for a scalar.
        doc: Meaning and unit.
        kind: `"number"` (int64 where all entries are integral, else float64), `"integer"`, `"real"`, `"bool"`
            or `"text"`.
        optional: Whether an instance may leave the key out.
        minimum: Least value allowed, if any.
        infinite: Whether ±inf is allowed (bounds are; weights are not).
    """

    name: str
    shape: tuple[str | int, ...]
    doc: str
    kind: str = "number"
    optional: bool = False
    minimum: float | None = None
    infinite: bool = False

    def array(self, value: object, sizes: dict[str, int]) -> NDArray:
        """`value` as a read-only array of this key's dtype; binds the sizes that its shape introduces.

        Raises:
            InputError: If shape, type or range are not as declared.
        """
        try:
            given = np.asarray(value)
        except ValueError as error:
            raise InputError(f"{self.name} is ragged: expected one array of {self.kind} entries") from error
        array = self._cast(given)
        self._bind(array.shape, sizes)
        if self.kind in ("number", "real"):
            self._require_finite(array)
        if self.minimum is not None and array.size and array.min() < self.minimum:
            where = _where(np.argmin(array), array.shape)
            raise InputError(f"{self.name}{where} is {array.min()}: expected at least {self.minimum:g}")
        array.setflags(write=False)
        return array

    def _cast(self, array: NDArray) -> NDArray:
        from co_gym.exact import is_integral, to_integers

        if self.kind == "text":
            return array.astype(np.str_)
        if self.kind == "bool" and array.dtype.kind == "b":
            return array.copy()
        if array.dtype.kind not in "iufb" or self.kind == "bool":
            raise InputError(f"{self.name} has dtype {array.dtype}: expected {self.kind} entries")
        if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise InputError(f"{self.name} holds {array.max()}: expected at most 2^63 - 1")
        if self.kind == "real":
            return array.astype(np.float64)
        array = to_integers(array)
        if self.kind == "integer" and not is_integral(array):
            raise InputError(f"{self.name} has entries that are not integers")
        return array.astype(np.int64 if is_integral(array) else np.float64, copy=False)

    def _bind(self, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
        expected = ", ".join(str(sizes.get(s, s)) if isinstance(s, str) else str(s) for s in self.shape)
        fits = len(shape) == len(self.shape) and all(
            have == (sizes.setdefault(want, have) if isinstance(want, str) else want)
            for want, have in zip(self.shape, shape, strict=True)
        )
        if not fits:
            raise InputError(f"{self.name} has shape {shape}: expected ({expected})")

    def _require_finite(self, array: NDArray) -> None:
        bad = np.isnan(array) if self.infinite else ~np.isfinite(array)
        if bad.any():
            where = _where(np.argmax(bad), array.shape)
            raise InputError(f"{self.name}{where} is {array[bad][0]}: expected a finite number")


def _where(flat: np.intp, shape: tuple[int, ...]) -> str:
    index = ", ".join(str(int(i)) for i in np.unravel_index(int(flat), shape)) if shape else ""
    return f"[{index}]" if index else ""


@dataclass(frozen=True, eq=False)
class Instance:
    """One problem to solve. Made by `Problem.instance`, which validates; arrays are read-only.

    Attributes:
        problem: Name of the problem, e.g. `"tsp"`.
        data: Arrays by key, as the problem's `keys` document them.
        name: Short name for tables.
        reference: Best known objective, if the source gave one.
        source: The file it was read from, or the generator and its seed.
        cache: What the problem derives once (a distance matrix, say).
    """

    problem: str
    data: Mapping[str, NDArray]
    name: str = ""
    reference: int | float | None = None
    source: str | None = None
    cache: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, key: str) -> NDArray:
        return self.data[key]

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def __repr__(self) -> str:
        shapes = ", ".join(f"{k}{list(v.shape)}" for k, v in self.data.items())
        return f"Instance({self.problem}, {self.name!r}, {shapes})"
