"""Files of the 0-1 knapsack problem."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io.base import only
from co_gym.io.text import Numbers, Scan, digits, numeric_confidence, stem


class KP:
    """0-1 knapsack in one of the two usual layouts, told apart by the number of tokens.

    Line breaks mean nothing, lines that start with `#` are comments.

    Pairs, 2n + 2 numbers: `n capacity`, then `profit weight` of each item (Martello, Pisinger and Toth's
    generators, kplib). This is the layout that is written.

    Triples, 3n + 2 numbers: `n`, then `id profit weight` of each item with ids 1..n, then the capacity
    (Pisinger; Jooken, Leyman and De Causmaecker 2022).
    """

    name = "kp"
    problems = frozenset({"knapsack"})
    suffixes = (".kp", ".knap", ".knapsack")
    summary = "0-1 knapsack: n, capacity, then profit and weight of each item"

    def confidence(self, text: str, suffix: str) -> float:
        """By the number of tokens."""
        return numeric_confidence(text, suffix, self.suffixes, _sizes)

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance."""
        numbers = Numbers(text, path)
        n = numbers.integer("number of items")
        total = numbers.values.size
        if total == 3 * n + 2:
            items = numbers.take(3 * n, "numbers (id, profit, weight)", minimum=0).reshape(n, 3)
            if (items[:, 0] != np.arange(1, n + 1)).any():
                first = int(np.argmax(items[:, 0] != np.arange(1, n + 1)))
                message = f"item id {items[first, 0]}: expected {first + 1}, as there are 3n + 2 numbers"
                raise numbers.error(message, back=3 * (n - first))
            capacity = numbers.take(1, "capacity", minimum=0)[0]
            pairs = items[:, 1:]
        elif total == 2 * n + 2:
            capacity = numbers.take(1, "capacity", minimum=0)[0]
            pairs = numbers.take(2 * n, "numbers (profit, weight)", minimum=0).reshape(n, 2)
        else:
            raise numbers.error(
                f"{n} items and {total} numbers in the file: expected {2 * n + 2} (n, capacity, then profit and "
                f"weight of each) or {3 * n + 2} (n, then id, profit and weight of each, then capacity)"
            )
        data = {"profits": pairs[:, 0], "weights": pairs[:, 1], "capacity": capacity}
        return [registry.problem("knapsack").instance(data, name=stem(path), source=str(path))]

    def format(self, instances: list[Instance]) -> str:
        """The layout of pairs."""
        instance = only(instances, self.problems, self.name)
        profits, weights = instance["profits"].tolist(), instance["weights"].tolist()
        if not profits:
            raise InputError("a kp file needs at least one item")
        head = f"{len(profits)} {digits(instance['capacity'].item())}\n"
        return head + "".join(f"{digits(p)} {digits(w)}\n" for p, w in zip(profits, weights, strict=True))


def _sizes(found: Scan) -> list[int | None]:
    n = found.at(0)
    return [None] if n is None or n < 1 else [2 * n + 2, 3 * n + 2]
