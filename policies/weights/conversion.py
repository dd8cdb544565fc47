"""From a checkpoint of a training to a policy and its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from co_gym import registry
from co_gym.errors import InputError
from policies.policy import ConstructivePolicy
from policies.preparation import prepare, sizes
from policies.weights.cards import Budget, Card, Configuration, Trained
from policies.weights.checkpoint import build
from policies.weights.plain import from_plain
from policies.weights.runs import (
    batches,
    config_of,
    minutes_of,
    part_of,
    read_checkpoint,
    read_config,
    section,
    weights_in,
)

PREFIX = "policy."
POLICY = f"{ConstructivePolicy.__module__}.{ConstructivePolicy.__qualname__}"


def from_lightning(
    checkpoint: str | Path,
    *,
    name: str | None = None,
    config: str | Path | None = None,
    minutes: float | None = None,
    threads: int = 1,
    machine: str = "unknown",
) -> tuple[ConstructivePolicy, Card]:
    """The policy in a Lightning checkpoint, in evaluation mode, and its card without results.

    The checkpoint is loaded without unpickling anything but tensors and plain values. Class paths and arguments
    come from the `config.yaml` that LightningCLI wrote beside the run, as do sizes, distributions and seed.

    Args:
        checkpoint: The `.ckpt`.
        name: Name of the weights; the checkpoint's by default.
        config: The configuration; by default `config.yaml` in the folder of the checkpoint or in one of two above.
        minutes: Minutes of wall-clock time that the training took; None: as the checkpoint says.
        threads: Threads that it used.
        machine: What it ran on.

    Raises:
        InputError: If a file is missing, malformed or not as expected; names file and field.
    """
    path = Path(checkpoint)
    where = config_of(path) if config is None else Path(config)
    settings = read_config(where)
    configuration = _configuration(settings, where)
    saved = read_checkpoint(path)
    policy = build(configuration, where)
    weights = weights_in(saved, PREFIX, path)
    try:
        policy.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"does not fit {where}: {error}", path=path) from error
    data = section(settings, "data.init_args", where)
    card = Card(
        name=name or path.stem,
        problem=policy.environment.problem,
        policy=configuration,
        trained=_trained(policy, data, where),
        seed=int(data.get("seed") or 0),
        budget=Budget(
            instances=batches(saved, path) * int(data.get("batch_size", 1)),
            minutes=minutes_of(saved) if minutes is None else minutes,
            threads=threads,
            machine=machine,
        ),
    )
    return policy.requires_grad_(False).eval(), card


def _configuration(settings: dict[str, Any], path: Path) -> Configuration:
    where = "model.init_args.policy"
    made = section(settings, where, path).get("class_path")
    if made != POLICY:
        raise InputError(f"field '{where}.class_path' is {made!r}: expected {POLICY}", path=path)
    given = section(settings, f"{where}.init_args", path)
    parts = {key: part_of(part) for key, part in given.items()}
    return from_plain(Configuration, parts, path, where)


def _trained(policy: ConstructivePolicy, data: dict[str, Any], path: Path) -> tuple[Trained, ...]:
    """The sources of a training, with the number of constraints that an instance of each has."""
    sources = data.get("sources")
    if not isinstance(sources, list) or not sources:
        raise InputError("field 'data.init_args.sources' is missing", path=path)
    found = []
    for source in sources:
        problem, options = registry.problem(policy.environment.problem), dict(source.get("options") or {})
        label, _ = problem.distribution(source.get("distribution"), options)
        (one,) = problem.generate(int(source["size"]), distribution=label, **options)
        size, constraints = sizes(one, policy.task, prepare(one, policy.task))
        found.append(Trained(size=size, constraints=constraints, distribution=label, options=options))
    return tuple(found)
