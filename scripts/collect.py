"""Collects strong-branching samples: `python scripts/collect.py set-cover-easy --instances 200 --jobs 2`.

One file for each instance in runs/milp/<distribution>/<split>; what is there already is kept, so the same call
goes on after an interruption. Train with `scripts/train.py fit --config configs/milp/branching_set_cover.yaml`.
"""

from __future__ import annotations

from pathlib import Path

from collecting import count_up
from jsonargparse import auto_cli

from co_gym.errors import CoGymError
from milp.collection import Settings, collect
from milp.shards import missing


def main(
    distribution: str,
    split: str = "train",
    instances: int = 100,
    first: int = 0,
    jobs: int = 1,
    output: str | None = None,
    minutes: float | None = None,
    settings: Settings = Settings(),  # noqa: B008
) -> None:
    """Collects samples of strong branching.

    Args:
        distribution: Name of a distribution, or a folder of MPS or LP files.
        split: train, validation or test.
        instances: How many instances.
        first: Number of the first one.
        jobs: Processes.
        output: Folder; runs/milp/<distribution> by default.
        minutes: Stop after about so long.
        settings: How samples are collected.
    """
    folder = Path(output or f"runs/milp/{Path(distribution).name}")
    numbers = range(first, first + instances)
    taken = (one.samples for one in collect(distribution, split, numbers, settings, folder, jobs))
    total = len(missing(folder, split, numbers))
    print(f"{count_up(f'{distribution} {split}', total, taken, 'samples', minutes)}, in {folder / split}")


if __name__ == "__main__":
    try:
        auto_cli(main)
    except CoGymError as error:
        raise SystemExit(f"collect.py: {error}") from None
