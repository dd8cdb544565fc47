"""`co-gym generate`."""

from __future__ import annotations

from typing import Any


def generate(
    problem: str,
    size: int = 50,
    distribution: str | None = None,
    count: int = 1,
    seed: int = 0,
    output: str = ".",
    format: str | None = None,
    options: dict[str, Any] | None = None,
) -> int:
    """Write random instances to files.

    Args:
        problem: Name of a problem: tsp, knapsack, multiknapsack, mis, qap, market-split.
        size: Cities, items, nodes, facilities or columns.
        distribution: Name of a distribution of the problem; its first one by default.
        count: How many instances.
        seed: Seed; instance i is the same for every count.
        output: Folder for the files; made if it does not exist.
        format: Name of a format that holds the problem; the first registered one by default.
        options: Parameters of the distribution, as JSON: '{"num_clusters": 5}'.
    """
    from pathlib import Path

    from co_gym import registry
    from co_gym.errors import InputError, unknown_name
    from co_gym.io import write

    formats = {name: f for name, f in registry.formats().items() if problem in f.problems}
    made = registry.problem(problem).generate(
        size, count=count, distribution=distribution, seed=seed, **(options or {})
    )
    if not formats:
        raise InputError(f"no registered file format holds {problem}")
    if format is not None and format not in formats:
        raise unknown_name(f"format of {problem}", format, list(formats))
    chosen = format or next(iter(formats))
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", path=folder) from error
    for instance in made:
        path = folder / f"{instance.name}{formats[chosen].suffixes[0]}"
        write(path, [instance], format=chosen)
        print(path)
    return 0
