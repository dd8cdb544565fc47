"""co-gym: combinatorial-optimization environments, solvers and one verifier for all of them.

Importing the package is cheap: torch, SCIP and Qiskit load when something needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from co_gym.registration import register_all

if TYPE_CHECKING:
    from co_gym.errors import CoGymError, InputError, SolverError
    from co_gym.instance import Instance
    from co_gym.io import read
    from co_gym.registry import problem
    from co_gym.result import Result
    from co_gym.runner import solve
    from co_gym.solvers.base import Options
    from co_gym.verifier import Check, verify

__version__ = "0.1.0"

_HOME = {
    "Check": "verifier",
    "CoGymError": "errors",
    "InputError": "errors",
    "Instance": "instance",
    "Options": "solvers.base",
    "Result": "result",
    "SolverError": "errors",
    "problem": "registry",
    "read": "io",
    "solve": "runner",
    "verify": "verifier",
}

__all__ = [
    "Check",
    "CoGymError",
    "InputError",
    "Instance",
    "Options",
    "Result",
    "SolverError",
    "problem",
    "read",
    "solve",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'co_gym' has no attribute '{name}'")
    return getattr(import_module(f"co_gym.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


register_all()
