"""The command line of the training: `fit`, `validate` and `test`, configured by YAML files and options."""

from __future__ import annotations

import logging
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

import policies
from co_gym.errors import CoGymError, SolverError
from policies.learning.checkpoints import BestCheckpoint, LastCheckpoint
from policies.learning.progress import Bar, Lines
from policies.learning.training import Training
from policies.memory import keep_freed_memory

CONFIGS = Path(policies.__file__).parents[1] / "configs"
"""The configurations that come with the package."""

RUNS = "lightning_logs"
"""Folder of the runs, in `trainer.default_root_dir`."""

NOISE = (
    "does not have many workers",
    "is smaller than the logging interval",
    "treespec, LeafSpec",
    "exists and is not empty",
    "The dirpath has changed",
    "across ranks is zero",
    "tensorboardX",
)
"""Warnings that say nothing to somebody who trains with generated instances."""


class TrainingCLI(LightningCLI):
    """Reads the configuration, makes everything and runs the subcommand."""

    def __init__(self, args: list[str] | None = None) -> None:
        super().__init__(
            Training,
            L.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_kwargs={"overwrite": True},
            auto_configure_optimizers=False,
            args=args,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """The subcommands, with the arguments that are made from the configuration."""
        known = LightningCLI.subcommands()
        return {name: known[name] for name in ("fit", "validate", "test")}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """The checkpoints can be configured: `--best.monitor`, `--last.every_n_epochs`."""
        parser.add_lightning_class_args(BestCheckpoint, "best")
        parser.add_lightning_class_args(LastCheckpoint, "last")
        parser.set_defaults({"trainer.enable_model_summary": False})

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Reads the arguments; configurations are looked for here, then among those of the package."""
        self.config = parser.parse_args(with_shipped(sys.argv[1:] if args is None else args))

    def before_instantiate_classes(self) -> None:
        """Only a training keeps its configuration."""
        if self.subcommand != "fit":
            self.save_config_callback = None

    def instantiate_trainer(self, **given: Any) -> L.Trainer:
        """The trainer; unless told otherwise it logs to TensorBoard and CSV and shows its progress."""
        chosen: dict[str, Any] = dict(self._get(self.config_init, "trainer", default={}))
        callbacks = list(chosen.get("callbacks") or [])
        shown = chosen.get("enable_progress_bar") is not False
        if shown and not any(isinstance(callback, ProgressBar) for callback in callbacks):
            callbacks.append(Bar() if sys.stdout.isatty() else Lines())
        given["callbacks"] = callbacks
        if chosen.get("logger") is None:
            training = self.subcommand == "fit" and not chosen.get("fast_dev_run")
            given["logger"] = loggers(chosen.get("default_root_dir") or ".") if training else False
        return super().instantiate_trainer(**given)


def loggers(folder: str | Path) -> list[Any]:
    """Loggers to TensorBoard and CSV, in one new folder."""
    board = TensorBoardLogger(folder, name=RUNS)
    return [board, CSVLogger(folder, name=RUNS, version=board.version)]


def with_shipped(args: list[str]) -> list[str]:
    """Arguments in which the configurations that are not found are those of the package, if it has them."""
    found = list(args)
    for i, arg in enumerate(args):
        if arg.startswith("--config="):
            found[i] = f"--config={shipped(arg.removeprefix('--config='))}"
        elif i and args[i - 1] in ("--config", "-c"):
            found[i] = shipped(arg)
    return found


def shipped(name: str) -> str:
    """The path of a configuration, such as `tsp/pomo_20`."""
    inside = CONFIGS / Path(name).with_suffix(".yaml")
    return str(inside) if not Path(name).exists() and inside.is_file() else name


def main(args: list[str] | None = None) -> int:
    """Runs `fit`, `validate` or `test` and returns the exit code.

    0: done; 1: the training diverged; 2: bad input, with one message (argument errors exit with 2 themselves).
    """
    keep_freed_memory()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in NOISE:
                warnings.filterwarnings("ignore", f".*{message}")
            TrainingCLI(args)
    except Exception as error:
        known = understood(error)
        if known is None:
            raise
        print(f"train: {known}", file=sys.stderr)
        return 1 if isinstance(known, SolverError) else 2
    return 0


def understood(error: BaseException | None) -> BaseException | None:
    """The error that tells a user what is wrong, among an error and its causes; None for a defect of the program.

    What reads the configuration turns errors of constructors into others, of which they are the causes.
    """
    mistakes = (MisconfigurationException, OSError, EOFError, pickle.UnpicklingError)
    loading = ("Error(s) in loading state_dict", "PytorchStreamReader")
    outer = error
    while error is not None:
        if isinstance(error, CoGymError):
            return error
        error = error.__cause__ or error.__context__
    known = isinstance(outer, mistakes) or (isinstance(outer, RuntimeError) and str(outer).startswith(loading))
    return outer if known else None


if __name__ == "__main__":
    sys.exit(main())
