"""`co-gym distributions`, `co-gym branching`, `co-gym prediction` and `co-gym equivalent`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policies.branching.cards import BranchingCard


def distributions(family: str | None = None) -> int:
    """List the distributions of mixed-integer programs that `co-gym generate milp/NAME` writes.

    Args:
        family: Only those of this family, such as set-cover.
    """
    from rich.console import Console
    from rich.table import Table

    from co_gym.errors import unknown_name
    from milp.distributions.catalogue import FAMILIES, distribution

    if family is not None and family not in FAMILIES:
        raise unknown_name("family", family, list(FAMILIES))
    table = Table(title="Distributions, with the sizes of a first instance")
    table.add_column("name", no_wrap=True)
    table.add_column("variables", justify="right")
    table.add_column("rows", justify="right")
    table.add_column("source")
    for name in FAMILIES if family is None else [family]:
        for level in FAMILIES[name].levels:
            program = distribution(f"{name}-{level}").program("train", 0)
            sizes = f"{program.num_variables:,}", f"{program.num_rows:,}"
            table.add_row(f"{name}-{level}", *sizes, FAMILIES[name].source)
        table.add_section()
    Console().print(table)
    return 0


def branching() -> int:
    """List the weights for `--branching`, what they cost, and how well they agree with strong branching."""
    from rich.console import Console
    from rich.table import Table

    from milp.pretrained_weights import shipped

    table = Table("weights", "network", "trained on", title="Weights that branch")
    for heading in ("samples", "minutes", "best picked", "among 5", "score"):
        table.add_column(heading, justify="right")
    for name, card in shipped().items():
        network = card.network.class_path.rpartition(".")[2]
        trained = "\n".join(f"{known.name} ({known.samples:,})" for known in card.trained)
        minutes = f"{card.budget.collecting_minutes:.0f} + {card.budget.minutes:.0f}"
        table.add_row(name, network, trained, f"{card.budget.samples:,}", minutes, *_agreement(card))
    table.caption = (
        "Samples by distribution. Minutes of collecting them and of training, on one core. Of held-out samples, "
        "means over the distributions: how often the best candidate was picked and was among the first five, and "
        "the strong-branching score of the pick relative to the best."
    )
    Console().print(table)
    return 0


def _agreement(card: BranchingCard) -> list[str]:
    """Means over the held-out sets; empty without any."""
    found = card.results.values()
    keys = ("acc1", "acc5", "ratio")
    return [f"{sum(one[key] for one in found) / len(found):.0f} %" if found else "" for key in keys]


def prediction() -> int:
    """List the weights for `--predict`, what they cost, and how well they predict held-out instances."""
    from rich.console import Console
    from rich.table import Table

    from milp.prediction.weights import shipped

    table = Table("weights", "trained on", "hooks", title="Weights that predict solutions")
    for heading in ("instances", "solutions", "minutes", "AUC", "precision", "calibration"):
        table.add_column(heading, justify="right")
    for name, card in shipped().items():
        budget, trained = card.budget, "\n".join(known.name for known in card.trained)
        figures = [f"{_mean(card.results, key):.1f} %" for key in ("auc", "precision", "calibration")]
        minutes = f"{budget.labelling_minutes:.0f} + {budget.minutes:.0f}"
        counts = f"{budget.instances:,}", f"{budget.solutions:,}", minutes
        table.add_row(name, trained, " + ".join(card.hooks), *counts, *figures)
    table.caption = (
        "Instances with a pool of good solutions, and solutions in all. Minutes of making them, on one core, and "
        "of training. On held-out instances: chance that a one is predicted above a zero; ones of the best "
        "solution among as many variables predicted highest; expected error of calibrated probabilities."
    )
    Console().print(table)
    return 0


def _mean(results: dict[str, dict[str, float]], key: str) -> float:
    return sum(one[key] for one in results.values()) / max(len(results), 1)


def equivalent(files: list[str]) -> int:
    """Tell whether MPS or LP files hold the same model up to the names and order of variables and rows.

    Args:
        files: Two files, for a verdict and its reason; more, or folders, for the groups of equal models among
            them, a group a line. The exit code is 0 if all are the same, 1 if not, 3 if two were not decided.
    """
    from rich.console import Console
    from rich.progress import track

    from co_gym.errors import InputError
    from milp.distributions.folder import program_files, read_program
    from milp.equivalence import equivalence, groups

    paths: list[Path] = []
    for file in map(Path, files):
        paths += program_files([file]) if file.is_dir() else [file]
    if len(paths) < 2:
        raise InputError(f"found {len(paths)} file: expected at least two to compare")
    if len(paths) == 2:
        found = equivalence(read_program(paths[0]), read_program(paths[1]))
        print(f"{found.verdict}: {found.reason}")
        return {"equivalent": 0, "different": 1, "undecided": 3}[found.verdict]
    alike = groups(map(read_program, track(paths, "comparing", transient=True, console=Console(stderr=True))))
    for members in alike:
        print("\t".join(str(paths[index]) for index in members))
    return 0 if len(alike) == 1 else 1
