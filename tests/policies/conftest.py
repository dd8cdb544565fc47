"""Tiny policies with random weights, and folders of their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from policies.policy import ConstructivePolicy
from policies.weights.cards import Budget, Card, Configuration, Part, Trained
from policies.weights.checkpoint import build, save

ENCODER = Part(
    class_path="policies.encoders.attention.AttentionEncoder",
    init_args={"width": 16, "heads": 2, "layers": 1, "feedforward": 16, "distance_bias": True},
)
DECODER = Part(
    class_path="policies.decoders.pointer.PointerDecoder", init_args={"heads": 2, "distance_bias": True}
)
SELECTION = Part(class_path="policies.decoders.selection.SelectionDecoder", init_args={"hidden": 8})
TASKS = {
    "tsp": "policies.tasks.tsp.TSPTask",
    "knapsack": "policies.tasks.knapsack.KnapsackTask",
    "multiknapsack": "policies.tasks.knapsack.MultiKnapsackTask",
    "mis": "policies.tasks.mis.MISTask",
}
"""Tasks by problem; only the tours have distances."""


def tiny_card(name: str = "tiny", problem: str = "tsp", sizes: tuple[int, ...] = (10,), **more: Any) -> Card:
    """A card of a policy with a few hundred weights."""
    parts = {"encoder": ENCODER, "decoder": DECODER if problem == "tsp" else SELECTION}
    parts = {key: Part(class_path=p.class_path, init_args=dict(p.init_args)) for key, p in parts.items()}
    constraints = more.pop("constraints", 0)
    return Card(
        **{
            "name": name,
            "problem": problem,
            "policy": Configuration(task=Part(class_path=TASKS[problem]), **parts),
            "trained": tuple(
                Trained(size=size, constraints=constraints, distribution="uniform") for size in sizes
            ),
            "seed": 3,
            "budget": Budget(instances=640, minutes=1.5, threads=1, machine="a test"),
            **more,
        }
    )


def random_policy(card: Card, seed: int = 0) -> ConstructivePolicy:
    """A policy for a card with seeded random weights."""
    policy = build(card.policy).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.normal_(std=0.3, generator=generator)
    return policy


@pytest.fixture
def make_weights(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tiny policy to `tmp_path`; returns the path of its weights."""

    def make(name: str = "tiny", problem: str = "tsp", seed: int = 0, **more: Any) -> Path:
        card = tiny_card(name, problem, **more)
        return save(random_policy(card, seed), card, tmp_path)

    return make


@pytest.fixture
def make_card() -> Callable[..., Card]:
    """See `tiny_card`."""
    return tiny_card


@pytest.fixture
def make_policy() -> Callable[..., ConstructivePolicy]:
    """See `random_policy`."""
    return random_policy
