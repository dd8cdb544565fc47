"""Work on the instances of a distribution, one file for each, in parallel and resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def shard_path(folder: Path, split: str, index: int) -> Path:
    """The file of an instance; without anything to keep, a file `.none` beside it says that it was tried."""
    return folder / split / f"{index:05d}.npz"


def missing(folder: Path, split: str, instances: Sequence[int]) -> list[int]:
    """The instances that have no file yet."""
    done = {path.stem for path in (folder / split).glob("*") if path.suffix in (".npz", ".none")}
    return [index for index in instances if f"{index:05d}" not in done]


def run_missing(
    task: Callable[[int], T], folder: Path, split: str, instances: Sequence[int], jobs: int = 1
) -> Iterator[T]:
    """Results of a task on the instances that have no file yet, in any order, through joblib.

    Under `joblib.parallel_config(backend="dask")` the same call runs on a Dask cluster.

    Args:
        task: Does an instance, and writes its file; it is pickled.
        folder: Of the files.
        split: Of the distribution.
        instances: Numbers of the instances.
        jobs: Processes.
    """
    import joblib

    tasks = (joblib.delayed(task)(index) for index in missing(folder, split, instances))
    yield from joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
