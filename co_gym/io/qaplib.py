"""QAPLIB files of the quadratic assignment problem."""

from __future__ import annotations

from pathlib import Path

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io.base import only
from co_gym.io.text import Numbers, Scan, numeric_confidence, rows, stem


class QAPLIB:
    """n, then the flow matrix A and the distance matrix B, n * n numbers each; line breaks mean nothing.

    The objective is the sum of A[i, j] B[p(i), p(j)] (Burkard, Karisch and Rendl 1997).
    """

    name = "qaplib"
    problems = frozenset({"qap"})
    suffixes = (".dat", ".qap")
    summary = "quadratic assignment (QAPLIB, Burkard, Karisch and Rendl 1997)"

    def confidence(self, text: str, suffix: str) -> float:
        """By the number of tokens."""
        return numeric_confidence(text, suffix, self.suffixes, _sizes)

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance."""
        numbers = Numbers(text, path)
        n = numbers.integer("number of facilities")
        data = {
            key: numbers.take(n * n, f"numbers of the {key} between {n} places").reshape(n, n)
            for key in ("flows", "distances")
        }
        numbers.end("the two matrices")
        return [registry.problem("qap").instance(data, name=stem(path), source=str(path))]

    def format(self, instances: list[Instance]) -> str:
        """The size and the two matrices, a row on a line."""
        instance = only(instances, self.problems, self.name)
        n = instance["flows"].shape[0]
        if n == 0:
            raise InputError("a qaplib file needs at least one facility")
        return f"{n}\n\n{rows(instance['flows'])}\n{rows(instance['distances'])}"


def _sizes(found: Scan) -> list[int | None]:
    n = found.at(0)
    return [None if n is None or n < 1 else 1 + 2 * n * n]
