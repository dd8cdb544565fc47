"""Workload apportionment that survives the failure of a worker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram

LOADS = ((1.0, 5.0), (5.0, 10.0))
CAPACITIES = ((0.3, 0.5), (0.1, 0.3))


def workload(
    rng: np.random.Generator, light: int, heavy: int, workers: int, allowed: float, scale: float = 1.0
) -> MixedIntegerProgram:
    """Workload apportionment of the ML4CO competition (Gasse et al. 2022), as its generator makes it.

    Use as few workers as possible so that each workload fits even if any one worker fails. There are two classes
    of workers and of workloads; a workload is allowed mostly on workers of its own class. The competition's files
    hold a column, fixed at zero, and a row for each pair that is not allowed; they are left out here.

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
    kind = np.repeat([0, 1], [light, heavy])
    loads = scale * rng.uniform(*np.array(LOADS)[kind].T)
    capacities = rng.uniform(*np.repeat(CAPACITIES, workers, axis=0).T)
    own = kind[:, None] == np.repeat([0, 1], workers)
    job, worker = np.nonzero(rng.random(own.shape) < np.where(own, allowed, allowed / 10))
    pairs, total = job.size, job.size + 2 * workers
    A = _rows(job, worker, np.maximum(capacities[worker], loads[job]), 2 * workers)
    used = np.arange(total) >= pairs
    return MixedIntegerProgram(
        sense="minimize",
        c=used.astype(np.float64),
        A=A,
        row_lower=np.concatenate([np.zeros(pairs), np.full(2 * workers, -np.inf), loads[job]]),
        row_upper=np.concatenate([np.full(pairs, np.inf), capacities, np.full(pairs, np.inf)]),
        lower=np.zeros(total),
        upper=np.concatenate([capacities[worker], np.ones(2 * workers)]),
        integer=used,
    )


def _rows(job: NDArray, worker: NDArray, limits: NDArray, workers: int) -> sparse.csr_matrix:
    """The matrix; in each of the last rows one pair's worker fails, and the others have to do.

    Args:
        job: [pairs] the workload of each allowed pair.
        worker: [pairs] its worker.
        limits: [pairs] coefficient of the worker's use in the pair's row.
        workers: Workers of both classes.
    """
    pairs = job.size
    line = np.arange(pairs)
    reserved = sparse.identity(pairs)
    used = sparse.csr_matrix((limits, (line, worker)), shape=(pairs, workers))
    by_worker = sparse.csr_matrix((np.ones(pairs), (worker, line)), shape=(workers, pairs))
    same = sparse.csr_matrix((np.ones(pairs), (job, line)), shape=(job.max() + 1, pairs))
    rest = same.T @ same - reserved
    rest.eliminate_zeros()
    return sparse.csr_matrix(sparse.bmat([[-reserved, used], [by_worker, None], [rest, None]]))
