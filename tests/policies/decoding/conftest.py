"""Tiny policies with random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from co_gym.envs import KnapsackEnv
from policies.decoders.pointer import PointerDecoder
from policies.encoders.attention import AttentionEncoder
from policies.graph import Context, Features, Graph
from policies.policy import ConstructivePolicy
from policies.tasks.tsp import TSPTask


class Items:
    """Knapsacks as a policy sees them: episodes of different lengths, maximized, without symmetries."""

    features = Features(nodes=2, context_nodes=1, scalars=1)
    symmetric = False

    def environment(self) -> KnapsackEnv:
        return KnapsackEnv()

    def graph(self, data: dict[str, Tensor]) -> Graph:
        profits, weights = (data[key] / data[key].amax(1, keepdim=True) for key in ("profits", "weights"))
        return Graph(nodes=torch.stack([profits, weights], -1).float())

    def context(self, state: Any, graph: Graph) -> Context:
        left = (state.remaining / state.data["capacity"].unsqueeze(-1).unsqueeze(-1)).float()
        return Context(mask=state.action_mask, nodes=state.current.unsqueeze(-1), scalars=left)


def make(task: Any, seed: int) -> ConstructivePolicy:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = AttentionEncoder(width=16, layers=1, heads=2, feedforward=16, normalization="instance")
        policy = ConstructivePolicy(task, encoder, PointerDecoder(heads=2))
        for parameter in policy.parameters():
            parameter.data *= 2.0  # so that decisions are not almost uniform
    return policy


@pytest.fixture(scope="session")
def tsp() -> ConstructivePolicy:
    return make(TSPTask(), 1)


@pytest.fixture(scope="session")
def knapsack() -> ConstructivePolicy:
    return make(Items(), 2)


@pytest.fixture(scope="session")
def cities() -> Callable[..., dict[str, Tensor]]:
    """`cities(batch, n, seed)`."""

    def draw(batch: int, n: int, seed: int = 0) -> dict[str, Tensor]:
        return {"coordinates": torch.rand(batch, n, 2, generator=torch.Generator().manual_seed(seed))}

    return draw


@pytest.fixture(scope="session")
def items() -> Callable[..., dict[str, Tensor]]:
    """`items(batch, n, seed)`."""

    def draw(batch: int, n: int, seed: int = 0) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        profits, weights = (torch.randint(1, 60, (batch, n), generator=generator) for _ in range(2))
        return {"profits": profits, "weights": weights, "capacity": weights.sum(1) // 2}

    return draw
