from __future__ import annotations

import pytest

from co_gym.cli import main
from milp.distributions.catalogue import FAMILIES
from milp.pretrained_weights import shipped


def test_distributions_are_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["distributions", "--family", "set-cover"]) == 0
    out = capsys.readouterr().out
    assert all(f"set-cover-{level}" in out for level in FAMILIES["set-cover"].levels)
    assert "1,000" in out
    assert "Balas and Ho 1980" in out
    assert "auction" not in out


def test_unknown_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distributions", "--family", "set-covers"]) == 2
    assert "did you mean set-cover" in capsys.readouterr().err


def test_branching_weights_are_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["branching"]) == 0
    out = capsys.readouterr().out
    for name, card in shipped().items():
        assert name in out
        assert f"{card.budget.samples:,}" in out
    assert "Hybrid" in out
    assert "GCNN" in out
