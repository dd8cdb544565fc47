"""SCIP's pseudocost scores."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from milp.lp_interface import NativeLP, native_lp


class Pseudocosts:
    """SCIP's pseudocost score of each candidate, float64 [k]."""

    def __init__(self) -> None:
        self._lp: NativeLP | None = None

    def reset(self, model: Any) -> None:
        """See `Observation`."""
        self._lp = native_lp(model)

    def extract(self, model: Any) -> NDArray:
        """The scores of `NativeLP.candidates`, in their order."""
        if self._lp is None:
            self.reset(model)
        assert self._lp is not None
        return self._lp.pseudocost_scores(self._lp.candidates())
