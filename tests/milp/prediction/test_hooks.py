from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

import co_gym
from co_gym.cli import main
from co_gym.errors import InputError
from co_gym.io import write
from co_gym.solvers.base import Options
from milp import PredictionHeuristic
from milp.distributions import distribution
from milp.model import build_model
from milp.prediction.hooks import HOOKS
from milp.prediction.weights import load_predictor, nearest, shipped
from policies.prediction.synthetic import write_predictor

NAME = "set-cover-tiny"
LSEU = Path(__file__).parents[2] / "data" / "lseu.mps"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("weights")
    write_predictor(folder, {NAME: distribution(NAME).program("train", 0)}, width=8, rounds=1)
    return str(folder / "random.json")


@pytest.mark.parametrize("name", shipped())
def test_shipped_weights_know_their_distribution(name: str) -> None:
    card = shipped()[name]
    program = distribution(card.trained[0].name).program("test", 99)
    assert nearest(program) == name
    marginals = load_predictor(name).marginals(program)[program.binary]
    assert ((marginals > 0) & (marginals < 1)).all()
    assert set(card.hooks) <= HOOKS.keys()


def test_weights_ship() -> None:
    assert len(shipped()) >= 3


def solved(**settings: str) -> co_gym.Result:
    instance = distribution(NAME).instance("test", 0)
    return co_gym.solve(instance, "scip", options=Options(60, settings=settings))


@pytest.mark.parametrize("hooks", [*HOOKS, "+".join(HOOKS), None])
def test_hooks_leave_the_optimum_and_report(hooks: str | None, weights: str) -> None:
    found = solved(predict=weights, **({} if hooks is None else {"hooks": hooks}))
    assert (found.status, found.objective) == ("optimal", solved().objective)
    for name in (hooks or "prediction-heuristic").split("+"):
        assert found.details[name]["chosen"] >= 0
        assert not found.details[name]["ended"].startswith(("failed", "not asked"))


def test_weights_on_a_model_in_one_line(weights: str) -> None:
    model, _ = build_model(distribution(NAME).program("test", 0))
    hook = PredictionHeuristic(weights).include(model)
    model.optimize()
    assert model.getStatus() == "optimal"
    assert hook.statistics.chosen == 200


def test_what_is_not_known_is_refused(weights: str) -> None:
    with pytest.raises(InputError, match="unknown hook 'diving'"):
        solved(predict=weights, hooks="diving")
    with pytest.raises(InputError, match="need a prediction"):
        solved(hooks="predict-and-search")
    with pytest.raises(InputError, match="unknown weights 'nothing'"):
        solved(predict="nothing")
    with pytest.raises(InputError, match="unknown weights 'nothing'"):
        solved(predict="nothing", hooks="predict-and-search")


def test_without_a_prediction(caplog: pytest.LogCaptureFixture) -> None:
    assert solved(hooks="prediction-heuristic").details["prediction-heuristic"]["chosen"] == 0
    (instance,) = co_gym.read(LSEU)
    with caplog.at_level(logging.WARNING, logger="milp.prediction"):
        found = co_gym.solve(instance, "scip", options=Options(60, settings={"predict": "auto"}))
    assert (found.status, found.objective) == ("optimal", 1120)
    assert found.details["prediction-heuristic"]["chosen"] == 0
    assert "nothing is predicted" in caplog.text


def test_weights_for_another_kind_of_model_are_said_and_not_used(
    weights: str, caplog: pytest.LogCaptureFixture
) -> None:
    (instance,) = co_gym.read(LSEU)
    with caplog.at_level(logging.WARNING, logger="milp.prediction"):
        found = co_gym.solve(instance, "scip", options=Options(60, settings={"predict": weights}))
    assert (found.status, found.objective) == ("optimal", 1120)
    assert "random: the model lies outside of what was trained on" in caplog.text


def test_the_command_line(weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.mps"
    write(path, distribution(NAME).instance("test", 1))
    words = ["solve", str(path), "--method", "scip", "--json"]
    assert main([*words, "--predict", weights, "--hooks", "predict-and-search"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "optimal"
    assert "predict-and-search" in found["details"]
    assert main([*words, "--predict", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
    assert main(["prediction"]) == 0
    assert "Weights that predict solutions" in capsys.readouterr().out
