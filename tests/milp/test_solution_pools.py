from __future__ import annotations

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import co_gym
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io import write
from co_gym.problems.mip import MIP
from milp.distributions import distribution
from milp.distributions.auction import auction
from milp.shards import missing
from milp.solution_pools import (
    GENERATED,
    PoolSettings,
    chosen,
    collect_pools,
    compared,
    disturbed,
    failures,
    located,
    make_pool,
    numbers_of,
    repeated,
    require_instances,
    require_pools,
)
from policies.prediction.format import Pool, read_manifest

SCRIPT = Path(__file__).parents[2] / "scripts" / "collect_pools.py"
SHORT = PoolSettings(solutions=8, first_seconds=8.0, seconds=8.0)
QUICK = PoolSettings(solutions=4, first_seconds=2.0, seconds=1.0, runs=1)


def small(seed: int) -> MixedIntegerProgram:
    return auction(np.random.default_rng(seed), 20, 30)


def shuffled(program: MixedIntegerProgram, seed: int) -> MixedIntegerProgram:
    """The program with its variables in another order, under other names."""
    order = np.random.default_rng(seed).permutation(program.num_variables)
    names = tuple(f"y{number}" for number in range(order.size))
    per_variable = {name: getattr(program, name)[order] for name in ("c", "lower", "upper", "integer")}
    return replace(program, A=program.A[:, order], variable_names=names, **per_variable)


def infeasible(program: MixedIntegerProgram) -> MixedIntegerProgram:
    return replace(program, row_lower=np.full(program.num_rows, 99.0), row_upper=np.full(program.num_rows, np.inf))


def put(folder: Path, **programs: MixedIntegerProgram) -> None:
    """Writes programs as files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in programs.items():
        write(folder / f"{name}.mps", MIP().from_program(program))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Files of which b repeats a, and of the validation files d repeats c."""
    a, c = small(0), small(1)
    put(tmp_path / "models/train", a=a, b=shuffled(a, 1), c=c)
    put(tmp_path / "models/validation", d=shuffled(c, 2), e=small(2))
    return tmp_path / "models"


def fixed(program: MixedIntegerProgram, pool: Pool, solution: int) -> MixedIntegerProgram:
    """The program with its binary variables at the values of a solution of the pool."""
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[pool.columns] = upper[pool.columns] = pool.values[solution]
    return replace(program, lower=lower, upper=upper)


@pytest.mark.parametrize("name", ["set-cover-tiny", "facility-tiny", "multiknapsack-tiny", "item-placement-tiny"])
def test_solutions_are_feasible_and_as_good_as_they_say(name: str) -> None:
    program = distribution(name).program("train", 0)
    pool = make_pool(program, SHORT)
    assert pool is not None
    assert 1 < len(pool) <= 8
    best = co_gym.solve(MIP().from_program(program), "scip").objective
    assert best is not None
    assert pool.objectives[0] == pytest.approx(float(best), rel=1e-6)
    assert (np.abs(pool.objectives - pool.objectives[0]) <= 0.05 * abs(pool.objectives[0])).all()
    assert len(np.unique(pool.values, axis=0)) == len(pool)
    for index in (0, len(pool) - 1):
        rest = co_gym.solve(MIP().from_program(fixed(program, pool, index)), "scip")
        assert rest.objective is not None
        better = float(rest.objective) - pool.objectives[index]
        assert (better if pool.minimize else -better) <= 1e-6 * abs(pool.objectives[index])


@pytest.mark.parametrize("name", ["set-cover-tiny", "multiknapsack-tiny"])
def test_disturbed(name: str) -> None:
    program = distribution(name).program("train", 0)
    best = co_gym.solve(MIP().from_program(program), "scip")
    assert best.solution is not None
    assert best.objective is not None
    first, second = (disturbed(program, float(best.objective), SHORT, run) for run in range(2))
    assert first.is_feasible(best.solution)
    assert not np.array_equal(first.c, second.c)
    worst = co_gym.solve(MIP().from_program(replace(first, c=-program.c)), "scip").solution
    assert worst is not None
    behind = abs(program.evaluate(worst) - float(best.objective)) / abs(float(best.objective))
    assert 0 < behind <= 0.05 * (1 + 1e-6)


def test_chosen() -> None:
    settings = PoolSettings(solutions=3, cutoff=0.1)
    values = np.array([[1, 0], [0, 1], [0, 1], [1, 1], [0, 0]], dtype=bool)
    objectives = np.array([10.5, 10.0, 10.0, 12.0, 10.9])
    assert chosen(objectives, values, True, settings).tolist() == [1, 0, 4]
    assert chosen(objectives, values, False, settings).tolist() == [3, 4]
    assert chosen(-objectives, values, False, replace(settings, solutions=2)).tolist() == [1, 0]


def test_files(tmp_path: Path) -> None:
    found = list(collect_pools("set-cover-tiny", "train", range(2), SHORT, tmp_path, jobs=2))
    assert sorted(one.index for one in found) == [0, 1]
    for one in found:
        pool = Pool.load(tmp_path / "train" / f"{one.index:05d}.npz")
        assert (len(pool), pool.objectives[0]) == (one.solutions, one.best)
        assert 0 < pool.seconds <= one.seconds
    assert read_manifest(tmp_path) == "set-cover-tiny"
    assert missing(tmp_path, "train", range(3)) == [2]
    assert list(collect_pools("set-cover-tiny", "train", range(2), SHORT, tmp_path)) == []


