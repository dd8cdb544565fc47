"""Files of the market split problem."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io.base import only
from co_gym.io.text import Numbers, Scan, numeric_confidence, rows, stem


class MarketSplitFile:
    """`m n`, then m rows of n coefficients and the right-hand side; lines that start with `#` are comments.

    The layout of QOBLIB's instances (Koch et al. 2025).
    """

    name = "marketsplit"
    problems = frozenset({"market-split"})
    suffixes = (".dat", ".ms", ".mks")
    summary = "market split: m and n, then rows of coefficients and right-hand side (QOBLIB)"

    def confidence(self, text: str, suffix: str) -> float:
        """By the number of tokens."""
        return numeric_confidence(text, suffix, self.suffixes, _sizes)

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance."""
        numbers = Numbers(text, path)
        m, n = numbers.integer("number of rows"), numbers.integer("number of columns")
        count = m * (n + 1)
        table = numbers.take(count, f"numbers ({m} rows of {n} coefficients and a right-hand side)")
        numbers.end(f"{m} rows")
        inexact = (
            (table != np.floor(table)) | (np.abs(table) >= 2.0**53) if table.dtype.kind == "f" else np.zeros(1)
        )
        if inexact.any():
            first = int(np.argmax(inexact))
            raise numbers.error(f"{table[first]}: expected an integer", back=count - first)
        table = table.reshape(m, n + 1)
        data = {"coefficients": table[:, :n], "targets": table[:, n]}
        return [registry.problem("market-split").instance(data, name=stem(path), source=str(path))]

    def format(self, instances: list[Instance]) -> str:
        """A row on a line."""
        instance = only(instances, self.problems, self.name)
        m, n = instance["coefficients"].shape
        if not (m and n):
            raise InputError("a marketsplit file needs rows and columns")
        table = np.column_stack([instance["coefficients"], instance["targets"]])
        return f"{m} {n}\n{rows(table)}"


def _sizes(found: Scan) -> list[int | None]:
    m, n = found.at(0), found.at(1)
    return [None if m is None or n is None or min(m, n) < 1 else 2 + m * (n + 1)]
