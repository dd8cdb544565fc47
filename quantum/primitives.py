"""Sampler and estimator of Qiskit on our own state vector, to stand where those of Aer stand.

They take any circuit of unitary gates whose measurements come last. A circuit is compiled once, however often it
runs: see `quantum.gates`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives import (
    BaseEstimatorV2,
    BaseSamplerV2,
    BitArray,
    DataBin,
    PrimitiveJob,
    PrimitiveResult,
    PubResult,
    SamplerPubResult,
)
from qiskit.primitives.containers import EstimatorPubLike, SamplerPubLike
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparseObservable

from co_gym.errors import InputError
from quantum.gates import GateProgram
from quantum.kernels.measurements import draw, pauli_sum

MOST_PROGRAMS = 32
"""Compiled circuits that a primitive keeps."""


class FastSampler(BaseSamplerV2):
    """Samples from exact state vectors.

    Attributes:
        default_shots: Shots where neither `run` nor a PUB says how many.
        seed: Of each `run`; None for another one each time.
    """

    def __init__(self, *, default_shots: int = 1024, seed: int | np.random.Generator | None = None) -> None:
        self.default_shots = default_shots
        self.seed = seed
        self._programs = _Programs()

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> PrimitiveJob[PrimitiveResult[SamplerPubResult]]:
        """Starts a job; see `qiskit.primitives.BaseSamplerV2`.

        Args:
            pubs: Circuits, each with values of its parameters [..., P] and a number of shots where wanted.
            shots: Of PUBs that do not say how many.

        Raises:
            InputError: If a circuit measures nothing, or does what no state vector can.
        """
        work = [SamplerPub.coerce(pub, self.default_shots if shots is None else shots) for pub in pubs]
        for pub in work:
            if not pub.circuit.cregs:
                raise InputError("the circuit has no classical register: measure qubits, as by measure_all()")
        return _submitted(self._run, [(pub, self._programs.of(pub.circuit)) for pub in work])

    def _run(self, work: list[tuple[SamplerPub, GateProgram]]) -> PrimitiveResult[SamplerPubResult]:
        rng = np.random.default_rng(self.seed)
        return PrimitiveResult([self._one(*item, rng) for item in work], metadata={"version": 2})

    def _one(self, pub: SamplerPub, program: GateProgram, rng: np.random.Generator) -> SamplerPubResult:
        circuit, values = pub.circuit, _values(pub)
        drawn = np.empty((*pub.shape, pub.shots), dtype=np.int64)
        for index in np.ndindex(pub.shape):
            states = draw(*program.state(values[index]), np.sort(rng.random(pub.shots)))
            drawn[index] = rng.permutation(states)
        data = {one.name: _register(circuit, one, program, drawn) for one in circuit.cregs}
        metadata = {"shots": pub.shots, "circuit_metadata": circuit.metadata}
        return SamplerPubResult(DataBin(**data, shape=pub.shape), metadata=metadata)


class FastEstimator(BaseEstimatorV2):
    """Exact expectation values, of the state before any measurements.

    Attributes:
        default_precision: Standard deviation of noise where neither `run` nor a PUB says which: 0 for none.
        seed: Of the noise of each `run`; None for another one each time.
    """

    def __init__(self, *, default_precision: float = 0.0, seed: int | np.random.Generator | None = None) -> None:
        self.default_precision = default_precision
        self.seed = seed
        self._programs = _Programs()

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> PrimitiveJob[PrimitiveResult[PubResult]]:
        """Starts a job; see `qiskit.primitives.BaseEstimatorV2`.

        Args:
            pubs: Circuits with observables, values of parameters [..., P] and a precision where wanted.
            precision: Of PUBs that do not say which.

        Raises:
            InputError: If a circuit does what no state vector can.
        """
        wanted = self.default_precision if precision is None else precision
        work = [EstimatorPub.coerce(pub, wanted) for pub in pubs]
        return _submitted(self._run, [(pub, self._programs.of(pub.circuit)) for pub in work])

    def _run(self, work: list[tuple[EstimatorPub, GateProgram]]) -> PrimitiveResult[PubResult]:
        rng = np.random.default_rng(self.seed)
        return PrimitiveResult([self._one(*item, rng) for item in work], metadata={"version": 2})

    def _one(self, pub: EstimatorPub, program: GateProgram, rng: np.random.Generator) -> PubResult:
        flat = _values(pub).reshape(pub.parameter_values.size, -1)
        paulis = [_groups(one) for one in pub.observables.sparse_observables_array().ravel()]
        points, observed = (
            np.broadcast_to(np.arange(one.size).reshape(one.shape), pub.shape).ravel()
            for one in (pub.parameter_values, pub.observables)
        )
        exact = np.empty(pub.size)
        for point, values in enumerate(flat):
            state = program.state(values)
            here = np.flatnonzero(points == point)
            found = {k: pauli_sum(*state, *paulis[k]) for k in np.unique(observed[here])}
            exact[here] = [found[k] for k in observed[here]]
        evs = exact.reshape(pub.shape)
        if pub.precision:
            evs = rng.normal(evs, pub.precision)
        metadata = {"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata}
        return PubResult(DataBin(evs=evs, stds=np.zeros(pub.shape), shape=pub.shape), metadata=metadata)


class _Programs:
    """Compiled circuits by identity, each with a copy that tells whether it was changed since."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[QuantumCircuit, GateProgram]] = {}

    def of(self, circuit: QuantumCircuit) -> GateProgram:
        """The program of a circuit."""
        copy, program = self._known.pop(id(circuit), (None, None))
        if copy is None or program is None or (copy.num_qubits, copy.data) != (circuit.num_qubits, circuit.data):
            copy, program = circuit.copy(), GateProgram(circuit)
        self._known[id(circuit)] = copy, program
        if len(self._known) > MOST_PROGRAMS:
            del self._known[next(iter(self._known))]
        return program


