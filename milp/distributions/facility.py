"""Capacitated facility location."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram


def facility(rng: np.random.Generator, customers: int, facilities: int, ratio: float = 5.0) -> MixedIntegerProgram:
    """Capacitated facility location by Cornuéjols et al. (1991), with the rows of Gasse et al. (2019).

    Columns: the share x_ij of customer i's demand from facility j, continuous, row by row, then y_j, whether j is
    open. Rows: demands, capacities, the total capacity that must be open, and x_ij <= y_j.

    Args:
        rng: Source of randomness.
        customers: Customers.
        facilities: Facilities.
        ratio: Total capacity in units of total demand.
    """
    homes, sites = rng.random((customers, 2)), rng.random((facilities, 2))
    demands = rng.integers(5, 36, size=customers)
    capacities = rng.integers(10, 161, size=facilities)
    fixed = np.floor(rng.integers(100, 111, size=facilities) * np.sqrt(capacities)) + rng.integers(
        91, size=facilities
    )
    capacities = np.floor(capacities * ratio * demands.sum() / capacities.sum())
    distances = np.linalg.norm(homes[:, None] - sites[None], axis=2)
    c = np.append((10 * demands[:, None] * distances).ravel(), fixed)
    shares = customers * facilities
    A = _rows(demands, capacities)
    upper = np.concatenate([np.full(customers, np.inf), np.zeros(facilities), [np.inf], np.zeros(shares)])
    lower = np.full(upper.size, -np.inf)
    lower[:customers] = 1.0
    lower[customers + facilities] = demands.sum()
    return MixedIntegerProgram(
        sense="minimize",
        c=c,
        A=A,
        row_lower=lower,
        row_upper=upper,
        lower=np.zeros(shares + facilities),
        upper=np.ones(shares + facilities),
        integer=np.arange(shares + facilities) >= shares,
    )


def _rows(demands: NDArray, capacities: NDArray) -> sparse.csr_matrix:
    """Demand, capacity, total capacity and linking rows."""
    customers, facilities = demands.size, capacities.size
    one_each, ones = sparse.identity(facilities), np.ones((1, facilities))
    blocks = [
        [sparse.kron(sparse.identity(customers), ones), None],
        [sparse.kron(demands[None].astype(float), one_each), -sparse.diags(capacities)],
        [None, sparse.csr_matrix(capacities[None])],
        [sparse.identity(customers * facilities), -sparse.kron(np.ones((customers, 1)), one_each)],
    ]
    return sparse.csr_matrix(sparse.bmat(blocks, format="csr"))
