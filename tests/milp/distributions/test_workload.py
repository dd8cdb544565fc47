from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from co_gym.relaxation import solve_relaxation
from milp.distributions import workload as module
from milp.distributions.workload import _can_be_served, _draw, workload

TINY = {"light": 4, "heavy": 1, "workers": 12, "allowed": 1.0, "scale": 0.15}


def test_survives_the_failure_of_any_worker(optimum: Callable) -> None:
    rng = np.random.default_rng(1)
    data = _draw(np.random.default_rng(1), **TINY)
    assert _can_be_served(data)
    program = workload(rng, **TINY)
    value, x = optimum(program)
    reserved, used = np.split(x, [data.job.size])
    assert value == pytest.approx(used.sum())
    assert (reserved <= 1e-6 + data.capacities[data.worker] * (used[data.worker] > 0.5)).all()
    assert (np.bincount(data.worker, reserved, minlength=24) <= data.capacities + 1e-6).all()
    for failed in range(24):
        left = np.bincount(data.job, reserved * (data.worker != failed))
        assert (left >= data.loads - 1e-6).all()


def test_classes() -> None:
    data = _draw(np.random.default_rng(0), 50, 10, 500, 0.1, 1.0)
    assert ((data.loads[:50] >= 1) & (data.loads[:50] <= 5)).all()
    assert ((data.loads[50:] >= 5) & (data.loads[50:] <= 10)).all()
    assert ((data.capacities[:500] >= 0.3) & (data.capacities[:500] <= 0.5)).all()
    assert ((data.capacities[500:] >= 0.1) & (data.capacities[500:] <= 0.3)).all()
    own = (data.job < 50) == (data.worker < 500)
    assert own.sum() == pytest.approx(60 * 50, rel=0.1)
    assert (~own).sum() == pytest.approx(60 * 5, rel=0.25)


def test_what_cannot_be_served_is_told_by_the_relaxation(monkeypatch: pytest.MonkeyPatch) -> None:
    tight = TINY | {"scale": 0.3}
    draws = [_draw(np.random.default_rng(seed), **tight) for seed in range(40)]
    served = [_can_be_served(data) for data in draws]
    assert 5 < sum(served) < 35
    assert all(_can_be_served(module._draw(np.random.default_rng(seed), **TINY)) for seed in range(10))
    real = module._can_be_served
    monkeypatch.setattr(module, "_can_be_served", lambda data: True)
    for seed, able in enumerate(served):
        program = workload(np.random.default_rng(seed), **tight)
        assert (solve_relaxation(program).status == "optimal") == able, seed
    monkeypatch.setattr(module, "_can_be_served", real)
    again = workload(np.random.default_rng(served.index(False)), **tight)
    assert solve_relaxation(again).status == "optimal"
