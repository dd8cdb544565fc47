"""SCIP's parameters for the solves of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from co_gym.errors import InputError, unknown_name
from milp.protocol import set_protocol, set_seed

TRUNCATING = frozenset(
    {
        "userinterrupt",
        "terminate",
        "nodelimit",
        "totalnodelimit",
        "stallnodelimit",
        "timelimit",
        "memlimit",
        "restartlimit",
    }
)
"""Ends of a solve that count as truncated; a gap or solution limit of the user's is an end like optimality."""


@dataclass(frozen=True)
class Settings:
    """How SCIP is set up for each solve.

    Attributes:
        protocol: Key of `milp.protocol.PROTOCOLS`.
        parameters: SCIP's parameters by name; they override the protocol's.
        time_limit: Seconds of each solve by SCIP's clock, without the time in which it waits for actions.
        node_limit: Nodes of each solve, of all runs.

    Raises:
        InputError: If the protocol or a parameter is unknown, or a value is out of range.
    """

    protocol: str = "literature"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    time_limit: float | None = None
    node_limit: int | None = None

    def __post_init__(self) -> None:
        from pyscipopt import Model

        for limit in (self.time_limit, self.node_limit):
            if limit is not None and not limit > 0:
                raise InputError(f"a limit of {limit}: expected more than 0")
        self.apply(Model(), seed=0)

    def apply(self, model: Any, seed: int) -> None:
        """Sets a PySCIPOpt model up.

        Args:
            model: The model.
            seed: SCIP's random seed, unless the parameters name one.
        """
        model.setParam("misc/catchctrlc", False)
        set_seed(model, seed)
        set_protocol(model, self.protocol)
        if self.node_limit is not None:
            model.setParam("limits/totalnodes", self.node_limit)
        for name, value in self.parameters.items():
            set_parameter(model, name, value)
        self.extend(model, 0.0)

    def extend(self, model: Any, waited: float) -> None:
        """Adds the seconds that SCIP has waited to its time limit."""
        if self.time_limit is not None:
            model.setParam("limits/time", min(self.time_limit + waited, model.infinity()))


def set_parameter(model: Any, name: str, value: Any) -> None:
    """Sets one of SCIP's parameters.

    Raises:
        InputError: If there is none of that name, or it does not take the value.
    """
    try:
        model.setParam(name, value)
    except KeyError:
        raise unknown_name("parameter of SCIP", name, list(model.getParams())) from None
    except Exception as error:
        raise InputError(f"SCIP's parameter {name} does not take {value!r}: {error}") from None
