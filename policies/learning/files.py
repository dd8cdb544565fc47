"""Training on a fixed set of instances: from files, or drawn and solved once."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from co_gym.envs.batch import unstack
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.io.folder import read_folder
from policies.learning.batches import Batch, Stored
from policies.learning.data import PolicyData, Source, draw
from policies.learning.labels import Labels
from policies.learning.validation import fixed_sets, grouped, prepared
from policies.tasks.base import Task


class FileData(PolicyData):
    """Instances read from files, shuffled anew in each epoch; a batch holds instances of one size.

    They are brought into the form that the task of the policy expects, such as points in the unit square, and best
    known objectives into the same unit.

    Args:
        train: Files, and folders of files (with best known values in `optima.csv`); all of one problem.
        validate: The same for validation; best known values come from the files or the folder's `optima.csv`.
        batch_size: Most instances in a batch.
        validation: Fixed test sets, beside `validate`; see `PolicyData`.
        validation_count: See `PolicyData`.
        validation_batch: See `PolicyData`.
        seed: Seed of the order.
        workers: See `PolicyData`.
        labels: How the training instances are solved, once at the beginning, for methods that imitate.

    Raises:
        InputError: If a file cannot be read, or there is no instance, or they are of several problems.
    """

    def __init__(
        self,
        train: list[str],
        validate: list[str] | None = None,
        batch_size: int = 64,
        validation: str | list[str] | None = None,
        validation_count: int = 200,
        validation_batch: int = 100,
        seed: int = 0,
        workers: int = 0,
        labels: Labels | None = None,
    ) -> None:
        super().__init__(validation, validation_count, validation_batch, workers)
        if batch_size < 1 or seed < 0:
            raise InputError(f"batch_size {batch_size}, seed {seed}: expected at least 1 and at least 0")
        self.batch_size, self.seed = batch_size, seed
        self._train, self._validate = read_all(train), read_all(validate) if validate else []
        require_one_problem([*self._train, *self._validate])
        self._solutions = [None if labels is None else labels.of([each])[0].numpy() for each in self._train]

    def setup(self, stage: str) -> None:
        """Brings the training instances into the form that the task of the policy expects."""
        pairs = zip(self._train, self._solutions, strict=True)
        batches = [prepared(instance, self._task, solution) for instance, solution in pairs]
        self.training = Stored(grouped(batches), self.batch_size, self.seed)

    @property
    def _task(self) -> Task | None:
        module: Any = None if self.trainer is None else self.trainer.lightning_module
        return None if module is None else module.policy.task

    def validation_groups(self) -> list[list[Batch]]:
        """See `PolicyData`."""
        own = [grouped([prepared(instance, self._task) for instance in self._validate])] if self._validate else []
        return own + fixed_sets(self.validation, self.validation_count)

    def validation_names(self) -> list[str]:
        """See `PolicyData`."""
        return (["files"] if self._validate else []) + self.validation


def read_all(paths: Sequence[str]) -> list[Instance]:
    """The instances of files and folders, in this order.

    Raises:
        InputError: If one cannot be read.
    """
    return [instance for path in paths for instance in (read_folder(path) if Path(path).is_dir() else read(path))]


def require_one_problem(instances: Sequence[Instance]) -> None:
    """Checks that there are instances, all of one problem.

    Raises:
        InputError: If not.
    """
    problems = sorted({instance.problem for instance in instances})
    if len(problems) != 1:
        raise InputError(f"expected files with instances of one problem, found {', '.join(problems) or 'none'}")


class SolvedData(PolicyData):
    """Instances drawn and solved once, kept in a file, shuffled anew in each epoch; for methods that imitate.

    Args:
        problem: Name of the problem.
        source: What to draw.
        path: The file (.npz) that holds instances and solutions; made if it does not exist.
        count: Instances.
        labels: How they are solved.
        batch_size: Most instances in a batch.
        validation: See `PolicyData`.
        validation_count: See `PolicyData`.
        validation_batch: See `PolicyData`.
        seed: Seed of the instances and of their order.
        workers: See `PolicyData`.

    Raises:
        InputError: If the file holds something else than this specification, or cannot be read.
    """

    def __init__(
        self,
        problem: str,
        source: Source,
        path: str,
        count: int = 10000,
        labels: Labels | None = None,
        batch_size: int = 64,
        validation: str | list[str] | None = None,
        validation_count: int = 200,
        validation_batch: int = 100,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__(validation, validation_count, validation_batch, workers)
        if count < 1 or batch_size < 1 or seed < 0:
            raise InputError(f"count {count}, batch_size {batch_size}, seed {seed}: expected at least 1, 1 and 0")
        self.problem, self.source, self.path, self.count = problem, source, Path(path), count
        self.labels, self.batch_size, self.seed = labels or Labels(), batch_size, seed

    def prepare_data(self) -> None:
        """Makes the file if there is none; called in one process alone."""
        if self.path.exists():
            return
        batch = draw(self.problem, self.source, np.random.default_rng((self.seed, 0)), self.count)
        batch["solution"] = self.labels.of(unstack(self.problem, batch))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(f".{os.getpid()}.npz")
        arrays: dict[str, Any] = {key: value.numpy() for key, value in batch.items()}
        np.savez(partial, specification=np.array(self._specification()), **arrays)
        partial.rename(self.path)

    def setup(self, stage: str) -> None:
        """Reads the file.

        Raises:
            InputError: See the class.
        """
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"expected solved instances (.npz): {error}", path=self.path) from error
        found = str(arrays.pop("specification", ""))
        if found != self._specification():
            raise InputError(
                f"holds {found or 'something else'}: expected {self._specification()}", path=self.path
            )
        self.training = Stored([{k: torch.from_numpy(v) for k, v in arrays.items()}], self.batch_size, self.seed)

    def _specification(self) -> str:
        """What the file depends on but for the solvers."""
        given = {"problem": self.problem, "source": asdict(self.source), "count": self.count, "seed": self.seed}
        return json.dumps(given | {"method": self.labels.method, "seconds": self.labels.seconds}, sort_keys=True)
