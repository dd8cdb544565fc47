"""`co-gym policies`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policies.weights.cards import Card


def policies(problem: str | None = None, folder: str | None = None) -> int:
    """List the trained policies, what training them cost, and their measured gaps.

    Args:
        problem: Only those for this problem.
        folder: Where to look; the weights that come with the package by default.
    """
    from rich.console import Console
    from rich.table import Table

    from co_gym import registry
    from policies.weights.cards import cards

    wanted = registry.problem(problem).name if problem else None
    found = [card for card in cards(folder).values() if wanted in (None, card.problem)]
    table = Table("weights", "problem", "trained on", "instances", "minutes", "machine", title="Policies")
    gaps = Table("weights", "test set", "decoding", "gap", title="Mean gaps")
    for column in (*table.columns[3:5], *gaps.columns[3:]):
        column.justify = "right"
    for card in found:
        table.add_row(card.name, card.problem, _trained(card), *_budget(card))
        for test_set, results in card.results.items():
            for decoding, gap in results.items():
                gaps.add_row(card.name, test_set, decoding, f"{gap:.3g} %")
    console = Console()
    console.print(table)
    if gaps.row_count:
        console.print(gaps)
    return 0


def _trained(card: Card) -> str:
    """Sizes (and constraints) by distribution."""
    by_distribution: dict[str, list[str]] = {}
    for kind in card.trained:
        shown = f"{kind.size}x{kind.constraints}" if kind.constraints > 1 else str(kind.size)
        by_distribution.setdefault(kind.distribution, []).append(shown)
    return "; ".join(f"{name} {', '.join(dict.fromkeys(sizes))}" for name, sizes in by_distribution.items())


def _budget(card: Card) -> tuple[str, str, str]:
    budget = card.budget
    threads = f"{budget.threads} thread{'s' if budget.threads != 1 else ''}"
    return f"{budget.instances:,}", f"{budget.minutes:.0f}", f"{budget.machine}, {threads}"
