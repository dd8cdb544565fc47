"""Names that a file format accepts."""

from __future__ import annotations


def claim(wanted: str, taken: set[str]) -> str:
    """The name itself, or with the first number appended (`_2`, `_3`, ...) that makes it new; added to `taken`."""
    name, again = wanted, 1
    while name in taken:
        again += 1
        name = f"{wanted}_{again}"
    taken.add(name)
    return name
