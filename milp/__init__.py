"""SCIP as a solver of the problems of `co_gym`, environments over SCIP, and learned plug-ins for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from milp.branching import LearnedBranching

__all__ = ["LearnedBranching"]


def __getattr__(name: str) -> Any:
    if name != "LearnedBranching":
        raise AttributeError(f"module 'milp' has no attribute '{name}'")
    from milp.branching import LearnedBranching

    return LearnedBranching
