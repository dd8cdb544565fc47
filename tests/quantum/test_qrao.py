from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector
from scipy.optimize import check_grad

from co_gym.errors import InputError, SolverError
from quantum.circuits import Circuit
from quantum.compression import brickwork
from quantum.hamiltonians import Ising, state_bits
from quantum.qrao import QRAO, RandomAccessCode, groups, magic, semideterministic
from quantum.simulator import Simulator


def random_ising(seed: int, q: int, share: float = 0.3) -> Ising:
    rng = np.random.default_rng(seed)
    pairs = np.array([pair for pair in combinations(range(q), 2) if rng.random() < share], dtype=np.int64)
    return Ising(0.5, rng.normal(size=q), pairs.reshape(-1, 2), rng.normal(size=len(pairs)))


def code_state(code: RandomAccessCode, bits: np.ndarray) -> np.ndarray:
    """The product state whose Bloch vectors have the variables' spins, of equal size, in their directions."""
    bloch = np.zeros((code.num_qubits, 3))
    bloch[code.qubit, code.direction] = (1.0 - 2.0 * bits) / np.sqrt(code.size)
    state = np.ones(1, dtype=np.complex128)
    for x, y, z in bloch:
        polar, azimuth = np.arccos(np.clip(z, -1, 1)), np.arctan2(y, x)
        state = np.kron([np.cos(polar / 2), np.exp(1j * azimuth) * np.sin(polar / 2)], state)
    return state


def relaxed_energy(code: RandomAccessCode, state: np.ndarray, rounded: bool = False) -> float:
    strings, coefficients, offset = code.hamiltonian(rounded=rounded)
    return offset + float(coefficients @ strings.expectations(state))


