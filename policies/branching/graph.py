"""The graph of an LP that networks look at; torch loads with a conversion only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tensordict import TensorDict
    from torch_geometric.data import HeteroData


@dataclass(frozen=True, eq=False)
class BipartiteGraph:
    """Columns and rows of an LP, joined by the matrix's entries, row by row (Gasse et al. 2019).

    Attributes:
        variables: float32 [n, 19]; features of the columns.
        rows: float32 [m, 5]; features of the rows. A row of the LP stands here once for each of its finite sides,
            those of the form >= negated. (Other features where it is a program before its solve:
            `milp.observation.MilpBipartite`, `policies.prediction.features`.)
        indptr: int32 [m + 1]; where each row's entries begin.
        indices: int32 [E]; column of each entry.
        values: float32 [E]; each entry.
        matrix: The LP's matrix behind it, if it was read from one.
    """

    variables: NDArray[np.float32]
    rows: NDArray[np.float32]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    matrix: Any = None

    @property
    def edge_rows(self) -> NDArray[np.int32]:
        """The row of each entry, [E]."""
        return np.repeat(np.arange(len(self.rows), dtype=np.int32), np.diff(self.indptr))

    @property
    def edge_index(self) -> NDArray[np.int64]:
        """Row and column of each entry, [2, E]."""
        return np.stack([self.edge_rows, self.indices]).astype(np.int64)

    def to_pyg(self, candidates: NDArray | None = None) -> HeteroData:
        """As a graph of torch-geometric with nodes "variables" and "constraints", on the same memory.

        Args:
            candidates: [k] columns, which become the bool mask `candidates` of the variables.
        """
        import torch
        from torch_geometric.data import HeteroData

        data: Any = HeteroData()
        data["variables"].x, data["constraints"].x = torch.from_numpy(self.variables), torch.from_numpy(self.rows)
        if candidates is not None:
            mask = np.zeros(len(self.variables), dtype=bool)
            mask[candidates] = True
            data["variables"].candidates = torch.from_numpy(mask)
        data["constraints", "contain", "variables"].edge_index = torch.from_numpy(self.edge_index)
        data["constraints", "contain", "variables"].edge_attr = torch.from_numpy(self.values[:, None])
        return data

    def to_tensordict(self) -> TensorDict:
        """As a TensorDict with keys variables, rows, edge_index [2, E] and edge_values, batch size []."""
        import torch
        from tensordict import TensorDict

        arrays: dict[str, NDArray] = {"variables": self.variables, "rows": self.rows}
        arrays |= {"edge_index": self.edge_index, "edge_values": self.values}
        return TensorDict({key: torch.from_numpy(value) for key, value in arrays.items()}, batch_size=[])
