"""Workload apportionment that survives the failure of a worker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from co_gym.relaxation import solve_relaxation

LOADS = ((1.0, 5.0), (5.0, 10.0))
CAPACITIES = ((0.3, 0.5), (0.1, 0.3))


@dataclass(frozen=True, eq=False)
class _Workloads:
    """The data of one instance.

    Attributes:
        loads: [jobs].
        capacities: [workers].
        job: [pairs] the workload of each allowed pair, in order.
        worker: [pairs] its worker.
    """

    loads: NDArray
    capacities: NDArray
    job: NDArray
    worker: NDArray


def workload(
    rng: np.random.Generator, light: int, heavy: int, workers: int, allowed: float, scale: float = 1.0
) -> MixedIntegerProgram:
    """Workload apportionment of the ML4CO competition (Gasse et al. 2022), by the constants of its generator.

    Use as few workers as possible so that each workload fits even if any one worker fails. There are two classes
    of workers and of workloads; a workload is allowed mostly on workers of its own class. What all workers
    together cannot serve is drawn again; at the competition's size that is every second draw. The competition's
    files hold a column, fixed at zero, and a row for each pair that is not allowed; they are left out here.

    Columns: capacity reserved on a worker for a workload (continuous, by workload), whether a worker is used.
    Rows: reserved only where used, capacities, each workload without each of its workers.

    Args:
        rng: Source of randomness.
        light: Workloads of 1 to 5 units.
        heavy: Workloads of 5 to 10 units.
        workers: Workers of each class, with capacities 0.3 to 0.5 and 0.1 to 0.3.
        allowed: Probability that a worker of its class may serve a workload; a tenth of it in the other class.
        scale: Factor of the loads.
    """
    data = _draw(rng, light, heavy, workers, allowed, scale)
    while not _can_be_served(data):
        data = _draw(rng, light, heavy, workers, allowed, scale)
    pairs, total = data.job.size, data.job.size + 2 * workers
    loads, capacities = data.loads[data.job], data.capacities[data.worker]
    used = np.arange(total) >= pairs
    return MixedIntegerProgram(
        sense="minimize",
        c=used.astype(np.float64),
        A=_rows(data, np.maximum(capacities, loads)),
        row_lower=np.concatenate([np.zeros(pairs), np.full(2 * workers, -np.inf), loads]),
        row_upper=np.concatenate([np.full(pairs, np.inf), data.capacities, np.full(pairs, np.inf)]),
        lower=np.zeros(total),
        upper=np.concatenate([capacities, np.ones(2 * workers)]),
        integer=used,
    )


def _draw(
    rng: np.random.Generator, light: int, heavy: int, workers: int, allowed: float, scale: float
) -> _Workloads:
    kind = np.repeat([0, 1], [light, heavy])
    loads = scale * rng.uniform(*np.array(LOADS)[kind].T)
    capacities = rng.uniform(*np.repeat(CAPACITIES, workers, axis=0).T)
    own = kind[:, None] == np.repeat([0, 1], workers)
    job, worker = np.nonzero(rng.random(own.shape) < np.where(own, allowed, allowed / 10))
    return _Workloads(loads, capacities, job, worker)


def _incidence(data: _Workloads) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """The pairs of each workload [jobs, pairs], and of each worker [workers, pairs]."""
    pairs = data.job.size
    ones, line = np.ones(pairs), np.arange(pairs)
    by_job = sparse.csr_matrix((ones, (data.job, line)), shape=(data.loads.size, pairs))
    by_worker = sparse.csr_matrix((ones, (data.worker, line)), shape=(data.capacities.size, pairs))
    return by_job, by_worker


def _can_be_served(data: _Workloads) -> bool:
    """Whether all workers together suffice: what is reserved, less the largest reservation, covers each load."""
    by_job, by_worker = _incidence(data)
    (jobs, pairs), workers = by_job.shape, data.capacities.size
    blocks = [[by_job, -sparse.identity(jobs)], [by_worker, None], [-sparse.identity(pairs), by_job.T]]
    relaxed = MixedIntegerProgram(
        sense="minimize",
        c=np.zeros(pairs + jobs),
        A=sparse.csr_matrix(sparse.bmat(blocks, format="csr")),
        row_lower=np.concatenate([data.loads, np.full(workers, -np.inf), np.zeros(pairs)]),
        row_upper=np.concatenate([np.full(jobs, np.inf), data.capacities, np.full(pairs, np.inf)]),
        lower=np.zeros(pairs + jobs),
        upper=np.full(pairs + jobs, np.inf),
        integer=np.zeros(pairs + jobs, dtype=bool),
    )
    return solve_relaxation(relaxed).status == "optimal"


def _rows(data: _Workloads, limits: NDArray) -> sparse.csr_matrix:
    """Reservations up to `limits` [pairs] on used workers; capacities; workloads without one worker each."""
    by_job, by_worker = _incidence(data)
    reserved = sparse.identity(data.job.size)
    others = by_job.T @ by_job - reserved
    others.eliminate_zeros()
    blocks = [[-reserved, by_worker.T.multiply(limits[:, None])], [by_worker, None], [others, None]]
    return sparse.csr_matrix(sparse.bmat(blocks, format="csr"))
