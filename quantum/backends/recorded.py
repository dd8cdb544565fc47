"""Any backend with a ledger: a run that is started again samples nothing twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from quantum.backends.base import Backend, Compiled, Counts, JobFailed, Remote, checked_request
from quantum.backends.ledger import Call, Ledger
from quantum.backends.templates import digest
from quantum.circuits import Circuit

if TYPE_CHECKING:
    from quantum.simulator import Simulator
    from quantum.subspace_simulator import SubspaceSimulator


class Recorded:
    """A backend whose samples are kept in a ledger.

    Calls of `sample` have to be the same, in the same order, whenever the run is started again. Those that were
    finished then give the recorded bits; a job that was handed in is fetched by its id, or by its tag where the
    process ended before it knew the id.

    Args:
        backend: What samples.
        ledger: Of this run.
    """

    def __init__(self, backend: Backend, ledger: Ledger) -> None:
        self.inner = backend
        self.name = backend.name
        self.noisy = backend.noisy
        self.ledger = ledger

    def compile(self, circuit: Circuit) -> RecordedCircuit:
        """See `Backend`."""
        return RecordedCircuit(self.inner.compile(circuit), circuit, self.name, self.ledger)


class RecordedCircuit:
    """A compiled circuit whose samples are kept in a ledger.

    Args:
        inner: The compiled circuit.
        circuit: The circuit.
        backend: Name of what samples it.
        ledger: Of this run.
    """

    def __init__(self, inner: Compiled, circuit: Circuit, backend: str, ledger: Ledger) -> None:
        self.inner = inner
        self._identity = {"backend": backend, "circuit": digest(circuit)}
        self._parameters = circuit.num_parameters
        self._ledger = ledger

    @property
    def counts(self) -> Counts:
        """See `Compiled`."""
        return self.inner.counts

    @property
    def simulator(self) -> Simulator | SubspaceSimulator | None:
        """See `Compiled`; what it computes is exact and not recorded."""
        return self.inner.simulator

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """See `Compiled`.

        Raises:
            InputError: Also if the ledger has another call in this place.
        """
        angles = checked_request(angles, self._parameters, shots, seed)
        hashed = hashlib.sha256(f"{angles.shape}".encode() + angles.tobytes()).hexdigest()[:32]
        call = self._ledger.call({**self._identity, "angles": hashed, "shots": int(shots), "seed": int(seed)})
        if call.bits is None:
            if isinstance(self.inner, Remote):
                bits = self._fetch(self.inner, call, angles, shots, seed)
            else:
                bits = self.inner.sample(angles, shots, seed)
            self._ledger.finish(call, bits)
        assert call.bits is not None
        return call.bits.copy()

    def _fetch(self, inner: Remote, call: Call, angles: NDArray, shots: int, seed: int) -> NDArray:
        """The result of a call's job, which is handed in unless it was before."""
        if call.job is None:
            job = None if call.tag is None else inner.find(call.tag)
            self._ledger.submitted(call, job or inner.submit(angles, shots, seed, self._ledger.ask(call)))
        assert call.job is not None
        try:
            bits = inner.fetch(call.job, shots)
        except JobFailed:
            self._ledger.failed(call)
            raise
        return bits.reshape(*angles.shape[:-1], *bits.shape[1:])