def test_files_of_a_folder(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pools = tmp_path / "pools"
    (found,) = collect_pools("models", "validation", [1], QUICK, pools)
    assert (found.index, found.solutions > 0) == (1, True)
    assert read_manifest(pools) == str(models)
    with pytest.raises(
        InputError, match=r"distribution\.json: field 'distribution' is '.*models': expected 'auct"
    ):
        next(collect_pools("auction-tiny", "train", [0], QUICK, pools))
    assert not (pools / "train").exists()


def test_a_failing_instance_does_not_stop_the_others(tmp_path: Path) -> None:
    a = small(0)
    put(tmp_path / "models/train", a=infeasible(a), b=replace(a, integer=np.zeros_like(a.integer)), c=a)
    (tmp_path / "models/train/d.mps").write_text("ROWS\n nonsense\n")
    found = list(collect_pools(str(tmp_path / "models"), "train", range(4), QUICK, tmp_path / "pools"))
    assert [one.solutions > 0 for one in found] == [False, False, True, False]
    first, second, third = failures(tmp_path / "pools", "train")
    assert (first, second[:18]) == ("a: no solution was found", "b: there are no bi")
    assert "d.mps" in third
    assert missing(tmp_path / "pools", "train", range(4)) == []
    require_pools(tmp_path / "pools", "train")
    (tmp_path / "pools/train/00002.npz").unlink()
    with pytest.raises(InputError, match="train: expected a pool of at least one instance: a: no solution"):
        require_pools(tmp_path / "pools", "train")


def test_what_repeats_another_is_left_out(models: Path) -> None:
    found = located(str(models))
    places = compared(found, ["validation"])
    assert places == [("train", 0), ("train", 1), ("train", 2), ("validation", 0), ("validation", 1)]
    repeats = repeated(found, places)
    assert repeats == {("train", 1): ("train", 0), ("validation", 0): ("train", 2)}
    assert numbers_of(found, "train", None, repeats) == [0, 2]
    assert numbers_of(found, "train", 1, repeats) == [0]
    assert numbers_of(found, "validation", 8, repeats) == [1]
    with pytest.raises(InputError, match="models: all files of the split validation repeat others"):
        numbers_of(found, "validation", None, {**repeats, ("validation", 1): ("train", 0)})


def test_how_many_instances() -> None:
    found = distribution("auction-tiny")
    assert numbers_of(found, "train") == list(range(GENERATED))
    assert numbers_of(found, "validation") == list(range(GENERATED // 4))
    assert numbers_of(found, "train", 6) == list(range(6))
    assert numbers_of(found, "validation", 3) == numbers_of(found, "test", 7) == [0]
    assert len(numbers_of(found, "validation", 100_000)) == found.count("validation")


def test_what_is_asked_for_is_checked(tmp_path: Path) -> None:
    put(tmp_path / "few/train", a=small(0))
    found = located(str(tmp_path / "few"))
    require_instances(found, ["train"])
    with pytest.raises(
        InputError, match=r"few: none of the files is in the split validation .*1 train.*subfolders"
    ):
        require_instances(found, ["train", "validation"])
    with pytest.raises(InputError, match="unknown split 'nonsense'"):
        require_instances(found, ["nonsense"])
    with pytest.raises(InputError, match="0 splits"):
        require_instances(found, [])
    with pytest.raises(InputError, match="instances 0"):
        require_instances(found, ["train"], 0)
    with pytest.raises(InputError, match="unknown distribution"):
        located("nonsense")


def test_the_script_makes_pools_of_both_splits_and_goes_on(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        settings = [f"--settings.{name}={value}" for name, value in vars(QUICK).items()]
        monkeypatch.setattr(sys, "argv", ["collect_pools.py", "models", *settings, *arguments])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    pools = tmp_path / "runs/pools/models"
    assert "2 of 5 files repeat others and are left out: train/b.mps = train/a.mps, valid" in run("--instances=1")
    assert json.loads((pools / "distribution.json").read_text()) == {"distribution": str(models)}
    kept = {path: path.read_bytes() for path in pools.rglob("*.npz")}
    assert {str(path.relative_to(pools)) for path in kept} == {"train/00000.npz", "validation/00001.npz"}
    run("--splits=[train]")
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert {path.name for path in (pools / "train").iterdir()} == {"00000.npz", "00002.npz"}
    put(models / "train", a=infeasible(small(0)))
    with pytest.raises(
        SystemExit, match=r"collect_pools\.py: other/train: expected a pool of at least one instance"
    ):
        run("--splits=[train]", "--instances=1", "--output=other")
    assert "1 without a pool (delete a file .none to try it again): a: no solution" in capsys.readouterr().out


def test_nothing_to_predict() -> None:
    program = distribution("set-cover-tiny").program("train", 0)
    with pytest.raises(InputError, match="no binary variables"):
        make_pool(replace(program, integer=np.zeros(200, dtype=bool)), SHORT)


def test_no_solution() -> None:
    program = distribution("set-cover-tiny").program("train", 0)
    rows = replace(program, row_lower=np.full(100, 201.0), row_upper=np.full(100, np.inf))
    assert make_pool(rows, SHORT) is None


@pytest.mark.parametrize("wrong", [{"solutions": 0}, {"runs": -1}, {"cutoff": 0.0}, {"seconds": -1.0}])
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        PoolSettings(**wrong)  # type: ignore[arg-type]
