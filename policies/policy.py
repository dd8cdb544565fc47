"""A policy that builds solutions step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from co_gym.envs import State
from policies.decoders.base import Cache, Decoder, Memo
from policies.encoders.base import Encoder
from policies.graph import Context, Graph
from policies.tasks.base import Task

Choose = Callable[[Tensor], Tensor]
"""From logits [B, Q, n] to actions int64 [B, Q]."""


@dataclass(slots=True)
class Encoding:
    """What a policy knows of a batch of instances before the first decision.

    Attributes:
        graph: The features.
        cache: What the decoder keeps.
        data: The instances, as the environment takes them.
    """

    graph: Graph
    cache: Cache
    data: dict[str, Tensor]


@dataclass(slots=True)
class Rollout:
    """Finished episodes of a batch of instances.

    Attributes:
        state: The final state, [B, S].
        reward: float [B, S].
        contexts: The context of each decision, T of them, if they were recorded.
        actions: int64 [B, S] for each decision.
        memos: What the decoder computed for each decision.
        encoding: With which the decisions were made.
    """

    state: State
    reward: Tensor
    contexts: list[Context]
    actions: list[Tensor]
    memos: list[Memo] = field(default_factory=list)
    encoding: Encoding | None = None


class ConstructivePolicy(nn.Module):
    """Binds a task, an encoder and a decoder: encodes an instance once, then decides step by step.

    Args:
        task: The problem as the policy sees it.
        encoder: From the instance to embeddings of its nodes.
        decoder: From embeddings and the state's context to logits.
    """

    def __init__(self, task: Task, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.task, self.encoder, self.decoder = task, encoder, decoder
        self.environment = task.environment()
        encoder.build(task.features)
        decoder.build(task.features, encoder.width)

    def encode(self, data: Mapping[str, Tensor]) -> Encoding:
        """What decisions on a batch of instances share."""
        tensors = {str(key): value for key, value in data.items()}
        with torch.no_grad():
            graph = self.task.graph(tensors)
        return Encoding(graph, self.decoder.prepare(self.encoder(graph), graph), tensors)

    def logits(self, encoding: Encoding, state: State) -> Tensor:
        """Logits [B, S, n] of the next actions, -inf where not admissible; without gradient."""
        return self.decoder.logits(encoding.cache, self.task.context(state, encoding.graph))

    @torch.no_grad()
    def rollout(self, encoding: Encoding, choose: Choose, *, num_starts: int = 1, record: bool = False) -> Rollout:
        """Builds a solution from each of `num_starts` first actions of each instance.

        Args:
            encoding: Of the instances.
            choose: How actions are chosen from logits.
            num_starts: S; see `Environment.reset`.
            record: Whether to keep what `evaluate` needs.
        """
        state = self.environment.reset(encoding.data, num_starts=num_starts)
        return self.complete(encoding, state, choose, record=record)

    @torch.no_grad()
    def complete(self, encoding: Encoding, state: State, choose: Choose, *, record: bool = False) -> Rollout:
        """Goes on from states [B, S] to the end, in place; see `rollout`."""
        environment: Any = self.environment
        done = Rollout(state, torch.empty(0), [], [], encoding=encoding)
        while not state.all_done:
            context = self.task.context(state, encoding.graph)
            if record:
                logits, memo = self.decoder.remembered_logits(encoding.cache, context)
                done.contexts.append(context.clone())
                done.memos.append(memo)
            else:
                logits = self.decoder.logits(encoding.cache, context)
            action = choose(logits)
            if record:
                done.actions.append(action)
            environment.step(state, action, check=False)
        done.reward = environment.reward(state)
        return done

    def evaluate(self, encoding: Encoding, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the decisions of recorded episodes, and entropies: [B, T, S] each, with gradient.

        All decisions pass through the decoder at once, which costs far less than step by step; where `encoding` is
        the one they were made with, the forward pass is not even repeated.
        """
        context = join(rollout.contexts)
        action = torch.stack(rollout.actions, 1)
        memo: Memo = ()
        if rollout.encoding is encoding:
            memo = tuple(stacked(list(parts)) for parts in zip(*rollout.memos, strict=True))
        log_prob, entropy = self.decoder.evaluate(encoding.cache, context, action.flatten(1), memo)
        return log_prob.view(action.shape), entropy.view(action.shape)


def stacked(steps: list[Tensor]) -> Tensor:
    """What T steps have [B, S, ...] as one [B, T * S, ...]."""
    return torch.stack(steps, 1).flatten(1, 2)


def join(contexts: list[Context]) -> Context:
    """Contexts of T steps [B, S, ...] as one of [B, T * S, ...]."""
    scalars = [c.scalars for c in contexts if c.scalars is not None]
    dynamic = [c.dynamic for c in contexts if c.dynamic is not None]
    return Context(
        mask=stacked([c.mask for c in contexts]),
        nodes=stacked([c.nodes for c in contexts]),
        scalars=stacked(scalars) if scalars else None,
        dynamic=stacked(dynamic) if dynamic else None,
    )
