"""What every backend offers, and backends by name."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError, unknown_name
from quantum.circuits import Circuit

if TYPE_CHECKING:
    from quantum.simulator import Simulator
    from quantum.subspace_simulator import SubspaceSimulator

BACKENDS = {
    "fast": "quantum.backends.fast:Fast",
    "statevector": "quantum.backends.devices:statevector",
    "aer": "quantum.backends.devices:aer",
    "generic": "quantum.backends.devices:generic",
    "fake": "quantum.backends.devices:fake",
    "ibm": "quantum.backends.ibm:IBM",
}
"""Where each kind is made, from what follows its name and from options."""

SPELLINGS = ("fast", "statevector", "aer", "aer:mps", "generic:<qubits>", "fake_<device>", "ibm:<device>")

DEVICE_OPTIONS = ("decoupling", "twirl_gates", "twirl_measurement", "randomizations", "mode", "max_time")
"""Options of real devices, which a simulation on this computer would ignore."""


@dataclass(frozen=True)
class Counts:
    """Size of a circuit in the gates and on the connections of a device.

    Attributes:
        qubits: Qubits that are used, those that only carry others about included.
        two_qubit_gates: Gates on two qubits.
        depth: Longest chain of gates, measurements left out.
    """

    qubits: int
    two_qubit_gates: int
    depth: int


class Compiled(Protocol):
    """A circuit made ready once; its angles are bound later."""

    @property
    def counts(self) -> Counts:
        """Its size after transpilation for the backend, for a device without limits where that has no gates.

        Raises:
            InputError: If a layer has no gates.
        """

    @property
    def simulator(self) -> Simulator | SubspaceSimulator | None:
        """Exact states and gradients, where the backend has them."""

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """Measured bits; on simulators the same for the same seed.

        Args:
            angles: [P] or [B, P] float64.
            shots: How often each row of angles is measured, positive.
            seed: Of what is random, from 0 on.

        Returns:
            [shots, q] or [B, shots, q] uint8, qubit i in column i.

        Raises:
            InputError: If the angles have another shape or are not finite.
            SolverError: If the backend failed.
        """


@runtime_checkable
class Remote(Protocol):
    """A compiled circuit whose samples are made by jobs that outlive this process."""

    def submit(self, angles: NDArray, shots: int, seed: int, tag: str) -> str:
        """Hand in a job under a tag that no other one has, and return its id without waiting."""

    def find(self, tag: str) -> str | None:
        """The id of the job with a tag, None if there is none."""

    def fetch(self, job: str, shots: int) -> NDArray:
        """Wait for a job; its bits [rows of angles, shots, q] uint8, also for angles of one row.

        Raises:
            JobFailed: If it has ended without a result.
        """


class JobFailed(SolverError):
    """A job has ended without a result and will never have one."""


class Backend(Protocol):
    """Runs circuits."""

    @property
    def name(self) -> str:
        """By which `backend` finds it."""

    @property
    def noisy(self) -> bool:
        """Whether samples deviate from the circuit's exact distribution by more than chance."""

    def compile(self, circuit: Circuit) -> Compiled:
        """Make a circuit ready.

        Raises:
            InputError: If a layer has no gates and the backend needs them.
            SolverError: If the circuit is too large.
        """


def backend(spec: str, **options: Any) -> Backend:
    """A backend by name.

    Args:
        spec: `fast` (our simulator), `statevector` (Qiskit's), `aer`, `aer:mps` (matrix product states, for more
            qubits than a state vector holds), `generic:<qubits>` (a noisy device made up), `fake_<device>` (IBM's
            snapshots, such as `fake_torino`) or `ibm:<device>`.
        options: Of the function or class in `BACKENDS` that makes it.

    Raises:
        InputError: If there is no such backend or option.
    """
    kind, _, argument = spec.partition(":")
    if kind.startswith("fake_") and not argument:
        kind, argument = "fake", kind
    elif kind == "fake" or kind not in BACKENDS:
        raise unknown_name("backend", spec, SPELLINGS)
    module, _, name = BACKENDS[kind].partition(":")
    make = getattr(importlib.import_module(module), name)
    known = [one for one in inspect.signature(make).parameters if one != "argument"]
    for option in options:
        if option in known:
            continue
        if option in DEVICE_OPTIONS:
            raise InputError(f"{option} has no effect on {spec}, which runs locally: use it with ibm:<device>")
        raise unknown_name(f"option of {spec}", option, known)
    made: Backend = make(argument, **options)
    return made


def no_argument(kind: str, argument: str) -> None:
    """Refuse what follows a colon where nothing may.

    Raises:
        InputError: If something does.
    """
    if argument:
        raise InputError(f"backend {kind}:{argument}: expected {kind} alone")


def checked_request(angles: NDArray, parameters: int, shots: int, seed: int) -> NDArray:
    """The angles as [P] or [B, P] float64.

    Raises:
        InputError: If they have another shape or are not finite, or if there are no shots or the seed is negative.
    """
    angles = np.asarray(angles, dtype=np.float64)
    if angles.ndim not in (1, 2) or angles.shape[-1] != parameters:
        raise InputError(f"angles have shape {angles.shape}: expected ({parameters},) or (batch, {parameters})")
    if not np.isfinite(angles).all():
        raise InputError("angles are not finite: expected finite numbers")
    if shots < 1 or seed < 0:
        raise InputError(f"{shots} shots and seed {seed}: expected at least 1 shot and a seed from 0 on")
    return angles
