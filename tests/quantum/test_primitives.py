from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import AnnotatedOperation, Gate, InverseModifier, Parameter, ParameterVector
from qiskit.circuit.library import DiagonalGate, PauliEvolutionGate, SGate, UnitaryGate, XXPlusYYGate
from qiskit.circuit.random import random_circuit
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.quantum_info import SparseObservable, SparsePauliOp, Statevector, random_unitary

from co_gym.errors import InputError
from quantum.gates import MOST_QUBITS, GateProgram
from quantum.primitives import FastEstimator, FastSampler


def overlap(circuit: QuantumCircuit, values: np.ndarray | None = None) -> float:
    """Of our state and Qiskit's."""
    values = np.zeros(0) if values is None else values
    re, im = GateProgram(circuit).state(values)
    bound = circuit.assign_parameters(dict(zip(circuit.parameters, values, strict=True)))
    return float(abs(np.vdot(Statevector(bound).data, re + 1j * im)))


def random_observable(rng: np.random.Generator, q: int, terms: int) -> SparsePauliOp:
    labels = ["".join(rng.choice(list("IXYZ"), size=q)) for _ in range(terms)]
    return SparsePauliOp(labels, rng.normal(size=terms))


def ansatz(q: int) -> QuantumCircuit:
    """Most kinds of gates with angles, linear and not in the parameters."""
    t, made = ParameterVector("t", 4), QuantumCircuit(q)
    for i in range(q):
        made.u(t[0] + i, t[1] * t[2], t[3] / 2, i)
    for i in range(q - 1):
        made.rzz(2 * t[0] - 1, i, i + 1)
        made.cp(t[1], i + 1, i)
        made.append(XXPlusYYGate(t[2], t[3]), [i, i + 1])
        made.cu(t[0], t[1], 0.3, t[2] ** 2, i, i + 1)
    for i in range(q):
        made.rx(3 * t[3], i)
        made.r(t[0], t[1].sin(), i)
    made.mcp(t[2], list(range(q - 1)), q - 1)
    return made


@given(seed=st.integers(0, 10**6), q=st.integers(1, 6))
@settings(max_examples=15)
def test_expectations_of_random_circuits_are_those_of_qiskit(seed: int, q: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = random_circuit(q, 5, max_operands=min(4, q), seed=seed)
    observables = [random_observable(rng, q, terms) for terms in (1, 3, 40)] + ["Z" * q, "X" * q, "Y" * q]
    ours = FastEstimator().run([(circuit, observables)]).result()[0]
    theirs = StatevectorEstimator().run([(circuit, observables)]).result()[0]
    np.testing.assert_allclose(ours.data.evs, theirs.data.evs, atol=1e-10)
    assert not ours.data.stds.any()


@pytest.mark.parametrize("seed", range(3))
def test_states_larger_than_a_block_are_those_of_qiskit(seed: int) -> None:
    assert overlap(random_circuit(14, 6, max_operands=3, seed=seed)) == pytest.approx(1.0, abs=1e-10)


def test_sweeps_over_many_blocks_are_those_of_qiskit() -> None:
    rng = np.random.default_rng(0)
    q, made = 14, QuantumCircuit(14)
    made.h(range(q))
    for _ in range(2):
        for a, b in [rng.choice(q, 2, replace=False).tolist() for _ in range(25)]:
            made.rzz(rng.normal(), a, b)
            made.cx(b, a)
            made.rz(rng.normal(), a)
            made.cx(b, a)
        made.rx(0.4, range(q))
        made.rz(0.9, range(q))
    assert overlap(made) == pytest.approx(1.0, abs=1e-10)


def test_parameters_and_observables_are_broadcast() -> None:
    circuit, rng = ansatz(4), np.random.default_rng(1)
    values = rng.normal(size=(5, circuit.num_parameters))
    observables = [[random_observable(rng, 4, 6)], ["ZIZZ"], [random_observable(rng, 4, 2)]]
    for pub in (
        (circuit, observables, values),
        (circuit, observables, values[0]),
        (circuit, "XYZI", values.reshape(5, 1, -1)),
        (circuit, observables[0][0], {tuple(circuit.parameters): values}),
    ):
        ours, theirs = (e().run([pub]).result()[0].data for e in (FastEstimator, StatevectorEstimator))
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours.evs, theirs.evs, atol=1e-10)


def test_expectations_are_those_of_aer() -> None:
    from qiskit_aer.primitives import EstimatorV2

    rng = np.random.default_rng(2)
    circuit = transpile(ansatz(5), basis_gates=["u", "cx"], optimization_level=0)
    observable = random_observable(rng, 5, 20)
    pub = (circuit, observable, rng.normal(size=(3, circuit.num_parameters)))
    ours, theirs = (e.run([pub]).result()[0].data.evs for e in (FastEstimator(), EstimatorV2()))
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_unusual_gates_are_those_of_qiskit() -> None:
    t = Parameter("t")
    inner = QuantumCircuit(2, name="inner")
    inner.rx(t, 0)
    inner.cx(0, 1)
    made = QuantumCircuit(4)
    made.append(UnitaryGate(random_unitary(8, seed=3)), [3, 0, 1])
    made.append(UnitaryGate(random_unitary(4, seed=4)), [2, 0])
    made.append(DiagonalGate(np.exp(1j * np.arange(8)).tolist()), [1, 2, 3])
    made.append(inner.to_gate(), [3, 1])
    made.append(PauliEvolutionGate(SparsePauliOp(["XZ", "ZX"], [0.3, 0.7]), time=t), [0, 2])
    made.append(AnnotatedOperation(SGate(), InverseModifier()), [2])
    made.barrier()
    made.ccx(0, 1, 2)
    assert overlap(made, np.array([0.7])) == pytest.approx(1.0, abs=1e-10)


