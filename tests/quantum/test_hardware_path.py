"""From the command line to devices, as far as that goes without an account: answers, ledgers, interruptions."""

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

from co_gym.cli import main
from quantum.backends.fast import SimulatedCircuit
from quantum.backends.ibm import Runtime
from quantum.backends.ledger import Ledger
from quantum.backends.primitives import SampledCircuit
from quantum.setup import Setup

ROOT = Path(__file__).parents[2]
ITEMS = """6 10 3800
100 600 1200 2400 500 2000
8 12 13 64 22 41
8 12 13 75 22 41
3 6 4 18 6 4
5 10 8 32 6 12
5 13 8 42 6 20
5 13 8 48 6 20
0 0 0 0 8 0
3 0 4 0 8 0
3 2 4 0 8 4
3 2 4 8 8 4
80 96 20 36 44 48 10 18 22 24
"""
"""The first problem of OR-Library's mknap1 (Petersen 1967), whose optimum is 3800."""
QUICK = ["--method", "qaoa", "--layers", "1", "--evaluations", "12", "--comparison", "false", "--json"]
PLAIN = [*QUICK, "--backend", "generic:6"]
SAMPLED = [*QUICK, "--backend", "fast", "--tuning", "samples"]
BUNDLE = [*SAMPLED, "--encoding", "augmented", "--multipliers", "bundle", "--steps", "3"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "petersen.txt"
    path.write_text(ITEMS)
    return path


@pytest.fixture
def run(file: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `co-gym solve` on the file; its exit code, the result without its time, and standard error."""

    def go(*words: str | Path) -> tuple[int, Any, str]:
        code = main(["solve", str(file), *map(str, words)])
        out, err = capsys.readouterr()
        found = json.loads(out) if out else None
        if found is not None:
            del found["runtime_seconds"]
        return code, found, err

    return go


def finished(ledger: Path) -> list[dict[str, Any]]:
    """Requests whose samples are in a ledger."""
    records = [json.loads(line) for line in ledger.read_text().splitlines()]
    return [one["request"] for one in records if one["kind"] == "finished"]


def test_a_noisy_device_ends_with_a_verified_answer_and_everything_is_counted(run: Any) -> None:
    code, found, err = run(*PLAIN)
    details = found["details"]
    assert (code, err) == (0, "")
    assert found["feasible"]
    assert 0 < found["objective"] <= 3800 < found["bound"]
    assert (details["qubits"], details["two_qubit_gates"]) == (6, 30)  # all pairs of qubits, two gates each
    assert details["depth"] >= 2 * 5  # each qubit has five partners
    assert details["tuned_on"] == "samples"
    assert 0 < details["evaluations"] <= 12
    assert details["shots"] == 1024 * (details["evaluations"] + 1)
    assert 0 < details["p_optimal"] < details["feasible_fraction"] < 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tuning", "exact"], "backend generic:6 knows no exact distribution: expected tuning samples"),
        (["--backend", "generic:4"], "the circuit has 6 qubits: generic:4 has 4"),
        (["--backend", "generic:six"], "expected a number of qubits"),
        (["--encoding", "hinge"], "no gates"),
        (["--ledger", "no/such/folder"], "no/such/folder: cannot be opened: No such file or directory"),
    ],
)
def test_what_a_device_cannot_do_is_said_in_one_line(run: Any, words: list[str], message: str) -> None:
    code, found, err = run(*PLAIN, *words)
    assert (code, found, err.count("\n")) == (2, None, 1)
    assert message in err


@pytest.mark.parametrize("device", ["fake_torino", "ibm:ibm_torino"])
def test_without_the_package_of_ibm_its_installation_is_named(
    run: Any, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "qiskit_ibm_runtime", None)
    code, found, err = run(*QUICK, "--backend", device)
    assert (code, found, err.count("\n")) == (2, None, 1)
    assert 'pip install "co-gym-suite[ibm]"' in err


def test_without_an_account_it_is_said_who_keeps_them(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from qiskit.exceptions import QiskitError

    def service() -> None:
        raise QiskitError("Unable to find account.")

    monkeypatch.setattr(Runtime, "installed", lambda: Runtime(service, None, None, None))
    code, found, err = run(*QUICK, "--backend", "ibm:ibm_torino")
    assert (code, found, err.count("\n")) == (2, None, 1)
    assert "no access to ibm_torino: Unable to find account." in err
    assert "QiskitRuntimeService.save_account" in err


def test_without_an_account_the_package_itself_is_understood(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    own = {name: value for name, value in os.environ.items() if not name.startswith("QISKIT")}
    done = in_process("", file, [*QUICK, "--backend", "ibm:ibm_torino"], own | {"HOME": str(tmp_path)})
    assert done.returncode == 2
    assert "no access to ibm_torino" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("device", ["fake_torino", "fake_sherbrooke"])
def test_snapshots_of_devices_solve_it_as_well(run: Any, device: str) -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    code, found, _ = run(*QUICK, "--backend", device)
    assert code == 0
    assert found["feasible"]
    assert found["details"]["qubits"] >= 6
    assert found["details"]["two_qubit_gates"] > 30  # a device connects few pairs of qubits


def in_process(
    code: str, file: Path, words: list[str], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same command in a process of its own, after some code."""
    start = f"{code}\nimport sys; from co_gym.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", start, "solve", str(file), *words]
    environment = {**(environment or os.environ), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


KILLED = """
import os, signal
from quantum.backends.{module} import {kind}
sample, calls = {kind}.sample, []
def killed(*args):
    calls.append(args)
    if len(calls) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return sample(*args)
{kind}.sample = killed
"""
"""The process ends without warning when it samples for so many times."""


@pytest.mark.parametrize(
    ("words", "module", "kind", "at"),
    [
        (PLAIN, "primitives", "SampledCircuit", 5),
        (BUNDLE, "fast", "SimulatedCircuit", 30),
    ],
)
def test_a_killed_run_that_is_started_again_ends_as_if_nothing_had_been(
    run: Any, file: Path, tmp_path: Path, words: list[str], module: str, kind: str, at: int
) -> None:
    ledger, other = tmp_path / "ledger.jsonl", tmp_path / "other.jsonl"
    died = in_process(KILLED.format(module=module, kind=kind, at=at), file, [*words, "--ledger", str(ledger)])
    assert died.returncode == -signal.SIGKILL, died.stderr
    before = finished(ledger)
    assert len(before) == at - 1
    code, found, _ = run(*words, "--ledger", ledger)
    assert code == 0
    assert (0, found, "") == run(*words, "--ledger", other)
    after = finished(ledger)
    assert after[: len(before)] == before
    assert after == finished(other)
    assert len({json.dumps(request) for request in after}) == len(after)
    assert sum(request["shots"] for request in after) == found["details"]["shots"]


def test_a_finished_run_is_told_again_without_a_sample(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SAMPLED, "--ledger", tmp_path / "ledger.jsonl"]
    first = run(*words)
    content = (tmp_path / "ledger.jsonl").read_bytes()
    monkeypatch.setattr(SimulatedCircuit, "sample", lambda *_: pytest.fail("sampled again"))
    assert run(*words) == first
    assert (tmp_path / "ledger.jsonl").read_bytes() == content
    code, found, err = run(*words, "--comparison", "true")  # samples do not depend on what stands beside them
    assert (code, err, found["objective"]) == (0, "", first[1]["objective"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shots", "100"], "shots = 1024 (now 100)"),
        (["--backend", "generic:7"], "backend = generic:6 (now generic:7)"),
        (["--seed", "3"], "seed = 0 (now 3)"),
    ],
)
def test_a_ledger_of_another_run_is_refused(run: Any, tmp_path: Path, words: list[str], message: str) -> None:
    ledger = tmp_path / "ledger.jsonl"
    few = [*PLAIN, "--evaluations", "1", "--ledger", ledger]
    assert run(*few)[0] == 0
    content = ledger.read_bytes()
    code, found, err = run(*few, *words)
    assert (code, found, err.count("\n")) == (2, None, 1)
    assert f"the ledger is of another run: {message}; choose another file" in err
    assert ledger.read_bytes() == content


def test_a_ledger_of_other_data_under_the_same_name_is_refused(run: Any, file: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    few = [*PLAIN, "--evaluations", "1", "--ledger", ledger]
    assert run(*few)[0] == 0
    file.write_text(ITEMS.replace("2400", "2300"))
    code, _, err = run(*few)
    assert (code, err.count("\n")) == (2, 1)
    assert "differs from the recorded one in circuit" in err


def over_after(calls: float, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is up when a ledger holds the results of so many calls, but not before there is a circuit."""
    monkeypatch.setattr(Setup, "without_circuit", lambda setup: None)
    monkeypatch.setattr(Setup, "is_over", lambda setup: len(finished(ledger)) >= calls)


@pytest.mark.parametrize(("words", "cuts"), [(SAMPLED, [3, 4, 9]), (BUNDLE, [2, 12, 13, 14, 26, 40])])
def test_a_run_that_time_has_cut_goes_on_where_it_was_cut(
    run: Any, tmp_path: Path, words: list[str], cuts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, seen = tmp_path / "ledger.jsonl", []
    words = [*words, "--ledger"]
    whole = run(*words, tmp_path / "whole.jsonl")
    for cut in cuts:
        over_after(cut, ledger, monkeypatch)
        code, found, err = run(*words, ledger)
        assert (code, err, found["feasible"]) == (0, "", True)
        seen.append(len(finished(ledger)))
        assert run(*words, ledger) == (code, found, err)  # time is up at once: the same, without a sample
        assert len(finished(ledger)) == seen[-1]
    assert seen == sorted(seen)
    over_after(np.inf, ledger, monkeypatch)
    assert run(*words, ledger) == whole
    requests = [json.dumps(request) for request in finished(ledger)]
    assert len(set(requests)) == len(requests)
    assert {json.dumps(request) for request in finished(tmp_path / "whole.jsonl")} <= set(requests)


def test_a_job_that_an_ending_has_handed_in_is_not_handed_in_again(tmp_path: Path) -> None:
    path, final = tmp_path / "ledger.jsonl", {"angles": "best"}
    bits = np.array([[0, 1]], dtype=np.uint8)
    with Ledger(path, {}) as ledger:
        ledger.finish(ledger.call({"angles": "first"}), bits)
        assert not ledger.is_over(lambda: False)
        assert ledger.is_over(lambda: True)
        tag = ledger.ask(ledger.call(final))
        ledger.submitted(ledger.call(final), "job-1")
    for ending in (True, False):  # time is up again, then it is not and the run comes to ask for the same
        with Ledger(path, {}) as ledger:
            assert not ledger.is_over(lambda: True)  # not before what is recorded
            assert ledger.call({"angles": "first"}).bits is not None
            assert ledger.is_over(lambda ending=ending: ending) is ending
            call = ledger.call(final)
            assert (call.tag, call.job, call.bits) == (tag, "job-1", None)
    with Ledger(path, {}) as ledger:
        ledger.call({"angles": "first"})
        assert not ledger.is_over(lambda: True)  # the job is of the run now, which waits for it
        ledger.finish(ledger.call(final), bits)
        assert ledger.is_over(lambda: True)
    with Ledger(path, {}) as ledger:
        ledger.call({"angles": "first"})
        kept = ledger.call(final).bits
        assert kept is not None
        assert np.array_equal(kept, bits)


def test_after_ctrl_c_the_best_sample_is_the_answer_and_the_run_can_go_on(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*PLAIN, "--evaluations", "6", "--ledger", tmp_path / "ledger.jsonl"]
    sample, calls = SampledCircuit.sample, []

    def pressed(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
        return sample(*args)

    with monkeypatch.context() as patched:
        patched.setattr(SampledCircuit, "sample", pressed)
        code, found, _ = run(*words)
    assert code == 0
    assert found["feasible"]
    assert found["objective"] > 0
    assert len(finished(tmp_path / "ledger.jsonl")) == 3
    assert run(*words) == run(*words[:-2])
