"""Training that goes on from other weights."""

from __future__ import annotations

from pathlib import Path

import lightning as L

from co_gym.errors import InputError
from policies.learning.base import PolicyTraining
from policies.weights.checkpoint import load


class WarmStart(L.Callback):
    """Gives the policy trained weights before the training begins, say those of another size.

    A checkpoint that is resumed from has the last word.

    Args:
        weights: Name of shipped weights, or the path of others.

    Raises:
        InputError: If there are none, or they are of another architecture.
    """

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.weights = weights

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """See the class."""
        if stage != "fit" or not isinstance(pl_module, PolicyTraining):
            return
        try:
            pl_module.policy.load_state_dict(load(Path(self.weights).expanduser()).state_dict())
        except RuntimeError as error:
            raise InputError(f"weights '{self.weights}' are of another architecture: {error}") from error