def test_projectors_are_observables() -> None:
    circuit = random_circuit(3, 4, max_operands=2, seed=5)
    state = Statevector(circuit)
    value = FastEstimator().run([(circuit, SparseObservable.from_label("1I0"))]).result()[0].data.evs
    assert value == pytest.approx(float(state.probabilities([0, 2])[2]), abs=1e-12)


def test_noise_has_the_precision_asked_for_and_is_seeded() -> None:
    circuit = ansatz(3)
    pub = (circuit, "ZZZ", np.tile(np.arange(4.0), (1500, 1)))
    exact = FastEstimator().run([pub]).result()[0].data.evs
    noisy = [FastEstimator(seed=6).run([pub], precision=0.1).result()[0].data.evs for _ in range(2)]
    np.testing.assert_array_equal(*noisy)
    assert (noisy[0] - exact).std() == pytest.approx(0.1, rel=0.1)
    assert abs((noisy[0] - exact).mean()) < 0.015


def measured(q: int) -> QuantumCircuit:
    """Two registers, one of them wider than a byte, that take some qubits in another order."""
    first, second = ClassicalRegister(2, "first"), ClassicalRegister(10, "second")
    made = QuantumCircuit(QuantumRegister(q), first, second)
    made.compose(ansatz(q), range(q), inplace=True)
    made.measure([3, 1], first)
    made.barrier()
    made.measure([1, 0], [second[9], second[4]])
    return made


def test_samples_are_distributed_as_those_of_qiskit() -> None:
    circuit, shots = measured(4), 20_000
    pub = (circuit, np.random.default_rng(7).normal(size=(2, 1, circuit.num_parameters)))
    ours, theirs = (
        sampler.run([pub], shots=shots).result()[0].data
        for sampler in (FastSampler(seed=8), StatevectorSampler(seed=9))
    )
    assert ours.shape == theirs.shape == (2, 1)
    for name in ("first", "second"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert (mine.shape, mine.num_bits, mine.num_shots) == (other.shape, other.num_bits, shots)
        for point in range(2):
            counts, reference = mine.get_counts((point, 0)), other.get_counts((point, 0))
            for key in counts.keys() | reference.keys():
                pair = np.array([counts.get(key, 0), reference.get(key, 0)])
                assert abs(pair[0] - pair[1]) < 6 * np.sqrt(pair.sum() + 1)


def test_registers_of_one_shot_belong_together() -> None:
    data = FastSampler(seed=10).run([(measured(4), np.ones(4))], shots=3000).result()[0].data
    first, second = (getattr(data, name).to_bool_array(order="little") for name in ("first", "second"))
    np.testing.assert_array_equal(first[:, 1], second[:, 9])
    assert not np.delete(second, [4, 9], axis=1).any()
    assert 0 < first[:, 1].sum() < 3000
    half = first[:1500, 1].mean() - first[1500:, 1].mean()
    assert abs(half) < 0.1, "shots are in no order"


def test_shots_and_seeds() -> None:
    circuit = QuantumCircuit(3)
    circuit.h(range(3))
    circuit.measure_all()
    sampler = FastSampler(default_shots=77, seed=11)
    several = sampler.run([circuit, (circuit, None, 5)]).result()
    assert [one.data.meas.num_shots for one in several] == [77, 5]
    assert sampler.run([circuit], shots=9).result()[0].data.meas.num_shots == 9
    again = sampler.run([circuit]).result()[0].data.meas
    np.testing.assert_array_equal(again.array, several[0].data.meas.array)


def test_a_circuit_that_was_changed_is_compiled_again() -> None:
    circuit, estimator = QuantumCircuit(1), FastEstimator()
    for expected in (1.0, -1.0, 1.0):
        assert estimator.run([(circuit, "Z")]).result()[0].data.evs == pytest.approx(expected)
        circuit.x(0)


def test_measurements_do_not_change_expectations() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    assert FastEstimator().run([(circuit, "X")]).result()[0].data.evs == pytest.approx(1.0)


def test_what_a_state_vector_cannot_do_is_refused() -> None:
    early, reset, loop, none = (QuantumCircuit(2, 2) for _ in range(4))
    early.measure(0, 0)
    early.cx(0, 1)
    reset.reset(0)
    with loop.if_test((0, 1)):
        loop.x(0)
    for circuit, message in ((early, "after a measurement"), (reset, "reset"), (loop, "if_else")):
        with pytest.raises(InputError, match=message):
            FastSampler().run([circuit])
    with pytest.raises(InputError, match="no classical register"):
        FastSampler().run([QuantumCircuit(1)])
    none.append(Gate("mystery", 2, []), [0, 1])
    with pytest.raises(InputError, match="mystery"):
        FastEstimator().run([(none, "ZZ")])
    with pytest.raises(InputError, match="at most"):
        GateProgram(QuantumCircuit(MOST_QUBITS + 1))
