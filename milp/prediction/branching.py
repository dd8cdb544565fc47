"""Branching and node selection of SCIP that follow a prediction (Khalil et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels import nodes as kernel
from milp.native import check, library, pointer
from milp.prediction.door import PRIORITY, Prelude, Statistics
from milp.prediction.marginals import UNKNOWN, Prediction, marginals_of
from milp.prediction.trust_region import trust_region

DOWN, UP = 0, 1
"""Values of SCIP_BRANCHDIR."""
LEAST = 1e-3
"""Probability that no value of a variable falls below, so that one wrong certainty does not put off a subtree."""
SELECTOR = b"co_gym_nodes"


@dataclass
class BranchingStatistics(Statistics):
    """What a prediction did for the branching of the last solve.

    `chosen` are the variables that are branched on first, `seconds` those before presolving.

    Attributes:
        directions: Variables with a preferred direction.
        nodes: Nodes that were selected because of the prediction.
    """

    directions: int = 0
    nodes: int = 0


class PredictionBranching(Prelude):
    """Branches on what is predicted surely first, and goes where the prediction points.

    Variables below 0.1 or above 0.9 get a branching priority above that of the others; on which of them to branch
    is left to SCIP's rule. Every binary variable with a probability other than 0.5 gets a preferred direction.
    The search goes down in these directions while bounds are good (within a quarter of the gap, as SCIP does it),
    then on from the open node that is most probable under the marginals; each tenth time from the node of least
    bound, so that the dual bound moves whatever was predicted. After MIP-GNN (Khalil et al. 2022).

    The tree changes, the result does not. If the prediction fails, the log says so, and SCIP solves on its own.
    The model's own priorities and directions are back after `freeTransform`.

    Example:
        >>> from pyscipopt import Model
        >>> from milp.prediction.branching import PredictionBranching
        >>> model = Model()
        >>> branching = PredictionBranching({"x": 0.9, "y": 0.1}).include(model)

    Args:
        prediction: Probabilities of the binary variables; see `milp.prediction.marginals.Prediction`.
        nodes: Whether it selects nodes, too. Otherwise SCIP's own selection goes on; it, too, goes down in the
            preferred directions first.

    Raises:
        SolverError: If this build of PySCIPOpt does not let SCIP's C functions be called.
    """

    title, key, mark = "prediction branching", "co_gym_branching", "B"

    def __init__(self, prediction: Prediction, *, nodes: bool = True) -> None:
        self.prediction = prediction
        self._statistics = BranchingStatistics()
        self._selector = _Selector() if nodes else None

    @property  # type: ignore[override]
    def statistics(self) -> BranchingStatistics:
        """Of the last solve."""
        if self._selector is not None:
            self._statistics.nodes = self._selector.followed
        return self._statistics

    @statistics.setter
    def statistics(self, statistics: BranchingStatistics) -> None:
        self._statistics = statistics

    def include(self, model: Any, priority: int = PRIORITY) -> Any:
        """Attaches it to a PySCIPOpt model before its solve, and returns it."""
        if self._selector is not None:
            self._selector.include(model)
        return super().include(model, priority)

    def heurinit(self) -> None:
        """A new solve begins."""
        super().heurinit()
        if self._selector is not None:
            self._selector.stop(self.model)

    def act(self) -> str:
        """Sets priorities and directions, and starts selecting nodes."""
        variables = self.model.getVars(transformed=False)
        marginals = marginals_of(self.prediction, self.model, variables)
        region, predicted = trust_region(marginals), np.flatnonzero(marginals != UNKNOWN)
        self.statistics.chosen, self.statistics.directions = len(region), predicted.size
        if not predicted.size:
            return "nothing is predicted"
        lib, scip = library(), pointer(self.model)
        for j in (*region.zeros, *region.ones):
            check(lib.SCIPaddVarBranchPriority(scip, variables[j].ptr(), 1), "a branching priority")
        for j in predicted:
            direction = UP if marginals[j] > UNKNOWN else DOWN
            check(lib.SCIPchgVarBranchDirection(scip, variables[j].ptr(), direction), "a branching direction")
        if self._selector is not None:
            indices = [self.model.getTransformedVar(variables[j]).getIndex() for j in predicted]
            self._selector.start(self.model, indices, marginals[predicted])
        return "followed"


class _Selector:
    """The compiled node selector in models, one for all: SCIP takes its own where that has the higher priority.

    Memory is kept as long as the hook is, since a model whose solve was stopped may go on.
    """

    def __init__(self) -> None:
        self._memory = [kernel.memory(0)]

    def include(self, model: Any) -> None:
        """Adds it to a model; it does nothing yet."""
        data = self._memory[-1].ctypes.data
        callbacks = kernel.select.address, kernel.compare.address
        text = b"follows a prediction"
        made = np.zeros(1, dtype=np.int64)
        code = library().SCIPincludeNodeselBasic(
            pointer(model), made.ctypes.data, SELECTOR, text, -PRIORITY, -PRIORITY, *callbacks, data
        )
        check(code, "a node selector")

    def start(self, model: Any, indices: list[int], marginals: NDArray) -> None:
        """Has it select nodes by the marginals [k] of transformed variables of indices [k]."""
        size = max(indices) + 1
        if kernel.TABLE + 2 * size > self._memory[-1].size:
            self._memory.append(kernel.memory(2 * size))
        memory = self._memory[-1]
        memory[:] = 0.0
        memory[kernel.VARIABLES] = size
        table = memory[kernel.TABLE :].reshape(-1, 2)
        table[indices] = np.log(np.maximum(np.stack([1.0 - marginals, marginals], axis=1), LEAST))
        library().SCIPnodeselSetData(self._of(model), memory.ctypes.data)
        self._set_priority(model, PRIORITY)

    def stop(self, model: Any) -> None:
        """Leaves the selection to SCIP."""
        self._memory[-1][kernel.FOLLOWED] = 0.0
        self._set_priority(model, -PRIORITY)

    @property
    def followed(self) -> int:
        """Nodes that it selected because of the prediction."""
        return int(self._memory[-1][kernel.FOLLOWED])

    def _set_priority(self, model: Any, priority: int) -> None:
        code = library().SCIPsetNodeselStdPriority(pointer(model), self._of(model), priority)
        check(code, "the priority of a node selector")

    def _of(self, model: Any) -> int:
        return int(library().SCIPfindNodesel(pointer(model), SELECTOR))
