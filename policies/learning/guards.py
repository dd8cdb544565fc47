"""A training that diverges stops before it acts on what is not a number."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from co_gym.errors import SolverError
from policies.policy import Choose


class Guarded:
    """A choice of actions that refuses logits that are NaN, from which no action follows.

    Args:
        choose: How actions are chosen.
        diverged: From what is wrong to the error.
    """

    def __init__(self, choose: Choose, diverged: Callable[[str], SolverError]) -> None:
        self.choose, self.diverged = choose, diverged

    def __call__(self, logits: Tensor) -> Tensor:
        """Actions int64 [...] from logits [..., n].

        Raises:
            SolverError: If a logit is NaN.
        """
        # -inf stands for inadmissible actions and stays -inf in a sum; only NaN makes it NaN
        if bool(logits.sum().isnan()):
            raise self.diverged("a logit is not a number")
        return self.choose(logits)
