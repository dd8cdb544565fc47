"""Structural features of the nodes of a graph."""

from __future__ import annotations

import torch
from torch import Tensor


def structure(links: Tensor, walk: int) -> Tensor:
    """Degrees, and the probabilities that a random walk is back after 2 to `walk` steps (Dwivedi et al. 2022).

    Unlike eigenvectors of the Laplacian, which are defined up to sign and, for equal eigenvalues, up to rotation,
    these are functions of the graph alone: a relabelled graph has relabelled features.

    Args:
        links: bool [B, n, n]; symmetric, without loops.
        walk: Number of steps; below 2: no return probabilities.

    Returns:
        float32 [B, n, 2 + max(walk - 1, 0)]: log(1 + degree), degree over mean degree of the instance's nodes that
        have edges, and the probabilities times that mean (a walk on a regular graph is back after 2 steps with
        probability 1 / degree), so that they are of order 1.
    """
    adjacency = links.float()
    degree = adjacency.sum(2)
    linked = (degree > 0).sum(1, keepdim=True).clamp_min(1)
    mean = (degree.sum(1, keepdim=True) / linked).clamp_min(1.0)
    columns = [degree.log1p(), degree / mean]
    if walk >= 2:
        columns += [probability * mean for probability in returns(adjacency, walk)]
    return torch.stack(columns, -1)


def returns(adjacency: Tensor, walk: int) -> list[Tensor]:
    """Probabilities [B, n] that a random walk is back after t steps, for t = 2 to `walk`; 0 at isolated nodes.

    S = D^-1/2 A D^-1/2 is similar to the walk's matrix and symmetric, so diag(S^(a + b)) is the sum over the
    columns of S^a * S^b: half of the powers suffice.
    """
    scale = adjacency.sum(2).clamp_min(1.0).rsqrt()
    step = adjacency * scale.unsqueeze(1) * scale.unsqueeze(2)
    found, powers = [], [step]
    for t in range(2, walk + 1):
        if len(powers) < (t + 1) // 2:
            powers.append(torch.bmm(powers[-1], step))
        found.append((powers[t // 2 - 1] * powers[(t + 1) // 2 - 1]).sum(2))
    return found
