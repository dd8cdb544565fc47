"""The reader of MPS text: strict, with a line for every complaint.

Format: IBM, "MPSX/370" (1979), and its free form; where dialects differ, as SCIP 10 reads it (integer columns
without any bound are binary). Names hold no blanks, so that fixed and free form read alike.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from scipy import sparse

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io.text import last_line, number, shown, stem

INFINITE = 1e20
"""From this magnitude on, a side or bound is infinite."""

_ORDER = ("NAME", "OBJSENSE", "ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS", "ENDATA")
_LONGEST_NAME = 255
_INFINITY = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_WITH_VALUE = {"UP", "LO", "FX", "UI", "LI"}
_WITHOUT_VALUE = {"MI", "PL", "FR", "BV"}


def parse_mps(text: str, path: Path) -> MixedIntegerProgram:
    """The program in an MPS file; its columns and rows in the order of the file, without further N rows.

    Raises:
        InputError: If it is malformed, or has special ordered sets, indicators, quadratic terms or
            semicontinuous variables.
    """
    return _Reader(path).read(text)


class _Reader:
    """The state of reading one file, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.section = ""
        self.unsupported = ""
        self.begun: set[str] = set()
        self.sense: str | None = None
        self.row_type: dict[str, str] = {}
        self.row_index: dict[str, int] = {}
        self.objective: str | None = None
        self.columns: dict[str, int] = {}
        self.column_rows: set[str] = set()
        self.integer: list[bool] = []
        self.in_integers = False
        self.entry_rows: list[int] = []
        self.entry_columns: list[int] = []
        self.entry_values: list[float] = []
        self.costs: dict[int, float] = {}
        self.sides: dict[str, float] = {}
        self.ranges: dict[str, float] = {}
        self.bounds: dict[tuple[int, str], tuple[float, int]] = {}
        self.set_names: dict[str, str] = {}

    def error(self, message: str) -> InputError:
        return InputError(message, path=self.path, line=self.number)

    def read(self, text: str) -> MixedIntegerProgram:
        """Reads all lines."""
        takes = {
            "OBJSENSE": self._objsense, "ROWS": self._row, "COLUMNS": self._column, "RHS": self._rhs,
            "RANGES": self._range, "BOUNDS": self._bound,
        }  # fmt: skip
        for self.number, line in enumerate(text.split("\n"), start=1):
            words = line.split()
            if not words or line.startswith("*"):
                continue
            if self.section == "ENDATA":
                raise self.error(f"expected nothing after ENDATA, found {shown(words[0])}")
            if self.unsupported:
                raise self._refusal(" ".join(words))
            if not line[0].isspace():
                self._begin(words)
            elif self.section in takes:
                takes[self.section](words)
            else:
                raise self.error(f"expected a section such as ROWS, found {shown(line.strip())}")
        self.number = last_line(text)
        if self.unsupported:
            raise self._refusal("empty")
        if self.section != "ENDATA":
            raise self.error("the file ends without ENDATA: is it cut off?")
        return self._program()

    def _refusal(self, entry: str) -> InputError:
        return self.error(
            f"section {self.unsupported} ({shown(entry)}) is not supported: expected a linear program with "
            f"{', '.join(_ORDER)}"
        )

    def _begin(self, words: list[str]) -> None:
        """Begins a section."""
        name = words[0].upper()
        if name not in _ORDER:
            if not re.fullmatch(r"[A-Z][A-Z0-9]*", name):
                raise self.error(f"expected a section such as ROWS, found {shown(words[0])}")
            self.unsupported = name
            return
        if name in self.begun:
            raise self.error(f"a second section {name}")
        needed = {"COLUMNS": "ROWS", "RHS": "COLUMNS", "RANGES": "COLUMNS", "BOUNDS": "COLUMNS",
                  "ENDATA": "COLUMNS"}.get(name)  # fmt: skip
        if needed and needed not in self.begun:
            raise self.error(f"section {name} before {needed}")
        if len(words) > 1 and name not in ("NAME", "OBJSENSE"):
            raise self.error(f"expected nothing after {name}, found {shown(words[1])}")
        self.begun.add(name)
        self.section = name
        if name == "OBJSENSE" and len(words) > 1:
            self._objsense(words[1:])

    def _objsense(self, words: list[str]) -> None:
        sense = {"MAX": "maximize", "MAXIMIZE": "maximize", "MIN": "minimize", "MINIMIZE": "minimize"}
        if len(words) != 1 or words[0].upper() not in sense or self.sense:
            raise self.error(f"expected MAX or MIN once after OBJSENSE, found {shown(' '.join(words))}")
        self.sense = sense[words[0].upper()]

    def _name(self, name: str) -> str:
        if len(name) > _LONGEST_NAME:
            raise self.error(f"name {shown(name)} has {len(name)} characters: expected at most {_LONGEST_NAME}")
        return name

    def _value(self, token: str, what: str, infinite: bool = False) -> float:
        if infinite and _INFINITY.fullmatch(token):
            return -np.inf if token[0] == "-" else np.inf
        value = float(number(token, what, self.path, self.number))
        if abs(value) < INFINITE:
            return value
        if not infinite:
            raise self.error(f"{what} is {shown(token)}: expected a magnitude below {INFINITE:g}")
        return float(np.copysign(np.inf, value))

    def _row(self, words: list[str]) -> None:
        if len(words) != 2 or words[0].upper() not in ("N", "E", "L", "G"):
            found = shown(" ".join(words))
            raise self.error(f"expected N, E, L or G and a name without blanks, found {found}")
        kind, name = words[0].upper(), self._name(words[1])
        if name in self.row_type:
            raise self.error(f"a second row {shown(name)}")
        self.row_type[name] = kind
        if kind != "N":
            self.row_index[name] = len(self.row_index)
        elif self.objective is None:
            self.objective = name

    def _require_row(self, name: str) -> str:
        if name not in self.row_type:
            raise self.error(f"unknown row {shown(name)}: expected one of section ROWS")
        return name

    def _column(self, words: list[str]) -> None:
        if len(words) == 3 and words[1] == "'MARKER'":
            if words[2] not in ("'INTORG'", "'INTEND'") or self.in_integers == (words[2] == "'INTORG'"):
                raise self.error(f"marker {shown(words[2])}: expected 'INTORG' and 'INTEND' in turn")
            self.in_integers = not self.in_integers
            return
        if len(words) not in (3, 5):
            found = shown(" ".join(words))
            raise self.error(f"expected a column and one or two pairs of row and value, found {found}")
        name = self._name(words[0])
        if name not in self.columns:
            self.columns[name] = len(self.columns)
            self.integer.append(self.in_integers)
            self.column_rows = set()
        elif self.columns[name] != len(self.columns) - 1:
            raise self.error(f"column {shown(name)} goes on after another one: expected its entries together")
        column = self.columns[name]
        for row, token in zip(words[1::2], words[2::2], strict=True):
            self._entry(column, self._require_row(row), self._value(token, "coefficient"))

    def _entry(self, column: int, row: str, value: float) -> None:
        if row in self.column_rows:
            raise self.error(f"a second coefficient of this column in row {shown(row)}")
        self.column_rows.add(row)
        if row == self.objective:
            self.costs[column] = value
        elif row in self.row_index and value != 0:
            self.entry_rows.append(self.row_index[row])
            self.entry_columns.append(column)
            self.entry_values.append(value)

    def _set(self, name: str) -> None:
        if self.set_names.setdefault(self.section, name) != name:
            first = shown(self.set_names[self.section])
            raise self.error(f"a second {self.section} set {shown(name)} after {first}: expected one")

    def _pairs(self, words: list[str]) -> list[tuple[str, str]]:
        """Row and value, once or twice, after the name of the set, which may be absent."""
        if not 2 <= len(words) <= 5:
            found = shown(" ".join(words))
            raise self.error(f"expected a set name and one or two pairs of row and value, found {found}")
        if len(words) % 2:
            self._set(words[0])
        pairs = words[len(words) % 2 :]
        return [(self._require_row(row), value) for row, value in zip(pairs[::2], pairs[1::2], strict=True)]

    def _rhs(self, words: list[str]) -> None:
        for row, token in self._pairs(words):
            if row in self.sides:
                raise self.error(f"a second right-hand side of row {shown(row)}")
            self.sides[row] = self._value(token, "right-hand side", infinite=self.row_type[row] in "LG")

    def _range(self, words: list[str]) -> None:
        for row, token in self._pairs(words):
            if row in self.ranges or self.row_type[row] == "N":
                raise self.error(f"range of row {shown(row)}: expected one, of a row that is not N")
            self.ranges[row] = self._value(token, "range", infinite=True)

    def _bound(self, words: list[str]) -> None:
        kind, rest = words[0].upper(), words[1:]
        if kind == "SC":
            raise self.error(
                f"semicontinuous variable {shown(rest[-2] if len(rest) > 1 else '')} is not supported"
            )
        if kind not in _WITH_VALUE | _WITHOUT_VALUE:
            known = ", ".join(sorted(_WITH_VALUE | _WITHOUT_VALUE))
            raise self.error(f"bound type {shown(kind)}: expected one of {known}")
        most = 3 if kind in _WITH_VALUE or (len(rest) == 3 and rest[1] in self.columns) else 2
        with_set = len(rest) == most or (kind in _WITHOUT_VALUE and len(rest) == 2 and rest[1] in self.columns)
        if with_set:
            self._set(rest[0])
        named = rest[1:] if with_set else rest
        if not named or len(named) > 2 or (kind in _WITH_VALUE and len(named) != 2):
            raise self.error(f"expected a bound type, a set, a column and a value, found {shown(' '.join(words))}")
        if named[0] not in self.columns:
            raise self.error(f"unknown column {shown(named[0])}: expected one of section COLUMNS")
        value = self._value(named[1], "bound", infinite=kind in ("UP", "LO")) if len(named) > 1 else 0.0
        key = (self.columns[named[0]], kind)
        if key in self.bounds:
            raise self.error(f"a second bound of type {kind} for column {shown(named[0])}")
        self.bounds[key] = (value, self.number)

    def _box(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lower and upper bounds and integrality of the columns."""
        n = len(self.columns)
        integer = np.array(self.integer, dtype=bool)
        lower, upper = np.zeros(n), np.full(n, np.inf)
        bounded = np.zeros(n, dtype=bool)
        bounded[[column for column, _ in self.bounds]] = True
        upper[integer & ~bounded] = 1.0
        for (column, kind), (value, _) in self.bounds.items():
            low, high = {
                "UP": (None, value), "UI": (None, value), "LO": (value, None), "LI": (value, None),
                "FX": (value, value), "MI": (-np.inf, None), "PL": (None, np.inf),
                "FR": (-np.inf, np.inf), "BV": (0.0, 1.0),
            }[kind]  # fmt: skip
            lower[column] = lower[column] if low is None else low
            upper[column] = upper[column] if high is None else high
            integer[column] |= kind in ("UI", "LI", "BV")
        for (column, kind), (value, line) in self.bounds.items():
            if lower[column] > upper[column] or np.isposinf(lower[column]) or np.isneginf(upper[column]):
                self.number = line
                span = f"[{lower[column]:g}, {upper[column]:g}]"
                raise self.error(f"{kind} bound {value:g} leaves {span}: expected a lower bound below the upper")
        return lower, upper, integer

    def _row_sides(self) -> tuple[np.ndarray, np.ndarray]:
        lower = np.full(len(self.row_index), -np.inf)
        upper = np.full(len(self.row_index), np.inf)
        for name, row in self.row_index.items():
            kind, side, width = self.row_type[name], self.sides.get(name, 0.0), self.ranges.get(name)
            if kind in ("E", "G"):
                lower[row] = side
            if kind in ("E", "L"):
                upper[row] = side
            if width is None:
                continue
            if kind == "L" or (kind == "E" and width < 0):
                lower[row] = side - abs(width)
            else:
                upper[row] = side + abs(width)
        return lower, upper

    def _program(self) -> MixedIntegerProgram:
        if self.objective is None:
            raise self.error("no N row: expected an objective")
        if not self.columns:
            raise self.error("no column: expected at least one")
        lower, upper, integer = self._box()
        row_lower, row_upper = self._row_sides()
        m, n = len(self.row_index), len(self.columns)
        values = np.array(self.entry_values, dtype=np.float64)
        matrix = sparse.csr_matrix((values, (self.entry_rows, self.entry_columns)), shape=(m, n))
        c = np.zeros(n)
        c[list(self.costs)] = list(self.costs.values())
        return MixedIntegerProgram(
            sense="maximize" if self.sense == "maximize" else "minimize",
            c=c,
            A=matrix,
            row_lower=row_lower,
            row_upper=row_upper,
            lower=lower,
            upper=upper,
            integer=integer,
            offset=-self.sides.get(self.objective, 0.0),
            variable_names=tuple(self.columns),
            row_names=tuple(self.row_index),
            name=stem(self.path),
        )
