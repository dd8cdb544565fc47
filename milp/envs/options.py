"""The keywords that the environments over SCIP share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from co_gym.errors import InputError, unknown_name
from milp.envs.episode import Plugin, Task
from milp.envs.padding import View
from milp.envs.settings import Settings
from milp.envs.sources import Instances, Programs, programs
from milp.rewards import RewardFunction, reward_function


@dataclass(frozen=True)
class Options:
    """The keywords of all environments over SCIP.

    Attributes:
        instances: Name of a distribution (`co-gym` calls it so too), a folder, a file, a program, or several.
        split: `"train"`, `"validation"` or `"test"`, of a distribution or folder.
        observation: Name of an observation, or a `View`.
        reward: Name of a reward, a number, or an object with `reset` and `extract`, see `milp.rewards`.
        settings: SCIP's parameters by name.
        protocol: `"literature"`: no restarts, cuts at the root only; or `"default"`.
        time_limit: Seconds of each solve, without the time in which SCIP waits for actions.
        node_limit: Nodes of each solve.
        invalid: What an action against the mask does: `"terminate"` ends the episode with reward
            -`invalid_penalty`, `"raise"` raises.
        invalid_penalty: See above; the size of the mask by default.
        skip_solved: Whether instances that SCIP solves without a decision are left out.
        skip_limit: So many in a row at most.
        max_variables: Size of the mask and of the variables' part of observations; found from the instances.
        max_rows: Size of the rows' part.
        max_edges: Size of the edges' part.
        raw_observation: Whether `info["observation"]` holds what the observation function returned.
        prefetch: Whether the next episode begins in the background while this one runs.
    """

    instances: Instances | Programs = "set-cover-tiny"
    split: str = "train"
    observation: str | View | None = None
    reward: str | float | RewardFunction = "nodes"
    settings: Mapping[str, Any] | None = None
    protocol: str = "literature"
    time_limit: float | None = None
    node_limit: int | None = None
    invalid: Literal["terminate", "raise"] = "terminate"
    invalid_penalty: float | None = None
    skip_solved: bool = True
    skip_limit: int = 100
    max_variables: int | None = None
    max_rows: int | None = None
    max_edges: int | None = None
    raw_observation: bool = False
    prefetch: bool = False

    @classmethod
    def of(cls, keywords: Mapping[str, Any], **defaults: Any) -> Options:
        """From an environment's keywords, and its defaults for those that are not given.

        Raises:
            InputError: If there is no such keyword.
        """
        known = list(cls.__dataclass_fields__)
        for name in keywords:
            if name not in known:
                raise unknown_name("keyword", name, known)
        return cls(**{**defaults, **keywords})

    def task(self, plugin: Plugin, observer: Any) -> Task:
        """What the episodes need of this.

        Raises:
            InputError: If a keyword's value is refused.
        """
        if self.invalid not in ("terminate", "raise"):
            raise InputError(f"invalid '{self.invalid}': expected terminate or raise")
        return Task(
            self.instances if isinstance(self.instances, Programs) else programs(self.instances, self.split),
            Settings(self.protocol, dict(self.settings or {}), self.time_limit, self.node_limit),
            plugin,
            observer,
            reward_function(self.reward),
            self.skip_limit if self.skip_solved else 0,
        )
