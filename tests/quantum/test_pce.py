from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp, Statevector
from scipy.optimize import check_grad

from co_gym.errors import InputError, SolverError
from quantum.compression import brickwork
from quantum.hamiltonians import Ising, Quadratic
from quantum.pce import PCE, CorrelationLoss, PauliCorrelations
from quantum.simulator import Simulator


def random_ising(seed: int, q: int, share: float = 1.0, fields: bool = True) -> Ising:
    rng = np.random.default_rng(seed)
    pairs = np.array([pair for pair in combinations(range(q), 2) if rng.random() < share], dtype=np.int64)
    couplings = rng.normal(size=len(pairs)) if fields else np.full(len(pairs), 0.5)
    return Ising(0.5, fields * rng.normal(size=q), pairs.reshape(-1, 2), couplings)


@pytest.mark.parametrize(
    ("variables", "k", "qubits"), [(60, 2, 7), (116, 2, 10), (63, 2, 7), (64, 2, 8), (165, 3, 8)]
)
def test_numbers_of_qubits_are_those_published(variables: int, k: int, qubits: int) -> None:
    assert PauliCorrelations.smallest(variables, k).num_qubits == qubits


def test_many_variables_are_correlators_of_three() -> None:
    assert PauliCorrelations.smallest(198).k == 2
    many = PauliCorrelations.smallest(199)
    assert (many.k, many.num_qubits) == (3, 9)
    assert PauliCorrelations.smallest(1, 2).num_qubits == 2


@given(st.integers(2, 7), st.integers(1, 3), st.data())
@settings(max_examples=30, deadline=None)
def test_correlators_are_different_strings_of_k_equal_letters(n: int, k: int, data: st.DataObject) -> None:
    k = min(k, n)
    most = 3 * len(list(combinations(range(n), k)))
    encoding = PauliCorrelations(data.draw(st.integers(1, most)), n, k)
    labels = encoding.paulis.operator(np.ones(encoding.num_variables)).paulis.to_labels()
    assert len(set(labels)) == encoding.num_variables
    for i, label in enumerate(labels):
        assert label.count("XYZ"[i % 3]) == k
        assert label.count("I") == n - k
    with pytest.raises(InputError, match="correlators of"):
        PauliCorrelations(most + 1, n, k)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_loss_is_its_formula_and_has_its_gradient(seed: int) -> None:
    ising, rng = random_ising(seed, 6, 0.7), np.random.default_rng(seed)
    e = rng.uniform(-1, 1, size=6)
    t = np.tanh(1.7 * e)
    energy = (
        0.5
        + ising.fields @ t
        + sum(J * t[i] * t[j] for (i, j), J in zip(ising.pairs, ising.couplings, strict=True))
    )
    assert CorrelationLoss(ising, 1.7, 0.0)(e)[0] == pytest.approx(energy)
    loss = CorrelationLoss(ising, 1.7, 0.4)
    assert loss(e)[0] > energy
    assert check_grad(lambda at: loss(at)[0], lambda at: loss(at)[1], e) < 1e-5


def test_the_regularization_of_an_unweighted_graph_is_that_of_the_paper() -> None:
    ising = random_ising(2, 9, fields=False)
    t = np.full(9, 0.3)
    plain, whole = (CorrelationLoss(ising, 1.0, beta)(np.arctanh(t))[0] for beta in (0.0, 0.5))
    edges, nodes = len(ising.pairs), 9
    assert whole - plain == pytest.approx(0.5 * (edges / 2 + (nodes - 1) / 4) / 2 * 0.3**4)


def test_the_gradient_by_angles_is_that_of_finite_differences() -> None:
    relaxed = PCE(qubits=4).stages(random_ising(5, 10))[0]
    circuit = brickwork(4, 2)
    simulator = Simulator(circuit)
    angles = np.random.default_rng(0).uniform(-2, 2, size=circuit.num_parameters)

    def gradient(at: np.ndarray) -> np.ndarray:
        return simulator.pullback(at, lambda state: relaxed.loss(state)[1])

    assert check_grad(lambda at: relaxed.loss(simulator.state(at))[0], gradient, angles, seed=1) < 1e-4


def test_three_settings_measure_all_correlators() -> None:
    encoding = PauliCorrelations(17, 4, 2)
    circuit = brickwork(4, 2)
    angles = np.random.default_rng(1).uniform(-2, 2, size=circuit.num_parameters)
    state = Statevector(circuit.to_qiskit().assign_parameters(angles))
    exact = [
        state.expectation_value(SparsePauliOp(p)).real
        for p in encoding.paulis.operator(np.ones(17)).paulis.to_labels()
    ]
    np.testing.assert_allclose(encoding.paulis.expectations(state.data), exact, atol=1e-12)
    samples = []
    for k, setting in enumerate(encoding.settings(circuit)):
        measured = Statevector(setting.to_qiskit().assign_parameters(angles))
        measured.seed(k)
        words = measured.sample_memory(40_000)
        samples.append(np.array([[int(bit) for bit in word[::-1]] for word in words]))
    estimated = encoding.estimate((samples[0], samples[1], samples[2]))
    np.testing.assert_allclose(estimated, exact, atol=0.025)


