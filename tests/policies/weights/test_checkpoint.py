from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import co_gym
import policies
from co_gym.errors import InputError
from policies.policy import ConstructivePolicy
from policies.weights.cards import Card, cards, read_card
from policies.weights.checkpoint import load, save

Make = Callable[..., Path]
MakeCard = Callable[..., Card]
MakePolicy = Callable[..., ConstructivePolicy]


def change_card(weights: Path, *keys: str, to: Any) -> None:
    """Writes a value into the card of some weights."""
    path = weights.with_suffix(".json")
    data = json.loads(path.read_text())
    inner = data
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    path.write_text(json.dumps(data))


def change_weights(weights: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    """Writes other tensors, and their digest into the card."""
    save_file(change(load_file(weights)), weights)
    change_card(weights, "sha256", to=hashlib.sha256(weights.read_bytes()).hexdigest())


def refused(weights: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(weights)
    assert str(weights.parent) in str(caught.value)


def test_what_is_saved_is_loaded(make_weights: Make, make_card: MakeCard, make_policy: MakePolicy) -> None:
    path = make_weights(seed=5)
    expected = make_policy(make_card(), 5)
    points = torch.rand(2, 9, 2, generator=torch.Generator().manual_seed(1))
    for given in (path, path.with_suffix(".json"), str(path)):
        policy = load(given)
        assert not policy.training
        assert not any(parameter.requires_grad for parameter in policy.parameters())
        for key, value in expected.state_dict().items():
            assert torch.equal(policy.state_dict()[key], value)
        found = policy.rollout(policy.encode({"coordinates": points}), lambda x: x.argmax(-1), num_starts=3)
        other = expected.rollout(expected.encode({"coordinates": points}), lambda x: x.argmax(-1), num_starts=3)
        assert torch.equal(policy.environment.solution(found.state), expected.environment.solution(other.state))


def test_the_card_is_complete(make_weights: Make) -> None:
    path = make_weights()
    card = read_card(path.with_suffix(".json"))
    assert card.policy.encoder.init_args["normalization"] == "instance"
    assert card.policy.decoder.init_args["clip"] == 10.0
    assert card.version == co_gym.__version__
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (card.trained[0].size, card.budget.instances, card.budget.machine) == (10, 640, "a test")


def test_loading_leaves_the_global_generator_alone(make_weights: Make) -> None:
    path = make_weights()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    load(path)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("dtype", "error"), [(torch.float16, 1e-3), (torch.bfloat16, 1e-2)])
def test_half_precision(
    make_card: MakeCard, make_policy: MakePolicy, tmp_path: Path, dtype: torch.dtype, error: float
) -> None:
    card = make_card()
    policy = make_policy(card)
    full = save(policy, card, tmp_path).stat().st_size
    path = save(policy, card, tmp_path, dtype=dtype)
    assert path.stat().st_size < 0.75 * full
    for key, value in load(path).state_dict().items():
        assert value.dtype is policy.state_dict()[key].dtype
        assert torch.allclose(value, policy.state_dict()[key], atol=1e-6, rtol=error)


def test_a_weight_beyond_half_precision_is_not_saved(
    make_card: MakeCard, make_policy: MakePolicy, tmp_path: Path
) -> None:
    card = make_card()
    policy = make_policy(card)
    with torch.no_grad():
        next(policy.parameters()).fill_(1e6)
    with pytest.raises(InputError, match="not finite"):
        save(policy, card, tmp_path, dtype=torch.float16)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_card_of_another_policy_is_not_saved(
    make_card: MakeCard, make_policy: MakePolicy, tmp_path: Path
) -> None:
    policy, card = make_policy(make_card()), make_card()
    card.policy.encoder.init_args["width"] = 32
    with pytest.raises(InputError, match=r"has shape .*: expected"):
        save(policy, card, tmp_path)


CLASSES = [
    ("os.system", "expected a Encoder in policies"),
    ("subprocess.Popen", "expected a Encoder in policies"),
    ("policies_evil.Encoder", "expected a Encoder in policies"),
    ("policies.encoders.base.Encoder", "expected a Encoder"),
    ("policies.tasks.tsp.TSPTask", "expected a Encoder"),
    ("policies.weights.checkpoint.load", "expected a Encoder"),
    ("policies.weights.checkpoint.torch", "expected a Encoder"),
    ("policies.nowhere.Encoder", "No module named"),
    ("policies.encoders.attention.Nothing", "has no attribute"),
    ("policies.encoders..attention", "expected a Encoder"),
    ("AttentionEncoder", "expected a Encoder"),
    ("", "expected a Encoder"),
]


@pytest.mark.parametrize(("class_path", "message"), CLASSES)
def test_only_known_kinds_of_classes_are_made(make_weights: Make, class_path: str, message: str) -> None:
    path = make_weights()
    change_card(path, "policy", "encoder", "class_path", to=class_path)
    refused(path, rf"field 'policy.encoder.class_path' is '{class_path}': .*{message}")


def test_a_foreign_module_is_not_even_imported(
    make_weights: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_weights()
    (tmp_path / "booby_trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    change_card(path, "policy", "task", "class_path", to="booby_trap.Task")
    refused(path, "policy.task.class_path")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("width", "16", r"is '16': expected <class 'int'>"),
        ("width", True, "is True: expected"),
        ("width", 16.0, "is 16.0: expected"),
        ("normalization", "nrom", "is 'nrom': expected"),
        ("normalization", {"class_path": "os.system"}, "expected"),
        ("depth", 3, r"unknown field 'policy.encoder.init_args.depth': AttentionEncoder takes width, heads"),
        ("heads", 0, r"has shape \[2\]: expected \[0\]"),
        ("layers", -1, "unexpected weights"),
        ("layers", 2, r"missing weights: encoder.layers.1"),
        ("width", 32, r"'.*' has shape \[.*\]: expected \["),
    ],
)
def test_arguments_are_checked(make_weights: Make, name: str, value: Any, message: str) -> None:
    path = make_weights()
    change_card(path, "policy", "encoder", "init_args", name, to=value)
    refused(path, message)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("name",), "other", "field 'name' is 'other': expected 'tiny'"),
        (("problem",), "mis", "field 'problem' is 'mis': its task is for tsp"),
        (("seed",), "1", "field 'seed' is '1': expected int"),
        (("budget", "minutes"), None, "field 'budget.minutes' is None: expected float"),
        (("budget",), [], "field 'budget' is \\[\\]"),
        (("trained",), [{"size": 10}, {}], r"field 'trained\[1\].size' is missing"),
        (("trained",), [{"size": "10"}], r"field 'trained\[0\].size' is '10'"),
        (("results",), {"tsp20": {"greedy": "0.1"}}, "field 'results' is"),
        (("policy", "extra"), 1, "unknown field 'policy.extra'"),
        (("policy", "task"), "policies.tasks.tsp.TSPTask", "field 'policy.task' is"),
        (("sha256",), "0" * 64, "field 'sha256' is '0000"),
        (("licence",), "x", "unknown field 'licence'"),
    ],
)
def test_fields_of_the_card_are_checked(
    make_weights: Make, keys: tuple[str, ...], value: Any, message: str
) -> None:
    path = make_weights()
    change_card(path, *keys, to=value)
    refused(path, message)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"name": NaN}', "\x00\xff"])
