from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from quantum.backends import backend
from quantum.backends.base import JobFailed, Remote
from quantum.backends.ibm import IBM, Runtime, Suppression
from quantum.circuits import Circuit
from tests.quantum.backends.conftest import SHOTS, assert_frequencies

Case = tuple[Circuit, NDArray, NDArray]


def options() -> SimpleNamespace:
    """The options that are set, as the package names them."""
    unset = SimpleNamespace
    return unset(dynamical_decoupling=unset(), twirling=unset(), environment=unset())


@dataclass
class Job:
    """A job of the service that has run on a noiseless simulator."""

    number: int
    result_: Any
    tags: list[str]
    status_: str = "DONE"

    def job_id(self) -> str:
        return f"job-{self.number}"

    def status(self) -> str:
        return self.status_

    def result(self) -> Any:
        from qiskit.providers import JobError

        if self.status_ == "ERROR":
            raise JobError("the cryostat is warm")
        return self.result_


@dataclass
class Service:
    """A service without an account that keeps everything that was asked of it."""

    samplers: list[Any] = field(default_factory=list)
    jobs_: list[Job] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)
    devices: int = 0

    def backend(self, name: str) -> Any:
        from qiskit.providers.exceptions import QiskitBackendNotFoundError
        from qiskit.providers.fake_provider import GenericBackendV2

        if name != "ibm_stub":
            raise QiskitBackendNotFoundError("No backend matches the criteria.")
        self.devices += 1
        return GenericBackendV2(5, coupling_map=[[0, 1], [1, 2], [2, 3], [3, 4]], seed=0)

    def job(self, job_id: str) -> Job:
        return next(job for job in self.jobs_ if job.job_id() == job_id)

    def jobs(self, job_tags: list[str], limit: int) -> list[Job]:
        return [job for job in self.jobs_ if set(job_tags) <= set(job.tags)][:limit]

    def runtime(self) -> Runtime:
        service = self

        class Sampler:
            def __init__(self, mode: Any) -> None:
                self.mode, self.options = mode, options()
                service.samplers.append(self)

            def run(self, pubs: list[Any]) -> Job:
                from qiskit.primitives import StatevectorSampler

                result = StatevectorSampler(seed=len(service.jobs_)).run(pubs).result()
                service.jobs_.append(Job(len(service.jobs_), result, self.options.environment.job_tags))
                return service.jobs_[-1]

        class Opened:
            def __init__(self, backend: Any, max_time: str | None) -> None:
                self.backend, self.max_time, self.closed = backend, max_time, False
                service.opened.append(self)

            def close(self) -> None:
                self.closed = True

        return Runtime(lambda: service, Sampler, type("Batch", (Opened,), {}), type("Session", (Opened,), {}))


def test_a_device_samples_in_the_order_of_the_qubits(asymmetric: Case) -> None:
    circuit, angles, expected = asymmetric
    service = Service()
    made = backend("ibm:ibm_stub", runtime=service.runtime())
    assert (made.name, made.noisy) == ("ibm:ibm_stub", True)
    compiled = made.compile(circuit)
    bits = compiled.sample(np.stack([angles, angles]), SHOTS, seed=0)
    assert bits.shape == (2, SHOTS, 4)
    assert_frequencies(bits[1], expected)
    assert (len(service.jobs_), service.devices) == (1, 1)
    assert compiled.sample(angles, 10, seed=0).shape == (10, 4)
    assert compiled.counts.two_qubit_gates >= 12
    assert compiled.simulator is None


def test_options_reach_the_sampler(asymmetric: Case) -> None:
    circuit, angles, _ = asymmetric
    service = Service()
    chosen = {"decoupling": "XY4", "twirl_gates": True, "twirl_measurement": True, "randomizations": 16}
    backend("ibm:ibm_stub", runtime=service.runtime(), **chosen).compile(circuit).sample(angles, 10, 0)
    backend("ibm:ibm_stub", runtime=service.runtime()).compile(circuit).sample(angles, 10, 0)
    on, off = (one.options for one in service.samplers)
    assert vars(on.dynamical_decoupling) == {"enable": True, "sequence_type": "XY4"}
    assert vars(on.twirling) == {"enable_gates": True, "enable_measure": True, "num_randomizations": 16}
    assert vars(off.dynamical_decoupling) == {"enable": False}
    assert vars(off.twirling) == {"enable_gates": False, "enable_measure": False}


