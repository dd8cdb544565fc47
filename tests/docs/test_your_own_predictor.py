"""The four commands of the page, as they stand there, on a folder of small files."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from co_gym.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "your-own-predictor.md"


@pytest.mark.slow
def test_the_four_commands(tmp_path: Path) -> None:
    for split, count in (("train", 6), ("validation", 2), ("test", 1)):
        folder = tmp_path / "models" / split
        words = ["generate", "milp/set-cover-tiny", "--split", split, "--count", str(count)]
        assert main([*words, "--output", str(folder)]) == 0
    [file] = (tmp_path / "models" / "test").iterdir()
    file.rename(file.with_name("model_00000.mps"))
    for name in ("scripts", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    commands = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)[0].splitlines()
    assert len(commands) == 4
    for command in commands:
        program, *words = shlex.split(command)
        start = [sys.executable] if program == "python" else [str(Path(sys.executable).with_name(program))]
        words += ["--json"] if program == "co-gym" else []
        done = subprocess.run([*start, *words], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == "optimal"
    assert found["details"]["prediction-heuristic"]["chosen"] > 0
    card = json.loads((tmp_path / "runs/models/models.json").read_text(encoding="utf-8"))
    assert card["budget"]["instances"] == 6
    assert card["budget"]["labelling_minutes"] >= 0
    assert card["results"]["models"]["auc"] > 50
