"""Compares losses of solution prediction: `python scripts/compare_losses.py milp/coco_set_cover --seeds 1 2 3`.

Each loss is trained with and without the competitive layer, as the configuration says but for these, learning rate
and seed. A training leaves weights and a card in `--output`, which `--predict` and `bench_primal.py` take; what is
there already is not trained again, so an interrupted comparison goes on. The table holds means over the seeds, and
standard deviations, of the figures on the validation pools.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fitting import fit
from jsonargparse import auto_cli

from co_gym.cli import Parser
from co_gym.errors import CoGymError, InputError
from co_gym.report.table import markdown
from policies.learning.prediction import LOSSES
from policies.prediction.cards import PredictionCard
from policies.prediction.weights import from_lightning, save
from policies.weights.cards import cards

FIGURES = ("auc", "precision", "calibration")


@dataclass(frozen=True)
class Variant:
    """What is compared: a loss, with or without competition, at a learning rate."""

    loss: str
    competitive: bool
    rate: float

    def name(self, seed: int) -> str:
        """Of its weights."""
        return f"{self.loss}{'-competitive' if self.competitive else ''}-{self.rate:g}-{seed}"

    def options(self, seed: int) -> Iterator[str]:
        """Of its training."""
        yield f"--seed_everything={seed}"
        yield f"--data.init_args.seed={seed}"
        yield f"--model.init_args.seed={seed}"
        yield f"--model.init_args.loss={self.loss}"
        yield f"--model.init_args.network.init_args.competitive={str(self.competitive).lower()}"
        yield f"--model.init_args.optimizer.init_args.lr={self.rate}"


def main(
    training: str,
    losses: list[str] = ["cross-entropy", "contrastive"],  # noqa: B006
    competitive: list[bool] = [False, True],  # noqa: B006
    rates: list[float] = [0.001],  # noqa: B006
    seeds: list[int] = [1, 2, 3],  # noqa: B006
    output: str | None = None,
    options: list[str] = [],  # noqa: B006
    report: bool = False,
) -> None:
    """Trains each variant with each seed and prints a table of them.

    Args:
        training: Configuration of a training of `SolutionPrediction`, such as milp/coco_set_cover.
        losses: Their names.
        competitive: With the competitive layer, without it, or both.
        rates: Learning rates.
        seeds: Of weights and order.
        output: Folder of weights and cards; runs/losses/<name of the configuration> by default.
        options: More options of each training, such as --trainer.max_epochs=24.
        report: Only print the table of what there is.
    """
    if unknown := [loss for loss in losses if loss not in LOSSES]:
        raise InputError(f"unknown loss '{unknown[0]}': expected one of {', '.join(LOSSES)}")
    folder = Path(output or f"runs/losses/{Path(training).stem}")
    variants = [Variant(*each) for each in itertools.product(losses, competitive, rates)]
    if not report:
        for seed, variant in itertools.product(seeds, variants):
            if not (folder / f"{variant.name(seed)}.json").exists():
                train(training, variant, seed, options, folder)
    print_table(variants, seeds, cards(folder, PredictionCard))


def train(training: str, variant: Variant, seed: int, options: Sequence[str], folder: Path) -> None:
    """Trains one variant; leaves weights and a card.

    Raises:
        SolverError: If the training failed; what it says is on standard error.
    """
    name = variant.name(seed)
    print(f"{name} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as place:
        checkpoint = fit(training, Path(place), [*variant.options(seed), *options], name)
        threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
        save(*from_lightning(checkpoint, name=name, threads=threads), folder)


def print_table(variants: Iterable[Variant], seeds: Sequence[int], known: dict[str, PredictionCard]) -> None:
    """A row for each variant that was trained, in Markdown."""
    rows = []
    for variant in variants:
        found = [known[name] for seed in seeds if (name := variant.name(seed)) in known]
        if found:
            figures = [spread([mean_of(card, figure) for card in found]) for figure in FIGURES]
            minutes = statistics.mean(card.budget.minutes for card in found)
            layer = "yes" if variant.competitive else "no"
            rows.append([variant.loss, layer, f"{variant.rate:g}", str(len(found)), *figures, f"{minutes:.1f}"])
    print(markdown(["loss", "competitive layer", "rate", "seeds", *FIGURES, "minutes"], rows))


def mean_of(card: PredictionCard, figure: str) -> float:
    """A figure's mean over the sets of pools."""
    return statistics.mean(found[figure] for found in card.results.values())


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{deviation}"


if __name__ == "__main__":
    try:
        auto_cli(main, parser_class=Parser)
    except CoGymError as error:
        raise SystemExit(f"compare_losses.py: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("compare_losses.py: interrupted") from None
