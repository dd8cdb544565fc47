"""Linear programs through SCIP's file readers."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io.text import stem

if TYPE_CHECKING:
    from pyscipopt import Model

_ERROR = re.compile(r"ERROR: (.*)")
_LINE = re.compile(r"line (\d+)")
_LONGEST = 200
_ONE_AT_A_TIME = threading.Lock()


def read_with_scip(text: str, path: Path, suffix: str) -> MixedIntegerProgram:
    """A program in any text format that SCIP reads; columns in the order in which the file names them.

    Args:
        text: The file, ASCII.
        path: Its name, for messages.
        suffix: Which reader, e.g. `".lp"`.

    Raises:
        InputError: If SCIP refuses the file, or the program is not linear.
    """
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"model{suffix}"
        copy.write_text(text, encoding="ascii")
        model, complaint = _load(copy)
        if complaint is not None:
            found = _LINE.search(complaint)
            short = complaint if len(complaint) <= _LONGEST else complaint[:_LONGEST] + "..."
            raise InputError(short, path=path, line=int(found[1]) if found else None)
        return _program(model, path)


def _load(copy: Path) -> tuple[Model, str | None]:
    """The model, and SCIP's first error message if it could not read the file."""
    from pyscipopt import Model

    model = Model()
    model.redirectOutput()  # errors go to Python's stderr, which can be captured, not to the C library's
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            model.readProblem(str(copy))
        except Exception as error:
            found = _ERROR.search(err.getvalue())
            return model, (found[1].strip() if found else f"SCIP cannot read the file: {error}")
    return model, None


def _program(model: Model, path: Path) -> MixedIntegerProgram:
    variables = sorted(model.getVars(), key=lambda v: v.getIndex())
    if not variables:
        raise InputError("no variable: expected at least one", path=path)
    index = {v.ptr(): j for j, v in enumerate(variables)}
    infinity = model.infinity()
    starts, columns, sides, names = [0], [], [], []
    values: list[float] = []
    for row in model.getConss():
        kind = row.getConshdlrName()
        if kind != "linear":
            raise InputError(f"constraint {row.name!a} ({kind}) is not supported: expected linear ones", path=path)
        columns += [index[v.ptr()] for v in model.getConsVars(row) or []]
        values += model.getConsVals(row) or []
        starts.append(len(columns))
        sides.append((model.getLhs(row), model.getRhs(row)))
        names.append(row.name)
    c = np.array([v.getObj() for v in variables])
    box = np.array([(v.getLbOriginal(), v.getUbOriginal()) for v in variables]).T
    matrix = sparse.csr_matrix((np.array(values, dtype=np.float64), columns, starts), (len(names), len(c)))
    matrix.sum_duplicates()
    row_sides = np.array(sides, dtype=np.float64).reshape(-1, 2).T
    for what, data in (("a bound", box), ("a right-hand side", row_sides)):
        if np.isnan(data).any():
            raise InputError(f"{what} is NaN: expected a number", path=path)
    if not (np.abs(np.concatenate([c, matrix.data, [model.getObjoffset()]])) < infinity).all():
        raise InputError("a coefficient is NaN or infinite: expected finite numbers", path=path)
    row_lower, row_upper, lower, upper = (
        np.where(np.abs(side) >= infinity, np.copysign(np.inf, side), side) for side in (*row_sides, *box)
    )
    return MixedIntegerProgram(
        sense="maximize" if model.getObjectiveSense() == "maximize" else "minimize",
        c=c,
        A=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=np.array([v.vtype() != "CONTINUOUS" for v in variables]),
        offset=model.getObjoffset(),
        variable_names=tuple(v.name for v in variables),
        row_names=tuple(names),
        name=stem(path),
    )
