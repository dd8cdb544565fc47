"""MPS and LP files of mixed-integer linear programs."""

from __future__ import annotations

import re
from pathlib import Path

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.io.base import only
from co_gym.io.lp_writer import format_lp
from co_gym.io.mps_reader import parse_mps
from co_gym.io.mps_writer import format_mps
from co_gym.io.scip_reader import read_with_scip
from co_gym.io.text import last_line, lines, require_printable, shown, stem
from co_gym.problems.mip import MIP

_MPS_SECTION = re.compile(r"^(NAME|OBJSENSE|ROWS|COLUMNS|RHS|BOUNDS|ENDATA)\b", re.MULTILINE | re.IGNORECASE)
_LP_COMMENT = re.compile(r"\\[^\n]*")
_LP_BEGIN = re.compile(r"(max|min|maximi[sz]e|minimi[sz]e|maximum|minimum)\b", re.IGNORECASE)
_LP_END = re.compile(r"(^|\s)end$", re.IGNORECASE)
_NOT_FINITE = re.compile(r"(?<![^\s+\-*/^<>=:\[\]])nan(?![^\s+\-*/^<>=:\[\]])", re.IGNORECASE)


def _instance(program: MixedIntegerProgram, path: Path) -> Instance:
    return MIP().from_program(program, name=stem(path), source=str(path))


class MPS:
    """Mixed-integer linear program in fixed or free MPS; names hold no blanks."""

    name = "mps"
    problems = frozenset({"mip"})
    suffixes = (".mps",)
    summary = "mixed-integer linear program, MPS (IBM 1979), fixed or free"

    def confidence(self, text: str, suffix: str) -> float:
        """By the section keywords."""
        found = {match[1].upper() for match in _MPS_SECTION.finditer(text)}
        return min(1.0, 0.25 * len(found) + (0.3 if suffix in self.suffixes else 0.0))

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance."""
        require_printable(text, path)
        return [_instance(parse_mps(text, path), path)]

    def format(self, instances: list[Instance]) -> str:
        """Free MPS."""
        instance = only(instances, self.problems, self.name)
        return format_mps(MIP().program(instance))


class LP:
    """Mixed-integer linear program in CPLEX's LP format, read by SCIP; a row with two sides is written as two."""

    name = "lp"
    problems = frozenset({"mip"})
    suffixes = (".lp",)
    summary = "mixed-integer linear program, LP format (CPLEX)"

    def confidence(self, text: str, suffix: str) -> float:
        """By the first word."""
        first = next((content for _, content in lines(text) if content[0] != "\\"), "")
        return (
            (0.7 if _LP_BEGIN.match(first) else 0.1)
            if suffix in self.suffixes
            else (0.7 if _LP_BEGIN.match(first) and _LP_END.search(text.rstrip()) else 0.0)
        )

    def parse(self, text: str, path: Path) -> list[Instance]:
        """One instance."""
        bare = _LP_COMMENT.sub("", text)
        require_printable(bare, path, ascii_only=True)
        content = list(lines(bare))
        if not content or not _LP_BEGIN.match(content[0][1]):
            line, found = content[0] if content else (1, "nothing")
            raise InputError(f"expected 'Maximize' or 'Minimize', found {shown(found)}", path=path, line=line)
        if not _LP_END.search(content[-1][1]):
            raise InputError("the file ends without 'End': is it cut off?", path=path, line=last_line(bare))
        for line, row in content:
            if _NOT_FINITE.search(row):
                raise InputError("NaN: expected a number", path=path, line=line)
        return [_instance(read_with_scip(bare, path, ".lp"), path)]

    def format(self, instances: list[Instance]) -> str:
        """LP text; readers of it keep the order of the columns."""
        instance = only(instances, self.problems, self.name)
        return format_lp(MIP().program(instance))
