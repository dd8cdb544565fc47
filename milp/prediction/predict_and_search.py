"""Predict-and-Search (Han et al. 2023) inside an exact solve."""

from __future__ import annotations

from typing import Any

from pyscipopt import SCIP_EVENTTYPE, Eventhdlr, Model, quicksum

from co_gym.errors import InputError, SolverError
from milp.interrupt import run_aside
from milp.prediction.door import LOG, Door
from milp.prediction.marginals import Prediction, marginals_of
from milp.prediction.trust_region import TrustRegion, trust_region


class PredictAndSearch(Door):
    """Searches near a predicted assignment first; SCIP goes on from what was found, without the region.

    Before presolving, a copy of the model with one more row, the trust region, is solved for a part of the time.
    Solutions are passed on as they are found. An infeasible or exhausted region ends the search early. The model
    itself is not changed, so that its bound, status and optimum are those of the original problem whatever the
    prediction is; a search that fails is said in the log.

    Example:
        >>> from pyscipopt import Model
        >>> from milp.prediction.predict_and_search import PredictAndSearch
        >>> model = Model()
        >>> search = PredictAndSearch({"x": 0.9, "y": 0.1}).include(model)

    Args:
        prediction: Probabilities of the binary variables; see `milp.prediction.marginals.Prediction`.
        k0: Variables taken to be 0; see `trust_region`, as for the next two.
        k1: Variables taken to be 1.
        delta: How many of these may differ.
        share: Of the remaining time limit, more than 0 and at most 1.
        seconds: Most seconds, whatever the limit.

    Raises:
        InputError: If a number is out of range.
    """

    title, key, mark = "predict and search", "co_gym_predict", "P"

    def __init__(
        self,
        prediction: Prediction,
        *,
        k0: int | None = None,
        k1: int | None = None,
        delta: int | None = None,
        share: float = 0.5,
        seconds: float = 300.0,
    ) -> None:
        for name, value in (("k0", k0), ("k1", k1), ("delta", delta)):
            if value is not None and value < 0:
                raise InputError(f"{name} is {value}: expected at least 0")
        super().__init__(share, seconds)
        self.prediction, self.sizes = prediction, {"k0": k0, "k1": k1, "delta": delta}

    def search(self) -> str:
        """Solves within the region; returns how that ended."""
        variables = self.model.getVars(transformed=False)
        region = trust_region(marginals_of(self.prediction, self.model, variables), **self.sizes)
        self.statistics.chosen, self.statistics.delta = len(region), region.delta
        if not len(region):
            return "nothing is predicted"
        part = Model(sourceModel=self.model, origcopy=True)
        copies = part.getVars(transformed=False)
        if [copy.name for copy in copies] != [variable.name for variable in variables]:
            raise SolverError("the copy of the model has other variables")
        part.hideOutput()
        part.setParam("misc/catchctrlc", False)
        part.setParam("limits/time", self.remaining)
        _add_region(part, copies, region)
        part.includeEventhdlr(_Messenger(self, variables, copies), "co_gym_predict", "passes solutions on")
        if run_aside(part.optimizeNogil, part.interruptSolve, "scip-region", self.is_stopped):
            self.model.interruptSolve()
        status = str(part.getStatus())
        part.freeTransform()
        return status


class _Messenger(Eventhdlr):
    """Listens to the search in the region, and passes its solutions on."""

    def __init__(self, search: PredictAndSearch, variables: list[Any], copies: list[Any]) -> None:
        self.search, self.variables, self.copies = search, variables, copies

    def eventinit(self) -> None:
        """See `pyscipopt.Eventhdlr`."""
        self.model.catchEvent(SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexit(self) -> None:
        """See `pyscipopt.Eventhdlr`."""
        self.model.dropEvent(SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexec(self, event: Any) -> None:
        """See `pyscipopt.Eventhdlr`."""
        try:
            best = self.model.getBestSol()
            self.search.pass_on([self.model.getSolVal(best, copy) for copy in self.copies], self.variables)
        except BaseException as error:
            LOG.warning("predict and search failed (%s: %s)", type(error).__name__, error)
            self.model.interruptSolve()


def _add_region(model: Any, variables: list[Any], region: TrustRegion) -> None:
    """The row that keeps a model in a region."""
    zeros = quicksum(variables[j] for j in region.zeros)
    ones = quicksum(1 - variables[j] for j in region.ones)
    model.addCons(zeros + ones <= region.delta, name="co_gym_trust_region")
