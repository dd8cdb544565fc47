"""One row of a batched observation as a dict that is filled when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray


class Row(dict[str, NDArray]):
    """The entries of one row, as views of the batch; equal to the plain dict in every respect.

    Cutting out hundreds of rows costs more than dozens of steps, and most are never read.

    Args:
        batch: Arrays [B, ...] by name, which nobody writes to any more.
        row: Which row.
    """

    __slots__ = ("_batch", "_row")

    def __init__(self, batch: Mapping[str, NDArray], row: int) -> None:
        self._batch: Mapping[str, NDArray] | None = batch
        self._row = row

    def _fill(self) -> None:
        if self._batch is not None:
            batch, self._batch = self._batch, None
            dict.update(self, {name: value[self._row] for name, value in batch.items()})

    def __reduce__(self) -> Any:
        self._fill()
        return dict, (list(dict.items(self)),)


def _filling(name: str) -> Callable[..., Any]:
    method = getattr(dict, name)

    def call(self: Row, *args: Any, **keywords: Any) -> Any:
        self._fill()
        return method(self, *args, **keywords)

    call.__name__, call.__doc__ = name, method.__doc__
    return call


OPERATORS = (
    "contains",
    "delitem",
    "eq",
    "getitem",
    "ior",
    "iter",
    "len",
    "ne",
    "or",
    "repr",
    "reversed",
    "ror",
    "setitem",
)
METHODS = ("clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values")

for _name in (*(f"__{operator}__" for operator in OPERATORS), *METHODS):
    setattr(Row, _name, _filling(_name))
