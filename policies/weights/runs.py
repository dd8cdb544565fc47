"""What a training leaves behind: a checkpoint, and the `config.yaml` beside it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
import yaml  # type: ignore[import-untyped]
from torch import Tensor

from co_gym.errors import InputError


def config_of(path: Path) -> Path:
    """The configuration of a run: in the folder of its checkpoint or in one of two above.

    Raises:
        InputError: If there is none.
    """
    for folder in (path.parent, *list(path.parents)[1:3]):
        if (folder / "config.yaml").is_file():
            return folder / "config.yaml"
    raise InputError("expected a config.yaml in its folder or in one of two above", path=path)


def read_config(path: Path) -> dict[str, Any]:
    """The configuration in a file.

    Raises:
        InputError: If it cannot be read or is none.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"expected YAML: {error}", path=path) from error
    if not isinstance(settings, dict):
        raise InputError("expected a configuration of a training", path=path)
    return settings


def section(settings: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    """A part of a configuration.

    Args:
        settings: The configuration.
        name: Where the part stands, such as "data.init_args".
        path: The file, for messages.

    Raises:
        InputError: If there is no such part.
    """
    found: Any = settings
    for key in name.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise InputError(f"field '{name}' is missing", path=path)
    return found


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of Lightning; nothing is unpickled but tensors and plain values.

    Raises:
        InputError: If it cannot be read or is none.
    """
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


def weights_in(saved: dict[str, Any], prefix: str, path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint whose names begin with a prefix, without it.

    Raises:
        InputError: If there are none.
    """
    given = {key: value for key, value in saved["state_dict"].items() if key.startswith(prefix)}
    if not given or not all(isinstance(value, Tensor) for value in given.values()):
        raise InputError(f"field 'state_dict' holds no tensors '{prefix}…'", path=path)
    return {key.removeprefix(prefix): value for key, value in given.items()}


def minutes_of(saved: dict[str, Any]) -> float:
    """Minutes of wall-clock time that a training took, as it says itself; 0 if it does not."""
    found = saved.get("seconds", 0.0)
    return round(float(found) / 60, 2) if isinstance(found, float) else 0.0


def batches(saved: dict[str, Any], path: Path) -> int:
    """How many batches the training has seen.

    Raises:
        InputError: If the checkpoint does not tell.
    """
    try:
        progress = saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        return int(progress["total"]["completed"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("field 'loops.fit_loop' does not tell how many batches were seen", path=path) from error


def part_of(given: Any) -> Any:
    """A class with its arguments, which may be written as its path alone."""
    return {"class_path": given} if isinstance(given, str) else given
