"""Training on instances that are drawn on the fly."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from co_gym import registry
from co_gym.envs.batch import unstack
from co_gym.errors import InputError
from policies.learning.batches import Batch, Batches, Key, Stored
from policies.learning.labels import Labels
from policies.learning.loading import LoadedData
from policies.learning.validation import fixed_sets, stacked


@dataclass(frozen=True)
class Source:
    """A share of the training instances.

    Args:
        size: Cities, items or nodes.
        distribution: Name of a distribution of the problem; None: its first.
        options: Parameters of the distribution.
        weight: Share of the batches, relative to the other sources'.
        from_epoch: First epoch in which it is used, for a curriculum.
        to_epoch: First epoch in which it is not used any more; None: never.
    """

    size: int
    distribution: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    from_epoch: int = 0
    to_epoch: int | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or not (self.weight > 0 and np.isfinite(self.weight)):
            raise InputError(
                f"source with size {self.size}, weight {self.weight}: expected size >= 1 and weight > 0"
            )

    def active(self, epoch: int) -> bool:
        """Whether it is used in an epoch."""
        return self.from_epoch <= epoch and (self.to_epoch is None or epoch < self.to_epoch)


class GeneratedBatches(Batches):
    """Batches drawn on the fly; a batch depends on the seed and its key alone.

    Args:
        problem: Name of the problem.
        sources: What to draw from; a batch comes from one of them.
        batch_size: Instances in a batch.
        length: Batches in an epoch.
        seed: Seed, 0 or above.
        labels: How solutions for the instances are found; None: there are none.

    Raises:
        InputError: If the problem, a distribution or an option is unknown, or a number is out of range.
    """

    def __init__(
        self,
        problem: str,
        sources: Sequence[Source],
        batch_size: int,
        length: int,
        seed: int,
        labels: Labels | None = None,
    ) -> None:
        if not sources or batch_size < 1 or length < 1 or seed < 0:
            raise InputError(
                f"{len(sources)} sources, batch_size {batch_size}, batches {length}, seed {seed}: "
                "expected at least 1 of each, and a seed of at least 0"
            )
        self.problem, self.sources = registry.problem(problem), list(sources)
        self.batch_size, self.length, self.seed, self.labels = batch_size, length, seed, labels
        for source in self.sources:
            self.problem.distribution(source.distribution, source.options)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Key) -> Batch:
        """See `Batches`.

        Raises:
            InputError: If no source is active in the epoch.
        """
        epoch, index = key
        rng = np.random.default_rng((self.seed, epoch, index))
        active = [source for source in self.sources if source.active(epoch)]
        if not active:
            raise InputError(f"no source of instances is active in epoch {epoch}")
        weights = np.array([source.weight for source in active])
        source = active[rng.choice(len(active), p=weights / weights.sum())]
        batch = draw(self.problem.name, source, rng, self.batch_size)
        if self.labels is not None:
            batch["solution"] = self.labels.of(unstack(self.problem.name, batch))
        return batch


def draw(problem: str, source: Source, rng: np.random.Generator, count: int) -> Batch:
    """Random instances of one size, floats as float32 where the distribution draws them all at once."""
    definition = registry.problem(problem)
    _, one = definition.distribution(source.distribution, source.options)
    one = partial(one, **source.options)
    if "count" in inspect.signature(one).parameters:
        return {key: _tensor(value) for key, value in one(rng, source.size, count=count).items()}
    return stacked([definition.instance(one(rng, source.size)) for _ in range(count)])


def _tensor(array: Any) -> Tensor:
    found = torch.from_numpy(np.ascontiguousarray(array))
    return found.float() if found.is_floating_point() else found


class PolicyData(LoadedData):
    """Base of the data modules of constructive policies: validation on fixed test sets.

    Args:
        validation: Name of a fixed test set, see `policies.testsets`, or several; the first is the one that counts
            for the best checkpoint. None: no validation.
        validation_count: How many instances of each, from its beginning.
        validation_batch: Instances in a batch of validation.
        workers: See `LoadedData`.
    """

    def __init__(
        self,
        validation: str | list[str] | None = None,
        validation_count: int = 200,
        validation_batch: int = 100,
        workers: int = 0,
    ) -> None:
        super().__init__(workers)
        if validation_count < 1 or validation_batch < 1:
            raise InputError(
                f"validation_count {validation_count}, validation_batch {validation_batch}: expected at least 1"
            )
        self.validation = [validation] if isinstance(validation, str) else list(validation or [])
        self.validation_count, self.validation_batch = validation_count, validation_batch

    def validation_sets(self) -> list[Batches]:
        """See `LoadedData`; batches hold the best objectives known under "reference"."""
        return [Stored(groups, self.validation_batch) for groups in self.validation_groups()]

    def validation_groups(self) -> list[list[Batch]]:
        """The instances of each test set, grouped by size."""
        return fixed_sets(self.validation, self.validation_count)

    def validation_names(self) -> list[str]:
        """See `LoadedData`."""
        return self.validation


class GeneratedData(PolicyData):
    """Training instances drawn on the fly; validation on fixed test sets with known optima.

    Args:
        problem: Name of the problem.
        sources: Sizes and distributions, with weights and epochs (a curriculum).
        batch_size: Instances in a batch.
        batches: Batches of each process in an epoch.
        validation: See `PolicyData`.
        validation_count: See `PolicyData`.
        validation_batch: See `PolicyData`.
        seed: Seed of the training instances.
        workers: See `PolicyData`.
        labels: How the instances are solved, for methods that imitate; None: not at all. What is found within a
            time limit may differ from run to run; use `SolvedData` where it must not.
    """

    def __init__(
        self,
        problem: str,
        sources: list[Source],
        batch_size: int = 64,
        batches: int = 100,
        validation: str | list[str] | None = None,
        validation_count: int = 200,
        validation_batch: int = 100,
        seed: int = 0,
        workers: int = 0,
        labels: Labels | None = None,
    ) -> None:
        super().__init__(validation, validation_count, validation_batch, workers)
        self.problem = problem
        self.training = GeneratedBatches(problem, sources, batch_size, batches, seed, labels)
