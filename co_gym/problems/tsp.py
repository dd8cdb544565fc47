"""The symmetric travelling salesman problem."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Permutation
from co_gym.errors import InputError, SolverError
from co_gym.exact import Number, total
from co_gym.formulation import Formulation, MixedIntegerProgram, binary_program, round_binary
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem, Sense, leading

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_FOR_EDGES = 12
"""Cities up to which all subtours are listed."""


def uniform(rng: np.random.Generator, size: int, *, count: int | None = None) -> dict[str, NDArray]:
    """Cities independent and uniform in the unit square."""
    return {"coordinates": rng.random((*leading(count), size, 2))}


def clustered(rng: np.random.Generator, size: int, num_clusters: int = 0) -> dict[str, NDArray]:
    """Normal clusters around uniform centres (Johnson and McGeoch 2002), clipped to the unit square.

    Args:
        num_clusters: Number of centres; one per 100 cities, at least 3, by default.
    """
    num_clusters = num_clusters or max(3, size // 100)
    centres = rng.random((num_clusters, 2))[rng.integers(num_clusters, size=size)]
    spread = 1.0 / np.sqrt(max(size, 100))
    return {"coordinates": np.clip(centres + rng.normal(scale=spread, size=(size, 2)), 0.0, 1.0)}


def gaussian_mixture(
    rng: np.random.Generator, size: int, num_modes: int = 3, spread: float = 10.0
) -> dict[str, NDArray]:
    """Unit normals around uniform centres in [0, spread]^2, scaled to the unit square (Zhou et al. 2023).

    Args:
        num_modes: Number of centres.
        spread: Side of the square of the centres in standard deviations.
    """
    if num_modes < 1 or not spread > 0:
        raise InputError(f"num_modes {num_modes}, spread {spread}: expected num_modes >= 1 and spread > 0")
    centres = rng.random((num_modes, 2))[rng.integers(num_modes, size=size)] * spread
    points = centres + rng.normal(size=(size, 2))
    extent = np.ptp(points, axis=0).max()
    return {"coordinates": (points - points.min(axis=0)) / (extent if extent > 0 else 1.0)}


class TSP(Problem):
    """Find the shortest closed tour through all cities.

    Instance: `distances` [n, n] symmetric with zero diagonal, or `coordinates` [n, 2] (then distances are
    Euclidean, unrounded), or both (then `distances` count and `coordinates` are for drawing and for policies).
    Solution: int64 [n], the cities 0..n-1 in the order of the tour; the way back to the first is implied.
    Objective: length of the tour, minimized.

    Formulations:
        flow: arcs and a single-commodity flow that forbids subtours (Gavish and Graves 1978).
        position: x[i, p] = 1 if city i+1 comes p+1-th after city 0; quadratic objective, (n-1)^2 variables
            (Lucas 2014).
        edges: x[i, j] = 1 if the tour takes the edge; n (n-1) / 2 variables, and a row against each subtour
            (Dantzig, Fulkerson and Johnson 1954), so that there may be 12 cities at most.
    """

    name = "tsp"
    sense: ClassVar[Sense] = "minimize"
    keys = (
        Key("coordinates", ("n", 2), "position of each city", kind="real", optional=True),
        Key("distances", ("n", "n"), "distance between each two cities", optional=True),
    )
    distributions = {"uniform": uniform, "clustered": clustered, "gaussian-mixture": gaussian_mixture}
    forms = ("flow", "position", "edges")

    def validate(self, instance: Instance) -> None:
        """There is a city, and distances are symmetric with zero diagonal."""
        if "distances" not in instance and "coordinates" not in instance:
            raise InputError("an instance of tsp needs distances or coordinates")
        if self.size(instance) < 1:
            raise InputError("a tour needs at least one city")
        if "distances" in instance:
            d = instance["distances"]
            if d.diagonal().any():
                i = int(np.flatnonzero(d.diagonal())[0])
                raise InputError(f"distances[{i}, {i}] is {d[i, i]}: expected 0")
            if (d != d.T).any():
                i, j = np.argwhere(d != d.T)[0]
                raise InputError(f"distances[{i}, {j}] is {d[i, j]} but [{j}, {i}] is {d[j, i]}: expected equal")

    def size(self, instance: Instance) -> int:
        """Number of cities."""
        return int(next(iter(instance.data.values())).shape[0])

    def domain(self, instance: Instance) -> Permutation:
        """Orderings of the cities."""
        return Permutation(self.size(instance), noun="city")

    def distances(self, instance: Instance) -> NDArray:
        """[n, n] distances, int64 or float64; Euclidean from the coordinates if none are given."""
        if "distances" in instance:
            return instance["distances"]
        if "distances" not in instance.cache:
            points = instance["coordinates"]
            instance.cache["distances"] = np.hypot(
                *(points[:, None, axis] - points[None, :, axis] for axis in (0, 1))
            )
        return instance.cache["distances"]

    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Length of the closed tour."""
        return total(self.distances(instance)[solution, np.roll(solution, -1)])

    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """None: every ordering of the cities is a tour."""
        return []

    def draw(self, instance: Instance, solution: NDArray, ax: Axes) -> None:
        """The tour on the map; without coordinates on a plane that keeps distances as well as it can."""
        points = instance["coordinates"] if "coordinates" in instance else embed(self.distances(instance))
        closed = points[np.append(solution, solution[0])]
        ax.plot(closed[:, 0], closed[:, 1], "-", color="tab:blue", linewidth=1)
        ax.plot(points[:, 0], points[:, 1], "o", color="black", markersize=3)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set_axis_off()

    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """See the class."""
        d = self.distances(instance).astype(np.float64)
        return {"flow": _flow, "position": _position, "edges": _edges}[self.form(form)](d)


