from __future__ import annotations

import pytest

from co_gym.cli.solve import solve, with_settings
from co_gym.errors import InputError
from co_gym.solvers.portfolio import Chain
from co_gym.solvers.settings import Setting, checked, settings_of


class Tunable:
    name = "tunable"
    role = "baseline"
    problems = None
    summary = "takes settings"
    settings = {
        "rounds": Setting("how many", int, minimum=1),
        "step": Setting("how far", float),
        "kind": Setting("which", choices=("short", "long")),
        "loud": Setting("whether", bool),
    }


def test_values_come_in_their_types() -> None:
    found = checked(Tunable(), {"rounds": 3, "step": 2, "kind": "long", "loud": True})
    assert found == {"rounds": 3, "step": 2.0, "kind": "long", "loud": True}
    assert isinstance(found["step"], float)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rounds": 0}, "rounds is 0: expected at least 1"),
        ({"rounds": 1.5}, "rounds is 1.5: expected int"),
        ({"rounds": True}, "rounds is True: expected int"),
        ({"step": "far"}, "step is 'far': expected float"),
        ({"step": float("nan")}, None),
        ({"kind": "lng"}, "unknown kind 'lng'.*did you mean long"),
        ({"round": 1}, "method 'tunable' has no setting 'round'"),
    ],
)
def test_what_is_wrong_is_said(given: dict, message: str | None) -> None:
    with pytest.raises(InputError, match=message):
        checked(Tunable(), given)


def test_a_chain_takes_the_settings_of_its_stages() -> None:
    assert settings_of(Chain([Tunable()])) == Tunable.settings


def test_the_command_line_has_an_option_for_every_setting() -> None:
    import inspect

    from co_gym import registry

    command = with_settings(solve)
    known = {name for solver in registry.solvers() for name in settings_of(solver)}
    assert known >= {"heuristics", "branching"}
    assert known <= set(inspect.signature(command).parameters)
    assert all(f"{name}: For `" in command.__doc__ for name in known)
