"""What a training shows: a bar on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar

MEMORY = 0.95
"""Weight of the past in the moving average of a batch's time."""


class Pace:
    """How fast a training is, and how long it will take."""

    def __init__(self) -> None:
        self._per_instance: float | None = None
        self._mark = self._begin = time.perf_counter()
        self._first = 0.0

    def begin(self, trainer: L.Trainer) -> None:
        """The training begins, perhaps where another one ended."""
        self._begin, self._first = time.perf_counter(), share_done(trainer)
        self.mark()

    def mark(self) -> None:
        """What was until now does not count as training."""
        self._mark = time.perf_counter()

    def trained(self, instances: int) -> None:
        """A batch was trained on since the last mark."""
        now = time.perf_counter()
        latest = (now - self._mark) / max(1, instances)
        past = latest if self._per_instance is None else self._per_instance
        self._per_instance, self._mark = MEMORY * past + (1 - MEMORY) * latest, now

    @property
    def rate(self) -> float:
        """Instances in a second."""
        return 0.0 if not self._per_instance else 1.0 / self._per_instance

    def remaining(self, trainer: L.Trainer) -> float | None:
        """Seconds to the end of the training; None if that cannot be said."""
        done = share_done(trainer)
        if done <= self._first:
            return None
        return (time.perf_counter() - self._begin) * (1 - done) / (done - self._first)


def share_done(trainer: L.Trainer) -> float:
    """How much of a training is done, 0 to 1; 0 if it has no end."""
    shares = []
    if trainer.max_steps and trainer.max_steps > 0:
        shares.append(trainer.global_step / trainer.max_steps)
    if trainer.max_epochs and trainer.max_epochs > 0 and trainer.num_training_batches:
        shares.append(trainer.fit_loop.total_batch_idx / (trainer.max_epochs * trainer.num_training_batches))
    return min(1.0, max([0.0, *shares]))


class _Timed(ProgressBar):
    """Keeps the pace of a training."""

    pace: Pace

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Starts the clock."""
        super().on_train_start(trainer, pl_module)
        self.pace.begin(trainer)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Does not count what was between epochs."""
        self.pace.mark()
        super().on_train_epoch_start(trainer, pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Does not count the validation."""
        self.pace.mark()
        super().on_validation_end(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Takes the time of a batch."""
        self.pace.trained(len(next(iter(batch.values()))) * trainer.world_size)
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def shown(self, trainer: L.Trainer) -> dict[str, str]:
        """Pace, gaps and time to go, as text."""
        found = {"inst/s": f"{self.pace.rate:,.0f}"} if self.pace.rate else {}
        for name in ("val/gap", "val/gap_x8", "val/acc1"):
            value = trainer.callback_metrics.get(name)
            if value is not None and bool(value.isfinite()):
                found[name.removeprefix("val/")] = f"{value.item():.2f}%"
        remaining = self.pace.remaining(trainer)
        return found if remaining is None else {**found, "eta": duration(remaining)}


class Bar(_Timed, RichProgressBar):
    """The bar of an epoch with instances per second, the gap to the reference and the time to go."""

    def __init__(self) -> None:
        super().__init__(leave=False)
        self.pace = Pace()

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> Any:
        """What stands behind the bar."""
        return self.shown(trainer)


class Lines(_Timed):
    """One line for each epoch, for files and pipes."""

    def __init__(self) -> None:
        super().__init__()
        self.pace, self._enabled = Pace(), True

    def disable(self) -> None:
        """Prints nothing any more."""
        self._enabled = False

    def enable(self) -> None:
        """Prints again."""
        self._enabled = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Prints the line of the epoch."""
        if not self._enabled:
            return
        known = trainer.callback_metrics
        goals = [
            f"{key} {known[f'train/{key}'].item():.4g}" for key in ("reward", "loss") if f"train/{key}" in known
        ]
        rest = [f"{name} {value}" for name, value in self.shown(trainer).items()]
        instances = f"instances {getattr(pl_module, 'drawn', 0):,}"
        print(f"epoch {trainer.current_epoch}", instances, *goals, *rest, sep="  ", flush=True)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: "1:02:03", "2:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
