"""SCIP's own C functions, out of the shared library that PySCIPOpt has loaded."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError

_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

POINTER, INT, LONG, REAL = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong, ctypes.c_double
TEXT = ctypes.c_char_p

PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "SCIPgetLPI": (INT, [POINTER, POINTER]),
    "SCIPlpiGetSol": (INT, [POINTER] * 6),
    "SCIPlpiGetBase": (INT, [POINTER] * 3),
    "SCIPlpiGetBounds": (INT, [POINTER, INT, INT, POINTER, POINTER]),
    "SCIPlpiGetObj": (INT, [POINTER, INT, INT, POINTER]),
    "SCIPlpiGetSides": (INT, [POINTER, INT, INT, POINTER, POINTER]),
    "SCIPlpiGetNNonz": (INT, [POINTER, POINTER]),
    "SCIPlpiGetRows": (INT, [POINTER, INT, INT, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER]),
    "SCIPgetLPColsData": (INT, [POINTER, POINTER, POINTER]),
    "SCIPgetLPRowsData": (INT, [POINTER, POINTER, POINTER]),
    "SCIPgetLPBranchCands": (INT, [POINTER] * 7),
    "SCIPgetVanillafullstrongData": (INT, [POINTER] * 6),
    "SCIPgetBestSol": (POINTER, [POINTER]),
    "SCIPsolGetIndex": (INT, [POINTER]),
    "SCIPgetNSolsFound": (LONG, [POINTER]),
    "SCIPgetSolVals": (INT, [POINTER, POINTER, INT, POINTER, POINTER]),
    "SCIPgetNLPs": (LONG, [POINTER]),
    "SCIPgetObjNorm": (REAL, [POINTER]),
    "SCIPinfinity": (REAL, [POINTER]),
    "SCIPepsilon": (REAL, [POINTER]),
    "SCIPfeastol": (REAL, [POINTER]),
    "SCIPgetLPObjval": (REAL, [POINTER]),
    "SCIPgetCutoffbound": (REAL, [POINTER]),
    "SCIPgetLowerbound": (REAL, [POINTER]),
    "SCIPgetDepth": (INT, [POINTER]),
    "SCIPgetNNodes": (LONG, [POINTER]),
    "SCIPgetNRuns": (INT, [POINTER]),
    "SCIPisStopped": (ctypes.c_uint, [POINTER]),
    "SCIPexecRelpscostBranching": (INT, [POINTER, POINTER, POINTER, POINTER, INT, ctypes.c_uint, POINTER]),
    "SCIPgetBranchrules": (POINTER, [POINTER]),
    "SCIPgetNBranchrules": (INT, [POINTER]),
    "SCIPbranchruleGetNDomredsFound": (LONG, [POINTER]),
    "SCIPbranchruleGetNCutoffs": (LONG, [POINTER]),
    "SCIPbranchVar": (INT, [POINTER, POINTER, POINTER, POINTER, POINTER]),
    "SCIPgetProbvarLinearSum": (INT, [POINTER, POINTER, POINTER, POINTER, INT, POINTER, POINTER, INT]),
    "SCIPaddVarBranchPriority": (INT, [POINTER, POINTER, INT]),
    "SCIPchgVarBranchDirection": (INT, [POINTER, POINTER, INT]),
    "SCIPvarGetBranchPriority": (INT, [POINTER]),
    "SCIPvarGetBranchDirection": (INT, [POINTER]),
    "SCIPincludeNodeselBasic": (INT, [POINTER, POINTER, TEXT, TEXT, INT, INT, POINTER, POINTER, POINTER]),
    "SCIPfindNodesel": (POINTER, [POINTER, TEXT]),
    "SCIPsetNodeselStdPriority": (INT, [POINTER, POINTER, INT]),
    "SCIPnodeselSetData": (None, [POINTER, POINTER]),
}
"""Return and argument types of what is called from Python."""

CALLBACKS = (
    "SCIPcolGetAge",
    "SCIPcolGetVar",
    "SCIPcolGetLPPos",
    "SCIPvarGetCol",
    "SCIPvarGetType",
    "SCIPvarIsImpliedIntegral",
    "SCIPvarGetAvgSol",
    "SCIProwGetAge",
    "SCIProwGetIndex",
    "SCIProwGetConstant",
    "SCIPgetVarPseudocost",
    "SCIPgetVarPseudocostScore",
    "SCIPgetVarPseudocostCountCurrentRun",
    "SCIPvarGetCutoffSum",
    "SCIPvarGetNBranchings",
    "SCIPgetVarAvgInferenceScore",
    "SCIPgetVarAvgCutoffScore",
    "SCIPgetVarConflictScore",
)
"""What compiled loops call, once for each column, row or variable: the order of `Library.addresses`."""

NODES = (
    "SCIPnodeselGetData",
    "SCIPnodeGetNumber",
    "SCIPnodeGetParent",
    "SCIPnodeGetLowerbound",
    "SCIPnodeGetDomchg",
    "SCIPdomchgGetNBoundchgs",
    "SCIPdomchgGetBoundchg",
    "SCIPboundchgGetBoundchgtype",
    "SCIPboundchgGetBoundtype",
    "SCIPboundchgGetVar",
    "SCIPvarGetIndex",
    "SCIPgetNRuns",
    "SCIPgetLowerbound",
    "SCIPgetCutoffbound",
    "SCIPgetPrioChild",
    "SCIPgetPrioSibling",
    "SCIPgetBestNode",
    "SCIPgetBestboundNode",
)
"""What a compiled node selector calls, by name; see `milp.kernels.nodes`."""


class MissingSymbols(SolverError):
    """This build of PySCIPOpt does not let SCIP's C functions be called."""


