"""`co-gym generate`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from co_gym.instance import Instance


def generate(
    problem: str,
    size: int = 50,
    distribution: str | None = None,
    count: int = 1,
    seed: int = 0,
    output: str = ".",
    format: str | None = None,
    options: dict[str, Any] | None = None,
    split: str | None = None,
    start: int = 0,
) -> int:
    """Write random instances to files.

    Args:
        problem: Name of a problem: tsp, knapsack, multiknapsack, mis, qap, market-split; or of a distribution with
            fixed splits, such as milp/set-cover-easy.
        size: Cities, items, nodes, facilities or columns.
        distribution: Name of a distribution of the problem; its first one by default.
        count: How many instances.
        seed: Seed; instance i is the same for every count.
        output: Folder for the files; made if it does not exist.
        format: Name of a format that holds the problem; by default mps for programs, else the first registered.
        options: Parameters of the distribution, as JSON: '{"num_clusters": 5}'.
        split: Of a distribution with fixed splits: train, validation or test; test by default.
        start: Of a distribution with fixed splits: number of the first instance.
    """
    from co_gym import registry
    from co_gym.errors import InputError

    package, slash, name = problem.partition("/")
    if not slash:
        if split is not None or start:
            raise InputError("--split and --start go with a distribution such as milp/set-cover-easy")
        made: Iterable[Instance] = registry.problem(problem).generate(
            size, count=count, distribution=distribution, seed=seed, **(options or {})
        )
        return _write(made, problem, output, format)
    if (size, distribution, seed, options) != (50, None, 0, None):
        raise InputError(f"the instances of {problem} are fixed: expected --split, --start and --count only")
    if count < 1:
        raise InputError(f"count is {count}: expected at least 1")
    return _write_split(package, name, split or "test", range(start, start + count), output, format)


def _write_split(package: str, name: str, split: str, numbers: range, output: str, format: str | None) -> int:
    """Instances of a distribution with fixed splits, made one after the other."""
    from co_gym import registry
    from co_gym.errors import InputError

    source = registry.distribution(package, name)
    held = source.count(split)
    if numbers.start < 0 or numbers.stop > held:
        missing = numbers.start if numbers.start < 0 else max(held, numbers.start)
        raise InputError(f"{source.name} has no {split} instance {missing}: the split holds {held}, from 0 on")
    return _write((source.instance(split, i) for i in numbers), source.problem, output, format)


def _write(instances: Iterable[Instance], problem: str, output: str, format: str | None) -> int:
    """Each instance in a file of its own, whose path is printed."""
    from pathlib import Path

    from co_gym import registry
    from co_gym.errors import InputError, unknown_name
    from co_gym.io import write

    formats = {name: f for name, f in registry.formats().items() if problem in f.problems}
    if not formats:
        raise InputError(f"no registered file format holds {problem}")
    if format is not None and format not in formats:
        raise unknown_name(f"format of {problem}", format, list(formats))
    chosen = format or ("mps" if "mps" in formats else next(iter(formats)))
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", path=folder) from error
    for instance in instances:
        path = folder / f"{instance.name}{formats[chosen].suffixes[0]}"
        write(path, [instance], format=chosen)
        print(path)
    return 0
