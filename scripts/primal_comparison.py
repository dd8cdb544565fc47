"""Solves reduced to what is comparable: gaps, integrals, a table and a plot of them; see `bench_primal.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from co_gym.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Solve = dict[str, Any]
"""A line of a file of solves."""
BASELINE = "scip"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Told apart by the colour-blind too (Okabe and Ito 2008)."""
DASHES = ("-", "--", ":", "-.")
NO_GAP = 1e-6
"""What differs by less is equally good."""
SMALLEST_GAP = 1e-4
"""Drawn for smaller ones, as 0 has no place on a logarithmic axis."""


class Comparison:
    """Solves of one distribution, reduced to what is comparable.

    Args:
        solves: All that are known; the best of an instance is the best of all of them.
        methods: Those to compare, None for all.

    Attributes:
        best: Best objective of each instance of which a solution is known.
        run: Solves of each method that is compared, by instance.
        instances: Those of `best` that every method has run.
        baseline: Solves of `BASELINE`, compared or not, by instance.
    """

    def __init__(self, solves: list[Solve], methods: Iterable[str] | None = None) -> None:
        found: dict[int, list[float]] = defaultdict(list)
        everything: dict[str, dict[int, Solve]] = defaultdict(dict)
        for one in solves:
            found[one["instance"]] += [objective for _, objective in one["incumbents"]]
            everything[one["method"]][one["instance"]] = one
        better = min if solves and solves[0]["minimize"] else max
        self.best = {i: better(values) for i, values in found.items() if values}
        self.run = {m: everything[m] for m in (everything if methods is None else methods) if m in everything}
        self.instances = common_instances(self.run.values(), self.best)
        self.baseline: dict[int, Solve] = everything.get(BASELINE, {})

    def gap(self, solves: Mapping[int, Solve], seconds: float, instances: Iterable[int] | None = None) -> float:
        """Mean gap at a time, over all instances that are compared or some."""
        chosen = self.instances if instances is None else instances
        return float(np.mean([gap_at(solves[i], self.best[i], seconds) for i in chosen]))

    def reduction(self, method: str, seconds: float) -> float | None:
        """How much lower the mean gap is than the baseline's, where both have run; None if that one has no gap."""
        shared = [i for i in self.instances if i in self.baseline]
        if method == BASELINE or not shared:
            return None
        reference = self.gap(self.baseline, seconds, shared)
        return 1 - self.gap(self.run[method], seconds, shared) / reference if reference >= NO_GAP else None

    def curve(self, method: str, end: float) -> tuple[list[float], list[float]]:
        """Times and the mean gaps from then on."""
        mine = self.run[method]
        times = {time for i in self.instances for time, _ in mine[i]["incumbents"] if time < end}
        ordered = [0.0, *sorted(times - {0.0}), end]
        return ordered, [self.gap(mine, time) for time in ordered]

    def caption(self) -> str:
        """Which instances are compared, and what else there is."""
        known = {method: sorted(solves.keys() & self.best.keys()) for method, solves in self.run.items()}
        left = {m: [i for i in known[m] if i not in self.instances] for m in known}
        others = "; ".join(f"{method}: {ranges(more)}" for method, more in left.items() if more)
        if self.instances:
            text = f"Means over the instances that every method has run: {ranges(self.instances)}."
        else:
            text = "There is no instance that every method has run."
        return f"{text} Left out: {others}." if others else text


def common_instances(run: Iterable[Iterable[int]], solved: Iterable[int]) -> list[int]:
    """Of the instances that have a solution, those that every method has run."""
    sets = [set(instances) for instances in run]
    return sorted(set(solved).intersection(*sets)) if sets else []


