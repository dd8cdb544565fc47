from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.backends.base import Compiled, Counts, JobFailed
from quantum.backends.ledger import Ledger
from quantum.backends.recorded import Recorded
from quantum.circuits import Circuit, Rotation, uniform

Y = np.array([0.0, 1.0, 0.0])


def circuit(q: int = 3) -> Circuit:
    return Circuit(q, (Rotation(np.tile(Y, (q, 1)), np.arange(q)),), q, uniform(q))


class Coins:
    """A local backend of independent qubits that writes down what it samples, and may be killed while it does."""

    name, noisy = "coins", False

    def __init__(self, diary: Path, killed_at: int = -1) -> None:
        self.diary, self.killed_at = diary, killed_at

    def compile(self, circuit: Circuit) -> Compiled:
        return CoinsOf(circuit, self)

    def note(self, word: str) -> int:
        with open(self.diary, "a") as file:
            file.write(word + "\n")
        return len(self.diary.read_text().splitlines())


class CoinsOf:
    simulator = None
    counts = Counts(3, 0, 1)

    def __init__(self, circuit: Circuit, backend: Any) -> None:
        self.circuit, self.backend = circuit, backend

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        if self.backend.note("sampled") == self.backend.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.bits(angles, shots, seed)

    def bits(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        ones = np.sin(angles / 2 + np.pi / 4) ** 2
        draws = np.random.default_rng(seed).random((*ones.shape[:-1], shots, ones.shape[-1]))
        return (draws < ones[..., None, :]).astype(np.uint8)


class Generic(Coins):
    """A noisy device that is killed likewise."""

    def compile(self, circuit: Circuit) -> Compiled:
        from quantum.backends import backend

        made = CoinsOf(circuit, self)
        made.bits = backend("generic:5").compile(circuit).sample  # type: ignore[method-assign]
        return made


class Farm(Coins):
    """A remote backend: jobs are files in a directory, which outlive the process."""

    name = "farm"

    def __init__(self, directory: Path, killed: str = "", at: int = -1, failing: int = -1) -> None:
        super().__init__(directory / "diary")
        self.directory, self.killed, self.at, self.failing = directory, killed, at, failing

    def compile(self, circuit: Circuit) -> Compiled:
        return FarmOf(circuit, self)

    def die(self, when: str, number: int) -> None:
        if (when, number) == (self.killed, self.at):
            os.kill(os.getpid(), signal.SIGKILL)


class FarmOf(CoinsOf):
    def submit(self, angles: NDArray, shots: int, seed: int, tag: str) -> str:
        number = len(list(self.backend.directory.glob("*.json")))
        self.backend.die("before", number)
        job = {"tag": tag, "angles": angles.tolist(), "shots": shots, "seed": seed, "number": number}
        (self.backend.directory / f"{number}.json").write_text(json.dumps(job))
        self.backend.die("after", number)
        return str(number)

    def find(self, tag: str) -> str | None:
        jobs = (json.loads(file.read_text()) for file in self.backend.directory.glob("*.json"))
        return next((str(job["number"]) for job in jobs if job["tag"] == tag), None)

    def fetch(self, job: str, shots: int) -> NDArray:
        self.backend.die("waiting", int(job))
        if int(job) == self.backend.failing:
            raise JobFailed(f"job {job} has failed")
        asked = json.loads((self.backend.directory / f"{job}.json").read_text())
        return self.bits(np.atleast_2d(asked["angles"]), asked["shots"], asked["seed"])

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        raise AssertionError("not through the ledger")


CALLS = 6


def optimize(backend: Any, ledger: Path, calls: int = CALLS) -> list[float]:
    """A loop whose every step depends on the bits before: angles follow the shares of ones."""
    with Ledger(ledger, {"instance": "three coins", "calls": CALLS}) as made:
        compiled = Recorded(backend, made).compile(circuit())
        angles = np.array([0.1, -0.2, 0.3])
        for seed in range(calls):
            bits = compiled.sample(np.stack([angles, -angles]), 50, seed)
            angles = angles + 0.3 * (bits[0].mean(axis=0) - bits[1].mean(axis=0)) - 0.1
    return [float(angle) for angle in angles]


def in_process(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Python with this module's names."""
    start = "import runpy, sys; from pathlib import Path; m = runpy.run_path(sys.argv[1]); globals().update(m); "
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", start + code, __file__, *args]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=False
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    place = tmp_path_factory.mktemp("whole")
    return optimize(Coins(place / "diary"), place / "ledger.jsonl")


def test_after_a_kill_the_run_goes_on_and_samples_nothing_again(
    tmp_path: Path, uninterrupted: list[float]
) -> None:
    diary, ledger = tmp_path / "diary", tmp_path / "ledger.jsonl"
    ended = in_process("optimize(Coins(Path(sys.argv[2]), 4), Path(sys.argv[3]))", str(diary), str(ledger))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert len(diary.read_text().splitlines()) == 4
    assert optimize(Coins(diary), ledger) == uninterrupted
    assert len(diary.read_text().splitlines()) == CALLS + 1  # the one that was killed while it sampled
    assert optimize(Coins(diary), ledger) == uninterrupted
    assert len(diary.read_text().splitlines()) == CALLS + 1


def test_a_killed_run_on_a_noisy_device_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = optimize(Generic(tmp_path / "other"), tmp_path / "other.jsonl")
    diary, ledger = tmp_path / "diary", tmp_path / "ledger.jsonl"
    ended = in_process("optimize(Generic(Path(sys.argv[2]), 3), Path(sys.argv[3]))", str(diary), str(ledger))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert optimize(Generic(diary), ledger) == whole
    assert len(diary.read_text().splitlines()) == CALLS + 1


@pytest.mark.parametrize("killed", ["before", "after", "waiting"])
def test_after_a_kill_no_job_is_handed_in_twice(killed: str, tmp_path: Path, uninterrupted: list[float]) -> None:
    """Before the service has the job, before its id is known here, and while its result is waited for."""
    code = "optimize(Farm(Path(sys.argv[2]), sys.argv[3], 2), Path(sys.argv[2]) / 'ledger.jsonl')"
    ended = in_process(code, str(tmp_path), killed)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert len(list(tmp_path.glob("*.json"))) == (2 if killed == "before" else 3)
    assert optimize(Farm(tmp_path), tmp_path / "ledger.jsonl") == uninterrupted
    jobs = [json.loads(file.read_text()) for file in tmp_path.glob("*.json")]
    assert len(jobs) == CALLS
    assert len({json.dumps([job["angles"], job["seed"]]) for job in jobs}) == CALLS


def test_an_exception_between_submission_and_result_costs_no_job(
    tmp_path: Path, uninterrupted: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Any, job: str, shots: int) -> NDArray:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FarmOf, "fetch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            optimize(Farm(tmp_path), tmp_path / "ledger.jsonl")
    assert len(list(tmp_path.glob("*.json"))) == 1
    assert optimize(Farm(tmp_path), tmp_path / "ledger.jsonl") == uninterrupted
    assert len(list(tmp_path.glob("*.json"))) == CALLS


def test_a_job_that_failed_is_handed_in_again_under_another_tag(
    tmp_path: Path, uninterrupted: list[float]
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with pytest.raises(JobFailed, match="job 1 has failed"):
        optimize(Farm(tmp_path, failing=1), ledger)
    assert optimize(Farm(tmp_path), ledger) == uninterrupted
    tags = [json.loads(file.read_text())["tag"] for file in tmp_path.glob("*.json")]
    assert len(set(tags)) == len(tags) == CALLS + 1


def test_the_last_line_may_be_cut_anywhere(tmp_path: Path, uninterrupted: list[float]) -> None:
    diary, ledger = tmp_path / "diary", tmp_path / "ledger.jsonl"
    optimize(Coins(diary), ledger, calls=2)
    whole = ledger.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in (start, start + 1, start + 5, start + 12, (start + len(whole)) // 2, len(whole) - 1):
        ledger.write_bytes(whole[:end])
        diary.write_text("")
        assert optimize(Coins(diary), ledger) == uninterrupted
        assert len(diary.read_text().splitlines()) == CALLS - 1
    for end in (0, 3, 30):
        ledger.write_bytes(whole[:end])
        assert optimize(Coins(diary), ledger) == uninterrupted


def test_any_other_damage_is_told_with_its_line(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    optimize(Coins(tmp_path / "diary"), ledger, calls=3)
    whole = ledger.read_bytes()
    lines = whole.splitlines(keepends=True)
    rng = np.random.default_rng(0)
    for _ in range(40):
        at = int(rng.integers(0, len(whole) - 1))
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(0, 7))
        ledger.write_bytes(damaged)
        line = 1 + whole[:at].count(b"\n")
        with pytest.raises(InputError, match=f"ledger.jsonl:{line}:"):
            optimize(Coins(tmp_path / "diary"), ledger)
        assert ledger.read_bytes() == damaged
    ledger.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(InputError, match=r"ledger\.jsonl:2: the ledger is damaged"):
        optimize(Coins(tmp_path / "diary"), ledger)


def test_files_that_are_no_ledgers_are_left_as_they_are(tmp_path: Path) -> None:
    for text in ("a note", "a note\n", "{}\n", '{"crc": 1}\nmore'):
        (tmp_path / "note").write_text(text)
        with pytest.raises(InputError, match="note:1: "):
            Ledger(tmp_path / "note", {})
        assert (tmp_path / "note").read_text() == text
    with pytest.raises(InputError, match="cannot be opened"):
        Ledger(tmp_path / "missing" / "ledger", {})


def test_a_ledger_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path, {"instance": "a", "layers": 3}).close()
    with pytest.raises(InputError, match=r"another run: layers = 3 \(now 2\)"):
        Ledger(path, {"instance": "a", "layers": 2})
    with pytest.raises(InputError, match="shots"):
        Ledger(path, {"instance": "a", "layers": 3, "shots": 5})
    Ledger(path, {"layers": 3, "instance": "a"}).close()


def test_a_run_that_asks_for_something_else_is_refused(tmp_path: Path) -> None:
    def first(backend: Any, angles: NDArray, shots: int, seed: int, q: int = 3) -> NDArray:
        with Ledger(tmp_path / "ledger.jsonl", {}) as ledger:
            return Recorded(backend, ledger).compile(circuit(q)).sample(angles, shots, seed)

    coins = Coins(tmp_path / "diary")
    bits = first(coins, np.zeros(3), 10, 0)
    assert np.array_equal(bits, first(coins, np.zeros(3), 10, 0))
    for args, message in (
        ((coins, np.full(3, 1e-9), 10, 0), "in angles:"),
        ((coins, np.zeros((1, 3)), 10, 0), "in angles:"),
        ((coins, np.zeros(3), 11, 1), "in shots, seed:"),
        ((coins, np.zeros(4), 10, 0, 4), "in circuit, angles:"),
        ((Farm(tmp_path), np.zeros(3), 10, 0), "in backend:"),
    ):
        with pytest.raises(InputError, match=message):
            first(*args)
    with pytest.raises(InputError, match=r"expected \(3,\)"):
        first(coins, np.zeros(2), 10, 0)


def test_two_processes_do_not_share_a_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl", {})
    with pytest.raises(InputError, match="in use"):
        Ledger(tmp_path / "ledger.jsonl", {})
    ledger.close()
    Ledger(tmp_path / "ledger.jsonl", {}).close()


@pytest.mark.parametrize("name", ["fast", "generic:3"])
def test_real_backends_are_recorded(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quantum.backends import backend

    def run(calls: int) -> list[NDArray]:
        with Ledger(tmp_path / "ledger.jsonl", {"backend": name}) as ledger:
            compiled = Recorded(backend(name), ledger).compile(circuit())
            bits = [compiled.sample(np.full(3, 0.1 * seed), 20, seed) for seed in range(calls)]
            assert ledger.finished >= calls
            return bits

    run(2)
    whole, direct = run(4), backend(name).compile(circuit())
    for seed, bits in enumerate(whole):
        assert np.array_equal(bits, direct.sample(np.full(3, 0.1 * seed), 20, seed))
    kind = type(direct)
    monkeypatch.setattr(kind, "sample", lambda *_: pytest.fail("sampled again"))
    assert all(np.array_equal(a, b) for a, b in zip(run(4), whole, strict=True))
