"""How well a network agrees with strong branching on samples that it has not seen."""

from __future__ import annotations

from pathlib import Path

import torch

from policies.branching.batch import padded
from policies.branching.losses import PADDING, agreement
from policies.branching.network import BranchingNetwork
from policies.branching.samples import Samples, batch_of

INSTANCES = 8
"""Graphs in a batch."""


@torch.no_grad()
def evaluate(network: BranchingNetwork, folder: str | Path) -> dict[str, float]:
    """Percentages over the samples of a folder: see `policies.branching.losses.agreement`.

    Raises:
        InputError: If the samples are malformed or do not fit the network.
    """
    samples = Samples(folder, network.needs_graph)
    units = samples.units(1 if network.needs_graph else 1000)
    found: dict[str, list[torch.Tensor]] = {}
    for first in range(0, len(units), INSTANCES):
        batch = batch_of([part for unit in units[first : first + INSTANCES] for part in samples.parts(unit)])
        counts = batch["counts"]
        predicted = padded(network(batch), counts, PADDING)
        for key, values in agreement(predicted, padded(batch["scores"], counts, -1.0)).items():
            found.setdefault(key, []).append(values)
    return {key: round(100 * torch.cat(values).mean().item(), 3) for key, values in found.items()}
