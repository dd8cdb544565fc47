"""Pauli correlation encoding as a method for quadratic functions of bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.compression import Best, Compressed, IsOver, OnBits, OnStep, checked_qubits, never, train
from quantum.hamiltonians import Ising, Quadratic
from quantum.pce.encoding import PauliCorrelations
from quantum.pce.loss import CorrelationLoss
from quantum.refinement import Moves, Refinement
from quantum.training import Training

STEEPNESS = 1.5
SCHEDULE = tuple(4.0**-k for k in range(6))
"""Of the regularization: 1 to 1 / 1024, as dense graphs of penalties need."""


@dataclass(frozen=True, eq=False)
class Correlated:
    """States as bits through their correlators; see `quantum.compression.Relaxed`."""

    encoding: PauliCorrelations
    function: CorrelationLoss

    @property
    def num_qubits(self) -> int:
        """Number of qubits."""
        return self.encoding.num_qubits

    def loss(self, state: NDArray) -> tuple[float, NDArray]:
        """The gradient is that of the observable sum_i dL/de_i P_i."""
        value, slopes = self.function(self.encoding.paulis.expectations(state))
        return value, self.encoding.paulis.apply(state, slopes)

    def round(self, state: NDArray, rng: np.random.Generator, is_over: IsOver) -> NDArray:
        """[1, m] uint8, the signs."""
        return self.encoding.decode(self.encoding.paulis.expectations(state))[None]


@dataclass(frozen=True)
class PCE:
    """Pauli correlation encoding (Sciorilli et al. 2025): m variables on n qubits, m <= 3 C(n, k).

    Attributes:
        k: Qubits of a correlator; None for 2, and 3 for many variables.
        qubits: n; None for the fewest.
        layers: Of the circuit; None for as many as give two angles for each variable.
        alpha: Steepness of tanh; None for 1.5 n^(k div 2), which grows as in the paper.
        betas: Shares of the regularization, of which training takes one after the other, each from the angles of
            the one before; 0.5 alone in the paper. Where there is much of it all correlators take the sign of
            their field, which decides too much where penalties are dense; where there is little, training ends in
            poor minima. From much to little they are decided a few at a time.
        moves: Local search on the bits afterwards.

    Raises:
        InputError: If a number is out of its range.
    """

    without: ClassVar[str] = "a circuit"
    """What `plain` is without."""

    k: int | None = None
    qubits: int | None = None
    layers: int | None = None
    alpha: float | None = None
    betas: tuple[float, ...] = SCHEDULE
    moves: Moves = "flip"

    def __post_init__(self) -> None:
        for name in ("k", "qubits", "layers", "alpha"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}: expected more than 0")
        if not self.betas or not all(beta >= 0 for beta in self.betas):
            raise InputError(f"betas are {self.betas}: expected at least one, of 0 or more")

    def stages(self, function: Quadratic | Ising) -> list[Correlated]:
        """The encoding and the loss with each share of the regularization.

        Raises:
            InputError: If there are too many variables for the qubits, or too many qubits.
        """
        ising = function.ising() if isinstance(function, Quadratic) else function
        encoding = PauliCorrelations.smallest(ising.num_qubits, self.k, self.qubits)
        n = checked_qubits(encoding.num_qubits, "PCE")
        alpha = STEEPNESS * n ** (encoding.k // 2) if self.alpha is None else self.alpha
        return [Correlated(encoding, CorrelationLoss(ising, alpha, beta)) for beta in self.betas]

    def solve(
        self,
        function: Quadratic | Ising,
        *,
        steps: int = 500,
        seed: int = 0,
        on_step: OnStep | None = None,
        on_bits: OnBits | None = None,
        is_over: IsOver = never,
    ) -> Compressed:
        """See `quantum.compression.train` and, for `on_bits`, `quantum.compression.Best`.

        Raises:
            InputError: See `stages`; or if there are no steps.
        """
        stages = self.stages(function)
        m, n = stages[0].encoding.num_variables, stages[0].num_qubits
        layers = max(-(-m // n), 2) if self.layers is None else self.layers
        best = Best(function, Refinement(function, self.moves), on_bits)
        return train(stages, best, layers, steps=steps, seed=seed, on_step=on_step, is_over=is_over)

    def plain(
        self,
        function: Quadratic | Ising,
        *,
        steps: int = 500,
        seed: int = 0,
        on_bits: OnBits,
        is_over: IsOver = never,
    ) -> None:
        """Trains correlators that no circuit makes, free of each other, on the same losses.

        That is what there is without anything quantum. They begin as small as those of a random state.

        Args:
            function: See `solve`.
            steps: Evaluations of loss and gradient.
            seed: Of the first correlators.
            on_bits: Told of the signs after each stage.
            is_over: Asked after each evaluation.

        Raises:
            InputError: See `solve`.
        """
        stages = self.stages(function)
        encoding = stages[0].encoding
        functions = [stage.function for stage in stages]
        width = np.sqrt(3.0 / 2**encoding.num_qubits)
        training = Training(functions, encoding.num_variables, steps, None, is_over, width)
        for correlators in training.runs(np.random.default_rng(seed)):
            on_bits(encoding.decode(correlators)[None])
