"""Pools of good solutions of the instances of a distribution, from which networks learn to predict solutions.

After Nair et al. 2020 and Han et al. 2023 (Predict-and-Search). Destroy and repair begins, and SCIP goes on from
what it found, with its heuristics at their most eager. Then it looks for others that are nearly as good: a
row keeps the objective close to the best, and the objective is disturbed, differently in each run. The pool is the
best of all that it comes across.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.runner import solve
from co_gym.solvers.base import Options
from milp.distributions import Distribution, distribution
from milp.equivalence import groups
from milp.interrupt import optimize
from milp.model import build_model
from milp.reporting import settle
from milp.shards import run_missing, shard_path
from milp.solver import add_start, values_of
from policies.prediction.format import Pool, write_manifest

GENERATED = 64
"""Training instances of a generated distribution, unless told otherwise."""

Place = tuple[str, int]
"""A split, and the number of an instance in it."""


@dataclass(frozen=True)
class PoolSettings:
    """How pools are made.

    Attributes:
        solutions: Most solutions of a pool.
        cutoff: Objectives may be this much worse than the best, relative to it.
        first_seconds: Time limit of destroy and repair.
        seconds: Time limit of each run of SCIP.
        runs: Runs of SCIP with a disturbed objective, after the one with its own.
        noise: Standard deviation of the logarithm of the factors that disturb the coefficients.
        seed: Of all runs.

    Raises:
        InputError: If a number is out of range.
    """

    solutions: int = 50
    cutoff: float = 0.05
    first_seconds: float = 20.0
    seconds: float = 20.0
    runs: int = 2
    noise: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("solutions", 1), ("runs", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}: expected at least {least}")
        for name in ("cutoff", "noise", "first_seconds", "seconds"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}: expected a positive number")


@dataclass(frozen=True)
class Pooled:
    """What became of an instance: its number, how many solutions, the best objective, and seconds."""

    index: int
    solutions: int
    best: float | None
    seconds: float


def make_pool(program: MixedIntegerProgram, settings: PoolSettings) -> Pool | None:
    """The pool of one program; None if no solution was found.

    Raises:
        InputError: If the program has no binary variables.
    """
    begin = time.perf_counter()
    binary = np.flatnonzero(program.binary)
    if binary.size == 0:
        raise InputError(f"{program.name}: there are no binary variables: nothing to predict")
    start = _first_solution(program, settings)
    found = _solutions(program, settings, start)
    found = [values for values in [*found, start] if values is not None and program.is_feasible(values)]
    if not found:
        return None
    sign = 1.0 if program.sense == "minimize" else -1.0
    best = min(found, key=lambda values: sign * program.evaluate(values))
    for run in range(settings.runs):
        other = disturbed(program, program.evaluate(best), settings, run)
        found += [values for values in _solutions(other, settings, best) if program.is_feasible(values)]
    objectives = np.array([program.evaluate(values) for values in found])
    kept = chosen(objectives, np.array(found)[:, binary] > 0.5, program.sense == "minimize", settings)
    return Pool(
        columns=binary.astype(np.int32),
        objectives=objectives[kept],
        values=np.array(found)[kept][:, binary] > 0.5,
        minimize=program.sense == "minimize",
        variables=program.num_variables,
        seconds=time.perf_counter() - begin,
    )


def chosen(objectives: NDArray, values: NDArray, minimize: bool, settings: PoolSettings) -> NDArray:
    """Positions of the solutions to keep, best first: within the cutoff, and different in a binary variable.

    Args:
        objectives: [s] float64.
        values: [s, b] bool, of the binary variables.
        minimize: Which objectives are better.
        settings: Cutoff and size.
    """
    order = np.argsort(objectives if minimize else -objectives, kind="stable")
    best = objectives[order[0]]
    order = order[np.abs(objectives[order] - best) <= settings.cutoff * max(abs(best), 1e-9)]
    _, first = np.unique(np.packbits(values[order], axis=1), axis=0, return_index=True)
    kept: NDArray = order[np.sort(first)][: settings.solutions]
    return kept


def _first_solution(program: MixedIntegerProgram, settings: PoolSettings) -> NDArray | None:
    from co_gym.problems.mip import MIP

    options = Options(time_limit=settings.first_seconds, seed=settings.seed)
    found = solve(MIP().from_program(program), "destroy-and-repair", options=options)
    if found.interrupted:
        raise KeyboardInterrupt
    return found.solution


def disturbed(program: MixedIntegerProgram, best: float, settings: PoolSettings, run: int) -> MixedIntegerProgram:
    """The program with a disturbed objective, and a row that keeps the objective itself close to the best."""
    rng = np.random.default_rng((settings.seed, run))
    slack = settings.cutoff * max(abs(best), 1e-9)
    limit = best - program.offset + (slack if program.sense == "minimize" else -slack)
    minimize = program.sense == "minimize"
    return replace(
        program,
        c=program.c * np.exp(settings.noise * rng.standard_normal(program.num_variables)),
        A=sparse.csr_matrix(sparse.vstack([program.A, program.c])),
        row_lower=np.append(program.row_lower, -np.inf if minimize else limit),
        row_upper=np.append(program.row_upper, limit if minimize else np.inf),
        row_names=None,
    )


def _solutions(program: MixedIntegerProgram, settings: PoolSettings, start: NDArray | None) -> list[NDArray]:
    """What one run of SCIP comes across; its storage keeps the best."""
    from pyscipopt import SCIP_PARAMSETTING

    model, variables = build_model(program)
    model.setParam("limits/time", settings.seconds)
    model.setParam("limits/maxsol", 2 * settings.solutions)
    model.setParam("randomization/randomseedshift", settings.seed)
    model.setHeuristics(SCIP_PARAMSETTING.AGGRESSIVE)
    if start is not None:
        add_start(model, variables, start)
    if optimize(model):
        raise KeyboardInterrupt
    found: list[Any] = model.getSols()
    return [settle(program, values_of(model, variables, solution)) for solution in found]


def located(name: str) -> Distribution:
    """The distribution of a name; a folder of files under its absolute path, which holds wherever it is read.

    Raises:
        InputError: If there is none, or the folder holds no files.
    """
    found = distribution(name)
    return distribution(str(Path(name).resolve())) if found.family == "files" else found


def require_instances(found: Distribution, splits: Sequence[str], instances: int | None = None) -> None:
    """Checks what is asked for, before any work: splits that hold an instance, and at least one of them.

    Raises:
        InputError: If there is no such split, or it is empty, or no split or instance is asked for.
    """
    if not splits or (instances is not None and instances < 1):
        raise InputError(f"{len(splits)} splits, instances {instances}: expected at least 1 each")
    for split in splits:
        if not found.count(split):
            raise InputError(
                f"none of the files is in the split {split} ({found.summary}): "
                "put them into its subfolders train/ and validation/",
                path=found.name,
            )


def compared(found: Distribution, splits: Sequence[str]) -> list[Place]:
    """The instances among which to look for repeated ones: of training, of validation, then of other splits.

    Training comes first whatever the splits that are asked for, so that nothing else repeats what is trained on.
    """
    order = dict.fromkeys(("train", "validation", *splits))
    return [(split, number) for split in order for number in range(found.count(split))]


def repeated(
    found: Distribution, places: Sequence[Place], shown: Callable[[Sequence[Place]], Iterable[Place]] = iter
) -> dict[Place, Place]:
    """The instances that repeat an earlier one up to names and order, each with the first of its kind.

    See `milp.equivalence.groups`.

    Args:
        found: The distribution.
        places: What to compare.
        shown: Goes through it, and may show how far it is.
    """
    alike = groups(found.program(*place) for place in shown(places))
    return {places[other]: places[members[0]] for members in alike for other in members[1:]}


def numbers_of(
    found: Distribution, split: str, instances: int | None = None, without: Collection[Place] = ()
) -> list[int]:
    """The instances of a split to make pools of, from the first on and at most what the split holds.

    Args:
        found: The distribution.
        split: Its split.
        instances: How many for training, a quarter as many (at least one) otherwise; None: all files of a folder,
            `GENERATED` of a generated distribution.
        without: What to leave out.

    Raises:
        InputError: If nothing is left.
    """
    if instances is None:
        instances = found.count("train") if found.family == "files" else GENERATED
    kept = [number for number in range(found.count(split)) if (split, number) not in without]
    if not kept:
        raise InputError(
            f"all files of the split {split} repeat others: expected one that does not", path=found.name
        )
    return kept[: instances if split == "train" else max(1, instances // 4)]


def collect_pool(name: str, split: str, settings: PoolSettings, folder: Path, index: int) -> Pooled:
    """Makes the pool of one instance, in `<folder>/<split>/<index>.npz`.

    If there is none, whatever the reason, `<index>.none` says why, so that other instances go on.
    """
    begin = time.perf_counter()
    path = shard_path(folder, split, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    pool = _pool_or_reason(name, split, settings, index)
    if isinstance(pool, str):
        path.with_suffix(".none").write_text(pool + "\n")
        return Pooled(index, 0, None, time.perf_counter() - begin)
    pool.save(path)
    return Pooled(index, len(pool), float(pool.objectives[0]), time.perf_counter() - begin)


def _pool_or_reason(name: str, split: str, settings: PoolSettings, index: int) -> Pool | str:
    """The pool, or why there is none."""
    try:
        program = distribution(name).program(split, index)
        return make_pool(program, settings) or f"{program.name}: no solution was found"
    except InputError as error:
        return str(error)
    except Exception as error:  # solvers raise all kinds
        return f"{split} {index}: {type(error).__name__}: {error}"


def collect_pools(
    name: str, split: str, instances: Sequence[int], settings: PoolSettings, folder: Path, jobs: int = 1
) -> Iterator[Pooled]:
    """Makes the pools of the instances that have none yet, in any order; see `milp.shards.run_missing`.

    Raises:
        InputError: If there is no such distribution, or the folder holds pools of another one.
    """
    found = located(name)
    write_manifest(folder, found.name)
    task = functools.partial(collect_pool, found.name, split, settings, folder)
    yield from run_missing(task, folder, split, instances, jobs)


def failures(folder: Path, split: str) -> list[str]:
    """Why there is no pool of some instances, as `collect_pool` wrote it."""
    empty = sorted((folder / split).glob("*.none"))
    return [path.read_text().strip() or f"{split} {path.stem}: no solution was found" for path in empty]


def require_pools(folder: Path, split: str) -> None:
    """Checks that there is a pool.

    Raises:
        InputError: If there is none; says why.
    """
    if not any((folder / split).glob("*.npz")):
        reason = next(iter(failures(folder, split)), "nothing was collected")
        raise InputError(f"expected a pool of at least one instance: {reason}", path=folder / split)
