"""Makes pools of good solutions: `python scripts/collect_pools.py my-models --jobs 2`.

One file for each instance in runs/pools/<distribution>/<split>; what is there already is kept, so the same call
goes on after an interruption. Train with `scripts/train.py fit --config configs/milp/coco.yaml`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from collecting import count_up
from jsonargparse import auto_cli
from rich.console import Console
from rich.progress import track

from co_gym.errors import CoGymError
from milp.distributions import Distribution
from milp.shards import missing
from milp.solution_pools import (
    Place,
    PoolSettings,
    collect_pools,
    compared,
    failures,
    located,
    numbers_of,
    repeated,
    require_instances,
    require_pools,
)
from policies.prediction.format import write_manifest

NAMED = 3
"""Most files that a line names."""


def main(
    distribution: str,
    splits: list[str] = ["train", "validation"],  # noqa: B006
    instances: int | None = None,
    jobs: int = 1,
    output: str | None = None,
    minutes: float | None = None,
    settings: PoolSettings = PoolSettings(),  # noqa: B008
) -> None:
    """Makes pools of good solutions.

    Of a folder's files, those that repeat another up to names and order are left out.

    Args:
        distribution: Name of a distribution, or a folder of MPS or LP files.
        splits: train, validation or test.
        instances: How many training instances; by default all files of a folder, 64 of a generated distribution.
            Of other splits a quarter as many, at least one; always at most what there is.
        jobs: Processes.
        output: Folder; runs/pools/<distribution> by default.
        minutes: Stop after about so long; the splits share it by what is missing.
        settings: How pools are made.
    """
    found = located(distribution)
    title = Path(found.name).name
    folder = Path(output or f"runs/pools/{title}")
    require_instances(found, splits, instances)
    write_manifest(folder, found.name)
    left_out = repeats_in(found, splits) if found.family == "files" else {}
    numbers = {split: numbers_of(found, split, instances, left_out) for split in splits}
    todo = {split: len(missing(folder, split, numbers[split])) for split in splits}
    for split in splits:
        made = (one.solutions for one in collect_pools(found.name, split, numbers[split], settings, folder, jobs))
        share = None if minutes is None else minutes * todo[split] / max(1, sum(todo.values()))
        print(f"{count_up(f'{title} {split}', todo[split], made, 'solutions', share)}, in {folder / split}")
        if reasons := failures(folder, split):
            print(f"{len(reasons)} without a pool (delete a file .none to try it again): {some(reasons)}")
    for split in splits:
        require_pools(folder, split)


def repeats_in(found: Distribution, splits: Sequence[str]) -> dict[Place, Place]:
    """The files that repeat others; prints a few of them."""
    places = compared(found, splits)
    shown = functools.partial(track, description="comparing", transient=True, console=Console(stderr=True))
    repeats = repeated(found, places, shown)
    if repeats:
        first = list(repeats.items())[: NAMED + 1]
        pairs = [f"{file(found, one)} = {file(found, other)}" for one, other in first]
        print(f"{len(repeats)} of {len(places)} files repeat others and are left out: {some(pairs)}")
    return repeats


def file(found: Distribution, place: Place) -> Path:
    """The file of an instance, relative to the folder."""
    return Path(str(found.instance(*place).source)).relative_to(found.name)


def some(items: Sequence[str]) -> str:
    """The first few of some items."""
    return ", ".join([*items[:NAMED], *["..."][: len(items) > NAMED]])


if __name__ == "__main__":
    try:
        auto_cli(main)
    except CoGymError as error:
        raise SystemExit(f"collect_pools.py: {error}") from None
