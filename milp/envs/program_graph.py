"""The bipartite graph of a program as it is given: what is known before SCIP begins (Ecole's `MilpBipartite`)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from milp.observation import BipartiteGraph


def program_graph(program: MixedIntegerProgram) -> BipartiteGraph:
    """Variables [n, 9] and finite sides of rows [M, 1] of a program, as `MilpBipartite` has them for a model.

    A row stands once for each of its finite sides, as a'x <= b of norm |a| = 1; the objective has norm 1 as well.
    A missing bound counts as 0.
    """
    left, right = np.isfinite(program.row_lower), np.isfinite(program.row_upper)
    rows = np.concatenate([np.flatnonzero(left), np.flatnonzero(right)])
    signs = np.concatenate([np.full(left.sum(), -1.0), np.ones(right.sum())])
    order = np.argsort(rows, kind="stable")
    rows, signs = rows[order], signs[order]
    norms = np.sqrt(program.A.multiply(program.A).sum(axis=1)).A1 if program.num_rows else np.zeros(0)
    scale = signs / np.where(norms > 0, norms, 1.0)[rows]
    sides = sparse.diags_array(scale) @ program.A[rows] if rows.size else program.A[rows]
    sides = sparse.csr_matrix(sides)
    bias = np.where(signs < 0, program.row_lower[rows], program.row_upper[rows]) * scale
    return BipartiteGraph(
        _variables(program),
        bias[:, None].astype(np.float32),
        sides.indptr.astype(np.int32),
        sides.indices.astype(np.int32),
        sides.data.astype(np.float32),
    )


def _variables(program: MixedIntegerProgram) -> np.ndarray:
    sign = 1.0 if program.sense == "minimize" else -1.0
    binary = program.binary
    has_lower, has_upper = np.isfinite(program.lower), np.isfinite(program.upper)
    columns = [
        sign * program.c / (np.linalg.norm(program.c) or 1.0),
        binary,
        program.integer & ~binary,
        np.zeros(program.num_variables),
        ~program.integer,
        has_lower,
        has_upper,
        np.where(has_lower, program.lower, 0.0),
        np.where(has_upper, program.upper, 0.0),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
