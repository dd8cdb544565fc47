"""The quadratic assignment problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Permutation
from co_gym.errors import InputError
from co_gym.exact import Number, dot
from co_gym.formulation import Formulation, MixedIntegerProgram, binary_program, round_binary
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem, Sense

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def uniform(rng: np.random.Generator, size: int, max_entry: int = 99) -> dict[str, NDArray]:
    """Symmetric flows and distances, uniform in 0..max_entry, zero diagonals (Taillard 1991, `tai*a`)."""

    def matrix() -> NDArray:
        upper = np.triu(rng.integers(0, max_entry + 1, size=(size, size)), k=1)
        return upper + upper.T

    return {"flows": matrix(), "distances": matrix()}


class QAP(Problem):
    """Assign facilities to locations so that the sum of flow times distance is least.

    Instance: `flows` [n, n] between facilities, `distances` [n, n] between locations; need not be symmetric.
    Solution: int64 [n], the location of each facility, a permutation of 0..n-1.
    Objective: sum over i, j of flows[i, j] * distances[s[i], s[j]], minimized.

    Formulations:
        linear: n^2 binary and n^2 continuous variables (Kaufman and Broeckx 1978), strengthened by the
            Gilmore-Lawler bound of each single assignment (Xia and Yuan 2006). Its LP needs no sign of the data.
        quadratic: x[i, k] = 1 if facility i is at location k, quadratic objective.
    """

    name = "qap"
    sense: ClassVar[Sense] = "minimize"
    keys = (
        Key("flows", ("n", "n"), "flow between each two facilities"),
        Key("distances", ("n", "n"), "distance between each two locations"),
    )
    distributions = {"uniform": uniform}
    forms = ("linear", "quadratic")

    def validate(self, instance: Instance) -> None:
        """There is a facility."""
        if self.size(instance) < 1:
            raise InputError("an assignment needs at least one facility")

    def size(self, instance: Instance) -> int:
        """Number of facilities."""
        return int(instance["flows"].shape[0])

    def domain(self, instance: Instance) -> Permutation:
        """Assignments of facilities to locations."""
        return Permutation(self.size(instance), noun="location")

    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Sum of flow times distance."""
        return dot(instance["flows"].ravel(), instance["distances"][np.ix_(solution, solution)].ravel())

    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """None: every permutation is an assignment."""
        return []

    def draw(self, instance: Instance, solution: NDArray, ax: Axes) -> None:
        """The assignment as a matrix whose shades are the flow times distance that each facility pays."""
        n = self.size(instance)
        paid = (instance["flows"] * instance["distances"][np.ix_(solution, solution)]).sum(axis=1)
        shades = np.zeros((n, n))
        shades[np.arange(n), solution] = paid
        ax.imshow(shades, cmap="Blues")
        ax.set_xlabel("location")
        ax.set_ylabel("facility")

    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """See the class."""
        n = self.size(instance)
        flows = instance["flows"].astype(np.float64)
        distances = instance["distances"].astype(np.float64)
        if self.form(form) == "linear":
            program = _linear(flows, distances)
        else:
            Q = sparse.csr_matrix(sparse.kron(sparse.csr_matrix(flows), sparse.csr_matrix(distances)))
            program = binary_program("minimize", np.zeros(n * n), _assignment(n), 1.0, 1.0, Q=Q)

        def encode(solution: NDArray) -> NDArray:
            x = np.zeros((n, n))
            x[np.arange(n), solution] = 1.0
            cost = flows @ x @ distances.T
            parts = [x.ravel()]
            if program.num_variables > n * n:
                parts.append((cost * x).ravel() - (np.outer(np.diag(flows), np.diag(distances)) * x).ravel())
            return np.concatenate(parts)

        def decode(values: NDArray) -> NDArray:
            return round_binary(values[: n * n]).reshape(n, n).argmax(axis=1).astype(np.int64)

        return Formulation(program, encode, decode)


def _assignment(n: int) -> sparse.csr_matrix:
    """Rows: each facility has one location, each location one facility."""
    identity, row = sparse.identity(n), np.ones((1, n))
    return sparse.vstack([sparse.kron(identity, row), sparse.kron(row, identity)], format="csr")


def _linear(flows: NDArray, distances: NDArray) -> MixedIntegerProgram:
    """z[i, k] is what facility i pays at location k: >= low x[i, k], and >= its true cost - high (1 - x[i, k])."""
    n = flows.shape[0]
    f = flows * (1 - np.eye(n))
    d = distances * (1 - np.eye(n))
    low, high = _interaction_range(f, d)
    identity = sparse.identity(n * n, format="csr")
    true_cost = sparse.kron(sparse.csr_matrix(f), sparse.csr_matrix(d), format="csr")
    A = sparse.bmat(
        [
            [_assignment(n), None],
            [-(true_cost + sparse.diags(high.ravel())), identity],
            [-sparse.diags(low.ravel()), identity],
        ],
        format="csr",
    )
    floor = np.minimum(low, 0.0).ravel()
    return MixedIntegerProgram(
        sense="minimize",
        c=np.concatenate([np.outer(np.diag(flows), np.diag(distances)).ravel(), np.ones(n * n)]),
        A=A,
        row_lower=np.concatenate([np.ones(2 * n), -high.ravel(), np.zeros(n * n)]),
        row_upper=np.concatenate([np.ones(2 * n), np.full(2 * n * n, np.inf)]),
        lower=np.concatenate([np.zeros(n * n), floor]),
        upper=np.concatenate([np.ones(n * n), np.full(n * n, np.inf)]),
        integer=np.arange(2 * n * n) < n * n,
        name="qap-linear",
    )


def _interaction_range(f: NDArray, d: NDArray) -> tuple[NDArray, NDArray]:
    """Bounds [n, n] on what facility i can pay to the others at location k.

    Lower: least scalar product of the off-diagonal flows of i and distances of k (Gilmore 1962, Lawler 1963).
    Upper: the greatest scalar product of whole rows, so that `z >= cost - high` says nothing at x[i, k] = 0.
    """
    n = f.shape[0]
    off = ~np.eye(n, dtype=bool)
    flow = np.sort(f[off].reshape(n, n - 1), axis=1)
    distance = np.sort(d[off].reshape(n, n - 1), axis=1)
    low = flow @ distance[:, ::-1].T
    high = np.sort(f, axis=1) @ np.sort(d, axis=1).T
    return low, np.maximum(high, 0.0)
