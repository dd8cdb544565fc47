"""What every quantum solve begins and ends with: the program and its LP relaxation, and the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import InputError, SolverError, unknown_name
from co_gym.instance import Instance
from co_gym.relaxation import Relaxation
from co_gym.solvers.base import Answer, Monitor
from quantum.backends import backend
from quantum.backends.ledger import Ledger
from quantum.backends.recorded import Recorded
from quantum.catch import Catch
from quantum.choices import Choices
from quantum.encodings.base import Encoding
from quantum.fixing import by_propagation, by_reduced_costs
from quantum.instances import Subject, subject
from quantum.lagrangian import named_multipliers, relaxation
from quantum.landscape import MOST_BITS, Landscape
from quantum.quality import Quality, quality
from quantum.repair import Repair
from quantum.variational import Variational


def fixings(task: Subject, how: str, relaxed: Relaxation, monitor: Monitor) -> dict[int, int]:
    """Values of variables that are fixed before encoding, as chosen.

    Raises:
        InputError: If reduced costs are to fix variables, and there is no solution to begin with.
        SolverError: If a row cannot be satisfied.
    """
    if how == "none":
        return {}
    found = by_propagation(task.program)
    if how == "reduced-costs":
        if monitor.objective is None:
            raise InputError(
                "fixing by reduced costs needs a solution to begin with: expected a start, or a method such as "
                "greedy+qaoa"
            )
        found |= by_reduced_costs(task.program, relaxed, task.program.sign * float(monitor.objective))
    return found


def kept(relaxed: Relaxation, fixed: Mapping[int, int]) -> Relaxation:
    """The relaxation's optimum for the variables that are left; its bound still is one for all solutions."""
    assert relaxed.x is not None and relaxed.reduced_costs is not None  # noqa: PT018
    gone = list(fixed)
    return replace(relaxed, x=np.delete(relaxed.x, gone), reduced_costs=np.delete(relaxed.reduced_costs, gone))


@dataclass(eq=False)
class Setup:
    """An instance made ready.

    Attributes:
        task: The instance in bits.
        choices: How the method is set up.
        monitor: Clock and keeper.
        seed: Of all that is random.
        relaxed: Optimum of the LP relaxation.
        catch: Takes the samples.
        landscape: Of the program, if it is small enough.
    """

    task: Subject
    choices: Choices
    monitor: Monitor
    seed: int
    relaxed: Relaxation
    catch: Catch
    landscape: Landscape | None

    @classmethod
    def of(cls, instance: Instance, choices: Choices, monitor: Monitor, seed: int, start: NDArray | None) -> Setup:
        """Makes an instance ready, and proves the bound of its LP relaxation.

        Raises:
            SolverError: If it does not fit qubits, or its LP relaxation has no optimum.
        """
        if start is not None:
            monitor.incumbent(start, registry.problem(instance.problem).objective(instance, start))
        task = subject(instance, choices.form)
        relaxed = relaxation(task.program)
        if relaxed.bound is None:
            raise SolverError(f"{instance.name}: the LP relaxation is {relaxed.status}")
        monitor.prove(task.program.sign * relaxed.bound)
        fixed = fixings(task, choices.fix, relaxed, monitor)
        if fixed:
            task = replace(task, program=task.program.fix(fixed))
            relaxed = kept(relaxed, fixed)
        program = task.program
        landscape = Landscape(program) if program.num_variables <= MOST_BITS else None
        catch = Catch(task, monitor, Repair(program) if choices.repair else None)
        return cls(task, choices, monitor, seed, relaxed, catch, landscape)

    @property
    def optimum(self) -> float | None:
        """Of the program, to be minimized: by enumeration, else the best known value; None if there is none."""
        if self.landscape is not None:
            return self.landscape.optimum
        best = self.task.instance.reference
        return None if best is None else self.task.program.sign * float(best)

    def quality(self, x: NDArray) -> Quality:
        """Figures of samples [S, n]."""
        program = self.task.program
        return quality(
            program.evaluate(x),
            program.feasible(x),
            np.full(len(x), 1.0 / len(x)),
            optimum=self.optimum,
            worst=program.worst,
            uniform=None if self.landscape is None else self.landscape.uniform,
        )

    def without_circuit(self) -> Answer | None:
        """The answer where there is nothing to choose or no time; None if a circuit is needed."""
        n = self.task.program.num_variables
        if n == 0:
            self.catch.take(np.zeros((1, n), dtype=np.uint8))
        elif not self.is_over():
            return None
        return self.answer({"why": "no time for a circuit" if n else "there is no solution"})

    def is_over(self) -> bool:
        """Whether time is up."""
        return self.monitor.remaining <= 0.0

    @property
    def bound(self) -> float:
        """Of the LP relaxation, in the program's own sense."""
        assert self.relaxed.bound is not None
        return self.task.program.sign * self.relaxed.bound

    @property
    def marginals(self) -> NDArray:
        """[n] float64, of the LP relaxation."""
        assert self.relaxed.x is not None
        return self.relaxed.x

    @property
    def duals(self) -> NDArray:
        """[m] float64, of the LP relaxation."""
        assert self.relaxed.duals is not None
        return self.relaxed.duals

    @contextmanager
    def variational(self) -> Iterator[Variational]:
        """The method that tunes circuits, as chosen, with its backend; the ledger is closed at the end.

        Raises:
            InputError: If something is chosen that is not there, or the ledger is of another run.
        """
        found, is_over = backend(self.choices.backend), self.is_over
        with ExitStack() as stack:
            if self.choices.ledger is not None:
                ledger = stack.enter_context(Ledger(self.choices.ledger, self._identity()))
                found, is_over = Recorded(found, ledger), partial(ledger.is_over, self.is_over)
            yield Variational(self.catch, self.choices, found, self.marginals, self.seed, is_over, self.landscape)

    def _identity(self) -> dict[str, Any]:
        """What the samples of a run depend on."""
        instance, choices = self.task.instance, asdict(self.choices)
        del choices["ledger"], choices["comparison"]
        return choices | {"problem": instance.problem, "instance": instance.name, "seed": self.seed}

    def answer(self, details: dict[str, Any]) -> Answer:
        """What was found, with figures of the run and those that all runs have."""
        program, found = self.task.program, self.monitor.solution
        details = {
            "form": self.task.form,
            "encoding": self.choices.encoding,
            **details,
            "shots": self.catch.shots,
            "optimum": None if self.optimum is None else program.sign * self.optimum,
            "lp_bound": self.bound,
        }
        if found is None:
            return Answer("unknown", bound=self.bound, details={"why": "no feasible sample"} | details)
        return Answer(
            "feasible",
            solution=found,
            objective=self.monitor.objective,
            bound=self.bound,
            details=details,
        )

    def multipliers(self, encoding: Encoding) -> NDArray | None:
        """[m] float64, multipliers that no rule updates; None to leave them to the encoding.

        Raises:
            InputError: If a rule is chosen.
        """
        chosen = self.choices.multipliers
        given = named_multipliers(chosen, self.duals)
        if given is None and chosen != "auto":
            raise unknown_name("multipliers", chosen, ["auto", "lp", "zero"])
        return given if encoding.takes_multipliers else None
