from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from co_gym.errors import InputError
from policies.policy import ConstructivePolicy
from policies.weights.cards import Card, read_card
from policies.weights.checkpoint import load
from policies.weights.conversion import from_lightning

SCRIPT = Path(__file__).parents[3] / "scripts" / "export.py"
Change = Callable[[dict[str, Any]], object]


def part(card_part: Any) -> dict[str, Any]:
    return {"class_path": card_part.class_path, "init_args": dict(card_part.init_args)}


def settings(card: Card) -> dict[str, Any]:
    """What LightningCLI writes, as far as it matters."""
    policy = {key: part(getattr(card.policy, key)) for key in ("encoder", "decoder")}
    policy |= {"task": card.policy.task.class_path}
    sources = [{"size": 10, "distribution": None, "options": {}}, {"size": 20, "distribution": "clustered"}]
    return {
        "model": {
            "class_path": "policies.learning.reinforce.Reinforce",
            "init_args": {"policy": {"class_path": "policies.policy.ConstructivePolicy", "init_args": policy}},
        },
        "data": {"class_path": "any", "init_args": {"sources": sources, "batch_size": 64, "seed": 7}},
    }


def checkpoint(policy: ConstructivePolicy) -> dict[str, Any]:
    return {
        "state_dict": {f"policy.{key}": value for key, value in policy.state_dict().items()}
        | {"baseline.average": torch.zeros(1)},
        "loops": {"fit_loop": {"epoch_loop.batch_progress": {"total": {"completed": 30}}}},
        "global_step": 15,
    }


@pytest.fixture
def run(
    tmp_path: Path, make_card: Callable[..., Card], make_policy: Callable[..., ConstructivePolicy]
) -> Callable[..., Path]:
    """Writes a training as Lightning leaves it behind; returns the path of its checkpoint."""

    def write(config: Change | None = None, saved: Change | None = None) -> Path:
        card = make_card()
        wanted, kept = settings(card), checkpoint(make_policy(card))
        if config is not None:
            config(wanted)
        if saved is not None:
            saved(kept)
        folder = tmp_path / "version_0" / "checkpoints"
        folder.mkdir(parents=True)
        (folder.parent / "config.yaml").write_text(yaml.safe_dump(wanted))
        torch.save(kept, folder / "last.ckpt")
        return folder / "last.ckpt"

    return write


def test_policy_and_card(
    run: Callable[..., Path], make_card: Callable[..., Card], make_policy: Callable[..., ConstructivePolicy]
) -> None:
    path = run()
    policy, card = from_lightning(path, name="tours", minutes=2.5, threads=2, machine="here")
    expected = make_policy(make_card()).state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in policy.state_dict().items())
    assert not policy.training
    assert (card.name, card.problem, card.seed) == ("tours", "tsp", 7)
    assert [(one.size, one.distribution) for one in card.trained] == [(10, "uniform"), (20, "clustered")]
    assert (card.budget.instances, card.budget.minutes, card.budget.threads) == (30 * 64, 2.5, 2)
    assert from_lightning(path)[1].name == "last"


def test_the_script(run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, output = run(), tmp_path / "out"
    words = ["export.py", path, "--name", "tours", "--minutes", 3, "--dtype", "bfloat16", "--output", output]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert read_card(output / "tours.json").budget.minutes == 3
    assert load(output / "tours.json").environment.problem == "tsp"
    monkeypatch.setattr(sys, "argv", [str(word) for word in words[:2]] + ["--name", "x", "--minutes", "none"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT), run_name="__main__")


def policy_section(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["model"]["init_args"]["policy"]
    return found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("model"), "config.yaml: field 'model.init_args.policy' is missing"),
        (lambda c: c.pop("data"), "config.yaml: field 'data.init_args' is missing"),
        (lambda c: c["data"]["init_args"].pop("sources"), "field 'data.init_args.sources' is missing"),
        (
            lambda c: policy_section(c).update(class_path="os.system"),
            "class_path' is 'os.system': expected policies",
        ),
        (
            lambda c: policy_section(c)["init_args"].update(task="os.system"),
            "'policy.task.class_path' is 'os.system'",
        ),
        (lambda c: policy_section(c)["init_args"]["encoder"]["init_args"].update(layers=2), "does not fit"),
        (lambda c: policy_section(c)["init_args"].pop("task"), "policy.task' is missing"),
    ],
)
def test_configurations_that_are_refused(run: Callable[..., Path], change: Change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_lightning(run(config=change))


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("state_dict"), "field 'state_dict' is missing"),
        (lambda s: s.pop("loops"), "field 'loops.fit_loop'"),
        (lambda s: s.update(state_dict={"baseline.average": torch.zeros(1)}), "holds no tensors 'policy."),
        (lambda s: s.update(state_dict={"policy.encoder": 1}), "holds no tensors 'policy."),
        (lambda s: s.update(hyper_parameters=Trap()), "expected a checkpoint of tensors and plain values"),
    ],
)
def test_checkpoints_that_are_refused(run: Callable[..., Path], change: Change, message: str) -> None:
    with pytest.raises(InputError, match=rf"last\.ckpt: .*{message}"):
        from_lightning(run(saved=change))


def test_missing_and_malformed_files(run: Callable[..., Path], tmp_path: Path) -> None:
    path = run()
    config = path.parents[1] / "config.yaml"
    data = path.read_bytes()
    for broken in (b"", b"text", data[: len(data) // 2], data[:-100]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"last\.ckpt: expected a checkpoint"):
            from_lightning(path)
    path.unlink()
    with pytest.raises(InputError, match=r"last\.ckpt: cannot be read"):
        from_lightning(path)
    path.write_bytes(data)
    for text in ("a: [", "- 1\n", "!!python/object/apply:os.system ['true']\n"):
        config.write_text(text)
        with pytest.raises(InputError, match=r"config\.yaml: expected"):
            from_lightning(path)
    config.unlink()
    with pytest.raises(InputError, match=r"expected a config\.yaml"):
        from_lightning(path)
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        from_lightning(path, config=tmp_path / "none.yaml")
