"""The LP of the current node in arrays: in bulk through SCIP's C functions, or by PySCIPOpt's getters."""

from __future__ import annotations

import warnings
from typing import Any

from co_gym.errors import SolverError
from milp import native
from milp.lp_interface.arrays import LP, Candidates, Matrix, Scalars, Values
from milp.lp_interface.getter_lp import GetterLP
from milp.lp_interface.native_lp import NativeLP

__all__ = ["LP", "Candidates", "GetterLP", "Matrix", "NativeLP", "Scalars", "Values", "native_lp", "open_lp"]


def open_lp(model: Any) -> LP:
    """The LP of a model: in bulk if SCIP's C functions can be called, else by getters, with one warning."""
    try:
        return NativeLP(model)
    except native.MissingSymbols as error:
        _warn_once(str(error))
        return GetterLP(model)


_warned: set[str] = set()


def _warn_once(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        warnings.warn(f"{text}; PySCIPOpt's getters are used, which are slower", RuntimeWarning, stacklevel=3)


def native_lp(model: Any) -> NativeLP:
    """The LP of a model through C functions.

    Raises:
        SolverError: If they cannot be called.
    """
    try:
        return NativeLP(model)
    except native.MissingSymbols as error:
        raise SolverError(f"this needs SCIP's C functions: {error}") from error
