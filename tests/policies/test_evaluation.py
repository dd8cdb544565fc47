from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.problems.tsp import TSP
from co_gym.result import relative_gap
from co_gym.runner import solve
from co_gym.testing import brute_force
from policies.evaluation import DECODINGS, batches, compare, decoding, evaluate
from policies.policy import ConstructivePolicy
from policies.tasks.tsp import TSPTask
from policies.weights.cards import Card, read_card
from policies.weights.checkpoint import load

SCRIPT = Path(__file__).parents[2] / "scripts" / "evaluate.py"
Make = Callable[..., Path]
MakePolicy = Callable[..., ConstructivePolicy]
MakeCard = Callable[..., Card]


def solved(problem: str, size: int, count: int) -> list[Instance]:
    """Instances with their optima by enumeration."""
    instances = registry.problem(problem).generate(size, count=count, seed=5)
    best = [brute_force(registry.problem(problem), instance) for instance in instances]
    return [replace(one, reference=found[1]) for one, found in zip(instances, best, strict=True) if found]


@pytest.mark.parametrize("name", [*DECODINGS, "greedy+polish"])
def test_every_decoding(make_policy: MakePolicy, make_card: MakeCard, name: str) -> None:
    policy, seen = make_policy(make_card()), list[int]()
    instances = solved("tsp", 6, 5)
    outcome = evaluate(policy, instances, name, batch=2, advance=seen.append)
    assert seen == [2, 2, 1]
    assert outcome.method == name
    assert outcome.seconds > 0
    assert 0 <= outcome.optimal <= 1
    if name in ("multi-start", "x8", "sgbs"):
        assert outcome.gap < evaluate(policy, instances, "greedy").gap
    if name == "greedy+polish":
        assert outcome.gap < 2


def test_gaps_are_those_of_the_solutions(make_policy: MakePolicy, make_card: MakeCard) -> None:
    policy = make_policy(make_card())
    instances = solved("tsp", 6, 4)
    ((_, data),) = batches(instances, policy.task, 4)
    tours = decoding("greedy", policy)(policy, data).solution.numpy()
    gaps = [
        relative_gap(TSP().objective(instance, tour), instance.reference or 0)
        for instance, tour in zip(instances, tours, strict=True)
    ]
    outcome = evaluate(policy, instances, "greedy")
    assert outcome.gap == pytest.approx(100 * np.mean(gaps))
    assert outcome.optimal == np.mean([gap < 1e-6 for gap in gaps])


@pytest.mark.parametrize("problem", ["knapsack", "mis"])
def test_instances_of_several_sizes_share_a_batch(
    make_policy: MakePolicy, make_card: MakeCard, problem: str
) -> None:
    policy = make_policy(make_card("tiny", problem))
    instances = solved(problem, 7, 2) + solved(problem, 10, 2)
    together = evaluate(policy, instances, "multi-start", batch=4)
    apart = evaluate(policy, instances, "multi-start", batch=1)
    assert together.gap == pytest.approx(apart.gap)
    assert 0 <= together.gap < 100


def test_what_is_refused(make_policy: MakePolicy, make_card: MakeCard) -> None:
    policy, instances = make_policy(make_card()), solved("tsp", 5, 1)
    with pytest.raises(InputError, match=r"unknown decoding 'gredy'.*did you mean greedy"):
        evaluate(policy, instances, "gredy")
    with pytest.raises(InputError, match="decoding 'x8' needs symmetric copies, which MISTask has not"):
        decoding("x8", make_policy(make_card("tiny", "mis")))
    with pytest.raises(InputError, match="has no reference"):
        evaluate(policy, TSP().generate(5), "greedy")
    with pytest.raises(InputError, match="batch size of 1"):
        batches(TSP().generate(5) + TSP().generate(6), TSPTask(), 2)


def test_other_methods() -> None:
    seen = list[int]()
    outcome = compare("local-search", solved("knapsack", 8, 3), 0.02, advance=seen.append)
    expected = ("local-search", pytest.approx(0), 1, [1, 1, 1])
    assert (outcome.method, outcome.gap, outcome.optimal, seen) == expected
    assert outcome.seconds > 0
    instances = solved("tsp", 8, 3)
    gaps = [solve(one, "nearest-neighbour").reference_gap or 0.0 for one in instances]
    assert compare("nearest-neighbour", instances, 1e-9).gap == pytest.approx(100 * np.mean(gaps))


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *map(str, words)])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_the_script_updates_the_card(
    make_weights: Make,
    tmp_path: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = make_weights("tiny", "knapsack", results={"old": {"greedy": 1.0}})
    files = tmp_path / "files"
    files.mkdir()
    (files / "burma14.tsp").write_text((data / "burma14.tsp").read_text())
    (files / "p07.kp").write_text((data / "p07.kp").read_text())
    (files / "optima.csv").write_text("instance,optimum\nburma14,3323\np07,1458\n")
    run(monkeypatch, path, "--on", files, "--decodings", "greedy", "multi-start+polish", "--update-card")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[2].strip() for line in lines[2:-2]] == [
        "policy, greedy", "local-search", "policy, multi-start+polish", "local-search", "greedy",
    ]  # fmt: skip
    card = read_card(path.with_suffix(".json"))
    assert card.results["old"] == {"greedy": 1.0}
    assert card.results["files"].keys() == {"greedy", "multi-start+polish"}
    assert card.results["files"]["greedy"] >= card.results["files"]["multi-start+polish"]
    load(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--on", "mis-er100"], "is of mis: the policy is for tsp"),
        (["--on", "tps20"], "unknown reference set 'tps20'"),
        (["--on", "."], "expected files of tsp with known optima"),
        (["--on", "tsp20", "--count", 3, "--update-card"], "--update-card needs"),
    ],
)
def test_mistakes(
    make_weights: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[object],
    message: str,
) -> None:
    path = make_weights()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(SystemExit):
        run(monkeypatch, path, *words)
    assert message in capsys.readouterr().err
