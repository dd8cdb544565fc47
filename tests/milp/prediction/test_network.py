from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from co_gym.errors import InputError
from milp.distributions import distribution
from milp.prediction.weights import DOMAIN, load_predictor
from policies.prediction.features import describe, graph_of
from policies.prediction.network import Predictor
from policies.prediction.synthetic import batch, write_predictor

NAMES = ("set-cover-tiny", "generalized-independent-set-tiny", "item-placement-tiny", "facility-tiny")
FORMS = {
    "plain": {"width": 16, "rounds": 2},
    "competitive": {"width": 12, "rounds": 3, "competitive": True},
}


def written(form: str, folder: Path) -> Predictor:
    programs = {name: distribution(name).program("train", 0) for name in NAMES}
    return write_predictor(folder, programs, form, **FORMS[form])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_marginals_are_those_of_the_network(form: str, name: str, tmp_path: Path) -> None:
    network, predictor = written(form, tmp_path), load_predictor(form, tmp_path)
    for index in (0, 1):
        program = distribution(name).program("train", index)
        logits = network(batch(program)).detach()
        found = predictor.network.logits(graph_of(program))
        np.testing.assert_allclose(found, logits.numpy(), atol=1e-4 * max(1.0, float(logits.abs().max())))
        marginals = predictor.marginals(program)
        expected = network.marginals(logits).numpy()[program.binary]
        np.testing.assert_allclose(marginals[program.binary], expected, atol=1e-4)
        assert np.isnan(marginals[~program.binary]).all()


def test_torch_is_not_needed(tmp_path: Path) -> None:
    written("competitive", tmp_path)
    code = (
        "import sys\n"
        "from milp.distributions import distribution\n"
        "from milp.prediction.weights import load_predictor\n"
        "predictor = load_predictor(sys.argv[1])\n"
        "predictor.marginals(distribution('set-cover-tiny').program('test', 0))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "competitive.json")], check=True)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    written("plain", tmp_path)
    predictor = load_predictor(tmp_path / "plain.json")
    with pytest.raises(InputError, match=r"plain: the model lies outside .*\(log rows is"):
        predictor.marginals(distribution("set-cover-hard").program("train", 0))
    near = describe(graph_of(distribution("set-cover-tiny").program("test", 3)))
    assert DOMAIN.reason_outside(predictor.card.trained, near) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"rounds": 2', '"rounds": 0', r"plain\.json: .*rounds' is 0: expected 1 to"),
        ('"width": 16', '"width": 8', r"plain\.safetensors: .*expected floats"),
        ("network.Predictor", "network.Round", r"expected policies\.prediction\.network\.Predictor"),
        ('"loss": "cross-entropy"', '"loss": 3', r"field 'loss' is 3"),
    ],
)
def test_cards_that_do_not_fit(old: str, new: str, message: str, tmp_path: Path) -> None:
    written("plain", tmp_path)
    path = tmp_path / "plain.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_predictor(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    written("plain", tmp_path)
    path = tmp_path / "plain.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="plain"):
        load_predictor("plain", tmp_path)
