"""A node selector of SCIP in compiled code: no Python runs in it, so that it costs little and cannot fail.

Unlike `milp.kernels.calls` it calls SCIP's functions by name, since SCIP hands it no addresses: the names are made
known to the linker before the code is compiled, or read from numba's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite.binding import add_symbol
from numba import carray, cfunc, njit, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

from milp.native import NODES, library

EVERY = 10
"""Each so many dives begin at the node of least bound, whatever is predicted."""
PLUNGE = 0.25
"""Children and siblings are preferred while their bounds lie below this part of the gap, as SCIP does it."""
SLOTS = 1 << 15
"""Nodes whose scores are kept, by their numbers; other scores are summed up anew."""
RUN = 1 << 40
"""More than the nodes of a run: a restart numbers them anew."""
DIVES, FOLLOWED, VARIABLES, CACHE = 0, 1, 2, 3
TABLE = CACHE + 2 * SLOTS
"""Positions in the memory of a selector, float64: counts of dives and of nodes that follow the prediction, the
number of variables in the table; pairs of a node's key and score; pairs of the log-probabilities of a variable's 0
and 1."""

_POINTER: Any = types.intp
_INT, _LONG, _REAL, _DATA = types.int32, types.int64, types.float64, types.voidptr

for _name in NODES:
    add_symbol(_name, library().address(_name))


def _external(name: str, result: Any, *arguments: Any) -> Any:
    return types.ExternalFunction(name, result(*arguments))


_get_data = _external("SCIPnodeselGetData", _DATA, _POINTER)
_get_number = _external("SCIPnodeGetNumber", _LONG, _POINTER)
_get_parent = _external("SCIPnodeGetParent", _POINTER, _POINTER)
_get_bound = _external("SCIPnodeGetLowerbound", _REAL, _POINTER)
_get_changes = _external("SCIPnodeGetDomchg", _POINTER, _POINTER)
_count_changes = _external("SCIPdomchgGetNBoundchgs", _INT, _POINTER)
_get_change = _external("SCIPdomchgGetBoundchg", _POINTER, _POINTER, _INT)
_get_reason = _external("SCIPboundchgGetBoundchgtype", _INT, _POINTER)
_get_side = _external("SCIPboundchgGetBoundtype", _INT, _POINTER)
_get_variable = _external("SCIPboundchgGetVar", _POINTER, _POINTER)
_get_index = _external("SCIPvarGetIndex", _INT, _POINTER)
_get_run = _external("SCIPgetNRuns", _INT, _POINTER)
_get_least_bound = _external("SCIPgetLowerbound", _REAL, _POINTER)
_get_cutoff = _external("SCIPgetCutoffbound", _REAL, _POINTER)
_get_child = _external("SCIPgetPrioChild", _POINTER, _POINTER)
_get_sibling = _external("SCIPgetPrioSibling", _POINTER, _POINTER)
_get_best = _external("SCIPgetBestNode", _POINTER, _POINTER)
_get_bestbound = _external("SCIPgetBestboundNode", _POINTER, _POINTER)

BRANCHING, LOWER = 0, 0
"""Values of SCIP_BOUNDCHGTYPE and SCIP_BOUNDTYPE."""


def memory(variables: int) -> NDArray[np.float64]:
    """Memory of a selector with a table of so many variables; nothing is predicted yet."""
    return np.zeros(TABLE + 2 * variables)


@njit(cache=True)
def _memory(selector: int, variables: int) -> Any:
    return carray(_get_data(selector), TABLE + 2 * variables, np.float64)


@njit(cache=True)
def _branchings(table: NDArray, node: int) -> float:
    """Log-probability of the branchings that made a node from its parent."""
    changes = _get_changes(node)
    total = 0.0
    if changes == 0:
        return total
    for i in range(_count_changes(changes)):
        change = _get_change(changes, i)
        if _get_reason(change) != BRANCHING:  # branchings come first
            break
        index = 2 * _get_index(_get_variable(change)) + (_get_side(change) == LOWER)
        if index < table.size:
            total += table[index]
    return total


@njit(cache=True)
def _score(scip: int, selector: int, node: int) -> float:
    """Log-probability of the branchings on the path to a node."""
    head = _memory(selector, 0)
    table = _memory(selector, int(head[VARIABLES]))[TABLE:]
    run = RUN * _get_run(scip)
    total, at = 0.0, node
    while at != 0:
        slot = CACHE + 2 * (_get_number(at) % SLOTS)
        if head[slot] == run + _get_number(at):
            total += head[slot + 1]
            break
        total += _branchings(table, at)
        at = _get_parent(at)
    slot = CACHE + 2 * (_get_number(node) % SLOTS)
    head[slot], head[slot + 1] = run + _get_number(node), total
    return total


@cfunc(_INT(_POINTER, _POINTER, _POINTER, _POINTER), cache=True)
def compare(scip: int, selector: int, first: int, second: int) -> int:
    """SCIP_DECL_NODESELCOMP: the probable node comes first, of equal ones that of lower bound."""
    better, worse = _score(scip, selector, first), _score(scip, selector, second)
    if better == worse:
        better, worse = _get_bound(second), _get_bound(first)
    return int(better < worse) - int(better > worse)


@cfunc(_INT(_POINTER, _POINTER, types.CPointer(_POINTER)), cache=True)  # type: ignore[no-untyped-call]
def select(scip: int, selector: int, selected: Any) -> int:
    """SCIP_DECL_NODESELSELECT: goes down in the preferred direction, then on from the best leaf."""
    head = _memory(selector, 0)
    node = _get_child(scip)
    if node == 0:
        node = _get_sibling(scip)
    least = _get_least_bound(scip)
    if node == 0 or _get_bound(node) > least + PLUNGE * (_get_cutoff(scip) - least):
        head[DIVES] += 1
        if head[DIVES] % EVERY == 0:
            selected[0] = _get_bestbound(scip)
            return 1
        node = _get_best(scip)
    head[FOLLOWED] += node != 0
    selected[0] = node
    return 1
