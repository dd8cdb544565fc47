"""The checkpoints of a training: the best one, and one after each epoch."""

from __future__ import annotations

import lightning as L
from lightning.pytorch.callbacks import ModelCheckpoint


class BestCheckpoint(ModelCheckpoint):
    """`best.ckpt`: the weights with the smallest gap in validation; none without references.

    Args:
        monitor: The metric, smaller is better.
    """

    def __init__(self, monitor: str = "val/gap") -> None:
        super().__init__(
            filename="best",
            monitor=monitor,
            mode="min",
            save_on_train_epoch_end=False,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Saves if the metric is there and has improved."""
        value = trainer.callback_metrics.get(str(self.monitor))
        if value is not None and bool(value.isfinite()):
            super().on_validation_end(trainer, pl_module)


class LastCheckpoint(ModelCheckpoint):
    """`last.ckpt`: all that is needed to go on, after each epoch.

    Args:
        every_n_epochs: How often it is written.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        super().__init__(
            filename="last",
            every_n_epochs=every_n_epochs,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
