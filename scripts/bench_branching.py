"""Branching rules side by side: `python scripts/bench_branching.py auction-medium --instances 10 --core 0`.

For each test instance, with a seed of its own, all rules run one after the other on one core; the clock is the
process's CPU time. Each solve is a line of a file (`--output`), and what the file holds already is not run again,
so an interrupted run goes on. `--report` prints the tables of such a file.

Fair nodes are nodes + 2 x (domain changes + cutoffs) by branching rules (Gamrath and Schubert 2018): strong
branching does work that the node count does not show. Means are geometric, shifted by 1 s and 10 nodes; a solve
that reaches the time limit counts with the limit.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from rich.console import Console
from rich.table import Table

from co_gym.cli import Parser
from co_gym.errors import CoGymError

SCIP_RULES = {"full strong": "vanillafullstrong", "most infeasible": "mostinf"}
RULES = ["relpscost", "pscost", "default", "learned", "full strong", "random", "most infeasible"]
TIME_SHIFT, NODE_SHIFT = 1.0, 10.0


def main(
    distributions: list[str],
    instances: int = 10,
    first: int = 0,
    rules: list[str] = RULES,
    weights: str = "auto",
    time_limit: float = 120.0,
    output: str = "runs/bench_branching.jsonl",
    core: int | None = None,
    split: str = "test",
    report: bool = False,
    baselines: list[str] = ["relpscost", "pscost"],  # noqa: B006
) -> None:
    """Compares branching rules.

    Args:
        distributions: Names of distributions, or folders.
        instances: How many of each.
        first: Number of the first one.
        rules: relpscost, pscost, default (SCIP as it comes, with restarts and cuts), learned, full strong, random,
            most infeasible; all but `default` without restarts and with cuts at the root alone.
        weights: Of the learned rule: a name, a path or `auto`; `learned=NAME` among the rules names others.
        time_limit: CPU seconds for each solve.
        output: File of the solves.
        core: Run on this core alone, at real-time priority if that is allowed.
        split: Of the distributions.
        report: Only print the tables of what `output` holds.
        baselines: Rules that the others are compared with.
    """
    if core is not None:
        pin(core)
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not report:
        done = {key(one) for one in read(path)}
        for name in distributions:
            for index in range(first, first + instances):
                for rule in rules:
                    rule = f"learned={weights}" if rule == "learned" else rule
                    if (name, index, rule) not in done:
                        one = solve(name, split, index, rule, time_limit)
                        with path.open("a", encoding="utf-8") as stream:
                            stream.write(json.dumps(one) + "\n")
                        print(*(one[k] for k in ("instance", "rule", "status", "nodes", "seconds")), flush=True)
    for name in distributions:
        print_table(name, [one for one in read(path) if one["distribution"] == name], baselines)


def pin(core: int) -> None:
    """Keeps this process on a core, ahead of all others there."""
    os.sched_setaffinity(0, {core})
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        print("no real-time priority: others may disturb the caches", file=sys.stderr)


def read(path: Path) -> list[dict[str, Any]]:
    """The solves in a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def key(one: dict[str, Any]) -> tuple[str, int, str]:
    """What tells a solve from others."""
    return one["distribution"], one["instance"], one["rule"]


def solve(name: str, split: str, index: int, rule: str, time_limit: float) -> dict[str, Any]:
    """Solves one instance with one rule."""
    from milp import LearnedBranching
    from milp.distributions import distribution
    from milp.model import build_model
    from milp.native import branching_side_effects
    from milp.protocol import set_protocol, set_seed

    model, _ = build_model(distribution(name).program(split, index))
    set_protocol(model, "default" if rule == "default" else "literature")
    set_seed(model, index)
    model.setParam("timing/clocktype", 1)
    model.setParam("limits/time", time_limit)
    learned = None
    if rule.startswith("learned"):
        learned = LearnedBranching(rule.partition("=")[2]).include(model)
    elif rule != "default":
        model.setParam(f"branching/{SCIP_RULES.get(rule, rule)}/priority", 10_000_000)
    model.optimize()
    one = {
        "distribution": name, "instance": index, "rule": rule, "status": model.getStatus(),
        "seconds": round(model.getSolvingTime(), 3), "nodes": model.getNTotalNodes(),
        "fair_nodes": model.getNTotalNodes() + 2 * branching_side_effects(model),
        "objective": model.getObjVal() if model.getNSols() else None, "gap": min(model.getGap(), 1e20),
    }  # fmt: skip
    summary = {} if learned is None else learned.statistics.summary(model.getSolvingTime())
    model.freeTransform()
    return one | summary


def print_table(name: str, solves: list[dict[str, Any]], baselines: list[str]) -> None:
    """Means of each rule, and against the baselines ratios over the instances that both have run, wins and losses.

    Ratios of nodes are over those that both have solved. Where neither has, nobody wins.
    """
    by_rule: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for one in solves:
        by_rule[one["rule"]][one["instance"]] = one
    pairs = [(figure, base) for base in baselines for figure in ("time", "nodes")]
    ratios, titles = [f"{figure} / {base}" for figure, base in pairs], [f"w:l {base} (p)" for base in baselines]
    table = Table("rule", "solves", "optimal", "s", "nodes", "fair nodes", *ratios, *titles, title=name)
    for rule, found in sorted(by_rule.items(), key=lambda item: -len(item[1])):
        cells = [rule, str(len(found)), str(sum(map(is_solved, found.values())))]
        cells += [f"{mean(found.values(), 'seconds', TIME_SHIFT):.2f}"]
        cells += [f"{mean(found.values(), key, NODE_SHIFT):.0f}" for key in ("nodes", "fair_nodes")]
        compared = [against(found, by_rule[base]) if base != rule else ("", "", "") for base in baselines]
        shares, duels = [share for two in compared for share in two[:2]], [two[2] for two in compared]
        table.add_row(*cells, *shares, *duels)
    Console(width=180).print(table)


def against(found: dict[int, dict[str, Any]], base: dict[int, dict[str, Any]]) -> tuple[str, str, str]:
    """Ratios of time and nodes, and wins and losses with the p of a sign test."""
    from scipy.stats import binomtest

    both = [(found[i], base[i]) for i in sorted(found.keys() & base.keys())]
    solved = [pair for pair in both if all(map(is_solved, pair))]  # a tree that was cut off has no size
    decided = [pair for pair in both if any(map(is_solved, pair))]
    wins = sum(a["seconds"] < b["seconds"] for a, b in decided)
    losses = sum(a["seconds"] > b["seconds"] for a, b in decided)
    p = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    return ratio(both, "seconds", TIME_SHIFT), ratio(solved, "nodes", NODE_SHIFT), f"{wins}:{losses} ({p:.3f})"


def is_solved(one: dict[str, Any]) -> bool:
    """Whether a solve ended within the limit."""
    return bool(one["status"] == "optimal")


def ratio(pairs: list[tuple[dict[str, Any], dict[str, Any]]], name: str, shift: float) -> str:
    """Of the means of the first and of the second; empty without pairs."""
    if not pairs:
        return ""
    mine, theirs = zip(*pairs, strict=True)
    return f"{mean(mine, name, shift) / mean(theirs, name, shift):.2f}"


def mean(solves: Any, name: str, shift: float) -> float:
    """Shifted geometric mean."""
    values = np.array([one[name] for one in solves], dtype=float)
    return float(np.exp(np.log(values + shift).mean()) - shift)


if __name__ == "__main__":
    try:
        auto_cli(main, parser_class=Parser)
    except CoGymError as error:
        raise SystemExit(f"bench_branching.py: {error}") from None
