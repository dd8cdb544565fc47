"""The maximum (weight) independent set problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Binary
from co_gym.errors import InputError
from co_gym.exact import Number, dot
from co_gym.formulation import Formulation, binary_program, round_binary
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem, Sense

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def canonical_edges(edges: NDArray) -> NDArray:
    """Edges as [m, 2] int64 with u < v, sorted, without repetitions; loops are kept for `validate` to name."""
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    return np.unique(np.sort(edges, axis=1), axis=0)


def adjacency_matrix(edges: NDArray, num_nodes: int) -> NDArray:
    """Symmetric bool [num_nodes, num_nodes] with a True for each edge [m, 2]."""
    matrix = np.zeros((num_nodes, num_nodes), dtype=np.bool_)
    u, v = edges.T
    matrix[u, v] = matrix[v, u] = True
    return matrix


def _graph(rng: np.random.Generator, size: int, edges: NDArray, max_weight: int) -> dict[str, NDArray]:
    if max_weight < 1:
        raise InputError(f"max_weight is {max_weight}: expected at least 1")
    return {"edges": canonical_edges(edges), "weights": rng.integers(1, max_weight + 1, size=size)}


def erdos_renyi(
    rng: np.random.Generator, size: int, probability: float = 0.15, max_weight: int = 1
) -> dict[str, NDArray]:
    """Each edge independently with a given probability (Erdős and Rényi 1959).

    Args:
        probability: Of an edge, in [0, 1].
        max_weight: Node weights are uniform in 1..max_weight; 1 is the unweighted problem.
    """
    if not 0 <= probability <= 1:
        raise InputError(f"probability is {probability}: expected a number in [0, 1]")
    upper = np.argwhere(np.triu(rng.random((size, size)) < probability, k=1))
    return _graph(rng, size, upper, max_weight)


def barabasi_albert(
    rng: np.random.Generator, size: int, attachments: int = 4, max_weight: int = 1
) -> dict[str, NDArray]:
    """Preferential attachment (Barabási and Albert 1999).

    Args:
        attachments: Edges from each new node to nodes drawn in proportion to their degree.
        max_weight: Node weights are uniform in 1..max_weight.
    """
    if attachments < 1:
        raise InputError(f"attachments is {attachments}: expected at least 1")
    start = min(attachments, size - 1)
    edges = [(0, node) for node in range(1, start + 1)]
    ends = [end for edge in edges for end in edge]
    for node in range(start + 1, size):
        chosen: set[int] = set()
        while len(chosen) < attachments:
            chosen.add(ends[rng.integers(len(ends))])
        edges += [(other, node) for other in sorted(chosen)]
        ends += [end for other in sorted(chosen) for end in (other, node)]
    return _graph(rng, size, np.array(edges), max_weight)


def rb_model(
    rng: np.random.Generator,
    size: int,
    clique_size: int = 8,
    tightness: float = 0.3,
    max_weight: int = 1,
) -> dict[str, NDArray]:
    """Disjoint cliques and random edges between them, at the phase transition (Model RB, Xu and Li 2000).

    With k = size / clique_size cliques, alpha = ln(clique_size) / ln k and r = -alpha / ln(1 - tightness),
    r k ln k pairs of cliques get tightness * clique_size^2 edges each.

    Args:
        clique_size: Nodes in a clique (the last ones may have one less).
        tightness: Share of forbidden pairs between two chosen cliques, in (0, 1).
        max_weight: Node weights are uniform in 1..max_weight.
    """
    if not 0 < tightness < 1 or clique_size < 1:
        raise InputError(f"clique_size {clique_size}, tightness {tightness}: expected >= 1 and in (0, 1)")
    return _graph(
        rng, size, _model_rb(rng, size, max(1, round(size / clique_size)), clique_size, tightness), max_weight
    )


def rb_small(rng: np.random.Generator, size: int, max_weight: int = 1) -> dict[str, NDArray]:
    """Model RB with random parameters, as in RB-small (Zhang et al. 2023) at 200 to 300 nodes.

    20 to 25 cliques of at most 12 nodes (more cliques above 300 nodes), tightness uniform in [0.3, 1). There the
    number of cliques and their size, 5 to 12, are drawn and graphs of other than 200 to 300 nodes rejected; here
    the number of nodes is given, and clique sizes differ by one at most.

    Args:
        max_weight: Node weights are uniform in 1..max_weight.
    """
    fewest = max(20, -(-size // 12))
    k = min(size, int(rng.integers(fewest, max(25, fewest), endpoint=True)))
    return _graph(rng, size, _model_rb(rng, size, k, size / k, rng.uniform(0.3, 1.0)), max_weight)


def _model_rb(rng: np.random.Generator, size: int, k: int, clique_size: float, tightness: float) -> NDArray:
    """Edges [m, 2], with repetitions, of k cliques of about `clique_size` nodes."""
    cliques = np.array_split(np.arange(size), k)
    edges = [np.argwhere(np.triu(np.ones((c.size, c.size)), k=1)) + c[0] for c in cliques if c.size]
    if k > 1 and clique_size > 1:
        alpha = np.log(clique_size) / np.log(k)
        pairs = round(-alpha / np.log(1 - tightness) * k * np.log(k))
        per_pair = round(tightness * clique_size**2)
        for _ in range(pairs):
            a, b = (cliques[i] for i in rng.choice(k, size=2, replace=False))
            chosen = rng.choice(a.size * b.size, size=min(per_pair, a.size * b.size), replace=False)
            edges.append(np.column_stack([a[chosen // b.size], b[chosen % b.size]]))
    return np.concatenate(edges)


class MIS(Problem):
    """Choose nodes of largest total weight, no two of them joined by an edge.

    Instance: `edges` [m, 2] int64, nodes 0..n-1, undirected; `weights` [n], non-negative (ones: unweighted).
    Solution: int64 [n], 1 for each chosen node.
    Objective: total weight, maximized. Constraint: no edge has both its ends chosen.

    Formulations:
        clique: a row for each clique of a greedy edge clique cover (never weaker than `edge`).
        edge: x[u] + x[v] <= 1 for each edge.
    """

    name = "mis"
    sense: ClassVar[Sense] = "maximize"
    keys = (
        Key("edges", ("m", 2), "ends of each edge", kind="integer", minimum=0),
        Key("weights", ("n",), "weight of each node", minimum=0),
    )
    distributions = {
        "erdos-renyi": erdos_renyi,
        "barabasi-albert": barabasi_albert,
        "rb": rb_model,
        "rb-small": rb_small,
    }
    forms = ("clique", "edge")

    def validate(self, instance: Instance) -> None:
        """Edges join two different nodes that exist."""
        edges, n = instance["edges"], self.size(instance)
        if edges.size and edges.max() >= n:
            row = int(np.argmax(edges.max(axis=1)))
            raise InputError(f"edges[{row}] is {edges[row].tolist()}: expected nodes in 0..{n - 1}")
        loops = np.flatnonzero(edges[:, 0] == edges[:, 1])
        if loops.size:
            raise InputError(f"edges[{loops[0]}] is a loop at node {edges[loops[0], 0]}: expected two nodes")

    def size(self, instance: Instance) -> int:
        """Number of nodes."""
        return int(instance["weights"].shape[0])

    def domain(self, instance: Instance) -> Binary:
        """Subsets of the nodes."""
        return Binary(self.size(instance), noun="node")

    def adjacency(self, instance: Instance) -> sparse.csr_matrix:
        """[n, n] symmetric CSR of ones with sorted indices."""
        n, edges = self.size(instance), canonical_edges(instance["edges"])
        half = sparse.csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
        full = sparse.csr_matrix(half + half.T)
        full.sort_indices()
        return full

    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Total weight of the chosen nodes."""
        return dot(instance["weights"], solution)

    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """The edges with both ends chosen."""
        edges = instance["edges"]
        bad = edges[(solution[edges[:, 0]] == 1) & (solution[edges[:, 1]] == 1)]
        return [f"edge ({u}, {v}): both ends are chosen" for u, v in np.unique(bad, axis=0)]

    def draw(self, instance: Instance, solution: NDArray, ax: Axes) -> None:
        """The graph in a spring layout, chosen nodes filled."""
        import networkx as nx

        graph = nx.Graph()
        graph.add_nodes_from(range(self.size(instance)))
        graph.add_edges_from(instance["edges"].tolist())
        colours = ["tab:red" if chosen else "lightgrey" for chosen in solution]
        nx.draw_networkx(
            graph, nx.spring_layout(graph, seed=0), ax=ax, node_color=colours, node_size=40,
            with_labels=False, edge_color="silver", width=0.4,
        )  # fmt: skip
        ax.set_axis_off()

    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """See the class."""
        n = self.size(instance)
        if self.form(form) == "clique":
            cliques = clique_cover(self.adjacency(instance))
        else:
            cliques = [edge.tolist() for edge in canonical_edges(instance["edges"])]
        indptr = np.cumsum([0] + [len(c) for c in cliques])
        indices = np.array([node for clique in cliques for node in clique], dtype=np.int64)
        A = sparse.csr_matrix((np.ones(indices.size), indices, indptr), shape=(len(cliques), n))
        program = binary_program("maximize", instance["weights"], A, -np.inf, 1.0)
        return Formulation(program, lambda s: s.astype(np.float64), round_binary)


