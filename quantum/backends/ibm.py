"""Devices of IBM, through the account that Qiskit keeps: keys are never read, logged or stored here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from quantum.backends.base import JobFailed
from quantum.backends.devices import runtime_module
from quantum.backends.primitives import TranspiledCircuit, Transpiler, bits_of, reason
from quantum.circuits import Circuit

Decoupling = Literal["XX", "XpXm", "XY4"]
Mode = Literal["job", "batch", "session"]

ENDED = ("ERROR", "CANCELLED")
"""Statuses of jobs that will never have a result."""


@dataclass(frozen=True)
class Suppression:
    """What the service does against noise when it samples.

    Attributes:
        decoupling: Pulses on idle qubits, dynamical decoupling (Viola and Lloyd 1998); None for none.
        twirl_gates: Pauli twirling of gates on two qubits (Wallman and Emerson 2016).
        twirl_measurement: Random flips before measurements, undone in the bits, which make the errors of reading
            0 and 1 alike (van den Berg, Minev and Temme 2022).
        randomizations: How many random circuits twirling shares the shots among; None leaves it to the service.
    """

    decoupling: Decoupling | None = None
    twirl_gates: bool = False
    twirl_measurement: bool = False
    randomizations: int | None = None

    def __post_init__(self) -> None:
        if self.decoupling not in (None, *get_args(Decoupling)):
            raise InputError(f"decoupling {self.decoupling}: expected one of {', '.join(get_args(Decoupling))}")
        if self.randomizations is not None and self.randomizations < 1:
            raise InputError(f"{self.randomizations} randomizations: expected at least 1")
        if self.randomizations is not None and not (self.twirl_gates or self.twirl_measurement):
            raise InputError("randomizations have no effect without twirl_gates or twirl_measurement")

    def apply(self, options: Any) -> None:
        """Set the options of a sampler, which are off otherwise."""
        options.dynamical_decoupling.enable = self.decoupling is not None
        if self.decoupling is not None:
            options.dynamical_decoupling.sequence_type = self.decoupling
        options.twirling.enable_gates = self.twirl_gates
        options.twirling.enable_measure = self.twirl_measurement
        if self.randomizations is not None:
            options.twirling.num_randomizations = self.randomizations


@dataclass(frozen=True)
class Runtime:
    """What is used of qiskit-ibm-runtime.

    Attributes:
        service: Class of the service, which finds its account by itself.
        sampler: Class of samplers.
        batch: Class of batches.
        session: Class of sessions.
    """

    service: Any
    sampler: Any
    batch: Any
    session: Any

    @classmethod
    def installed(cls) -> Runtime:
        """That of the package.

        Raises:
            InputError: If it is not installed.
        """
        module = runtime_module()
        from qiskit_ibm_runtime.executor_sampler import Sampler

        return cls(module.QiskitRuntimeService, Sampler, module.Batch, module.Session)

    def connect(self, name: str) -> tuple[Any, Any]:
        """The service and a device.

        Raises:
            InputError: If there is no account or no such device.
        """
        from qiskit.exceptions import QiskitError

        try:
            service = self.service()
            return service, service.backend(name)
        except (QiskitError, ValueError) as error:
            raise InputError(
                f"no access to {name}: {reason(error)} (accounts are kept by QiskitRuntimeService.save_account)"
            ) from error


class IBM:
    """A device of IBM; the account comes from Qiskit's own store or environment variables.

    Args:
        argument: Name of the device, such as `ibm_torino`.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        decoupling: See `Suppression`.
        twirl_gates: See there.
        twirl_measurement: See there.
        randomizations: See there.
        mode: How jobs are queued: each for itself, as a batch, or in a session, which holds the device.
        max_time: After how long a batch or session closes by itself, such as `1h 30m`.
        runtime: What stands in for the package.

    Raises:
        InputError: If there is no such account, device or option, or qiskit-ibm-runtime is not installed.
    """

    noisy = True

    def __init__(
        self,
        argument: str,
        level: int = 3,
        decoupling: Decoupling | None = None,
        twirl_gates: bool = False,
        twirl_measurement: bool = False,
        randomizations: int | None = None,
        mode: Mode = "job",
        max_time: str | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        if not argument:
            raise InputError("backend ibm: expected ibm:<device>, such as ibm:ibm_torino")
        if mode not in get_args(Mode):
            raise InputError(f"mode {mode}: expected one of {', '.join(get_args(Mode))}")
        if mode == "job" and max_time is not None:
            raise InputError("max_time has no effect on single jobs: use it with mode batch or session")
        self.name = f"ibm:{argument}"
        self.suppression = Suppression(decoupling, twirl_gates, twirl_measurement, randomizations)
        self._runtime = Runtime.installed() if runtime is None else runtime
        self.service, self.device = self._runtime.connect(argument)
        self._transpiler = Transpiler(self.name, self.device.target, level)
        self._mode, self._max_time = mode, max_time
        self._opened: Any = None

    def compile(self, circuit: Circuit) -> DeviceCircuit:
        """See `Backend`."""
        return DeviceCircuit(circuit, self._transpiler, self)

    def sampler(self, tag: str) -> Any:
        """A sampler with all options set, whose job will have a tag; opens the batch or session."""
        if self._mode != "job" and self._opened is None:
            kind = self._runtime.batch if self._mode == "batch" else self._runtime.session
            self._opened = kind(backend=self.device, max_time=self._max_time)
        made = self._runtime.sampler(mode=self._opened or self.device)
        self.suppression.apply(made.options)
        made.options.environment.job_tags = [tag]
        return made

    def close(self) -> None:
        """Close the batch or session; jobs in it still run."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> IBM:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DeviceCircuit(TranspiledCircuit):
    """A circuit made ready for a device; see `base.Remote`."""

    def __init__(self, circuit: Circuit, transpiler: Transpiler, device: IBM) -> None:
        super().__init__(circuit, transpiler)
        self._device = device

    def submit(self, angles: NDArray, shots: int, seed: int, tag: str) -> str:
        """See `base.Remote`; the seed means nothing to a device."""
        pubs = self.pubs(angles, shots, seed)
        with _explained(f"{self._name} did not take a job"):
            job: str = self._device.sampler(tag).run(pubs).job_id()
        return job

    def find(self, tag: str) -> str | None:
        """See `base.Remote`."""
        with _explained(f"{self._name} does not tell its jobs"):
            jobs = self._device.service.jobs(job_tags=[tag], limit=1)
            return jobs[0].job_id() if jobs else None

    def fetch(self, job: str, shots: int) -> NDArray:
        """See `base.Remote`."""
        from qiskit.exceptions import QiskitError

        with _explained(f"{self._name} does not give the result of job {job}"):
            made = self._device.service.job(job)
            try:
                result = made.result()
            except QiskitError as error:
                if made.status() in ENDED:
                    raise JobFailed(
                        f"job {job} on {self._name} has ended without a result: {reason(error)}"
                    ) from error
                raise
        return bits_of(result, shots)

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """See `Compiled`."""
        bits = self.fetch(self.submit(angles, shots, seed, f"co-gym-{uuid4().hex}"), shots)
        return bits.reshape(*np.shape(angles)[:-1], *bits.shape[1:])


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Errors of Qiskit as ours."""
    from qiskit.exceptions import QiskitError

    try:
        yield
    except QiskitError as error:
        raise SolverError(f"{what}: {reason(error)}") from error