def ranges(numbers: list[int]) -> str:
    """Ascending numbers as text: 0–3, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def primal_gap(objective: float | None, best: float) -> float:
    """Between 0 and 1."""
    if objective is None or objective * best < 0:
        return 1.0
    return abs(objective - best) / max(abs(objective), abs(best), 1e-9)


def gap_at(one: Solve, best: float, seconds: float) -> float:
    """Primal gap of the incumbent at a time."""
    known = [objective for time, objective in one["incumbents"] if time <= seconds]
    return primal_gap(known[-1] if known else None, best)


def primal_integral(one: Solve, best: float, end: float) -> float:
    """In seconds, until `end`."""
    times = [0.0, *(min(time, end) for time, _ in one["incumbents"]), end]
    gaps = [1.0, *(primal_gap(objective, best) for _, objective in one["incumbents"])]
    return float(np.dot(np.diff(times), gaps))


def print_table(name: str, comparison: Comparison, checkpoints: list[float]) -> None:
    """Means of each method over the instances that all have run."""
    end = checkpoints[-1]
    ends = list(dict.fromkeys([checkpoints[0], end]))
    gaps = [f"gap, %\nat {seconds:g} s" for seconds in checkpoints]
    lower = [f"lower than\n{BASELINE}, %\nat {seconds:g} s" for seconds in ends]
    table = Table(title=name)
    table.add_column("method", overflow="fold")
    for column in (*gaps, *lower, "integral,\ns", "first,\ns", "best", "optimal"):
        table.add_column(column, justify="right", no_wrap=True)
    for method, solves in comparison.run.items() if comparison.instances else ():
        mine = [(solves[i], comparison.best[i]) for i in comparison.instances]
        reductions = [comparison.reduction(method, seconds) for seconds in ends]
        table.add_row(
            escape(method),
            *(f"{100 * comparison.gap(solves, seconds):.2f}" for seconds in checkpoints),
            *("–" if value is None else f"{100 * value:.1f}" for value in reductions),
            f"{np.mean([primal_integral(one, best, end) for one, best in mine]):.2f}",
            f"{np.mean([one['incumbents'][0][0] if one['incumbents'] else end for one, _ in mine]):.2f}",
            str(sum(gap_at(one, best, end) < NO_GAP for one, best in mine)),
            str(sum(one["status"] == "optimal" for one, _ in mine)),
        )
    console = Console(width=140)
    console.print(table)
    console.print(comparison.caption(), highlight=False, markup=False)


def check_picture(path: str) -> None:
    """Before hours are spent on it.

    Raises:
        InputError: If the suffix is not that of a picture, or there is no such folder.
    """
    from matplotlib.figure import Figure

    if Path(path).suffix[1:].lower() not in Figure().canvas.get_supported_filetypes():
        raise InputError(f"unknown kind of picture '{Path(path).suffix}': expected .png, .pdf or .svg", path=path)
    if not Path(path).parent.is_dir():
        raise InputError("cannot be written: there is no such folder", path=path)


def save_plot(path: str, comparisons: Mapping[str, Comparison], end: float) -> None:
    """A panel for each distribution, with one legend for all."""
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(method for one in comparisons.values() for method in one.run))
    figure = Figure(figsize=(1.5 + 4.5 * len(comparisons), 4.5), layout="constrained")
    panels = figure.subplots(1, len(comparisons), sharey=True, squeeze=False)[0]
    for axes, (name, comparison) in zip(panels, comparisons.items(), strict=True):
        plot_gaps(comparison, labels, end, axes)
        axes.set_title(f"{name}\ninstances {ranges(comparison.instances) or '–'}", fontsize="medium")
    panels[0].set_ylabel("mean primal gap, %")
    handles = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    shown = [label for label in labels if label in handles]
    if shown:
        columns = int(13 * figure.get_figwidth() / (max(map(len, shown)) + 6))  # an inch holds 13 small letters
        look: dict[str, Any] = {"fontsize": "small", "ncols": min(max(columns, 1), len(shown))}
        figure.legend([handles[method] for method in shown], shown, loc="outside lower center", **look)
    figure.savefig(path, dpi=120)


def plot_gaps(comparison: Comparison, labels: list[str], end: float, axes: Axes) -> Axes:
    """Mean gap of each method over time; its look is given by its place among `labels`."""
    for method in comparison.run if comparison.instances else ():
        times, gaps = comparison.curve(method, end)
        place, shown = labels.index(method), 100 * np.maximum(gaps, SMALLEST_GAP)
        look = {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place // len(COLOURS) % len(DASHES)]}
        axes.step(times, shown, where="post", linewidth=1.8, label=method, **look)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(100 * SMALLEST_GAP * 0.9, 110)
    axes.set_xlim(0, end)
    axes.set_xlabel("seconds")
    axes.grid(alpha=0.3)
    return axes
