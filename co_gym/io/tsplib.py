"""TSPLIB 95 files of the symmetric travelling salesman problem.

Format: G. Reinelt, "TSPLIB 95", Universität Heidelberg, 1995.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io.base import only
from co_gym.io.text import Numbers, digits, integer, last_line, rows, shown, stem
from co_gym.io.tsplib_distances import LAYOUTS, RULES, entries, from_coordinates, from_entries
from co_gym.problems.tsp import TSP

MOST_CITIES = 10_000
"""Largest DIMENSION that is read: its matrix takes 800 MB."""

SCALE = 1_000_000
"""What unit-square coordinates are multiplied by before they are rounded and written."""

_KEYS = ("NAME", "TYPE", "COMMENT", "DIMENSION", "EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT",
         "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE", "CAPACITY")  # fmt: skip
_SECTIONS = ("NODE_COORD_SECTION", "EDGE_WEIGHT_SECTION", "DISPLAY_DATA_SECTION", "TOUR_SECTION")
_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*(:?)\s*(.*)")


@dataclass
class Sections:
    """A TSPLIB file, cut up.

    Attributes:
        keys: Value and line of each `KEY : value`.
        bodies: Numbers of each section, not yet read, by name.
        at: Line of each section's keyword.
        end: Last line of the file.
    """

    keys: dict[str, tuple[str, int]] = field(default_factory=dict)
    bodies: dict[str, Numbers] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    end: int = 1


def _keyword(line: str) -> tuple[str, bool, str] | None:
    """Keyword in capitals, whether a colon follows, and the rest; None for a line of data."""
    match = _LINE.fullmatch(line)
    return None if match is None else (match[1].upper(), bool(match[2]), match[3].strip())


def _is_section(line: str) -> bool:
    """Whether a line inside a section's data begins something else."""
    found = _keyword(line)
    return found is not None and (found[0] in _KEYS or found[0] == "EOF" or found[0].endswith("_SECTION"))


def split(text: str, path: Path, types: tuple[str, ...]) -> Sections:
    """Cuts a TSPLIB file into keys and sections.

    Args:
        text: The file.
        path: Its name, for messages.
        types: The TYPEs that are expected.

    Raises:
        InputError: At another TYPE, an unsupported section, something given twice, or a line that is none of it.
    """
    cut = Sections(end=last_line(text))
    content = text.split("\n")
    line = 0
    while line < len(content):
        stripped = content[line].strip()
        line += 1
        if not stripped:
            continue
        key, colon, value = _keyword(stripped) or ("", False, "")
        if key == "EOF":
            break
        if key.endswith("_SECTION"):
            _require_section(cut, key, value, path, line)
            start = line
            while line < len(content) and not _is_section(content[line].strip()):
                line += 1
            cut.at[key] = start
            cut.bodies[key] = Numbers("\n".join(content[start:line]), path, offset=start)
            continue
        if not (key and (colon or (key in _KEYS and value))):
            raise InputError(f"expected 'KEY : value' or a section, found {shown(stripped)}", path=path, line=line)
        if key in cut.keys and key != "COMMENT":
            raise InputError(f"{key} is given twice", path=path, line=line)
        cut.keys[key] = (value, line)
        if key == "TYPE":
            value_of(cut, "TYPE", types, path)
    return cut


def _require_section(cut: Sections, key: str, rest: str, path: Path, line: int) -> None:
    if key not in _SECTIONS:
        raise InputError(f"{key} is not supported: expected one of {', '.join(_SECTIONS)}", path=path, line=line)
    if key in cut.bodies:
        raise InputError(f"{key} is given twice", path=path, line=line)
    if rest:
        raise InputError(f"expected nothing after {key}, found {shown(rest)}", path=path, line=line)


def value_of(cut: Sections, key: str, allowed: tuple[str, ...], path: Path) -> str:
    """First word of a key's value, in capitals, which must be one of `allowed`.

    Raises:
        InputError: If the key is missing or has another value.
    """
    if key not in cut.keys:
        raise InputError(f"{key} is missing: expected one of {', '.join(allowed)}", path=path, line=cut.end)
    value, line = cut.keys[key]
    word = value.split()[0].upper() if value else ""
    if word not in allowed:
        message = f"{key} {shown(word)} is not supported: expected one of {', '.join(allowed)}"
        raise InputError(message, path=path, line=line)
    return word


def dimension(cut: Sections, path: Path) -> int:
    """DIMENSION.

    Raises:
        InputError: If it is missing, not positive, or above `MOST_CITIES`.
    """
    if "DIMENSION" not in cut.keys:
        raise InputError("DIMENSION is missing", path=path, line=cut.end)
    value, line = cut.keys["DIMENSION"]
    n = integer(value, "DIMENSION", path, line)
    if not 1 <= n <= MOST_CITIES:
        raise InputError(f"DIMENSION is {n}: expected 1 to {MOST_CITIES}", path=path, line=line)
    return n


def _body(cut: Sections, section: str, why: str, path: Path) -> Numbers:
    if section not in cut.bodies:
        raise InputError(f"{section} is missing: expected it for {why}", path=path, line=cut.end)
    return cut.bodies[section]


def _coordinates(body: Numbers, section: str, n: int, path: Path) -> NDArray:
    """[n, 2] float64 from `node x y` triples in any order."""
    table = body.take(3 * n, f"numbers in {section} (node, x, y for each of {n} nodes)").reshape(n, 3)
    body.end(f"{section} of {n} nodes")
    points = np.empty((n, 2))
    seen = np.zeros(n, dtype=bool)
    for i, node in enumerate(table[:, 0].tolist()):
        if node != int(node) or not 1 <= node <= n:
            raise body.error(f"node {node:g}: expected a number from 1 to {n}", back=3 * (n - i))
        if seen[int(node) - 1]:
            raise body.error(f"node {node:g} is given twice", back=3 * (n - i))
        seen[int(node) - 1] = True
    points[table[:, 0].astype(np.int64) - 1] = table[:, 1:]
    return points


