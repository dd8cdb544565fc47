"""Fixing, repairing and searching around predicted values, as a heuristic of SCIP."""

from __future__ import annotations

import numpy as np

from milp.destroy_and_repair import Search
from milp.model import read_model
from milp.prediction.door import LOG, Door
from milp.prediction.marginals import UNKNOWN, Prediction, marginals_of


class PredictionHeuristic(Door):
    """Fixes what is predicted surely, solves the rest, and goes on by `milp.destroy_and_repair`.

    Where the fixed values are infeasible only the surer half of them is kept, and so on. The neighbourhoods that
    are searched then lie, beside others, where the prediction disagrees with the incumbent. Without a prediction
    this is a search that needs nothing learned.

    Example:
        >>> from pyscipopt import Model
        >>> from milp.prediction.heuristic import PredictionHeuristic
        >>> model = Model()
        >>> search = PredictionHeuristic({"x": 0.9, "y": 0.1}).include(model)

    Args:
        prediction: Probabilities of the binary variables; None: nothing is predicted.
        share: Of the remaining time limit, more than 0 and at most 1.
        seconds: Most seconds, whatever the limit.
        patience: It ends when nothing better was found in 30 repairs, for two seconds, and this many times as long
            as the last improvement took.
        seed: Of its random choices.

    Raises:
        InputError: If a number is out of range.
    """

    title, key, mark = "prediction heuristic", "co_gym_repair", "R"

    def __init__(
        self,
        prediction: Prediction | None = None,
        *,
        share: float = 0.5,
        seconds: float = 300.0,
        patience: float = 2.0,
        seed: int = 0,
    ) -> None:
        super().__init__(share, seconds)
        self.prediction, self.patience, self.seed = prediction, patience, seed

    def search(self) -> str:
        """See `Door`."""
        program, variables = read_model(self.model)
        marginals = None
        if self.prediction is not None:
            try:
                marginals = marginals_of(self.prediction, self.model, variables)
                self.statistics.chosen = int(np.count_nonzero(marginals != UNKNOWN))
            except Exception as error:
                LOG.warning("the prediction failed (%s: %s)", type(error).__name__, error)
        search = Search(
            program,
            self.remaining,
            lambda values: self.pass_on(values, variables),
            self.is_stopped,
            self.seed,
            self.patience,
            marginals=marginals,
        )
        search.run()
        if search.interrupted:
            self.model.interruptSolve()
        return search.ended
