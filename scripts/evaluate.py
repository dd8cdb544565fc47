"""Gaps and times of a policy's decodings as a Markdown table, with other methods at the same time beside them.

Usage: python scripts/evaluate.py WEIGHTS --on tsp50 [FOLDER ...] [--decodings greedy x8 ...] [--update-card]

WEIGHTS is a name, the path of .safetensors, or a checkpoint of Lightning with its config.yaml. A test set is a
name of `policies.testsets` or a folder of files with known optima. Below each decoding stands the problem's local
search with the time per instance that the decoding took; at the end stand its constructive heuristics.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from co_gym import Instance, registry
from co_gym.errors import CoGymError, InputError
from co_gym.io.folder import read_folder
from co_gym.report.table import markdown
from policies import testsets
from policies.evaluation import DECODINGS, Outcome, compare, evaluate
from policies.policy import ConstructivePolicy
from policies.weights import checkpoint
from policies.weights.cards import Card, find, read_card, write_card
from policies.weights.conversion import from_lightning

COLUMNS = ("test set", "method", "gap", "optimal", "time per instance")
DEFAULT = ("greedy", "multi-start", "x8", "x8+polish")


def read_policy(weights: str) -> tuple[ConstructivePolicy, Card, Path | None]:
    """The policy, its card, and the folder that the card is in, if it is in one."""
    if weights.endswith(".ckpt"):
        return *from_lightning(weights), None
    path = find(weights)
    return checkpoint.load(weights), read_card(path), path.parent


def read_instances(name: str, problem: str, count: int | None) -> tuple[list[Instance], int]:
    """The instances of a test set or a folder, and how many may be solved at once."""
    if Path(name).is_dir():
        found = [i for i in read_folder(name) if i.problem == problem and i.reference is not None]
        if not found:
            raise InputError(f"expected files of {problem} with known optima", path=name)
        return found[:count], 1
    chosen = testsets.load(name)
    if chosen.problem != problem:
        raise InputError(f"test set '{name}' is of {chosen.problem}: the policy is for {problem}")
    return chosen.instances(count if count is None else min(count, chosen.count)), 100


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def rows_of(policy: ConstructivePolicy, name: str, args: argparse.Namespace) -> list[tuple[str, Outcome]]:
    """What all methods reach on a test set; the first entry is empty for methods other than decodings."""
    problem = policy.environment.problem
    instances, batch = read_instances(name, problem, args.count)
    asked = args.decodings or [d for d in DEFAULT if policy.task.symmetric or not d.startswith("x8")]
    few = instances[: args.compare]
    others = registry.solvers_for(problem) if few else []
    search = next((s.name for s in others if s.role == "local-search"), None)
    rows = []
    for decoding in asked:
        with progress(f"{name}: {decoding}", len(instances)) as advance:
            outcome = evaluate(policy, instances, decoding, seed=args.seed, batch=batch, advance=advance)
        rows.append((decoding, outcome))
        if search is not None:
            with progress(f"{name}: {search}", len(few)) as advance:
                rows.append(("", compare(search, few, outcome.seconds, advance=advance)))
    for other in others:
        if other.role == "baseline" and other.name != "policy":
            with progress(f"{name}: {other.name}", len(few)) as advance:
                rows.append(("", compare(other.name, few, 60.0, advance=advance)))
    return rows


def show(name: str, decoding: str, outcome: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    method = f"policy, {decoding}" if decoding else outcome.method
    gap, seconds = f"{outcome.gap:.3f} %", f"{1e3 * outcome.seconds:.3g} ms"
    return name, method, gap, f"{100 * outcome.optimal:.0f} %", seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("--on", nargs="+", required=True, help=f"{', '.join(testsets.sets())}, or folders")
    parser.add_argument("--decodings", nargs="+", help=f"{', '.join(DECODINGS)}; each also with '+polish'")
    parser.add_argument("--count", type=int, help="only the first instances of each set")
    parser.add_argument("--compare", type=int, default=100, help="instances for the other methods; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--update-card", action="store_true", help="write the gaps into the card")
    args = parser.parse_args()
    try:
        policy, card, folder = read_policy(args.weights)
        if args.update_card and (folder is None or args.count is not None):
            raise InputError("--update-card needs weights with a card, and whole test sets")
        results = {key: dict(value) for key, value in card.results.items()}
        rows = []
        for on in args.on:
            name = Path(on).name
            found = rows_of(policy, on, args)
            rows += [show(name, decoding, outcome) for decoding, outcome in found]
            results.setdefault(name, {}).update({d: round(outcome.gap, 4) for d, outcome in found if d})
        print(markdown(COLUMNS, rows))
        if args.update_card and folder is not None:
            print(f"\n{write_card(replace(card, results=results), folder)}")
    except CoGymError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