def embed(distances: NDArray) -> NDArray:
    """Positions [n, 2] whose distances come close to those given, by classical scaling (Torgerson 1952)."""
    n = distances.shape[0]
    squared = distances.astype(np.float64) ** 2
    centring = np.eye(n) - 1.0 / n
    values, vectors = np.linalg.eigh(-0.5 * centring @ squared @ centring)
    points = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def _flow(d: NDArray) -> Formulation:
    """One unit is shipped from city 0 to every other; arc variables first, then the flows on them."""
    n = d.shape[0]
    tail, head = np.nonzero(~np.eye(n, dtype=bool))
    arcs = tail.size
    column = np.arange(arcs)
    ones = np.ones(arcs)
    out_of = sparse.csr_matrix((ones, (tail, column)), shape=(n, arcs))
    into = sparse.csr_matrix((ones, (head, column)), shape=(n, arcs))
    empty = sparse.csr_matrix((n, arcs))
    identity = sparse.identity(arcs, format="csr")
    A = sparse.bmat(
        [[out_of, empty], [into, empty], [None, (into - out_of)[1:]], [-(n - 1) * identity, identity]],
        format="csr",
    )
    degree = np.ones(2 * n) if n > 1 else np.zeros(2 * n)
    free = np.full(arcs, -np.inf)
    names = [f"x[{i},{j}]" for i, j in zip(tail, head, strict=True)]
    program = MixedIntegerProgram(
        sense="minimize",
        c=np.concatenate([d[tail, head], np.zeros(arcs)]),
        A=A,
        row_lower=np.concatenate([degree, np.ones(n - 1), free]),
        row_upper=np.concatenate([degree, np.ones(n - 1), np.zeros(arcs)]),
        lower=np.zeros(2 * arcs),
        upper=np.concatenate([ones, (n - 1) * ones]),
        integer=np.concatenate([ones, 0 * ones]).astype(bool),
        variable_names=tuple(names + [f"f{name[1:]}" for name in names]),
        name="tsp-flow",
    )

    def encode(tour: NDArray) -> NDArray:
        start = int(np.flatnonzero(tour == 0)[0])
        ordered = np.roll(tour, -start)
        x, flow = np.zeros((n, n)), np.zeros((n, n))
        x[ordered, np.roll(ordered, -1)] = 1.0
        flow[ordered, np.roll(ordered, -1)] = np.arange(n - 1, -1, -1)
        return np.concatenate([x[tail, head], flow[tail, head]])

    def decode(values: NDArray) -> NDArray:
        successor = np.zeros(n, dtype=np.int64)
        used = values[:arcs] > 0.5
        successor[tail[used]] = head[used]
        tour = np.zeros(n, dtype=np.int64)
        for position in range(1, n):
            tour[position] = successor[tour[position - 1]]
        return tour

    return Formulation(program, encode, decode)


