"""Tours, city by city."""

from __future__ import annotations

import torch

from co_gym.envs.tsp import TSPEnv, TSPState
from policies.graph import Context, Features, Graph
from policies.tasks.base import Data, Task


class TSPTask(Task):
    """Cities with their coordinates; a decision depends on the first and the latest city (Kwon et al. 2020).

    The coordinates are expected in the unit square. Distances are those of the instance, else Euclidean.
    """

    features = Features(nodes=2, context_nodes=2)
    symmetric = True

    def environment(self) -> TSPEnv:
        """See `Task`."""
        return TSPEnv()

    def graph(self, data: Data) -> Graph:
        """See `Task`."""
        points = data["coordinates"].float()
        distances = data["distances"].float() if "distances" in data else torch.cdist(points, points)
        return Graph(nodes=points, distances=distances)

    def context(self, state: TSPState, graph: Graph) -> Context:
        """See `Task`."""
        first = state.tour[..., 0].masked_fill(state.steps == 0, -1)
        return Context(mask=state.action_mask, nodes=torch.stack([first, state.current], -1))
