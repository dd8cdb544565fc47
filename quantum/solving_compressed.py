"""Pauli correlation encoding and quantum random access optimization from the instance to the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor
from quantum.baselines import uniform_bits
from quantum.choices import Choices
from quantum.comparison import Row, row
from quantum.encodings import encoding
from quantum.encodings.base import Encoded
from quantum.hamiltonians import Ising
from quantum.refinement import Refinement
from quantum.repair import Repair
from quantum.setup import Setup


@dataclass(frozen=True, eq=False)
class Refined:
    """Takes bits of an encoding, refines each string and hands it to the setup's catch.

    Attributes:
        setup: Of the solve.
        encoded: What the bits mean.
        ising: Their energy.
        raw: [c, n] uint8 each, the decoded strings as they came.
    """

    setup: Setup
    encoded: Encoded
    ising: Ising
    raw: list[NDArray] = field(default_factory=list)

    def take(self, bits: NDArray) -> None:
        """Takes bits [c, q]."""
        self.raw.append(self.encoded.decode(bits))
        self.setup.catch.take(self.refined(bits))

    def refined(self, bits: NDArray) -> NDArray:
        """[c, n] uint8: of each string and its local optimum of the energy the better one.

        With repair both are mended, and improved by flips of one and of two variables.
        """
        made = []
        for one in bits:
            known = self.encoded.decode(np.stack([one, self._descend(one)]))
            if self._repair is not None:
                mended = (self._repair(x) for x in known)
                known = np.stack([x if y is None else y for x, y in zip(known, mended, strict=True)])
            made.append(known[np.argmin(self.setup.task.program.scores(known))])
        return np.array(made)

    @cached_property
    def _descend(self) -> Refinement:
        return Refinement(self.ising)

    @cached_property
    def _repair(self) -> Repair | None:
        return Repair(self.setup.task.program, pairs=True) if self.setup.choices.repair else None

    def comparison(self, method: Any, evaluations: int) -> list[Row]:
        """The strings before refinement, those of the method's plain form, and refinement of random strings.

        Args:
            method: Of the solve.
            evaluations: The plain form gets as many.
        """
        name, setup, before = type(method).__name__, self.setup, np.concatenate(self.raw)
        rows = [row(f"{name} before refinement", setup, before)]
        if not setup.is_over():
            plain: list[NDArray] = []
            method.plain(
                self.ising, steps=evaluations, seed=setup.seed, on_bits=plain.append, is_over=setup.is_over
            )
            x = self.encoded.decode(np.concatenate(plain))
            rows.append(row(f"{name} without {method.without}, before refinement", setup, x))
        rng = np.random.default_rng(setup.seed)
        random = self.refined(uniform_bits(self.ising.num_qubits, len(before), rng))
        return [*rows, row("random bits and refinement", setup, random)]


class Patience:
    """Ends training before an evaluation that would take longer than what is left of the time."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._last, self._longest = time.perf_counter(), 0.0

    def on_step(self, number: int, loss: float) -> None:
        """After each evaluation."""
        now = time.perf_counter()
        self._last, self._longest = now, max(self._longest, now - self._last)

    def is_over(self) -> bool:
        """Whether another evaluation may be too long."""
        return self._monitor.remaining <= self._longest


def solve(
    method: Any,
    instance: Instance,
    choices: Choices,
    monitor: Monitor,
    seed: int = 0,
    start: NDArray | None = None,
) -> Answer:
    """Solves an instance by `quantum.pce.PCE` or `quantum.qrao.QRAO`.

    Raises:
        SolverError: If the encoding has no Hamiltonian of terms.
    """
    setup = Setup.of(instance, choices, monitor, seed, start)
    if (early := setup.without_circuit()) is not None:
        return early
    written = encoding(choices.encoding)
    encoded = written.encode(setup.task.program, setup.multipliers(written))
    ising = encoded.terms("compression")
    kept = Refined(setup, encoded, ising)
    patience = Patience(monitor)
    found = method.solve(
        ising,
        steps=choices.evaluations,
        seed=seed,
        on_step=patience.on_step,
        on_bits=kept.take,
        is_over=patience.is_over,
    )
    details = {
        "qubits": found.num_qubits,
        "variables": found.num_variables,
        "parameters": found.num_parameters,
        "evaluations": found.evaluations,
        "energy": found.energy,
        "energy_before_refinement": found.energy_before,
        "tuning": found.losses.tolist(),
    }
    if choices.comparison:
        details["comparison"] = kept.comparison(method, found.evaluations)
    return setup.answer(details)