@pytest.mark.parametrize("kind", ["maxcut", "qubo"])
def test_most_runs_come_within_a_tenth_of_the_optimum(kind: str) -> None:
    good = 0
    for seed in range(5):
        ising = random_ising(seed, 12 + seed, 0.5 if kind == "maxcut" else 1.0, kind == "qubo")
        found = PCE().solve(ising, steps=80, seed=seed)
        lowest = ising.energies().min()
        assert found.energy == pytest.approx(float(ising.energy(found.bits)))
        assert lowest - 1e-9 <= found.energy <= found.energy_before + 1e-9
        good += found.energy - lowest <= 0.1 * abs(lowest - ising.offset)
    assert good >= 4


def test_counts_and_history() -> None:
    ising = random_ising(3, 14)
    seen: list[tuple[int, float]] = []
    found = PCE(layers=2).solve(ising, steps=30, seed=1, on_step=lambda *step: seen.append(step))
    assert (found.num_variables, found.num_qubits, found.num_parameters) == (14, 4, 24)
    assert found.evaluations == len(found.losses) == 30
    assert seen == [(k + 1, loss) for k, loss in enumerate(found.losses.tolist())]
    assert not found.interrupted
    again = PCE(layers=2).solve(ising, steps=30, seed=1)
    np.testing.assert_array_equal(found.bits, again.bits)
    np.testing.assert_array_equal(found.losses, again.losses)


def test_bits_of_a_quadratic_are_its_own() -> None:
    """Its minimum is unique and far below all else."""
    target = np.array([1, 0, 0, 1, 1, 0])
    form = Quadratic(2.0, 1.0 - 2.0 * target, np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    found = PCE(qubits=4, moves="none").solve(form, steps=60, seed=0)
    np.testing.assert_array_equal(found.bits, target)
    assert found.energy == found.energy_before == 2.0 - target.sum()


def test_it_stops_when_time_is_over() -> None:
    calls = 0

    def is_over() -> bool:
        nonlocal calls
        calls += 1
        return calls >= 5

    found = PCE().solve(random_ising(0, 12), steps=1000, is_over=is_over)
    assert found.interrupted
    assert found.evaluations == 5
    assert found.bits.shape == (12,)


def test_unusable_options_are_refused() -> None:
    ising = random_ising(0, 12)
    for options in ({"k": 0}, {"alpha": -1.0}, {"betas": (0.5, -0.1)}, {"betas": ()}, {"qubits": 0}):
        with pytest.raises(InputError, match="expected"):
            PCE(**options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="correlators of 2 are 9"):
        PCE(qubits=3).solve(ising)
    with pytest.raises(SolverError, match="at most 24"):
        PCE(qubits=25).solve(ising)
    with pytest.raises(InputError, match="at least 1"):
        PCE().solve(ising, steps=0)


def test_one_variable_and_a_function_without_terms() -> None:
    form = Quadratic(0.0, np.array([-1.0]), np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    assert PCE().solve(form, steps=20).bits.tolist() == [1]
    flat = Quadratic(3.0, np.zeros(4), np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    assert PCE().solve(flat, steps=5).energy == 3.0


def test_angles_go_from_one_share_of_the_regularization_to_the_next() -> None:
    """Where training ends is where the next stage begins, whose first loss is that of the same correlators."""
    ising = random_ising(7, 12)
    whole = PCE(betas=(1.0, 0.25)).solve(ising, steps=200, seed=3)
    first = PCE(betas=(1.0,)).solve(ising, steps=200, seed=3)
    common = int(np.argmin(whole.losses[: len(first.losses)] == first.losses))
    assert common > 5
    assert whole.losses[common] < whole.losses[:common].min()
    assert whole.runs > 1


def test_all_candidates_are_told() -> None:
    ising, seen = random_ising(8, 12), []
    found = PCE().solve(ising, steps=60, seed=0, on_bits=seen.append)
    assert len(seen) == found.runs
    assert min(float(ising.energy(bits).min()) for bits in seen) == pytest.approx(found.energy_before)


def test_without_a_circuit_correlators_are_free() -> None:
    """Their training reaches the minimum of a function that is easy for it."""
    target = np.array([1, 0, 0, 1, 1, 0])
    form = Quadratic(2.0, 1.0 - 2.0 * target, np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    seen: list[np.ndarray] = []
    PCE().plain(form, steps=60, seed=0, on_bits=seen.append)
    np.testing.assert_array_equal(seen[-2], target[None])
