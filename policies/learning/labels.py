"""Solutions to imitate, found by the solvers of `co_gym`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from torch import Tensor

from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.runner import solve
from co_gym.solvers.base import Options


@dataclass(frozen=True)
class Labels:
    """How instances are solved.

    Args:
        method: A method of the problem, as `co-gym solvers` lists them: "local-search", "exact", "scip".
        seconds: Time limit for each instance, > 0.
        jobs: Processes, > 0.
    """

    method: str = "auto"
    seconds: float = 0.05
    jobs: int = 1

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.jobs < 1:
            raise InputError(
                f"labels with seconds {self.seconds}, jobs {self.jobs}: expected seconds > 0, jobs >= 1"
            )

    def of(self, instances: Sequence[Instance]) -> Tensor:
        """Solutions int64 [B, n]; those of smaller subset problems are padded with zeros.

        Raises:
            InputError: If the method is unknown or not for this problem.
            SolverError: If it finds no solution of an instance.
        """
        found = Parallel(n_jobs=self.jobs)(delayed(_solution)(self, instance) for instance in instances)
        return torch.from_numpy(padded(found))


def padded(solutions: Sequence[NDArray]) -> NDArray[np.int64]:
    """Solutions [n] of each instance as int64 [B, n], with zeros behind the shorter ones."""
    longest = max(len(solution) for solution in solutions)
    return np.stack([np.pad(solution, (0, longest - len(solution))) for solution in solutions]).astype(np.int64)


def _solution(labels: Labels, instance: Instance) -> NDArray:
    result = solve(instance, labels.method, options=Options(time_limit=labels.seconds))
    if result.solution is None or result.check is None or not result.check.feasible:
        raise SolverError(f"'{labels.method}' found no solution of {instance.name} in {labels.seconds} s")
    return result.solution
