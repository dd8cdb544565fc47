"""Quantum methods as solvers of every problem that fits qubits. Importing this is cheap."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ClassVar

from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor, Options, Role
from co_gym.solvers.settings import Setting
from quantum.choices import DOCS, Choices

Way = Callable[..., Answer]
"""From instance, choices, monitor, seed and start to the answer."""

COMPRESSED = ("form", "fix", "encoding", "multipliers", "evaluations", "repair")
RECURSIVE = (*COMPRESSED, "ansatz", "layers", "backend", "objective", "tuning", "angles", "shots", "ledger")


class QAOASolver:
    """QAOA in its variants."""

    name = "qaoa"
    role: Role = "sampler"
    problems: frozenset[str] | None = None
    summary = "quantum approximate optimization on a slack-free Hamiltonian (Farhi et al. 2014)"
    settings: ClassVar[dict[str, Setting]] = DOCS
    defaults: ClassVar[Choices] = Choices()

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`; a start solution is kept if it is the better one.

        Raises:
            InputError: If a setting is out of range, or names something that is not there.
            SolverError: If the instance does not fit qubits or the backend.
        """
        choices = self.defaults.having(options.settings)
        return self._way()(instance, choices, monitor, options.seed, start)

    @staticmethod
    def _way() -> Way:
        from quantum.solving import solve

        return solve


class VQESolver(QAOASolver):
    """The variational quantum eigensolver: the same with a hardware-efficient ansatz."""

    name = "vqe"
    summary = "variational quantum eigensolver with a hardware-efficient ansatz (Peruzzo et al. 2014)"
    defaults = Choices(ansatz="hardware-efficient", layers=2, objective="cvar:0.05", evaluations=300)


class RecursiveQAOASolver(QAOASolver):
    """Recursive QAOA."""

    name = "recursive-qaoa"
    summary = "QAOA whose strongest correlation removes a spin, again and again (Bravyi et al. 2020)"
    settings: ClassVar[dict[str, Setting]] = {name: DOCS[name] for name in RECURSIVE}
    defaults = Choices(ansatz="qaoa", layers=1, objective="mean", evaluations=30)

    @staticmethod
    def _way() -> Way:
        from quantum.solving_recursively import solve

        return solve


class PCESolver(QAOASolver):
    """Pauli correlation encoding."""

    name = "pce"
    summary = "Pauli correlation encoding: many variables in few qubits (Sciorilli et al. 2025)"
    settings: ClassVar[dict[str, Setting]] = {name: DOCS[name] for name in (*COMPRESSED, "comparison")}
    defaults = Choices(evaluations=1000, repair=True)

    @staticmethod
    def _way() -> Way:
        from quantum.pce import PCE
        from quantum.solving_compressed import solve

        return functools.partial(solve, PCE())


class QRAOSolver(QAOASolver):
    """Quantum random access optimization."""

    name = "qrao"
    summary = "quantum random access optimization: up to three variables in a qubit (Fuller et al. 2021)"
    settings = PCESolver.settings
    defaults = Choices(evaluations=500, repair=True)

    @staticmethod
    def _way() -> Way:
        from quantum.qrao import QRAO
        from quantum.solving_compressed import solve

        return functools.partial(solve, QRAO())
