from __future__ import annotations

import numpy as np
import pytest

from milp.distributions.set_cover import set_cover


@pytest.mark.parametrize(("rows", "columns", "density"), [(500, 1000, 0.05), (30, 20, 0.3), (5, 5, 0.1)])
def test_rows_columns_and_density(rows: int, columns: int, density: float) -> None:
    program = set_cover(np.random.default_rng(1), rows, columns, density)
    A = program.A
    assert A.shape == (rows, columns)
    assert (A.data == 1).all()
    assert np.diff(A.indptr).min() >= 2
    assert np.diff(A.tocsc().indptr).min() >= 2
    if rows * columns * density >= 2 * (rows + columns):
        assert A.nnz == int(rows * columns * density)
    assert (program.row_lower == 1).all()
    assert np.isposinf(program.row_upper).all()
    assert program.integer.all()
    assert program.is_feasible(np.ones(columns))
    assert not program.is_feasible(np.zeros(columns))


def test_costs_and_cells_are_uniform() -> None:
    programs = [set_cover(np.random.default_rng(i), 40, 50, 0.2, max_cost=4) for i in range(300)]
    costs = np.bincount(np.concatenate([p.c for p in programs]).astype(int), minlength=5)
    assert costs[0] == 0
    assert costs[1:] / costs.sum() == pytest.approx(np.full(4, 0.25), abs=0.02)
    share = sum(p.A.toarray() for p in programs) / len(programs)
    assert share.mean() == pytest.approx(0.2, abs=1e-9)
    assert np.abs(share - 0.2).max() < 6 * np.sqrt(0.2 * 0.8 / len(programs))
