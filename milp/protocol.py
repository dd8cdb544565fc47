"""Settings of SCIP that comparisons share."""

from __future__ import annotations

from typing import Any, Literal

from co_gym.errors import unknown_name

Protocol = Literal["literature", "default"]

PROTOCOLS: dict[str, dict[str, Any]] = {
    "default": {},
    "literature": {
        "presolving/maxrestarts": 0,
        "estimation/restarts/restartpolicy": "n",
        "separating/maxrounds": 0,
    },
}
"""`literature`: no restarts, cutting planes at the root alone (Gasse et al. 2019)."""


def set_protocol(model: Any, protocol: str) -> None:
    """Sets the parameters of a protocol.

    Raises:
        InputError: If there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise unknown_name("protocol", protocol, list(PROTOCOLS))
    for name, value in PROTOCOLS[protocol].items():
        model.setParam(name, value)


def set_seed(model: Any, seed: int) -> None:
    """Shifts SCIP's random seeds and permutes variables and rows by them."""
    model.setParam("randomization/randomseedshift", seed)
    model.setParam("randomization/permutationseed", seed)
    model.setParam("randomization/permutevars", True)
    model.setParam("randomization/lpseed", seed)
