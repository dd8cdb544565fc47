"""Pools of good solutions of the instances of a distribution, from which networks learn to predict solutions.

After Nair et al. 2020 and Han et al. 2023 (Predict-and-Search). Destroy and repair begins, and SCIP goes on from
what it found, with its heuristics at their most eager. Then it looks for others that are nearly as good: a
row keeps the objective close to the best, and the objective is disturbed, differently in each run. The pool is the
best of all that it comes across.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
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
from milp.distributions import distribution
from milp.interrupt import optimize
from milp.model import build_model
from milp.reporting import settle
from milp.shards import run_missing, shard_path
from milp.solver import add_start, values_of
from policies.prediction.format import Pool


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
    return solve(MIP().from_program(program), "destroy-and-repair", options=options).solution


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


def collect_pool(name: str, split: str, settings: PoolSettings, folder: Path, index: int) -> Pooled:
    """Makes the pool of one instance, in `<folder>/<split>/<index>.npz`; `<index>.none` if it stays empty."""
    begin = time.perf_counter()
    pool = make_pool(distribution(name).program(split, index), settings)
    path = shard_path(folder, split, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    if pool is None:
        path.with_suffix(".none").touch()
        return Pooled(index, 0, None, time.perf_counter() - begin)
    pool.save(path)
    return Pooled(index, len(pool), float(pool.objectives[0]), time.perf_counter() - begin)


def collect_pools(
    name: str, split: str, instances: Sequence[int], settings: PoolSettings, folder: Path, jobs: int = 1
) -> Iterator[Pooled]:
    """Makes the pools of the instances that have none yet, in any order; see `milp.shards.run_missing`."""
    task = functools.partial(collect_pool, name, split, settings, folder)
    yield from run_missing(task, folder, split, instances, jobs)
