"""Solutions of any method of this suite, or from anywhere else, as a start of SCIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import co_gym
from co_gym.errors import InputError
from co_gym.solvers.base import Options
from milp.model import read_model
from milp.prediction.door import Door
from milp.prediction.marginals import in_order


class WarmStart(Door):
    """Hands SCIP a solution before presolving: a given one, or what a method finds.

    A solution that is not feasible is not taken; the statistics tell.

    Example:
        >>> from pyscipopt import Model
        >>> from milp.prediction.warm_start import WarmStart
        >>> model = Model()
        >>> start = WarmStart("destroy-and-repair", seconds=10).include(model)

    Args:
        source: Name of a method (see `co-gym solvers`), which gets the model as a mixed-integer program; or values
            of the variables, by name (others are 0) or in the order of the model's; or a function from the model
            to these, such as a policy.
        share: Of the remaining time limit, more than 0 and at most 1; for methods.
        seconds: Most seconds, whatever the limit.
        seed: Of the method.

    Raises:
        InputError: If a number is out of range.
    """

    title, key, mark = "warm start", "co_gym_start", "W"

    def __init__(self, source: Any, *, share: float = 0.5, seconds: float = 300.0, seed: int = 0) -> None:
        super().__init__(share, seconds)
        self.source, self.seed = source, seed

    def search(self) -> str:
        """See `Door`."""
        if isinstance(self.source, str):
            return self._solve(self.source)
        variables = self.model.getVars(transformed=False)
        given = self.source(self.model) if callable(self.source) else self.source
        if isinstance(given, Mapping):
            unknown = given.keys() - {variable.name for variable in variables}
            if unknown:
                raise InputError(f"no variable is called '{min(unknown)}': expected names of the model's")
        values = in_order(given, self.model, variables, 0.0, "start")
        if not np.isfinite(values).all():
            raise InputError("the start holds a number that is not finite")
        self.pass_on(values, variables)
        return "taken" if self.statistics.solutions else "not feasible"

    def _solve(self, method: str) -> str:
        """Has a method solve the program."""
        from co_gym.problems.mip import MIP

        program, variables = read_model(self.model)
        seconds = self.remaining
        if not seconds > 0:
            return "no time"
        result = co_gym.solve(MIP().from_program(program), method, options=Options(seconds, seed=self.seed))
        if result.interrupted:
            self.model.interruptSolve()
        if result.solution is not None:
            self.pass_on(result.solution, variables)
        return result.status
