"""What a problem contributes to a policy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from co_gym.envs import Environment
from policies.graph import Context, Features, Graph

Data = dict[str, Tensor]
"""A batch of instances as the environment takes it."""


class Task(ABC):
    """A problem as policies see it: its environment, its features, its context.

    A policy reads what is declared here and never the problem's name. A new problem is one class like this.

    Attributes:
        features: How many features there are.
        symmetric: Whether instances are points in the unit square, so that its eight symmetries give equivalent
            instances.
    """

    features: ClassVar[Features]
    symmetric: ClassVar[bool] = False

    @abstractmethod
    def environment(self) -> Environment:
        """The environment in which the policy acts."""

    @abstractmethod
    def graph(self, data: Data) -> Graph:
        """The features of a batch of instances, normalized; gradients are not needed."""

    @abstractmethod
    def context(self, state: Any, graph: Graph) -> Context:
        """The context of states [B, S] of these instances; views of the state's tensors are allowed."""
