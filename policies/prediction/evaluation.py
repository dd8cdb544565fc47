"""How well a network predicts the good solutions of instances that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from policies.prediction.losses import agreement, calibration_error, shares
from policies.prediction.network import Predictor
from policies.prediction.samples import Sample, batch_of, instances_of


@torch.no_grad()
def evaluate(network: Predictor, samples: Sequence[Sample], temperature: float) -> dict[str, float]:
    """Means over instances, in percent: see `agreement`; `calibration` is the expected calibration error.

    Args:
        network: In evaluation mode.
        samples: At least one instance.
        temperature: Of the pools; see `policies.prediction.format.Pool.weights`.
    """
    figures, errors = [], []
    for sample in samples:
        batch = batch_of([sample])
        for logits, values, weights in instances_of(batch, network(batch), temperature):
            figures.append(agreement(logits, values, weights))
            wanted = shares(values, weights, torch.float64)
            marginals = network.marginals(logits.double())
            errors.append((marginals, wanted, torch.full_like(wanted, 1.0 / len(wanted))))
    found = {key: sum(one[key] for one in figures) / len(figures) for key in figures[0]}
    marginals, wanted, mass = (torch.cat(each) for each in zip(*errors, strict=True))
    found["calibration"] = calibration_error(marginals, wanted, mass)
    return {key: round(100 * value, 3) for key, value in found.items()}
