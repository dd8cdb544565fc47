from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

import co_gym
from co_gym.formulation import MixedIntegerProgram
from milp.annealing import HOPELESS, Annealing
from milp.dependents import choices
from milp.distributions import distribution
from milp.kernels.annealing import ACTIVITIES, BEST, DIRTY, OBJECTIVE, PENALTY, anneal, probe

SOFT = ["item-placement-tiny", "generalized-independent-set-tiny"]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """These programs are small."""
    monkeypatch.setattr("milp.annealing.LEAST_STEPS", 5000)


def annealing_of(program: MixedIntegerProgram, seed: int = 0) -> Annealing:
    found = choices(program)
    assert found is not None
    return Annealing(found, seed)


def assignment(rng: np.random.Generator, jobs: int, machines: int, capacity: float) -> MixedIntegerProgram:
    """Each job on one machine, so many at most on each: the least makespan, plus what each place costs."""
    lengths, costs = rng.integers(1, 10, (jobs, machines)), rng.random((jobs, machines))
    each_once = sparse.kron(sparse.identity(jobs), np.ones((1, machines)))
    counts = sparse.kron(np.ones((1, jobs)), sparse.identity(machines))
    loads = sparse.csr_matrix(
        (lengths.ravel(), (np.tile(np.arange(machines), jobs), np.arange(jobs * machines))),
        (machines, jobs * machines),
    )
    A = sparse.bmat([[each_once, None], [counts, None], [-loads, np.ones((machines, 1))]], format="csr")
    low = np.repeat([1.0, -np.inf, 0.0], [jobs, machines, machines])
    high = np.repeat([1.0, capacity, np.inf], [jobs, machines, machines])
    n = jobs * machines + 1
    return MixedIntegerProgram(
        sense="minimize",
        c=np.append(costs.ravel(), 1.0),
        A=sparse.csr_matrix(A),
        row_lower=low,
        row_upper=high,
        lower=np.zeros(n),
        upper=np.append(np.ones(n - 1), np.inf),
        integer=np.arange(n) < n - 1,
    )


def best_by_enumeration(program: MixedIntegerProgram, jobs: int, machines: int) -> float:
    best, lengths = np.inf, program.A.toarray()[jobs + machines :, :-1]
    for places in itertools.product(range(machines), repeat=jobs):
        x = np.zeros((jobs, machines))
        x[np.arange(jobs), places] = 1.0
        point = np.append(x.ravel(), (-lengths @ x.ravel()).max())
        if program.is_feasible(point):
            best = min(best, program.evaluate(point))
    return best


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_small_assignments_by_enumeration(seed: int) -> None:
    program = assignment(np.random.default_rng(seed), 6, 3, 2.0)
    found: list[NDArray] = []
    annealing_of(program, seed).run(5.0, found.append)
    values = [program.evaluate(point) for point in found]
    assert all(program.is_feasible(point) for point in found)
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(best_by_enumeration(program, 6, 3))


@pytest.mark.parametrize("name", SOFT)
@pytest.mark.parametrize("index", range(4))
def test_proven_optima(name: str, index: int) -> None:
    exact = co_gym.solve(distribution(name).instance("test", index), "scip")
    assert exact.objective is not None
    program = distribution(name).program("test", index)
    found: list[NDArray] = []
    annealing_of(program).run(5.0, found.append)
    assert program.is_feasible(found[-1])
    assert program.evaluate(found[-1]) == pytest.approx(float(exact.objective), rel=1e-6)


@given(seed=st.integers(0, 2**32 - 1), temperature=st.floats(0.01, 100.0))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_up_is_what_is_computed_anew(seed: int, temperature: float) -> None:
    """After moves taken and taken back: activities, dependents, totals, and the order of each group."""
    for name in SOFT:
        annealing = annealing_of(distribution(name).program("test", seed % 10), seed)
        layout, state = annealing.layout, annealing.state
        state.weight[:] = np.random.default_rng(seed).random(state.weight.size)
        anneal(layout, state, 500, temperature, temperature)
        kept = {part: getattr(state, part).copy() for part in ("activity", "values", "totals")}
        assert not state.is_dirty.any()
        assert state.sizes[DIRTY] == 0
        probe(layout, state, np.empty(0), np.empty(0))
        for part, before in kept.items():
            np.testing.assert_allclose(getattr(state, part), before, atol=1e-9, err_msg=part)
        np.testing.assert_array_equal(state.members[state.place[layout.members]], layout.members)
        for first, last, ones in zip(layout.group_starts[:-1], layout.group_starts[1:], layout.ones, strict=True):
            inside = state.values[state.members[first:last]]
            np.testing.assert_array_equal(inside, np.arange(last - first) < ones)


def test_probing_leaves_the_state_as_it_is() -> None:
    annealing = annealing_of(distribution("item-placement-tiny").program("test", 0))
    layout, state = annealing.layout, annealing.state
    probe(layout, state, np.empty(0), np.empty(0))
    before = [array.copy() for array in (state.values, state.activity, state.totals, state.members)]
    rises, shifts = np.empty(100), np.empty(100)
    probe(layout, state, rises, shifts)
    for array, old in zip((state.values, state.activity, state.totals, state.members), before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert np.count_nonzero(rises) > 50
    assert np.count_nonzero(shifts) > 50
    assert state.sizes[ACTIVITIES] > 0


def test_seeds_decide_what_is_found() -> None:
    program = distribution("item-placement-easy").program("test", 0)

    def after(seed: int) -> tuple[Any, ...]:
        annealing = annealing_of(program, seed)
        anneal(annealing.layout, annealing.state, 5000, 1.0, 0.1)
        return tuple(annealing.state.values)

    assert after(1) == after(1)
    assert after(1) != after(2)


def test_without_a_feasible_point_nothing_is_found_and_it_ends() -> None:
    """Six jobs, but only five places; the weights of what is violated grow."""
    program = assignment(np.random.default_rng(0), 6, 2, 2.5)
    annealing = annealing_of(program)
    found: list[NDArray] = []
    annealing.run(60.0, found.append)
    assert found == []
    assert annealing.state.totals[BEST] == np.inf
    assert annealing.state.totals[PENALTY] > 0
    assert annealing.state.weight.max() > 4 * annealing.state.weight.min()
    assert annealing._useless == HOPELESS


def test_it_stops_when_asked_and_goes_on_where_it_stopped() -> None:
    program = distribution("item-placement-easy").program("test", 0)
    annealing = annealing_of(program)
    found: list[NDArray] = []
    annealing.run(60.0, found.append, lambda: len(found) > 0)
    assert len(found) == 1
    annealing.run(1.0, found.append)
    values = [program.evaluate(point) for point in found]
    assert len(values) > 1
    assert values == sorted(values, reverse=True)
    assert annealing.state.totals[BEST] == pytest.approx(values[-1])
    assert annealing.state.totals[OBJECTIVE] >= annealing.state.totals[BEST] - 1e-9
