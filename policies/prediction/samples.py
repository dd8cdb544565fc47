"""Pools of good solutions in memory, each with its program's graph, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from co_gym import registry
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.splits import Distribution
from policies.branching.batch import Batch, joined, tensors
from policies.prediction.features import graph_of
from policies.prediction.format import MANIFEST, Pool, pools, read_manifest


@dataclass(frozen=True)
class Sample:
    """One instance.

    Attributes:
        graph: Of the program: `variables` [n, 6], `rows` [m, 4], `indptr` int32 [m + 1], `indices` int32 [E] and
            `values` [E].
        columns: int64 [b]; the binary variables.
        pool: bool [s, b]; their values, the best solution first.
        behind: float64 [s]; what the solutions lack to the best, relative to it.
        seconds: What the pool took to make; 0 if unknown.
    """

    graph: Batch
    columns: Tensor
    pool: Tensor
    behind: Tensor
    seconds: float = 0.0


def sample_of(program: MixedIntegerProgram, pool: Pool) -> Sample:
    """A program with its pool.

    Raises:
        InputError: If the pool is not of this program.
    """
    if pool.variables != program.num_variables or pool.minimize != (program.sense == "minimize"):
        sense = "minimize" if pool.minimize else "maximize"
        raise InputError(
            f"the pool is of a program to {sense} with {pool.variables} variables: expected to {program.sense} "
            f"with {program.num_variables}, as the instance"
        )
    if not program.binary[pool.columns].all():
        raise InputError("array 'columns': expected binary variables of the instance alone")
    return Sample(
        graph=tensors(graph_of(program)),
        columns=torch.from_numpy(pool.columns).long(),
        pool=torch.from_numpy(pool.values),
        behind=torch.from_numpy(pool.behind),
        seconds=pool.seconds,
    )


def samples_in(folder: str | Path, program: Callable[[int], MixedIntegerProgram]) -> list[Sample]:
    """The pools of a folder, in the order of the numbers.

    Args:
        folder: Holds files `00000.npz`, ... named by the number of their instance.
        program: The program of a number.

    Raises:
        InputError: If a file cannot be read or is not of its program, or there is none; names file or folder.
    """
    return [_read(path, program) for path in pools(folder)]


def read_pools(folder: str | Path, split: str, package: str = "milp") -> list[Sample]:
    """The pools of a split of a folder, with the programs of its distribution.

    Args:
        folder: Holds subfolders with the names of the splits.
        split: Of the distribution.
        package: Package that offers the distribution.

    Raises:
        InputError: If pools are missing or malformed, or there is no such distribution.
    """
    folder = Path(folder).expanduser()
    distribution = _distribution(folder, package)
    problem = registry.problem(distribution.problem)

    def program(number: int) -> MixedIntegerProgram:
        return problem.formulate(distribution.instance(split, number)).program

    return samples_in(folder / split, program)


def _distribution(folder: Path, package: str) -> Distribution:
    name = read_manifest(folder)
    try:
        return registry.distribution(package, name)
    except InputError as error:
        raise InputError(f"field 'distribution': {error}", path=folder / MANIFEST) from error


def _read(path: Path, program: Callable[[int], MixedIntegerProgram]) -> Sample:
    if not path.stem.isdecimal():
        raise InputError("expected the number of an instance as the file's name", path=path)
    pool = Pool.load(path)
    try:
        return sample_of(program(int(path.stem)), pool)
    except InputError as error:
        raise InputError(str(error), path=path) from error


def batch_of(samples: Sequence[Sample]) -> Batch:
    """Instances as one: their joint graph as in `policies.branching.batch.joined`, and their pools.

    Of the pools: `counts` int64 [B]: binary variables of each instance; `columns` int64 [C]: these in the joint
    graph; `solutions` int64 [B]: solutions of each pool; `behind` float64 [S]; `pool` bool: all pools, flat.
    """
    graph, first = joined([sample.graph for sample in samples])
    pairs = zip(samples, first.tolist(), strict=False)
    return {
        "counts": torch.tensor([len(sample.columns) for sample in samples]),
        "columns": torch.cat([sample.columns + begin for sample, begin in pairs]),
        "solutions": torch.tensor([len(sample.pool) for sample in samples]),
        "behind": torch.cat([sample.behind for sample in samples]),
        "pool": torch.cat([sample.pool.flatten() for sample in samples]),
        **graph,
    }


def instances_of(batch: Batch, logits: Tensor, temperature: float) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Of each instance of a batch: logits [b] of its binary variables, values [s, b] and weights [s] of its pool.

    Args:
        batch: The batch.
        logits: [n]; of the columns of its graph.
        temperature: See `Pool.weights`.
    """
    counts, solutions = batch["counts"].tolist(), batch["solutions"].tolist()
    sizes = [s * b for s, b in zip(solutions, counts, strict=True)]
    parts = ((logits[batch["columns"]], counts), (batch["pool"], sizes), (batch["behind"], solutions))
    for own, pool, lacking in zip(*(torch.split_with_sizes(x, size) for x, size in parts), strict=True):
        yield own, pool.view(-1, len(own)), (-lacking / temperature).softmax(0)
