"""TSPLIB 95 tour files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from co_gym.exact import Number
from co_gym.io import load_text, save_text
from co_gym.io.text import digits
from co_gym.io.tsplib import dimension, split


def read_tour(path: str | Path) -> NDArray:
    """The tour in a TSPLIB file of TYPE TOUR.

    Returns:
        [n] int64, cities numbered from 0, in the order of the file.

    Raises:
        InputError: If the file is malformed, holds several tours, or one that is no permutation.
    """
    path = Path(path)
    cut = split(load_text(path), path, ("TOUR",))
    if "TOUR_SECTION" not in cut.bodies:
        raise InputError("TOUR_SECTION is missing", path=path, line=cut.end)
    body = cut.bodies["TOUR_SECTION"]
    ends = np.flatnonzero(body.values == -1)
    n = dimension(cut, path) if "DIMENSION" in cut.keys else int(ends[0]) if ends.size else body.left
    seen = np.zeros(n, dtype=bool)
    tour = np.empty(n, dtype=np.int64)
    for position in range(n):
        city = body.integer(f"city {position + 1} of {n}")
        if city > n:
            raise body.error(f"city {city}: expected a number from 1 to {n}")
        if seen[city - 1]:
            raise body.error(f"city {city} occurs twice in the tour")
        seen[city - 1] = True
        tour[position] = city - 1
    while body.left:  # -1 ends the tour; some files add another -1 for the list of tours
        if body.take(1, "end of the tour")[0] != -1:
            raise body.error(f"expected -1 after the {n} cities of the tour")
    if n == 0:
        raise InputError("the tour is empty", path=path, line=cut.end)
    return tour


def write_tour(path: str | Path, tour: NDArray, name: str = "tour", length: Number | None = None) -> None:
    """Writes a tour as a TSPLIB file.

    Args:
        path: The file; overwritten.
        tour: [n] cities numbered from 0.
        name: For the NAME line.
        length: For the COMMENT line, if known.

    Raises:
        InputError: If the tour is no permutation, or the file cannot be written.
    """
    path = Path(path)
    cities = np.asarray(tour)
    if cities.ndim != 1 or sorted(cities.tolist()) != list(range(cities.size)):
        raise InputError(f"a tour must list each of the {cities.size} cities once", path=path)
    comment = "" if length is None else f"COMMENT : Length {digits(length)}\n"
    head = f"NAME : {re.sub(r'[^!-~]', '_', name)}\n{comment}TYPE : TOUR\nDIMENSION : {cities.size}\n"
    listed = "".join(f"{int(city) + 1}\n" for city in cities)
    save_text(path, head + "TOUR_SECTION\n" + listed + "-1\nEOF\n")
