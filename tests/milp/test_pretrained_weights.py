from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from co_gym.errors import InputError
from milp import LearnedBranching
from milp.distributions import distribution
from milp.interrupt import optimize
from milp.model import build_model
from milp.pretrained_weights import DOMAIN, nearest, shipped


def middle(name: str) -> np.ndarray:
    return np.array(shipped()[name].trained[0].mean)


@pytest.mark.parametrize("name", ["auction", "set-cover", "independent-set", "facility"])
def test_the_mean_of_what_was_trained_on_is_within_and_found(name: str) -> None:
    assert DOMAIN.distance(shipped()[name].trained, middle(name)) == 0
    assert DOMAIN.reason_outside(shipped()[name].trained, middle(name)) is None
    assert nearest(middle(name)) == name


def test_mixed_weights_know_all_families() -> None:
    for name in ("auction", "set-cover", "independent-set", "facility"):
        assert DOMAIN.distance(shipped()["mixed"].trained, middle(name)) == 0


def test_the_number_farthest_off_is_named() -> None:
    known = shipped()["auction"].trained[0]
    descriptor = np.array(known.greatest)
    descriptor[0] += 2 * DOMAIN.tolerance[0]
    assert DOMAIN.beyond(known, descriptor).argmax() == 0
    reason = DOMAIN.reason_outside((known,), descriptor)
    assert reason is not None
    assert reason.startswith("log columns is")
    descriptor[0] = known.greatest[0] + 0.9 * DOMAIN.tolerance[0]
    assert DOMAIN.reason_outside((known,), descriptor) is None


def test_a_card_of_other_numbers_is_refused() -> None:
    known = replace(shipped()["auction"].trained[0], least=(0.0,), greatest=(1.0,))
    with pytest.raises(InputError, match="describes instances by 1 numbers"):
        DOMAIN.beyond(known, middle("auction"))


def test_auto_picks_the_family_and_keeps_its_name() -> None:
    model, _ = build_model(distribution("auction-tiny").program("test", 1))
    rule = LearnedBranching().include(model)
    for _ in range(2):
        optimize(model)
        assert rule.statistics.weights == "auction"
        assert rule.statistics.decisions > 0
        model.freeTransform()


def test_weights_hand_over_outside_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    model, _ = build_model(distribution("auction-tiny").program("test", 1))
    rule = LearnedBranching("set-cover").include(model)
    with caplog.at_level(logging.WARNING, logger="milp.branching"):
        optimize(model)
    assert rule.statistics.fallbacks["outside"] == rule.statistics.calls > 0
    assert "set-cover: the instance lies outside" in caplog.text
