"""The market split problem."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Binary
from co_gym.errors import InputError
from co_gym.exact import Number, matvec
from co_gym.formulation import Formulation, MixedIntegerProgram, round_binary
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem, Sense


def _coefficients(rng: np.random.Generator, size: int, num_constraints: int, max_entry: int) -> NDArray:
    rows = num_constraints or size // 10 + 1
    if rows < 1 or max_entry < 1:
        raise InputError(f"num_constraints {rows}, max_entry {max_entry}: expected at least 1")
    return rng.integers(0, max_entry + 1, size=(rows, size))


def cornuejols_dawande(
    rng: np.random.Generator, size: int, num_constraints: int = 0, max_entry: int = 99
) -> dict[str, NDArray]:
    """Entries uniform in 0..max_entry, targets half the row sums (Cornuéjols and Dawande 1998).

    Args:
        num_constraints: Number of rows; n / 10 + 1, the hard regime of the paper, by default.
        max_entry: Largest coefficient.
    """
    A = _coefficients(rng, size, num_constraints, max_entry)
    return {"coefficients": A, "targets": A.sum(axis=1) // 2}


def planted(
    rng: np.random.Generator, size: int, num_constraints: int = 0, max_entry: int = 99
) -> dict[str, NDArray]:
    """As above, with targets met exactly by a hidden random half of the columns."""
    A = _coefficients(rng, size, num_constraints, max_entry)
    chosen = rng.permutation(size) < size // 2
    return {"coefficients": A, "targets": A[:, chosen].sum(axis=1)}


class MarketSplit(Problem):
    """Choose columns whose sums meet every target, or miss them by the least total amount.

    Instance: `coefficients` [m, n] integer, `targets` [m] integer.
    Solution: int64 [n], 1 for each chosen column; every 0/1 vector is feasible.
    Objective: total slack, the sum of |coefficients x - targets|, minimized; 0 is a market split.
    """

    name = "market-split"
    sense: ClassVar[Sense] = "minimize"
    keys = (
        Key("coefficients", ("m", "n"), "demand of each retailer for each product", kind="integer"),
        Key("targets", ("m",), "demand to be served by one division", kind="integer"),
    )
    distributions = {"cornuejols-dawande": cornuejols_dawande, "planted": planted}

    def size(self, instance: Instance) -> int:
        """Number of columns."""
        return int(instance["coefficients"].shape[1])

    def domain(self, instance: Instance) -> Binary:
        """Subsets of the columns."""
        return Binary(self.size(instance), noun="column")

    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Total slack."""
        sums = matvec(instance["coefficients"], solution)
        return sum(abs(s - t) for s, t in zip(sums, instance["targets"].tolist(), strict=True))

    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """None: slack is counted, not forbidden."""
        return []

    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """Equality rows with a surplus and a shortfall variable each, whose sum is minimized."""
        self.form(form)
        A, b = instance["coefficients"].astype(np.float64), instance["targets"].astype(np.float64)
        m, n = A.shape
        identity = sparse.identity(m)
        program = MixedIntegerProgram(
            sense="minimize",
            c=np.concatenate([np.zeros(n), np.ones(2 * m)]),
            A=sparse.hstack([sparse.csr_matrix(A), -identity, identity], format="csr"),
            row_lower=b,
            row_upper=b,
            lower=np.zeros(n + 2 * m),
            upper=np.concatenate([np.ones(n), np.full(2 * m, np.inf)]),
            integer=np.ones(n + 2 * m, dtype=bool),
            name="market-split",
        )

        def encode(solution: NDArray) -> NDArray:
            miss = A @ solution - b
            return np.concatenate([solution, np.maximum(miss, 0), np.maximum(-miss, 0)]).astype(np.float64)

        return Formulation(program, encode, lambda values: round_binary(values[:n]))