def _submitted(function: Any, work: list[Any]) -> PrimitiveJob:
    job = PrimitiveJob(function, work)
    job._submit()
    return job


def _values(pub: SamplerPub | EstimatorPub) -> NDArray:
    """[..., P] float64, values of the circuit's parameters."""
    return pub.parameter_values.as_array(pub.circuit.parameters).astype(np.float64)


def _register(circuit: QuantumCircuit, register: Any, program: GateProgram, drawn: NDArray) -> BitArray:
    """Outcomes of a classical register; bits that nothing was measured into are 0."""
    bits = np.zeros((*drawn.shape, register.size), dtype=bool)
    for k, bit in enumerate(register):
        qubit = program.measured.get(circuit.find_bit(bit).index)
        if qubit is not None:
            bits[..., k] = drawn >> qubit & 1
    return BitArray.from_bool_array(bits, order="little")


def _groups(observable: SparseObservable) -> tuple[NDArray, ...]:
    """Arguments of `pauli_sum` after the state."""
    found: dict[tuple[int, bool], list[tuple[int, float]]] = {}
    for label, where, value in observable.as_paulis().to_sparse_list():
        flips = sum(1 << q for letter, q in zip(label, where, strict=True) if letter in "XY")
        signs = sum(1 << q for letter, q in zip(label, where, strict=True) if letter in "YZ")
        count = label.count("Y")
        sign = (1.0, -1.0, -1.0, 1.0)[count % 4]  # real part of i^count (a + ib) is a, -b, -a, b
        found.setdefault((flips, bool(count % 2)), []).append((signs, sign * value.real))
    starts = np.cumsum([0] + [len(group) for group in found.values()])
    flips, odd = np.array([k[0] for k in found], dtype=np.int64), np.array([k[1] for k in found], dtype=bool)
    strings = [one for group in found.values() for one in group]
    masks = np.array([mask for mask, _ in strings], dtype=np.int64)
    return starts, flips, odd, masks, np.array([value for _, value in strings])
