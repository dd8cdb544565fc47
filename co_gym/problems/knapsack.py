"""The 0-1 knapsack problem and the multidimensional one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Binary
from co_gym.errors import InputError
from co_gym.exact import Number, dot, matvec
from co_gym.formulation import Formulation, binary_program, round_binary
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem, Sense, leading

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _capacity(weights: NDArray, tightness: float) -> NDArray:
    if not 0 < tightness <= 1:
        raise InputError(f"tightness is {tightness}: expected a number in (0, 1]")
    return np.floor(tightness * weights.sum(axis=-1)).astype(np.int64)


def _correlated(
    rng: np.random.Generator, shape: tuple[int, ...], spread: int, shift: int, max_weight: int, tightness: float
) -> dict[str, NDArray]:
    """Profit = weight + shift + uniform noise in [-spread, spread], at least 1 (Pisinger 2005)."""
    weights = rng.integers(1, max_weight + 1, size=shape)
    profits = np.maximum(1, weights + shift + rng.integers(-spread, spread + 1, size=shape))
    return {"profits": profits, "weights": weights, "capacity": _capacity(weights, tightness)}


def uniform(
    rng: np.random.Generator,
    size: int,
    max_weight: int = 1000,
    tightness: float = 0.5,
    *,
    count: int | None = None,
) -> dict[str, NDArray]:
    """Profits and weights independent and uniform in 1..max_weight (Pisinger 2005, uncorrelated).

    Args:
        max_weight: Largest weight and profit.
        tightness: Capacity over the sum of the weights.
    """
    shape = (*leading(count), size)
    weights = rng.integers(1, max_weight + 1, size=shape)
    profits = rng.integers(1, max_weight + 1, size=shape)
    return {"profits": profits, "weights": weights, "capacity": _capacity(weights, tightness)}


def weakly_correlated(
    rng: np.random.Generator,
    size: int,
    max_weight: int = 1000,
    tightness: float = 0.5,
    *,
    count: int | None = None,
) -> dict[str, NDArray]:
    """Profit within a tenth of max_weight of the weight (Pisinger 2005)."""
    return _correlated(rng, (*leading(count), size), max_weight // 10, 0, max_weight, tightness)


def strongly_correlated(
    rng: np.random.Generator,
    size: int,
    max_weight: int = 1000,
    tightness: float = 0.5,
    *,
    count: int | None = None,
) -> dict[str, NDArray]:
    """Profit = weight + max_weight / 10 (Pisinger 2005)."""
    return _correlated(rng, (*leading(count), size), 0, max_weight // 10, max_weight, tightness)


def unit(
    rng: np.random.Generator, size: int, capacity: float = 0.0, *, count: int | None = None
) -> dict[str, NDArray]:
    """Profits and weights uniform in [0, 1) (Bello et al. 2017, Kwon et al. 2020).

    Args:
        capacity: Capacity; a quarter of the number of items, 25 at most, by default, as in those papers.
    """
    shape = (*leading(count), size)
    limit = np.full(leading(count), capacity or min(size / 4, 25.0))
    return {"profits": rng.random(shape), "weights": rng.random(shape), "capacity": limit}


def chu_beasley(
    rng: np.random.Generator,
    size: int,
    num_constraints: int = 5,
    tightness: float = 0.5,
    *,
    count: int | None = None,
) -> dict[str, NDArray]:
    """Weights uniform in 0..1000, profits correlated with the mean weight (Chu and Beasley 1998).

    Args:
        num_constraints: Number of capacities.
        tightness: Capacity over the sum of the weights of its row.
    """
    _require_constraints(num_constraints)
    weights = rng.integers(0, 1001, size=(*leading(count), num_constraints, size))
    profits = np.floor(weights.mean(axis=-2) + 500 * rng.random((*leading(count), size))).astype(np.int64)
    return {"profits": profits, "weights": weights, "capacities": _capacity(weights, tightness)}


def multi_unit(
    rng: np.random.Generator,
    size: int,
    num_constraints: int = 5,
    capacity: float = 0.0,
    *,
    count: int | None = None,
) -> dict[str, NDArray]:
    """Profits and weights uniform in [0, 1), the same capacity for each constraint.

    Args:
        num_constraints: Number of capacities.
        capacity: Capacity; a quarter of the number of items by default.
    """
    _require_constraints(num_constraints)
    lead = leading(count)
    return {
        "profits": rng.random((*lead, size)),
        "weights": rng.random((*lead, num_constraints, size)),
        "capacities": np.full((*lead, num_constraints), capacity or size / 4),
    }


def _require_constraints(num_constraints: int) -> None:
    if num_constraints < 1:
        raise InputError(f"num_constraints is {num_constraints}: expected at least 1")


class MultiKnapsack(Problem):
    """Choose items of largest total profit such that every capacity holds.

    Instance: `profits` [n], `weights` [m, n], `capacities` [m], all non-negative.
    Solution: int64 [n], 1 for each chosen item.
    Objective: total profit, maximized. Constraints: for each i, weights[i] x <= capacities[i].
    """

    name = "multiknapsack"
    sense: ClassVar[Sense] = "maximize"
    keys = (
        Key("profits", ("n",), "profit of each item", minimum=0),
        Key("weights", ("m", "n"), "use of each capacity by each item", minimum=0),
        Key("capacities", ("m",), "what may be used", minimum=0),
    )
    distributions = {"chu-beasley": chu_beasley, "unit": multi_unit}

    def rows(self, instance: Instance) -> tuple[NDArray, NDArray]:
        """Weights [m, n] and capacities [m]."""
        return instance["weights"], instance["capacities"]

    def size(self, instance: Instance) -> int:
        """Number of items."""
        return int(instance["profits"].shape[0])

    def domain(self, instance: Instance) -> Binary:
        """Subsets of the items."""
        return Binary(self.size(instance), noun="item")

    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Total profit of the chosen items."""
        return dot(instance["profits"], solution)

    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """The capacities that are exceeded; float data to within 1e-9 of the capacity."""
        weights, capacities = self.rows(instance)
        return [
            f"capacity {i}: weight {used} exceeds {limit}"
            for i, (used, limit) in enumerate(zip(matvec(weights, solution), capacities.tolist(), strict=True))
            if used > limit + (0 if isinstance(used, int) else 1e-9 * max(1.0, abs(limit)))
        ]

    def draw(self, instance: Instance, solution: NDArray, ax: Axes) -> None:
        """How much of each capacity is used."""
        weights, capacities = self.rows(instance)
        used = weights @ solution / np.where(capacities > 0, capacities, 1)
        ax.bar(range(len(used)), 100 * used)
        ax.axhline(100, color="grey", linestyle=":")
        ax.set_xlabel("constraint")
        ax.set_ylabel("capacity used, %")

    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """One row per capacity."""
        self.form(form)
        weights, capacities = self.rows(instance)
        A = sparse.csr_matrix(weights, dtype=np.float64)
        program = binary_program("maximize", instance["profits"], A, -np.inf, capacities)
        return Formulation(program, lambda s: s.astype(np.float64), round_binary)


class Knapsack(MultiKnapsack):
    """Choose items of largest total profit that fit into one knapsack.

    Instance: `profits` [n], `weights` [n], `capacity` [], all non-negative.
    Solution: int64 [n], 1 for each chosen item.
    Objective: total profit, maximized. Constraint: weights x <= capacity.
    """

    name = "knapsack"
    keys = (
        Key("profits", ("n",), "profit of each item", minimum=0),
        Key("weights", ("n",), "weight of each item", minimum=0),
        Key("capacity", (), "weight that may be carried", minimum=0),
    )
    distributions = {
        "uniform": uniform,
        "weakly-correlated": weakly_correlated,
        "strongly-correlated": strongly_correlated,
        "unit": unit,
    }

    def rows(self, instance: Instance) -> tuple[NDArray, NDArray]:
        """Weights [1, n] and capacity [1]."""
        return instance["weights"][None, :], instance["capacity"][None]
