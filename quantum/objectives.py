"""What is minimized over the angles of a circuit: functions of energies and their probabilities.

All of them also say how their value changes with each probability, which is what gradients need: on simulators the
derivative of the value is that of an expectation of these weights (envelope theorem).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, unknown_name


class Objective(Protocol):
    """A function of a distribution of energies."""

    def __call__(self, energies: NDArray, probabilities: NDArray) -> tuple[float, NDArray]:
        """Value and derivatives.

        Args:
            energies: [K] float64.
            probabilities: [K] float64, sum 1; exact ones, or shares of shots.

        Returns:
            The value, and [K] float64, its derivative by each probability.
        """


@dataclass(frozen=True)
class Mean:
    """Expected energy."""

    def __call__(self, energies: NDArray, probabilities: NDArray) -> tuple[float, NDArray]:
        """See `Objective`."""
        return float(energies @ probabilities), energies


@dataclass(frozen=True, eq=False)
class CVaR:
    """Mean of the lowest share of the energies (Barkoutsos et al. 2020).

    Attributes:
        alpha: The share, more than 0 and at most 1.
        order: [K] int64, what sorts the energies, where it is known.
    """

    alpha: float = 0.25
    order: NDArray | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha <= 1.0:
            raise InputError(f"alpha of CVaR is {self.alpha}: expected more than 0, at most 1")

    def for_energies(self, energies: NDArray) -> CVaR:
        """The same for these energies alone, which are sorted once."""
        return CVaR(self.alpha, np.argsort(energies, kind="stable"))

    def __call__(self, energies: NDArray, probabilities: NDArray) -> tuple[float, NDArray]:
        """See `Objective`. With t the quantile: t + E[min(e - t, 0)] / alpha (Rockafellar and Uryasev 2000)."""
        order = np.argsort(energies, kind="stable") if self.order is None else self.order
        below = np.searchsorted(np.cumsum(probabilities[order]), self.alpha * (1.0 - 1e-12))
        quantile = float(energies[order[min(int(below), order.size - 1)]])
        weights = np.minimum(energies - quantile, 0.0) / self.alpha + quantile
        return float(weights @ probabilities), weights


@dataclass(frozen=True)
class Gibbs:
    """-log E[exp(-eta e)], which rewards low energies exponentially (Li et al. 2020).

    Attributes:
        eta: Inverse temperature, in units of 1 / energy, positive.
    """

    eta: float = 1.0

    def __post_init__(self) -> None:
        if not self.eta > 0.0:
            raise InputError(f"eta of Gibbs is {self.eta}: expected more than 0")

    def __call__(self, energies: NDArray, probabilities: NDArray) -> tuple[float, NDArray]:
        """See `Objective`."""
        low = float(energies.min())
        factors = np.exp(-self.eta * (energies - low))
        total = float(factors @ probabilities)
        return self.eta * low - float(np.log(total)), -factors / total


def objective(spec: str) -> Objective:
    """An objective by name: `mean`, `cvar:<share>` or `gibbs:<inverse temperature>`; numbers may be left out.

    Raises:
        InputError: If there is no such objective, or its constant is out of range.
    """
    kind, _, constant = spec.partition(":")
    known = {"mean": Mean, "cvar": CVaR, "gibbs": Gibbs}
    if kind not in known or (kind == "mean" and constant):
        raise unknown_name("objective", spec, ["mean", "cvar:0.25", "gibbs:1"])
    try:
        constants = [float(constant)] if constant else []
    except ValueError:
        raise InputError(f"objective {spec}: expected a number behind the colon") from None
    return known[kind](*constants)