class Library:
    """The C functions of SCIP.

    Attributes:
        functions: ctypes functions by name.
        addresses: [len(CALLBACKS)] int64, where the functions of `CALLBACKS` lie in memory.
    """

    def __init__(self, path: str | None) -> None:
        self.path = path
        handle = ctypes.CDLL(path)
        missing = [name for name in (*PROTOTYPES, *CALLBACKS, *NODES) if not hasattr(handle, name)]
        if missing:
            raise MissingSymbols(f"{path or 'this process'} lacks {', '.join(missing[:3])}")
        self.functions: dict[str, Any] = {}
        for name, (result, arguments) in PROTOTYPES.items():
            # the GIL is kept: these calls are short, and giving it away lets other threads run for milliseconds
            function = ctypes.PYFUNCTYPE(result, *arguments)((name, handle))
            self.functions[name] = function
        self._handle = handle
        self.addresses: NDArray[np.int64] = np.array([self.address(name) for name in CALLBACKS], dtype=np.int64)

    def address(self, name: str) -> int:
        """Where a function lies in memory."""
        return int(ctypes.cast(getattr(self._handle, name), POINTER).value or 0)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["functions"][name]
        except KeyError:
            raise AttributeError(name) from None


@functools.cache
def library() -> Library:
    """The library that comes with PySCIPOpt, or one that is loaded already.

    Raises:
        MissingSymbols: If there is none with all of the functions.
    """
    import pyscipopt

    root = Path(pyscipopt.__file__).parents[1]
    places: list[str | None] = [str(p) for p in sorted(root.glob("[pP]y[sS][cC][iI][pP][oO]pt.libs/libscip*"))]
    reasons = []
    for place in [*places, None]:
        try:
            return Library(place)
        except (OSError, MissingSymbols) as error:
            reasons.append(str(error))
    raise MissingSymbols(f"SCIP's C functions cannot be called: {'; '.join(reasons)}")


def pointer(model: Any) -> int:
    """Address of the SCIP object of a PySCIPOpt model."""
    return int(_capsule_pointer(model.to_ptr(False), b"scip"))


def check(code: int, what: str) -> None:
    """Turns a return code of SCIP into an exception.

    Raises:
        SolverError: If it is not SCIP_OKAY.
    """
    if code != 1:
        raise SolverError(f"SCIP refused {what} with code {code}")


def branching_side_effects(model: Any) -> int:
    """Domain changes and cutoffs that the branching rules of a model have found in its last run."""
    lib, scip = library(), pointer(model)
    rules = (ctypes.c_void_p * lib.SCIPgetNBranchrules(scip)).from_address(lib.SCIPgetBranchrules(scip))
    return sum(lib.SCIPbranchruleGetNDomredsFound(rule) + lib.SCIPbranchruleGetNCutoffs(rule) for rule in rules)