def _matrix(cut: Sections, n: int, path: Path) -> NDArray:
    """[n, n] distances of an EXPLICIT file."""
    layout = value_of(cut, "EDGE_WEIGHT_FORMAT", LAYOUTS, path)
    body = _body(cut, "EDGE_WEIGHT_SECTION", "EDGE_WEIGHT_TYPE EXPLICIT", path)
    count = entries(layout, n)
    values = body.take(count, f"numbers in EDGE_WEIGHT_SECTION ({layout} of {n} cities)")
    body.end(f"{count} numbers in EDGE_WEIGHT_SECTION ({layout} of {n} cities)")
    distances = from_entries(values, layout, n)
    if layout == "FULL_MATRIX" and (distances != distances.T).any():
        i, j = np.argwhere(distances != distances.T)[0].tolist()
        message = f"distance {i + 1} to {j + 1} is {distances[i, j]}, back {distances[j, i]}: expected equal ones"
        raise body.error(message, back=n * n - (i * n + j))
    return distances


class TSPLIB:
    """Symmetric TSP; EDGE_WEIGHT_TYPE EXPLICIT and the planar and geographical ones, rounded as TSPLIB does."""

    name = "tsplib"
    problems = frozenset({"tsp"})
    suffixes = (".tsp",)
    summary = "TSPLIB 95, symmetric TSP (Reinelt 1995)"

    def confidence(self, text: str, suffix: str) -> float:
        """By keywords; a TSPLIB file of another type still comes here, to be refused by name."""
        words = ("DIMENSION", "EDGE_WEIGHT", "_SECTION", "NODE_COORD")
        found = sum(word in text for word in words)
        return min(1.0, 0.4 * found + (0.3 if suffix in self.suffixes else 0.0))

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance with `distances`, and `coordinates` where the file has them."""
        cut = split(text, path, ("TSP",))
        if "TOUR_SECTION" in cut.at:
            message = "TOUR_SECTION is not supported in a problem file"
            raise InputError(message, path=path, line=cut.at["TOUR_SECTION"])
        n = dimension(cut, path)
        kind = value_of(cut, "EDGE_WEIGHT_TYPE", ("EXPLICIT", *RULES), path)
        data: dict[str, Any] = {}
        for section in ("DISPLAY_DATA_SECTION", "NODE_COORD_SECTION"):
            if section in cut.bodies:
                data["coordinates"] = _coordinates(cut.bodies[section], section, n, path)
        if kind == "EXPLICIT":
            data["distances"] = _matrix(cut, n, path)
        elif "EDGE_WEIGHT_SECTION" in cut.at:
            message = f"EDGE_WEIGHT_SECTION in a file of EDGE_WEIGHT_TYPE {kind}: expected EXPLICIT"
            raise InputError(message, path=path, line=cut.at["EDGE_WEIGHT_SECTION"])
        else:
            _body(cut, "NODE_COORD_SECTION", f"EDGE_WEIGHT_TYPE {kind}", path)
            data["distances"] = from_coordinates(data["coordinates"], kind)
        return [registry.problem("tsp").instance(data, name=stem(path), source=str(path))]

    def format(self, instances: list[Instance]) -> str:
        """Coordinates if one of TSPLIB's functions gives the distances, else the upper triangle.

        An instance of coordinates alone has unrounded distances, which TSPLIB lacks: in the unit square the
        coordinates are scaled by 10^6 and rounded, as in the DIMACS challenge's random instances, and a COMMENT
        says so; elsewhere the distances are listed.
        """
        instance = only(instances, self.problems, self.name)
        head = f"NAME : {re.sub(r'[^!-~]', '_', instance.name)}\nTYPE : TSP\n"
        if "distances" not in instance:
            points = instance["coordinates"]
            if (points < 0).any() or (points > 1).any():
                return head + _explicit(instance)
            comment = f"COMMENT : coordinates of the unit square, times {SCALE} and rounded\n"
            return head + comment + _planar("EUC_2D", np.round(points * SCALE))
        if "coordinates" in instance:
            for kind in RULES:
                if _gives(instance["coordinates"], kind, instance["distances"]):
                    return head + _planar(kind, instance["coordinates"])
        return head + _explicit(instance)


def _gives(points: NDArray, kind: str, distances: NDArray) -> bool:
    try:
        return bool((from_coordinates(points, kind) == distances).all())
    except InputError:
        return False


def _nodes(points: NDArray) -> str:
    listed = enumerate(points.tolist(), start=1)
    return "".join(f"{node} {digits(x)} {digits(y)}\n" for node, (x, y) in listed)


def _planar(kind: str, points: NDArray) -> str:
    head = f"DIMENSION : {points.shape[0]}\nEDGE_WEIGHT_TYPE : {kind}\nNODE_COORD_SECTION\n"
    return head + _nodes(points) + "EOF\n"


def _explicit(instance: Instance) -> str:
    distances = TSP().distances(instance)
    n = distances.shape[0]
    shown_at = "DISPLAY_DATA_TYPE : TWOD_DISPLAY\n" if "coordinates" in instance else ""
    text = (
        f"DIMENSION : {n}\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : UPPER_ROW\n{shown_at}"
        "EDGE_WEIGHT_SECTION\n"
    ) + "".join(rows(distances[i, i + 1 :]) for i in range(n - 1))
    if shown_at:
        text += "DISPLAY_DATA_SECTION\n" + _nodes(instance["coordinates"])
    return text + "EOF\n"
