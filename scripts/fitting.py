"""How comparisons train: in a process of its own, as `train.py` does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from co_gym.errors import SolverError


def fit(config: str, folder: Path, options: Iterable[str], title: str, prefix: Sequence[str] = ()) -> Path:
    """Runs a training, whose output goes to standard error; the path of its last checkpoint.

    Args:
        config: The configuration.
        folder: Where to.
        options: More of the command line.
        title: Of the training, for messages.
        prefix: What the command is run by, such as taskset.

    Raises:
        SolverError: If the training failed.
    """
    command = [*prefix, sys.executable, "-m", "policies.learning.cli", "fit", "--config", config]
    command += [f"--trainer.default_root_dir={folder}", *options]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        raise SolverError(f"the training of {title} failed")
    return next(folder.rglob("last.ckpt"))