def random_state(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    state = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    return state / np.linalg.norm(state)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_the_relaxation_agrees_at_all_bits_and_bounds_them(seed: int, q: int, per_qubit: int) -> None:
    ising = random_ising(seed, q)
    code = RandomAccessCode.of(ising, per_qubit)
    bits = state_bits(np.arange(2**q), q)
    energies = ising.energy(bits)
    found = [relaxed_energy(code, code_state(code, one)) for one in bits]
    np.testing.assert_allclose(found, energies, atol=1e-9)
    strings, coefficients, offset = code.hamiltonian()
    if coefficients.size:
        lowest = np.linalg.eigvalsh(strings.operator(coefficients).to_matrix())[0] + offset
        assert lowest <= energies.min() + 1e-9
        assert QRAO(per_qubit=per_qubit, exact=True).solve(ising).bound == pytest.approx(lowest, abs=1e-6)


@given(st.integers(0, 10**6), st.integers(1, 14), st.integers(1, 3), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_coupled_variables_do_not_share_a_qubit(seed: int, q: int, per_qubit: int, share: float) -> None:
    ising = random_ising(seed, q, share)
    found = groups(ising, per_qubit)
    coupled = {tuple(pair) for pair in ising.pairs.tolist()}
    assert sorted(i for group in found for i in group) == list(range(q))
    assert max(map(len, found)) <= per_qubit
    assert not coupled & {pair for group in found for pair in combinations(group, 2)}


def test_numbers_of_qubits_without_and_with_all_couplings() -> None:
    assert [len(groups(random_ising(0, 9, 0.0), s)) for s in (1, 2, 3)] == [9, 5, 3]
    assert len(groups(random_ising(0, 9, 1.0), 3)) == 9


@pytest.mark.parametrize("per_qubit", [1, 2, 3])
def test_magic_rounding_is_expected_to_be_worth_what_the_formula_says(per_qubit: int) -> None:
    """All choices of axes and all outcomes, with probabilities by Qiskit from the rotated state."""
    ising = Ising(0.3, np.array([0.4, -1.1, 0.7, 0.2]), np.array([[0, 3], [1, 3]]), np.array([1.3, -0.6]))
    code = RandomAccessCode(ising, ((0, 1, 2), (3,)) if per_qubit == 3 else groups(ising, per_qubit))
    n = code.num_qubits
    state = random_state(per_qubit, n)
    _, counts = code.magic_axes()
    outcomes, values = state_bits(np.arange(2**n), n), []
    for chosen in product(*map(range, counts.tolist())):
        choices = np.array(chosen)
        turned = Circuit(n, (code.measurement(choices),), 0, np.zeros(n)).to_qiskit()
        chances = Statevector(state).evolve(turned).probabilities()
        values.append(chances @ ising.energy(code.decode(outcomes, choices)))
    expected = relaxed_energy(code, state, rounded=True)
    assert np.mean(values) == pytest.approx(expected, abs=1e-9)
    sampled = ising.energy(magic(code, state, 40_000, np.random.default_rng(0)))
    assert sampled.mean() == pytest.approx(expected, abs=5 * sampled.std() / 200)


@pytest.mark.parametrize(("per_qubit", "right"), [(1, 1.0), (2, 0.75), (3, 2 / 3)])
def test_how_often_magic_rounding_of_a_code_state_is_right(per_qubit: int, right: float) -> None:
    ising = random_ising(0, 6, 0.0)
    code = RandomAccessCode.of(ising, per_qubit)
    bits = np.array([1, 0, 0, 1, 1, 1], dtype=np.uint8)
    sampled = magic(code, code_state(code, bits), 20_000, np.random.default_rng(1))
    np.testing.assert_allclose((sampled == bits).mean(axis=0), right, atol=0.02)


def test_semideterministic_rounding_decodes_code_states_and_tosses_coins() -> None:
    code = RandomAccessCode.of(random_ising(4, 7), 3)
    rng = np.random.default_rng(0)
    for bits in state_bits(np.arange(2**7), 7):
        assert semideterministic(code, code_state(code, bits), rng)[0].tolist() == bits.tolist()
    pair = RandomAccessCode(random_ising(0, 2, 0.0), ((0,), (1,)))
    bell = np.array([1, 0, 0, 1]) / np.sqrt(2) + 0j
    tossed = np.concatenate([semideterministic(pair, bell, rng) for _ in range(400)])
    np.testing.assert_allclose(tossed.mean(axis=0), 0.5, atol=0.12)


def test_the_gradient_by_angles_is_that_of_finite_differences() -> None:
    relaxed = QRAO().relaxed(random_ising(5, 8))
    circuit = brickwork(relaxed.num_qubits, 2)
    simulator = Simulator(circuit)
    angles = np.random.default_rng(0).uniform(-2, 2, size=circuit.num_parameters)

    def gradient(at: np.ndarray) -> np.ndarray:
        return simulator.pullback(at, lambda state: relaxed.loss(state)[1])

    assert check_grad(lambda at: relaxed.loss(simulator.state(at))[0], gradient, angles, seed=1) < 1e-4


@pytest.mark.parametrize("method", [QRAO(), QRAO(per_qubit=2), QRAO(rounding="magic"), QRAO(exact=True)], ids=str)
def test_most_runs_come_within_a_tenth_of_the_optimum(method: QRAO) -> None:
    good = 0
    for seed in range(4):
        ising = random_ising(seed, 13)
        found = method.solve(ising, steps=60, seed=seed)
        lowest = ising.energies().min()
        assert found.bound - 1e-9 <= lowest <= found.energy + 1e-9
        assert found.energy == pytest.approx(float(ising.energy(found.bits)))
        assert found.energy <= found.energy_before + 1e-9
        good += found.energy - lowest <= 0.1 * abs(lowest - ising.offset)
    assert good >= 3


def test_the_lowest_eigenvalue_of_more_qubits_is_that_of_the_matrix() -> None:
    ising = random_ising(1, 8, 1.0)
    found = QRAO(exact=True, rounding="magic", shots=1).solve(ising)
    assert found.num_qubits == 8
    assert found.bound == pytest.approx(ising.energies().min(), abs=1e-7)
    assert found.energy == pytest.approx(found.bound, abs=1e-7)
    stopped = QRAO(exact=True).solve(ising, is_over=lambda: True)
    assert stopped.interrupted
    assert stopped.bound == -np.inf
    assert stopped.bits.shape == (8,)


def test_it_stops_when_time_is_over() -> None:
    found = QRAO(rounding="magic", shots=10**7).solve(random_ising(0, 12), steps=1000, is_over=lambda: True)
    assert found.interrupted
    assert found.evaluations == 1
    assert found.bits.shape == (12,)


def test_unusable_codes_and_options_are_refused() -> None:
    coupled = random_ising(0, 4, 1.0)
    with pytest.raises(InputError, match="share a qubit"):
        RandomAccessCode(coupled, ((0, 1), (2,), (3,)))
    with pytest.raises(InputError, match="once"):
        RandomAccessCode(coupled, ((0,), (1,), (2,)))
    with pytest.raises(InputError, match="1 to 3"):
        RandomAccessCode(random_ising(0, 4, 0.0), ((0, 1, 2, 3),))
    with pytest.raises(SolverError, match="QRAO needs 25 qubits"):
        QRAO().solve(random_ising(0, 25, 1.0))
    with pytest.raises(SolverError, match="QRAO needs 90 qubits"):
        QRAO().solve(random_ising(0, 90, 1.0))
    with pytest.raises(InputError, match="at most 14"):
        QRAO(exact=True).solve(random_ising(0, 15, 1.0))
    for options in ({"per_qubit": 4}, {"rounding": "best"}, {"shots": 0}, {"layers": -1}):
        with pytest.raises(InputError, match="expected"):
            QRAO(**options)  # type: ignore[arg-type]


def test_the_plain_form_is_the_circuit_without_its_entangling_layers() -> None:
    ising, seen, same = random_ising(2, 8), [], []
    QRAO().plain(ising, steps=20, seed=1, on_bits=seen.append)
    QRAO(layers=0).solve(ising, steps=20, seed=1, on_bits=same.append)
    np.testing.assert_array_equal(np.concatenate(seen), np.concatenate(same))
