"""What the environments over SCIP share: a session for each episode, and the gymnasium form of its decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from co_gym.errors import InputError
from milp.bound_integrals import TRANSFORMED
from milp.envs.episode import Decision, Episode, Plugin
from milp.envs.options import Options
from milp.envs.padding import view
from milp.envs.session import Session
from milp.envs.sizes import find_limits

Step = tuple[Any, float, bool, bool, dict[str, Any]]


class SolverEnv(gymnasium.Env):
    """An environment in which SCIP asks for decisions. Subclasses define the action space and `answer`.

    `reset(options={"instance": i})` solves instance i of the split. Each solve runs in a thread of its own that
    waits while an action is awaited, so that several environments solve at the same time: `send` and `receive` are
    the two halves of `step`, as `begin_reset` and `finish_reset` are those of `reset`.

    Args:
        plugin: What makes SCIP ask.
        options: The keywords.
        render_mode: `"ansi"` or None.
        mask_size: How many actions the mask holds; `max_variables` by default.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(
        self, plugin: Plugin, options: Options, render_mode: str | None = None, mask_size: int | None = None
    ) -> None:
        seen = view(options.observation)
        self.options, self.render_mode = options, render_mode
        self.task = options.task(plugin, seen.observer)
        sizes = options.max_variables, options.max_rows, options.max_edges
        self.limits = find_limits(self.task.programs, *sizes)
        self.form = seen.form(self.limits)
        self.mask_size = mask_size or self.limits.variables
        mask: dict[str, spaces.Space] = {"action_mask": spaces.MultiBinary(self.mask_size)}
        self.observation_space: spaces.Dict = spaces.Dict(dict(self.form.spaces) | mask)
        self.penalty = float(self.mask_size if options.invalid_penalty is None else options.invalid_penalty)
        self._session: Session | None = None
        self._ahead: tuple[int, Session] | None = None
        self._decision: Decision | None = None
        self._refused = False

    @property
    def model(self) -> Any:
        """The PySCIPOpt model of the present solve; to be read while an action is awaited, or after the end."""
        return None if self._session is None else self._session.model

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """A new instance, solved up to its first decision; `seed` starts the stream of instances anew."""
        self.begin_reset(seed=seed, options=options)
        return self.finish_reset()

    def begin_reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> None:
        """First half of `reset`: begins the solve."""
        super().reset(seed=seed)
        self._decision = None
        if self._session is not None:
            self._session.close()
        instance = self._instance(options or {})
        ahead, self._ahead = self._ahead, None
        if ahead is not None and seed is None and instance is None:
            self._session = ahead[1]
            return
        if ahead is not None:
            ahead[1].close()
        kept = ahead[0] if ahead is not None and seed is None else None
        self._session = self._launch(self._draw() if kept is None else kept, instance)

    def finish_reset(self) -> tuple[Any, dict[str, Any]]:
        """Second half of `reset`: waits for the first decision."""
        self._decision = self._receive()
        if self.options.prefetch:
            seed = self._draw()
            self._ahead = seed, self._launch(seed, None)
        return self._observation(self._decision), self._info(self._decision)

    def step(self, action: Any) -> Step:
        """See `gymnasium.Env`."""
        self.send(action)
        return self.receive()

    def check(self, action: Any) -> Any:
        """What the plug-in would be told; None if the action is inadmissible. Changes nothing.

        Raises:
            ResetNeeded: If the episode has ended or not begun.
            InputError: If the action is against the mask and `invalid` is `"raise"`.
        """
        if self._decision is None or self._session is None:
            raise gymnasium.error.ResetNeeded("the episode has ended or not begun: call reset()")
        answer = True if self._decision.ended else self.answer(action, self._decision)
        if answer is None and self.options.invalid == "raise":
            raise InputError(f"action {action} is against the mask")
        return answer

    def send(self, action: Any) -> None:
        """First half of `step`: has SCIP go on. Raises what `check` raises."""
        answer = self.check(action)
        assert self._decision is not None
        assert self._session is not None
        self._refused = answer is None
        if self._refused:
            self._session.close()
        elif not self._decision.ended:  # else solved without a decision
            self._session.send(answer)

    def receive(self) -> Step:
        """Second half of `step`: waits for the next decision or the end."""
        before, self._decision = self._decision, None
        assert before is not None
        if self._refused:
            self._refused = False
            now = Decision(None, before.actions[:0], -self.penalty, {"status": "refused"}, ended=True)
        else:
            now = before if before.ended else self._receive()
        self._decision = None if now.ended else now
        terminated = now.ended and not now.truncated
        return self._observation(now), now.reward, terminated, now.truncated, self._info(now)

    def answer(self, action: Any, decision: Decision) -> Any:
        """What the plug-in is told; None if the action is inadmissible."""
        raise NotImplementedError

    def action_masks(self) -> NDArray:
        """Admissible actions, bool [size of the mask], where sb3-contrib looks for them."""
        return self._mask(self._decision).astype(bool)

    def render(self) -> Any:
        """One line on the state of the solve."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() without a render_mode: expected ansi in gymnasium.make")
            return None
        model = self.model
        if model is None or model.getStage() < TRANSFORMED:
            return "not begun"
        numbers = model.getNTotalNodes(), model.getPrimalbound(), model.getDualbound(), model.getGap()
        return "{} nodes, primal bound {:g}, dual bound {:g}, gap {:.2%}".format(*numbers)

    def close(self) -> None:
        """Stops what runs and frees the models."""
        self._decision = None
        for session in (self._session, self._ahead[1] if self._ahead is not None else None):
            if session is not None:
                session.close()
        self._session = self._ahead = None

    def _draw(self) -> int:
        return int(self.np_random.integers(2**63 - 1))

    def _launch(self, seed: int, instance: int | None) -> Session:
        return Session(Episode(self.task, seed, instance))

    def _instance(self, options: Mapping[str, Any]) -> int | None:
        instance = options.get("instance")
        if instance is not None and not 0 <= instance < self.task.programs.count:
            raise InputError(f"instance {instance}: expected 0 to {self.task.programs.count - 1}")
        return None if instance is None else int(instance)

    def _receive(self) -> Decision:
        assert self._session is not None
        try:
            decision: Decision = self._session.receive()
        except BaseException:  # an interrupt by the user among them: the solve is in an unknown state
            self._session.close()
            raise
        return decision

    def _mask(self, decision: Decision | None) -> NDArray:
        """Admissible actions, int8; action 0 alone at the end, so that a softmax over the mask is defined."""
        mask = np.zeros(self.mask_size, dtype=np.int8)
        mask[[0] if decision is None or decision.ended else decision.actions] = 1
        return mask

    def _observation(self, decision: Decision) -> dict[str, NDArray]:
        entries = self.form.entries(decision.observation, decision.actions)
        entries["action_mask"] = self._mask(decision)
        return {name: entries[name] for name in self.observation_space.spaces}

    def _info(self, decision: Decision) -> dict[str, Any]:
        info = {"action_mask": self._mask(decision)} | decision.info
        if self.options.raw_observation:
            info["observation"] = decision.observation
        return info
