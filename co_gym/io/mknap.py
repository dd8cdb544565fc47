"""OR-Library files of the multidimensional knapsack problem."""

from __future__ import annotations

from pathlib import Path

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io.text import Numbers, Scan, digits, numeric_confidence, rows, scan, stem


class MKnap:
    """OR-Library's mknap1, mknap2 (single problems) and mknapcb files.

    The number of problems, then for each: n, m, the optimum (0: unknown), n profits, m rows of n weights,
    m capacities. A file of one problem may leave the first number out. Line breaks mean nothing.
    """

    name = "mknap"
    problems = frozenset({"multiknapsack"})
    suffixes = (".txt", ".dat", ".mknap")
    summary = "multidimensional knapsack (Beasley's OR-Library, Chu and Beasley 1998)"

    def confidence(self, text: str, suffix: str) -> float:
        """By the number of tokens."""
        return numeric_confidence(text, suffix, self.suffixes, lambda f: [_counted_size(f), _single_size(f)])

    def parse(self, text: str, path: Path) -> list[Instance]:
        """Every problem of the file; a known optimum becomes the reference."""
        found = scan(text)
        numbers = Numbers(text, path)
        if _is_single(found):
            count = 1
        else:
            count = numbers.integer("number of problems")
            if count * 3 > numbers.left:
                raise numbers.error(f"{count} problems declared, but only {numbers.left} numbers follow")
        problem = registry.problem("multiknapsack")
        made = []
        for index in range(1, count + 1):
            label = f"problem {index}"
            data, optimum = _problem(numbers, label)
            name = stem(path) if count == 1 else f"{stem(path)}#{index}"
            try:
                made.append(problem.instance(data, name=name, reference=optimum, source=str(path)))
            except InputError as error:
                raise InputError(f"{label}: {error.message}", path=path) from error
        numbers.end(f"{count} problems")
        return made

    def format(self, instances: list[Instance]) -> str:
        """The layout with the count; an unknown optimum is written as 0."""
        parts = [f"{len(instances)}\n"]
        for instance in instances:
            if instance.problem not in self.problems:
                raise InputError(f"a mknap file holds multiknapsack: got an instance of {instance.problem}")
            m, n = instance["weights"].shape
            if not (m and n):
                raise InputError("a mknap file needs items and capacities")
            parts.append(f"\n{n} {m} {digits(instance.reference or 0)}\n")
            parts += [rows(instance[key], width=n) for key in ("profits", "weights", "capacities")]
        return "".join(parts)


def _problem(numbers: Numbers, label: str) -> tuple[dict, int | float | None]:
    n, m = numbers.integer(f"items of {label}"), numbers.integer(f"constraints of {label}")
    optimum = numbers.take(1, f"optimum of {label}")[0].item()
    data = {
        "profits": numbers.take(n, f"profits of {label}", minimum=0),
        "weights": numbers.take(m * n, f"weights of {label}", minimum=0).reshape(m, n),
        "capacities": numbers.take(m, f"capacities of {label}", minimum=0),
    }
    if optimum == 0:
        return data, None
    return data, int(optimum) if float(optimum).is_integer() else optimum


def _single_size(found: Scan) -> int | None:
    """Tokens of a problem without the count in front, by its first two."""
    n, m = found.at(0), found.at(1)
    return None if n is None or m is None or min(n, m) < 1 else 3 + n + m * n + m


def _counted_size(found: Scan) -> int | None:
    """Tokens of a file with the count in front, as far as its problems' sizes can be followed."""
    count = found.at(0)
    if count is None or count < 1:
        return None
    position = 1
    for _ in range(count):
        n, m = found.at(position), found.at(position + 1)
        if n is None or m is None or min(n, m) < 1:
            return position + 3
        position += 3 + n + m * n + m
    return position


def _is_single(found: Scan) -> bool:
    size = found.values.size
    if _counted_size(found) == size:
        return False
    return _single_size(found) == size or found.first_line == 3