def _position(d: NDArray) -> Formulation:
    """City 0 comes first; a city is assigned to each later position."""
    n = d.shape[0]
    k = n - 1
    inner = d[1:, 1:]
    steps = sparse.eye(k, k=1, format="csr") if k else sparse.csr_matrix((0, 0))
    Q = sparse.csr_matrix(sparse.kron(sparse.csr_matrix(inner), steps))
    c = np.zeros((k, k))
    if k:
        c[:, 0] += d[0, 1:]
        c[:, -1] += d[1:, 0]
    identity, row = sparse.identity(k), np.ones((1, k))
    A = sparse.vstack([sparse.kron(identity, row), sparse.kron(row, identity)], format="csr")
    names = [f"x[{i},{p}]" for i in range(1, n) for p in range(1, n)]
    program = binary_program("minimize", c.ravel(), A, 1.0, 1.0, Q=Q, variable_names=names)

    def encode(tour: NDArray) -> NDArray:
        ordered = np.roll(tour, -int(np.flatnonzero(tour == 0)[0]))[1:]
        x = np.zeros((k, k))
        x[ordered - 1, np.arange(k)] = 1.0
        return x.ravel()

    def decode(values: NDArray) -> NDArray:
        x = round_binary(values).reshape(k, k) if k else np.zeros((1, 0))
        return np.concatenate([np.zeros(1, dtype=np.int64), x.argmax(axis=0) + 1])

    return Formulation(program, encode, decode)


def _edges(d: NDArray) -> Formulation:
    """Each city has two edges, and each set of cities without city 0 fewer edges than cities.

    Two cities have one edge, which is taken twice.
    """
    n = d.shape[0]
    if n > MOST_FOR_EDGES:
        raise SolverError(f"{n} cities: the formulation 'edges' lists all subtours of at most {MOST_FOR_EDGES}")
    first, second = np.triu_indices(n, k=1)
    degree = min(n - 1, 2)
    ends = [(first == city) | (second == city) for city in range(n)]
    others = range(1, n)
    sets = [one for size in range(3, n - 2) for one in itertools.combinations(others, size)]
    inside = [np.isin(first, one) & np.isin(second, one) for one in sets]
    program = binary_program(
        "minimize",
        d[first, second] * (2.0 if n == 2 else 1.0),
        sparse.csr_matrix(np.array(ends + inside, dtype=np.float64).reshape(n + len(sets), first.size)),
        np.concatenate([np.full(n, degree), np.full(len(sets), -np.inf)]),
        np.concatenate([np.full(n, degree), [len(one) - 1.0 for one in sets]]),
        variable_names=[f"x[{i},{j}]" for i, j in zip(first, second, strict=True)],
    )

    def encode(tour: NDArray) -> NDArray:
        used = np.zeros((n, n))
        used[tour, np.roll(tour, -1)] = 1.0
        return np.maximum(used, used.T)[first, second]

    def decode(values: NDArray) -> NDArray:
        used = np.zeros((n, n), dtype=bool)
        used[first, second] = round_binary(values) == 1
        used |= used.T
        tour, left = [0], set(others)
        while left:
            tour.append(
                next((city for city in np.flatnonzero(used[tour[-1]]).tolist() if city in left), min(left))
            )
            left.remove(tour[-1])
        return np.array(tour, dtype=np.int64)

    return Formulation(program, encode, decode)