def test_malformed_cards(make_weights: Make, text: str) -> None:
    path = make_weights()
    path.with_suffix(".json").write_text(text)
    refused(path, r"tiny\.json")


def test_a_pickle_is_no_safetensors_file(make_weights: Make) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (exec, ("raise SystemExit('unpickled')",))

    path = make_weights()
    path.write_bytes(pickle.dumps({"weight": Trap()}))
    refused(path, "expected weights in the format safetensors")
    torch.save({"weight": torch.zeros(3)}, path)
    refused(path, "expected weights in the format safetensors")


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_file(make_weights: Make, keep: int) -> None:
    path = make_weights()
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, r"tiny\.safetensors: expected weights in the format safetensors")


def test_an_altered_file(make_weights: Make) -> None:
    path = make_weights()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused(path, "field 'sha256'")


def test_missing_files(make_weights: Make) -> None:
    path = make_weights()
    path.unlink()
    refused(path, r"tiny\.safetensors: cannot be read: No such file")
    path.with_suffix(".json").unlink()
    refused(path, r"tiny\.json: cannot be read: No such file")


BIAS = "encoder.embed.bias"


def _without_one(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in tensors.items() if key != "encoder.embed.bias"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_one, "missing weights: encoder.embed.bias"),
        (lambda t: {**t, "trap": torch.zeros(1)}, "unexpected weights: trap"),
        (lambda t: {**t, BIAS: torch.zeros(3)}, r"'encoder.embed.bias' has shape \[3\]: expected \[16\]"),
        (lambda t: {**t, BIAS: torch.zeros(16).long()}, "'encoder.embed.bias' has dtype"),
        (lambda t: {**t, BIAS: torch.full((16,), torch.nan)}, "'encoder.embed.bias' holds a number"),
        (lambda t: {**t, BIAS: torch.full((16,), torch.inf)}, "'encoder.embed.bias' holds a number"),
    ],
)
def test_weights_that_do_not_fit(make_weights: Make, change: Any, message: str) -> None:
    path = make_weights()
    change_weights(path, change)
    refused(path, rf"tiny\.safetensors: {message}")


def test_unknown_names() -> None:
    for function in (policies.load, policies.card):
        with pytest.raises(InputError, match="unknown weights 'tps50'"):
            function("tps50")


def test_every_shipped_policy_loads() -> None:
    """The whole of the shipped weights stays below 15 MB."""
    for name in policies.names():
        card = policies.card(name)
        assert policies.load(name).environment.problem == card.problem
        assert card.trained
        assert card.budget.instances > 0
    from policies.weights.cards import FOLDER

    assert sum(path.stat().st_size for path in FOLDER.glob("*")) < 15_000_000


def test_a_folder_of_cards(make_weights: Make, tmp_path: Path) -> None:
    assert cards(tmp_path / "none") == {}
    make_weights("b")
    make_weights("a")
    assert list(cards(tmp_path)) == ["a", "b"]


def test_distance_to_what_was_trained_on(make_card: MakeCard) -> None:
    card = make_card(sizes=(20, 100))
    assert card.distance(20) == card.distance(100) == 0
    assert card.distance(50) == pytest.approx(0.6931, abs=1e-4)  # 100 / 50 = 2
    assert card.distance(10) == card.distance(200)
    assert make_card(constraints=5).distance(10, 10) == pytest.approx(0.6931, abs=1e-4)
