"""Search for good angles: what is minimized, and by which method."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quantum.objectives import CVaR, Objective


class Sampler(Protocol):
    """Samples at given angles; every compiled circuit of a backend is one."""

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """[shots, q] uint8, bits at angles [P]."""


Score = Callable[[NDArray], NDArray]
"""From bits [S, q] to what each of these samples is worth, [S] float64, lower is better."""


class Target(Protocol):
    """A function of angles to be minimized."""

    def __call__(self, angles: NDArray) -> tuple[float, NDArray | None]:
        """Value, and gradient where there is one."""


class Gradients(Protocol):
    """A simulator, of the full space or of a subspace."""

    def value_and_gradient(
        self, angles: NDArray, energies: NDArray, objective: Objective
    ) -> tuple[float, NDArray]:
        """Objective of the distribution at angles [P], and its gradient [P]."""


@dataclass
class Exact:
    """An objective of the exact distribution, with its gradient.

    Attributes:
        simulator: Of the circuit.
        scores: [K] float64, what its basis states are worth.
        objective: Of their distribution.
    """

    simulator: Gradients
    scores: NDArray
    objective: Objective

    def __post_init__(self) -> None:
        if isinstance(self.objective, CVaR):
            self.objective = self.objective.for_energies(self.scores)

    def __call__(self, angles: NDArray) -> tuple[float, NDArray | None]:
        """See `Target`."""
        return self.simulator.value_and_gradient(angles, self.scores, self.objective)


@dataclass
class Sampled:
    """An objective of samples.

    Attributes:
        compiled: What is sampled.
        score: Of samples; called once with those of each evaluation.
        objective: Of their distribution.
        shots: Samples of one evaluation.
        seed: Of the first evaluation; each has its own.
        evaluations: How many there were.
        best: Their least value.
        bits: [shots, q] uint8, the samples of that evaluation.
    """

    compiled: Sampler
    score: Score
    objective: Objective
    shots: int
    seed: int = 0
    evaluations: int = 0
    best: float = np.inf
    bits: NDArray | None = None

    def __call__(self, angles: NDArray) -> tuple[float, NDArray | None]:
        """See `Target`."""
        bits = self.compiled.sample(angles, self.shots, self.seed + self.evaluations)
        self.evaluations += 1
        value, _ = self.objective(self.score(bits), np.full(self.shots, 1.0 / self.shots))
        if value < self.best:
            self.best, self.bits = value, bits
        return value, None


@dataclass
class Tuned:
    """What was found.

    Attributes:
        angles: [P] float64, the best.
        value: Of the target there.
        history: Value of each evaluation.
    """

    angles: NDArray
    value: float = np.inf
    history: list[float] = field(default_factory=list)

    @property
    def evaluations(self) -> int:
        """How many there were."""
        return len(self.history)


class _OverError(Exception):
    """Evaluations or time are used up."""


def tune(
    target: Target,
    first: NDArray,
    evaluations: int,
    *,
    frequencies: NDArray | None = None,
    seed: int = 0,
    is_over: Callable[[], bool] = lambda: False,
) -> Tuned:
    """Minimizes a target over the angles of a circuit.

    By L-BFGS where there are gradients (Liu and Nocedal 1989). Without, one angle after the other where its effect
    is known to be a sinusoid (Nakanishi et al. 2020), if two evaluations for each are allowed; else by COBYLA for
    few angles (Powell 1994), and by SPSA for many, whose step costs two evaluations however many there are (Spall
    1992).

    Args:
        target: What is minimized.
        first: [P] float64, angles to begin with.
        evaluations: How many at most; a value with its gradient counts once.
        frequencies: [P] float64, see `Circuit.frequencies`.
        seed: Of SPSA.
        is_over: Asked before each evaluation; whether to stop.
    """
    found = Tuned(np.array(first, dtype=np.float64).ravel())

    def measured(angles: NDArray) -> tuple[float, NDArray | None]:
        if found.evaluations >= evaluations or (found.evaluations and is_over()):
            raise _OverError
        value, gradient = target(angles)
        found.history.append(value)
        if value < found.value:
            found.value, found.angles = value, angles.copy()
        return value, gradient

    with suppress(_OverError):
        _search(measured, found.angles.copy(), evaluations, frequencies, np.random.default_rng(seed))
    return found


MOST_FOR_COBYLA = 12
"""Angles up to which COBYLA is used without gradients."""
FIRST_STEP = 0.15
"""Of angles, in radians."""


def _search(
    measured: Target, first: NDArray, evaluations: int, frequencies: NDArray | None, rng: np.random.Generator
) -> None:
    from scipy.optimize import minimize

    value, gradient = measured(first)
    if first.size == 0:
        return
    known: dict[bytes, tuple[float, Any]] = {first.tobytes(): (value, gradient)}  # SciPy asks for it again

    def once(angles: NDArray) -> tuple[float, Any]:
        return known.pop(angles.tobytes(), None) or measured(angles)

    if gradient is not None:
        minimize(once, first, jac=True, method="L-BFGS-B")
    elif frequencies is not None and evaluations > 2 * first.size:
        one_by_one(lambda t: measured(t)[0], first, frequencies, value, rng)
    elif first.size <= MOST_FOR_COBYLA:
        options = {"rhobeg": FIRST_STEP, "maxiter": max(evaluations, first.size + 2), "tol": 1e-3}
        minimize(lambda t: once(t)[0], first, method="COBYLA", options=options)
    else:
        spsa(lambda t: measured(t)[0], first, evaluations // 2, rng)


def one_by_one(
    value: Callable[[NDArray], float],
    angles: NDArray,
    frequencies: NDArray,
    known: float,
    rng: np.random.Generator,
) -> None:
    """Moves one angle after the other to the least value of its sinusoid, again and again (Nakanishi et al. 2020).

    Two values a third of a period away, and the one at hand, determine the sinusoid. The latter is what the last
    sinusoid says, and measured anew in each sweep. It ends when `value` raises an exception.

    Args:
        value: What is minimized; may be noisy.
        angles: [P] float64, changed in place.
        frequencies: [P] float64, of each angle's sinusoid.
        known: Value at the angles.
        rng: Shuffles the order.
    """
    while True:
        for j in rng.permutation(angles.size):
            third, here = 2.0 * np.pi / 3.0, angles[j]
            sides = []
            for turn in (third, -third):
                angles[j] = here + turn / frequencies[j]
                sides.append(value(angles))
            middle = (known + sides[0] + sides[1]) / 3.0
            cosine = (2.0 * known - sides[0] - sides[1]) / 3.0
            sine = (sides[0] - sides[1]) / np.sqrt(3.0)
            angles[j] = here + (np.arctan2(sine, cosine) + np.pi) / frequencies[j]
            known = middle - float(np.hypot(cosine, sine))
        known = value(angles)


def spsa(value: Callable[[NDArray], float], first: NDArray, steps: int, rng: np.random.Generator) -> NDArray:
    """Simultaneous perturbation stochastic approximation (Spall 1992), with the gains of Spall 1998.

    The first step is scaled so that angles change by `FIRST_STEP` on the mean.

    Args:
        value: What is minimized; may be noisy.
        first: [P] float64.
        steps: How many; each costs two evaluations.
        rng: Source of randomness.
    """
    angles, gain = first.copy(), None
    for k in range(steps):
        width = FIRST_STEP / (k + 1) ** 0.101
        signs = rng.choice([-1.0, 1.0], size=angles.size)
        slope = (value(angles + width * signs) - value(angles - width * signs)) / (2.0 * width)
        if gain is None and slope != 0.0:
            gain = FIRST_STEP / abs(slope) * (1.0 + 0.1 * steps) ** 0.602
        if gain is not None:
            step = gain / (k + 1.0 + 0.1 * steps) ** 0.602 * slope
            angles -= np.clip(step, -2.0 * FIRST_STEP, 2.0 * FIRST_STEP) * signs
    return angles
