"""Makes pools of good solutions: `python scripts/collect_pools.py item-placement-medium --instances 80 --jobs 2`.

One file for each instance in runs/pools/<distribution>/<split>; what is there already is kept, so the same call
goes on after an interruption.
"""

from __future__ import annotations

from pathlib import Path

from collecting import count_up
from jsonargparse import auto_cli

from co_gym.errors import CoGymError
from milp.shards import missing
from milp.solution_pools import PoolSettings, collect_pools


def main(
    distribution: str,
    split: str = "train",
    instances: int = 80,
    first: int = 0,
    jobs: int = 1,
    output: str | None = None,
    minutes: float | None = None,
    settings: PoolSettings = PoolSettings(),  # noqa: B008
) -> None:
    """Makes pools of good solutions.

    Args:
        distribution: Name of a distribution, or a folder of MPS or LP files.
        split: train, validation or test.
        instances: How many instances.
        first: Number of the first one.
        jobs: Processes.
        output: Folder; runs/pools/<distribution> by default.
        minutes: Stop after about so long.
        settings: How pools are made.
    """
    folder = Path(output or f"runs/pools/{Path(distribution).name}")
    numbers = range(first, first + instances)
    made = (one.solutions for one in collect_pools(distribution, split, numbers, settings, folder, jobs))
    total = len(missing(folder, split, numbers))
    print(f"{count_up(f'{distribution} {split}', total, made, 'solutions', minutes)}, in {folder / split}")


if __name__ == "__main__":
    try:
        auto_cli(main)
    except CoGymError as error:
        raise SystemExit(f"collect_pools.py: {error}") from None