def clique_cover(adjacency: sparse.csr_matrix) -> list[list[int]]:
    """Cliques that together contain every edge, each grown greedily from an edge that none contains yet."""
    n = adjacency.shape[0]
    neighbours = [set(adjacency.indices[adjacency.indptr[i] : adjacency.indptr[i + 1]].tolist()) for i in range(n)]
    open_edges = [{v for v in neighbours[u] if v > u} for u in range(n)]
    cliques = []
    for u in range(n):
        while open_edges[u]:
            clique = _grow(u, min(open_edges[u]), neighbours, open_edges)
            for i, a in enumerate(clique):
                open_edges[a].difference_update(clique[i + 1 :])
            cliques.append(clique)
    return cliques


def _grow(u: int, v: int, neighbours: list[set[int]], open_edges: list[set[int]]) -> list[int]:
    """A maximal clique through the edge u-v that prefers edges not contained in a clique yet."""
    clique = [u, v]
    candidates = neighbours[u] & neighbours[v]
    while candidates:
        fresh = {w: sum(max(a, w) in open_edges[min(a, w)] for a in clique) for w in candidates}
        chosen = max(candidates, key=lambda w: (fresh[w], len(neighbours[w] & candidates), -w))
        clique.append(chosen)
        candidates = candidates & neighbours[chosen]
    return sorted(clique)