@pytest.mark.parametrize("mode", ["batch", "session"])
def test_batches_and_sessions_are_opened_once_and_closed(mode: str, asymmetric: Case) -> None:
    circuit, angles, _ = asymmetric
    service = Service()
    with IBM("ibm_stub", mode=mode, max_time="20m", runtime=service.runtime()) as made:  # type: ignore[arg-type]
        compiled = made.compile(circuit)
        assert not service.opened  # nothing is paid for before there is a job
        for seed in (0, 1):
            compiled.sample(angles, 10, seed)
        (opened,) = service.opened
        assert type(opened).__name__.lower() == mode
        assert opened.max_time == "20m"
        assert [one.mode for one in service.samplers] == [opened, opened]
        assert not opened.closed
    assert opened.closed


def test_jobs_are_found_by_their_tag_and_fetched_by_their_id(asymmetric: Case) -> None:
    circuit, angles, expected = asymmetric
    service = Service()
    compiled = IBM("ibm_stub", runtime=service.runtime()).compile(circuit)
    assert isinstance(compiled, Remote)
    job = compiled.submit(angles, SHOTS, 0, "first")
    again = IBM("ibm_stub", runtime=service.runtime()).compile(circuit)
    assert again.find("first") == job
    assert again.find("second") is None
    (bits,) = again.fetch(job, SHOTS)
    assert_frequencies(bits, expected)
    assert len(service.jobs_) == 1


def test_failures_of_the_service_are_told(asymmetric: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from qiskit.exceptions import QiskitError

    circuit, angles, _ = asymmetric
    service = Service()
    compiled = IBM("ibm_stub", runtime=service.runtime()).compile(circuit)
    job = compiled.submit(angles, 10, 0, "first")
    service.jobs_[0].status_ = "ERROR"
    with pytest.raises(JobFailed, match=r"job-0 on ibm:ibm_stub .*: the cryostat is warm"):
        compiled.fetch(job, 10)

    def unreachable(*_: Any, **__: Any) -> None:
        raise QiskitError("no network")

    monkeypatch.setattr(service, "job", unreachable)
    with pytest.raises(SolverError, match="no network") as caught:
        compiled.fetch(job, 10)
    assert not isinstance(caught.value, JobFailed)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"decoupling": "YY"}, "XX, XpXm, XY4"),
        ({"randomizations": 0, "twirl_gates": True}, "at least 1"),
        ({"randomizations": 4}, "no effect without"),
        ({"mode": "jobs"}, "job, batch, session"),
        ({"max_time": "1h"}, "no effect on single jobs"),
    ],
)
def test_options_without_sense_are_refused(chosen: dict[str, Any], message: str) -> None:
    service = Service()
    with pytest.raises(InputError, match=message):
        backend("ibm:ibm_stub", runtime=service.runtime(), **chosen)
    assert service.devices == 0


def test_unknown_devices_are_refused() -> None:
    with pytest.raises(InputError, match=r"no access to ibm_none: .*No backend matches"):
        backend("ibm:ibm_none", runtime=Service().runtime())


def test_the_package_has_the_options_that_are_set() -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    from qiskit.providers.fake_provider import GenericBackendV2

    sampler = Runtime.installed().sampler(mode=GenericBackendV2(2, seed=0))
    Suppression("XpXm", twirl_gates=True, twirl_measurement=True, randomizations=8).apply(sampler.options)
    sampler.options.environment.job_tags = ["tag"]
    made = sampler.options
    assert (made.dynamical_decoupling.enable, made.dynamical_decoupling.sequence_type) == (True, "XpXm")
    assert (made.twirling.enable_gates, made.twirling.enable_measure) == (True, True)
    assert made.twirling.num_randomizations == 8


def test_the_samplers_of_the_package_return_bits_in_order(asymmetric: Case) -> None:
    """On a simulated device, which the package runs itself."""
    package = pytest.importorskip("qiskit_ibm_runtime")
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    circuit, angles, expected = asymmetric
    kept: list[Any] = []

    class Kept(Runtime.installed().sampler):  # type: ignore[misc]
        def run(self, *args: Any, **kwargs: Any) -> Any:
            kept.append(super().run(*args, **kwargs))
            return kept[-1]

    service = SimpleNamespace(backend=lambda name: FakeManilaV2(), job=lambda job: kept[-1])
    runtime = Runtime(lambda: service, Kept, package.Batch, package.Session)
    bits = backend("ibm:fake", runtime=runtime).compile(circuit).sample(angles, 1000, seed=0)
    assert bits.shape == (1000, 4)
    assert_frequencies(bits, expected, 0.1)
