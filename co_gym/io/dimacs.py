"""DIMACS graph files, as instances of maximum (weight) independent set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io.base import only
from co_gym.io.text import digits, integer, last_line, lines, number, shown, stem
from co_gym.problems.mis import canonical_edges

MOST_NODES = 10_000_000
"""Largest number of nodes that is read."""


class DIMACS:
    """Graph of the DIMACS challenges: `p edge n m` or `p col n m`, then `e u v` for each edge, from 1 on.

    `c` begins a comment, `n id weight` (or `v id weight`) gives a node's weight, 1 without. The file's own graph
    is taken: a clique instance has to be complemented before. An edge may be listed twice, in any direction;
    the declared m may count it once or twice.
    """

    name = "dimacs"
    problems = frozenset({"mis"})
    suffixes = (".gph", ".col", ".clq", ".dimacs", ".graph", ".mis")
    summary = "graph for independent set (second DIMACS challenge 1993)"

    def confidence(self, text: str, suffix: str) -> float:
        """By the problem line or, without it, the edge lines among the first lines that are no comments."""
        usual = 0.3 if suffix in self.suffixes else 0.0
        seen = 0
        for _, line in lines(text):
            words = line.split(None, 2)
            if words[0] == "p":
                return 1.0 if words[1:2] in (["edge"], ["col"]) else 0.5 + usual
            if words[0] == "e" and len(words) == 3:
                return 0.5 + usual
            seen += words[0][0] != "c"
            if seen > 20:
                break
        return usual

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance."""
        reader = _Reader(path)
        for line, content in lines(text):
            if content[0] != "c":
                reader.line(content.split(), line)
        data = reader.data(last_line(text))
        return [registry.problem("mis").instance(data, name=stem(path), source=str(path))]

    def format(self, instances: list[Instance]) -> str:
        """Weights are listed for the nodes whose weight is not 1."""
        instance = only(instances, self.problems, self.name)
        weights = instance["weights"]
        if weights.size == 0:
            raise InputError("a dimacs file needs at least one node")
        edges = instance["edges"] + 1
        parts = [f"p edge {weights.size} {edges.shape[0]}\n"]
        parts += [f"n {i + 1} {digits(weights[i].item())}\n" for i in np.flatnonzero(weights != 1)]
        parts += [f"e {u} {v}\n" for u, v in edges.tolist()]
        return "".join(parts)


class _Reader:
    """The state of reading one file, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem_line = 0
        self.n = self.m = 0
        self.edges: list[tuple[int, int]] = []
        self.weights: dict[int, int | float] = {}

    def error(self, message: str, line: int) -> InputError:
        return InputError(message, path=self.path, line=line)

    def line(self, words: list[str], line: int) -> None:
        """Takes one line that is no comment."""
        kind = words[0]
        if kind not in ("p", "e", "n", "v"):
            raise self.error(f"expected a line that starts with c, p, n, v or e, found {shown(kind)}", line)
        if (kind == "p") != (self.problem_line == 0):
            again = "a second 'p' line" if kind == "p" else f"{shown(kind)} before the 'p edge n m' line"
            raise self.error(f"unexpected {again}", line)
        if kind == "p":
            self._problem(words, line)
        elif kind == "e":
            self._edge(words, line)
        else:
            self._weight(words, line)

    def _problem(self, words: list[str], line: int) -> None:
        if len(words) != 4 or words[1] not in ("edge", "edges", "col"):
            raise self.error(f"expected 'p edge n m', found {shown(' '.join(words))}", line)
        self.n = integer(words[2], "number of nodes", self.path, line)
        self.m = integer(words[3], "number of edges", self.path, line)
        if not 1 <= self.n <= MOST_NODES or self.m < 0:
            message = f"{self.n} nodes, {self.m} edges: expected 1 to {MOST_NODES} nodes and no negative number"
            raise self.error(message, line)
        self.problem_line = line

    def _node(self, word: str, line: int) -> int:
        node = integer(word, "node", self.path, line)
        if not 1 <= node <= self.n:
            raise self.error(f"node {node}: expected 1 to {self.n}", line)
        return node - 1

    def _edge(self, words: list[str], line: int) -> None:
        if len(words) != 3:
            raise self.error(f"expected 'e u v', found {shown(' '.join(words))}", line)
        u, v = self._node(words[1], line), self._node(words[2], line)
        if u == v:
            raise self.error(f"edge from node {u + 1} to itself: expected two different nodes", line)
        self.edges.append((u, v))

    def _weight(self, words: list[str], line: int) -> None:
        if len(words) != 3:
            raise self.error(f"expected '{words[0]} node weight', found {shown(' '.join(words))}", line)
        node = self._node(words[1], line)
        if node in self.weights:
            raise self.error(f"a second weight of node {node + 1}", line)
        weight = number(words[2], "weight", self.path, line)
        if weight < 0:
            raise self.error(f"weight {weight}: expected at least 0", line)
        self.weights[node] = weight

    def data(self, end: int) -> dict[str, np.ndarray]:
        """The arrays of the instance, once all lines are read."""
        if not self.problem_line:
            raise self.error("no 'p edge n m' line", end)
        edges = canonical_edges(np.array(self.edges, dtype=np.int64))
        if self.m not in (len(self.edges), edges.shape[0]):
            message = (
                f"{self.m} edges declared, {len(self.edges)} listed ({edges.shape[0]} of them different): "
                "expected equal numbers"
            )
            raise self.error(message, self.problem_line)
        real = any(isinstance(w, float) for w in self.weights.values())
        weights = np.ones(self.n, dtype=np.float64 if real else np.int64)
        weights[list(self.weights)] = list(self.weights.values())
        return {"edges": edges, "weights": weights}
