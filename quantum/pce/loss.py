"""The loss of correlators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from quantum.hamiltonians import Ising


class CorrelationLoss:
    """E(tanh(alpha e)) + beta nu (mean tanh^2(alpha e))^2, where E is an Ising energy of spins that are not whole.

    The second term keeps correlators small, away from where tanh is flat; nu is the lower bound of Poljak and
    Turzik (1986) on the maximum cut of the graph of couplings: half of all weights and a quarter of a minimum
    spanning forest (Sciorilli et al. 2025). Weights are magnitudes here. Fields, which a cut does not have, are
    left out of nu: they are linear where couplings are quadratic, so that with small correlators they would
    decide alone.

    Args:
        ising: E.
        alpha: Steepness of tanh, positive.
        beta: Share of the regularization, 0 or more.
    """

    def __init__(self, ising: Ising, alpha: float, beta: float) -> None:
        q = ising.num_qubits
        upper = sparse.csr_matrix((ising.couplings, (ising.pairs[:, 0], ising.pairs[:, 1])), shape=(q, q))
        self._couplings = sparse.csr_matrix(upper + upper.T)
        self._fields, self._offset = ising.fields, ising.offset
        self._alpha = alpha
        self._weight = beta * cut_bound(ising)

    def __call__(self, correlators: NDArray) -> tuple[float, NDArray]:
        """Value, and [m] float64, its derivatives, at correlators [m]."""
        t = np.tanh(self._alpha * correlators)
        felt = self._couplings @ t
        square = float(t @ t) / max(t.size, 1)
        value = self._offset + float(t @ self._fields + 0.5 * (t @ felt)) + self._weight * square**2
        by_spin = self._fields + felt + 4.0 * self._weight * square / max(t.size, 1) * t
        return value, self._alpha * (1.0 - t * t) * by_spin


def cut_bound(ising: Ising) -> float:
    """The bound of Poljak and Turzik for the magnitudes of an Ising energy's couplings."""
    from scipy.sparse.csgraph import minimum_spanning_tree

    q = ising.num_qubits
    weights = np.abs(ising.couplings)
    graph = sparse.csr_matrix((weights, (ising.pairs[:, 0], ising.pairs[:, 1])), shape=(q, q))
    graph.eliminate_zeros()
    return float(weights.sum()) / 2.0 + float(minimum_spanning_tree(graph).sum()) / 4.0
