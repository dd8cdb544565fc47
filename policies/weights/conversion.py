"""From a checkpoint of a training to a policy and its card."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
import yaml  # type: ignore[import-untyped]
from torch import Tensor

from co_gym import registry
from co_gym.errors import InputError
from policies.policy import ConstructivePolicy
from policies.preparation import prepare, sizes
from policies.weights.cards import Budget, Card, Configuration, Trained
from policies.weights.checkpoint import build
from policies.weights.plain import from_plain

PREFIX = "policy."
POLICY = f"{ConstructivePolicy.__module__}.{ConstructivePolicy.__qualname__}"


def from_lightning(
    checkpoint: str | Path,
    *,
    name: str | None = None,
    config: str | Path | None = None,
    minutes: float = 0.0,
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
        minutes: Minutes of wall-clock time that the training took.
        threads: Threads that it used.
        machine: What it ran on.

    Raises:
        InputError: If a file is missing, malformed or not as expected; names file and field.
    """
    path = Path(checkpoint)
    where = _config_of(path) if config is None else Path(config)
    settings = _read_config(where)
    configuration = _configuration(settings, where)
    saved = _read_checkpoint(path)
    policy = build(configuration, where)
    weights = _policy_weights(saved, path)
    try:
        policy.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"does not fit {where}: {error}", path=path) from error
    data = _section(settings, "data.init_args", where)
    card = Card(
        name=name or path.stem,
        problem=policy.environment.problem,
        policy=configuration,
        trained=_trained(policy, data, where),
        seed=int(data.get("seed") or 0),
        budget=Budget(
            instances=_batches(saved, path) * int(data.get("batch_size", 1)),
            minutes=minutes,
            threads=threads,
            machine=machine,
        ),
    )
    return policy.requires_grad_(False).eval(), card


def _config_of(path: Path) -> Path:
    for folder in (path.parent, *list(path.parents)[1:3]):
        if (folder / "config.yaml").is_file():
            return folder / "config.yaml"
    raise InputError("expected a config.yaml in its folder or in one of two above", path=path)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"expected YAML: {error}", path=path) from error
    if not isinstance(settings, dict):
        raise InputError("expected a configuration of a training", path=path)
    return settings


def _section(settings: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    found: Any = settings
    for key in name.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise InputError(f"field '{name}' is missing", path=path)
    return found


def _configuration(settings: dict[str, Any], path: Path) -> Configuration:
    where = "model.init_args.policy"
    section = _section(settings, where, path)
    if section.get("class_path") != POLICY:
        raise InputError(
            f"field '{where}.class_path' is {section.get('class_path')!r}: expected {POLICY}", path=path
        )
    given = _section(settings, f"{where}.init_args", path)
    parts = {key: {"class_path": part} if isinstance(part, str) else part for key, part in given.items()}
    return from_plain(Configuration, parts, path, where)


def _read_checkpoint(path: Path) -> dict[str, Any]:
    try:
        data = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    try:
        saved = torch.load(data, map_location="cpu", weights_only=True)
    except Exception as error:  # the restricted unpickler fails in many ways on what is no checkpoint
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"expected a checkpoint of tensors and plain values: {reason}", path=path) from error
    if not isinstance(saved, dict) or not isinstance(saved.get("state_dict"), dict):
        raise InputError("field 'state_dict' is missing: expected a checkpoint of Lightning", path=path)
    return saved


def _policy_weights(saved: dict[str, Any], path: Path) -> dict[str, Tensor]:
    given = {key: value for key, value in saved["state_dict"].items() if key.startswith(PREFIX)}
    if not given or not all(isinstance(value, Tensor) for value in given.values()):
        raise InputError(f"field 'state_dict' holds no tensors '{PREFIX}…'", path=path)
    return {key.removeprefix(PREFIX): value for key, value in given.items()}


def _batches(saved: dict[str, Any], path: Path) -> int:
    """Batches that the training has seen."""
    try:
        progress = saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        return int(progress["total"]["completed"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("field 'loops.fit_loop' does not tell how many batches were seen", path=path) from error


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
