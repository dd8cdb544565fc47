"""The Lagrangian of a binary program: rows move into the objective, at a price for each unit.

L(x, u) = f(x) + sum_i u_i (a_i x - side_i), where the side is the upper one for u_i > 0 and the lower one for
u_i < 0. Its minimum over x is a lower bound for every u in the box: the dual function. With a linear objective L
is linear in x, so that this minimum is taken variable by variable, a circuit for it has no two-qubit gate, and the
best bound is that of the LP relaxation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.formulation import MixedIntegerProgram
from co_gym.relaxation import Relaxation, solve_relaxation
from quantum.hamiltonians import Quadratic
from quantum.programs import BinaryProgram


def multiplier_box(program: BinaryProgram) -> tuple[NDArray, NDArray]:
    """Least and greatest multipliers of the rows, [m] float64 each, infinite where there is no limit.

    A row without an upper side has none above 0, and one whose sides have prices has none beyond them.
    """
    low = np.where(np.isfinite(program.lower), -program.shortfall, 0.0)
    high = np.where(np.isfinite(program.upper), program.surplus, 0.0)
    return low, high


def active_sides(program: BinaryProgram, multipliers: NDArray) -> NDArray:
    """[m] float64, the side of each row that its multiplier speaks of; 0 where the multiplier is 0."""
    sides = np.where(multipliers > 0, program.upper, program.lower)
    return np.where(multipliers == 0, 0.0, sides)


def lagrangian(program: BinaryProgram, multipliers: NDArray) -> Quadratic:
    """L(., u) over the bits of the program.

    Args:
        program: The program.
        multipliers: [m] float64, inside of the box.
    """
    offset = program.offset - float(multipliers @ active_sides(program, multipliers))
    return Quadratic.of(offset, program.c + program.A.T @ multipliers, program.Q)


def subgradient(program: BinaryProgram, multipliers: NDArray, x: NDArray) -> NDArray:
    """[..., m] float64, how L changes with each multiplier at x [..., n].

    At a minimizer x this is a supergradient of the dual function. Where a multiplier is 0 it is the amount by
    which a side is missed, and for rows with one side the distance to it.
    """
    x = np.asarray(x, dtype=np.float64)
    activity = (program.A @ x.T).T if x.ndim > 1 else program.A @ x
    above, below = activity - program.upper, activity - program.lower
    one_sided = np.where(np.isfinite(program.upper), above, below)
    both = np.isfinite(program.upper) & np.isfinite(program.lower)
    inside = both & (above < 0) & (below > 0)
    idle = np.where(inside, 0.0, np.where(both & (above < 0), below, one_sided))
    return np.where(multipliers > 0, above, np.where(multipliers < 0, below, idle))


def named_multipliers(name: str, duals: NDArray) -> NDArray | None:
    """[m] float64, what a name stands for: `lp`, the dual values of the LP relaxation, or `zero`; else None."""
    return {"lp": duals, "zero": np.zeros_like(duals)}.get(name)


def relaxation(program: BinaryProgram) -> Relaxation:
    """The LP relaxation; products of variables are replaced by their least values (McCormick 1976).

    Its `duals` are the multipliers of the rows in the sign of `lagrangian`, [m], and its `x` are the values of the
    binary variables, [n]; `bound` is that of the program in its own, minimized form.

    Raises:
        SolverError: If it was not solved in a minute.
    """
    from scipy import sparse

    n, m, Q = program.num_variables, program.num_rows, sparse.coo_matrix(program.Q)
    k = Q.nnz
    blocks = [[program.A, sparse.csr_matrix((m, k))]]
    lower, upper = [program.lower], [program.upper]
    if k:
        ones = np.ones(k)
        pick_i = sparse.csr_matrix((ones, (np.arange(k), Q.row)), shape=(k, n))
        pick_j = sparse.csr_matrix((ones, (np.arange(k), Q.col)), shape=(k, n))
        unit = sparse.identity(k)
        for products, least, most in (
            (pick_i, -np.inf, 0.0), (pick_j, -np.inf, 0.0), (pick_i + pick_j, -1.0, np.inf)
        ):  # fmt: skip
            blocks.append([-products, unit])
            lower.append(np.full(k, least))
            upper.append(np.full(k, most))
    A = sparse.bmat(blocks, format="csr")
    missed, prices, signs = _priced_sides(program)
    column = sparse.csr_matrix((signs, (missed, np.arange(missed.size))), shape=(A.shape[0], missed.size))
    total = n + k + missed.size
    made = MixedIntegerProgram(
        sense="minimize",
        c=np.concatenate([program.c, Q.data, prices]),
        A=sparse.hstack([A, column], format="csr"),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
        lower=np.zeros(total),
        upper=np.concatenate([np.ones(n + k), np.full(missed.size, np.inf)]),
        integer=np.zeros(total, dtype=bool),
        offset=program.offset,
    )
    found = solve_relaxation(made)
    if found.status != "optimal":
        return found
    assert found.x is not None and found.duals is not None and found.reduced_costs is not None  # noqa: PT018
    low, high = multiplier_box(program)
    multipliers = np.clip(-found.duals[:m], low, high)
    return Relaxation("optimal", found.bound, found.x[:n], multipliers, found.reduced_costs[:n])


def _priced_sides(program: BinaryProgram) -> tuple[NDArray, NDArray, NDArray]:
    """Rows that may be missed, the price, and the sign with which the amount enters the row."""
    short = np.flatnonzero(np.isfinite(program.shortfall) & np.isfinite(program.lower))
    over = np.flatnonzero(np.isfinite(program.surplus) & np.isfinite(program.upper))
    return (
        np.concatenate([short, over]),
        np.concatenate([program.shortfall[short], program.surplus[over]]),
        np.concatenate([np.ones(short.size), -np.ones(over.size)]),
    )
