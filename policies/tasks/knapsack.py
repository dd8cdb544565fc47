"""Knapsacks, item by item."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from co_gym.envs.knapsack import KnapsackEnv, KnapsackState, MultiKnapsackEnv
from policies.graph import Context, Features, Graph
from policies.tasks.base import Data, Task
from policies.tasks.relaxation import relaxation
from policies.tasks.scales import TINY, log_ratio, masked_mean, ranks, real_count, relative

LEAST = 1e-6
"""Less than this share of a capacity counts as this share."""


class MultiKnapsackTask(Task):
    """Items with a profit and a use of each of several capacities; a decision depends on what is left of them.

    All features are ratios, so that profits and each row of weights may come in any unit, and none depends on the
    order or number of the capacities. Items that do not even fit into an empty knapsack count as padding. The
    linear relaxation gives each capacity a price, and so each item a profit beyond the price of what it uses.
    """

    features: ClassVar[Features] = Features(nodes=9, constraints=4, scalars=3, dynamic=3)
    symmetric = False

    def environment(self) -> MultiKnapsackEnv:
        """See `Task`."""
        return MultiKnapsackEnv()

    def graph(self, data: Data) -> Graph:
        """See `Task`."""
        weights, capacities = _rows(data)
        mask = (weights <= capacities.unsqueeze(-1)).all(1)
        if "item_mask" in data:
            mask = mask & data["item_mask"]
        weights = weights / capacities.clamp_min(TINY).unsqueeze(-1) * mask.unsqueeze(1)
        profits = relative(data["profits"].double() * mask, mask)
        solution, prices = relaxation(profits, weights, mask)
        priced = (prices.unsqueeze(1) @ weights).squeeze(1)
        return Graph(
            nodes=(_items(profits, weights, solution, priced, mask) * mask.unsqueeze(-1)).float(),
            constraints=_constraints(profits, weights, prices, mask).float(),
            weights=weights.float(),
            mask=_visible(mask),
        )

    def context(self, state: KnapsackState, graph: Graph) -> Context:
        """See `Task`."""
        left = _left(state)
        return Context(
            mask=state.action_mask,
            nodes=state.current.new_empty((*state.current.shape, 0)),
            scalars=_scalars(left, state.available, graph),
            dynamic=self._dynamic(left, graph),
        )

    def _dynamic(self, left: Tensor, graph: Graph) -> Tensor:
        """Use of what is left, the largest and the mean, and profit over the mean, [B, S, n, 3]."""
        assert graph.weights is not None
        shares = 1.0 / left.clamp_min(LEAST)
        mean = (shares @ graph.weights).div_(left.shape[-1])
        largest = shares[..., :1] * graph.weights[:, :1]
        for i in range(1, left.shape[-1]):
            largest = torch.maximum(largest, shares[..., i, None] * graph.weights[:, i, None])
        efficiency = graph.nodes[:, None, :, LOG_PROFIT] - mean.clamp_min(1e-3).log_()
        return torch.stack([largest.clamp_max_(2.0), mean.clamp_max_(2.0), efficiency.clamp_(-4.0, 8.0)], -1)


class KnapsackTask(MultiKnapsackTask):
    """Items with a profit and a weight; a decision depends on the capacity that is left."""

    features: ClassVar[Features] = Features(nodes=9, constraints=4, scalars=3, dynamic=1)

    def environment(self) -> KnapsackEnv:
        """See `Task`."""
        return KnapsackEnv()

    def _dynamic(self, left: Tensor, graph: Graph) -> Tensor:
        """Use of what is left, [B, S, n, 1]."""
        assert graph.weights is not None
        return (graph.weights / left.clamp_min(LEAST)).clamp_max_(2.0).unsqueeze(-1)


LOG_PROFIT = 1


def _rows(data: Data) -> tuple[Tensor, Tensor]:
    """Weights float64 [B, m, n] and capacities [B, m], of either kind of knapsack."""
    if "capacity" in data:
        return data["weights"].double().unsqueeze(1), data["capacity"].double().unsqueeze(1)
    return data["weights"].double(), data["capacities"].double()


def _left(state: KnapsackState) -> Tensor:
    """Share of each capacity that is left, float32 [B, S, m]."""
    key = "capacities" if "capacities" in state.data else "capacity"
    capacities = state.data[key].double().view(len(state.remaining), 1, -1).clamp_min(TINY)
    return (state.remaining / capacities).clamp_min_(0.0).float()


def _scalars(left: Tensor, available: Tensor, graph: Graph) -> Tensor:
    """Least and mean share left, and share of the items still admissible, [B, S, 3]."""
    return torch.stack([left.amin(-1), left.mean(-1), available / real_count(graph)], -1)


def _items(profits: Tensor, weights: Tensor, solution: Tensor, priced: Tensor, mask: Tensor) -> Tensor:
    """[B, n, 9]; profits relative to their mean, `priced` the weights at the prices of the relaxation."""
    scaled = relative(weights, mask.unsqueeze(1))
    mean = scaled.mean(1)
    efficiency = log_ratio(profits, priced)
    columns = [
        profits.clamp_max(10.0),
        log_ratio(profits, torch.ones_like(profits)),
        scaled.amax(1).clamp_max(10.0),
        mean.clamp_max(10.0),
        weights.amax(1),
        solution,
        (profits - priced).clamp(-5.0, 5.0),
        efficiency,
        ranks(efficiency.float(), mask).double(),
    ]
    return torch.stack(columns, -1)


def _constraints(profits: Tensor, weights: Tensor, prices: Tensor, mask: Tensor) -> Tensor:
    """[B, m, 4]: demand, share of the relaxation's bound, mean and spread of the uses."""
    demand = weights.sum(-1)
    value = prices / profits.sum(-1, keepdim=True).clamp_min(TINY)
    mean = masked_mean(weights, mask.unsqueeze(1))
    spread = masked_mean((weights - mean) ** 2, mask.unsqueeze(1)).sqrt() / mean.clamp_min(TINY)
    columns = [log_ratio(demand, torch.ones_like(demand)), value.clamp_max(5.0), mean[..., 0], spread[..., 0]]
    return torch.stack([column.clamp_max(5.0) for column in columns], -1)


def _visible(mask: Tensor) -> Tensor | None:
    """The mask with at least one item of each instance; None if nothing is masked."""
    if bool(mask.all()):
        return None
    mask = mask.clone()
    mask[:, 0] |= ~mask.any(-1)
    return mask
