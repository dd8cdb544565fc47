"""Messages along the entries of the constraint matrix."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from policies.branching.batch import Edges
from policies.kernels import edges as kernels


class HalfConvolution(MessagePassing):
    """From the columns to the rows, or back (Gasse et al. 2019).

    y_i = MLP(scale * W sum over entries of relu(W_1 row + w a + W_2 column), x_i), x_i the receiver. As in the
    paper but that the message's last linear map W, without bias, is applied after the sum, and the others before
    the gather: the same value for a tenth of the work. On the CPU compiled kernels do the sums.

    Args:
        width: Length of an embedding.
        to_rows: Whether rows receive; else columns.
    """

    def __init__(self, width: int, to_rows: bool) -> None:
        super().__init__(aggr="sum")
        self.to_rows = to_rows
        self.row = nn.Linear(width, width)
        self.column = nn.Linear(width, width, bias=False)
        self.edge = nn.Parameter(torch.empty(width).uniform_(-1.0, 1.0))
        self.last = nn.Linear(width, width, bias=False)
        self.hidden, self.out = nn.Linear(2 * width, width), nn.Linear(width, width)
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(()))

    def forward(self, rows: Tensor, columns: Tensor, edges: Edges) -> Tensor:
        """The receivers' next embeddings, from those of rows [m, d] and columns [n, d]."""
        own = rows if self.to_rows else columns
        gathered = self.last(self.sums(rows, columns, edges) * self.scale)
        return self.out(F.relu(self.hidden(torch.cat([gathered, own], -1))))

    def sums(self, rows: Tensor, columns: Tensor, edges: Edges) -> Tensor:
        """The sum over each receiver's entries, [m, d] or [n, d]."""
        left, right = self.row(rows), self.column(columns)
        if left.device.type == "cpu" and left.dtype == torch.float32:
            found: Tensor = _fused(left, right, self.edge, edges, self.to_rows)
            return found
        return self.gathered(left, right, edges)

    def gathered(self, left: Tensor, right: Tensor, edges: Edges) -> Tensor:
        """The same sums from the projected embeddings, on any device."""
        x, edge_index = (left, right), edges.edge_index
        if self.to_rows:  # messages go from the first kind of nodes to the second
            x, edge_index = (right, left), edge_index.flip(0)
        found: Tensor = self.propagate(edge_index, x=x, a=edges.values, size=(len(x[0]), len(x[1])))
        return found

    def message(self, x_i: Tensor, x_j: Tensor, a: Tensor) -> Tensor:
        """The message of each entry."""
        return F.relu(x_i + x_j + self.edge * a.unsqueeze(-1))

    @torch.no_grad()
    def fit(self, rows: Tensor, columns: Tensor, edges: Edges) -> None:
        """Fixes the scale, so that the sums have deviation 1."""
        deviation = self.sums(rows, columns, edges).std()
        self.scale.copy_(torch.where(deviation > 1e-6, 1.0 / deviation, 1.0))


class _FusedSum(torch.autograd.Function):
    """Sums of messages without a tensor of messages; the way back computes them again."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, weight: Tensor, edges: Edges, to_rows: bool) -> Tensor:
        """See `HalfConvolution.sums`; left and right are the projected rows and columns."""
        ctx.save_for_backward(left, right, weight)
        ctx.edges, ctx.to_rows = edges, to_rows
        arrays = [tensor.detach().contiguous().numpy() for tensor in (left, right, weight)]
        matrix = [part.numpy() for part in (edges.indptr, edges.indices, edges.values)]
        out = torch.empty_like(left if to_rows else right)
        if to_rows:
            kernels.sum_rows(*arrays, *matrix, out.numpy())
        else:
            slots = torch.arange(len(right), dtype=torch.int32)
            kernels.sum_columns(*arrays, *matrix, slots.numpy(), out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of left, right and weight."""
        given, edges = ctx.saved_tensors, ctx.edges
        found = [torch.zeros_like(tensor) for tensor in given]
        arrays = [tensor.detach().contiguous().numpy() for tensor in given]
        matrix = [part.numpy() for part in (edges.indptr, edges.indices, edges.values)]
        d_out = gradients[0].contiguous().numpy()
        kernels.sums_backward(*arrays, *matrix, d_out, not ctx.to_rows, *(tensor.numpy() for tensor in found))
        return *found, None, None


_fused: Any = _FusedSum.apply
