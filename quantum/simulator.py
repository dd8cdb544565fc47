"""Exact simulation of circuits, with gradients by the adjoint method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from quantum.circuits import Circuit
from quantum.hamiltonians import MOST_QUBITS, Diagonal
from quantum.objectives import Objective
from quantum.runs import compile_runs
from quantum.sampling import checked_angles, drawn
from quantum.states import Layout, State

if TYPE_CHECKING:
    from quantum.subspace_simulator import SubspaceSimulator

Precision = Literal["double", "single"]


def simulator(circuit: Circuit, **options: Any) -> Simulator | SubspaceSimulator:
    """The simulator of a circuit's space, full or not; options are those of its class."""
    if circuit.subspace is None:
        return Simulator(circuit, **options)
    from quantum.subspace_simulator import SubspaceSimulator

    return SubspaceSimulator(circuit, **options)


class Simulator:
    """State vectors of circuits in the full space.

    The state is kept in blocks of the cache while phases and rotations are applied to several qubits at a time,
    all in registers; see `quantum.kernels.layers`. Memory: 2^q amplitudes of 16 bytes, or 8 in single precision,
    and 1, 2 or 8 bytes for each energy of a different phase; twice as many amplitudes for gradients. One
    simulator must not be used by two threads at once, as it works in the same memory each time.

    Args:
        circuit: Its `subspace` is None.
        precision: Of amplitudes; sums over them are in double precision.
        threads: How many threads share a layer, at least 1.

    Raises:
        InputError: If the circuit is of another kind, too large or its layers do not fit together.
    """

    def __init__(self, circuit: Circuit, *, precision: Precision = "double", threads: int = 1) -> None:
        import numba

        if circuit.subspace is not None:
            raise InputError("a circuit in a subspace: use SubspaceSimulator")
        if precision not in ("double", "single"):
            raise InputError(f"precision {precision!r}: expected 'double' or 'single'")
        if not 0 < circuit.num_qubits <= MOST_QUBITS:
            raise SolverError(
                f"{circuit.num_qubits} qubits: a state vector holds 1 to {MOST_QUBITS}; aer:mps may hold more"
            )
        most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        if not 1 <= threads <= most:
            raise InputError(f"{threads} threads: expected 1 to {most}")
        self.circuit = circuit
        self._layout = Layout.of(circuit.num_qubits, np.float64 if precision == "double" else np.float32, threads)
        self._runs = compile_runs(circuit, self._layout)
        self._state = State.empty(self._layout.size, self._layout.dtype)
        self._costate: State | None = None
        halves = 0.5 * circuit.initial
        self._initial: tuple[NDArray, NDArray] = (
            np.cos(halves).astype(self._layout.dtype),
            np.sin(halves).astype(self._layout.dtype),
        )

    @property
    def num_parameters(self) -> int:
        """Number of angles, P."""
        return self.circuit.num_parameters

    @property
    def num_states(self) -> int:
        """Number of basis states, 2^q."""
        return 1 << self.circuit.num_qubits

    def energies_of(self, diagonal: Diagonal) -> NDArray:
        """[2^q] float64, energies of a Hamiltonian at all basis states."""
        return diagonal.energies()

    def state(self, angles: NDArray) -> NDArray:
        """[2^q] complex128 or complex64, amplitudes at angles [P], up to a global phase.

        Raises:
            InputError: If the angles have another shape or are not finite; so do all other methods.
        """
        self._run(self._extended(angles))
        return self._amplitudes(self._state)

    def probabilities(self, angles: NDArray) -> NDArray:
        """[2^q] float64, probabilities of basis states at angles [P]."""
        self._run(self._extended(angles))
        return self._distribution()

    def expectation(self, angles: NDArray, energies: NDArray) -> float:
        """Expected energy at angles [P], of energies [2^q] float64."""
        self._check_energies(energies)
        return self._expectation(self._extended(angles), energies)

    def expectations(self, angles: NDArray, energies: NDArray) -> NDArray:
        """[B] float64, expected energies at angles [B, P]."""
        self._check_energies(energies)
        if np.ndim(angles) != 2:
            raise InputError(f"angles have shape {np.shape(angles)}: expected (batch, {self.num_parameters})")
        return np.array([self._expectation(self._extended(row), energies) for row in angles], dtype=np.float64)

    def value_and_gradient(
        self, angles: NDArray, energies: NDArray, objective: Objective
    ) -> tuple[float, NDArray]:
        """Value of an objective at angles [P], and its derivatives [P] float64 (Jones and Gacon 2020).

        One sweep forward and one backward, in which the objective's derivatives by the probabilities are the
        observable, whatever the number of angles.
        """
        from quantum.kernels.reductions import weigh

        self._check_energies(energies)
        extended = self._extended(angles)
        self._run(extended)
        value, weights = objective(energies, self._distribution())
        costate = self._second()
        weigh(self._state.real, self._state.imag, weights, costate.real, costate.imag)
        return value, self._sweep(extended, costate)

    def pullback(self, angles: NDArray, costate: Callable[[NDArray], NDArray]) -> NDArray:
        """[P] float64, derivatives 2 Re <O psi | d psi> of a real function of the state at angles [P].

        Args:
            angles: [P] float64.
            costate: From the state [2^q] to O psi [2^q], with O Hermitian; O may depend on the state, so that
                this is the gradient of any function whose derivative by the state is O psi.
        """
        extended = self._extended(angles)
        self._run(extended)
        made = np.asarray(costate(self._amplitudes(self._state)))
        if made.shape != (self.num_states,):
            raise InputError(f"the costate has shape {made.shape}: expected ({self.num_states},)")
        second = self._second()
        for part, values in ((second.real, made.real), (second.imag, made.imag)):
            part[: self.num_states] = values
            part[self.num_states :] = 0.0
        return self._sweep(extended, second)

    def sample(self, angles: NDArray, shots: int, rng: np.random.Generator) -> NDArray:
        """[shots, q] uint8, measured bits at angles [P], qubit i in column i."""
        from quantum.hamiltonians import state_bits

        return state_bits(drawn(self.probabilities(angles), shots, rng), self.circuit.num_qubits)

    def _run(self, extended: NDArray) -> None:
        from quantum.kernels.reductions import product_state

        if self._layout.threads > 1:
            from numba import set_num_threads

            set_num_threads(self._layout.threads)
        product_state(self._state.real, self._state.imag, *self._initial)
        for run in self._runs:
            run.forward(extended, self._state, self._layout)

    def _sweep(self, extended: NDArray, costate: State) -> NDArray:
        gradient = np.zeros(self.num_parameters + 2)
        for k in range(len(self._runs) - 1, -1, -1):
            self._runs[k].backward(extended, self._state, costate, self._layout, k > 0, gradient)
        return gradient[: self.num_parameters]

    def _expectation(self, extended: NDArray, energies: NDArray) -> float:
        from quantum.kernels.reductions import expectation

        self._run(extended)
        return float(expectation(self._state.real, self._state.imag, energies))

    def _distribution(self) -> NDArray:
        from quantum.kernels.reductions import probabilities

        made = np.empty(self.num_states)
        probabilities(self._state.real, self._state.imag, made)
        return made

    def _amplitudes(self, state: State) -> NDArray:
        made = np.empty(self.num_states, np.complex128 if self._layout.dtype is np.float64 else np.complex64)
        made.real, made.imag = state.real[: self.num_states], state.imag[: self.num_states]
        return made

    def _second(self) -> State:
        if self._costate is None:
            self._costate = State.empty(self._layout.size, self._layout.dtype)
        return self._costate

    def _extended(self, angles: NDArray) -> NDArray:
        """Angles [P + 2]: those given, then 0 and 1, for layers without a parameter."""
        return np.concatenate([checked_angles(angles, self.num_parameters), (0.0, 1.0)])

    def _check_energies(self, energies: NDArray) -> None:
        if energies.shape != (self.num_states,) or energies.dtype != np.float64:
            raise InputError(
                f"energies have shape {energies.shape} and type {energies.dtype}: "
                f"expected ({self.num_states},) float64"
            )
