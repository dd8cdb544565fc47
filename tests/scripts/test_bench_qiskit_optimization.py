from __future__ import annotations

import importlib
import json
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from co_gym.errors import CoGymError, InputError, SolverError

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("bench_qiskit_optimization")


def stub(folder: Path, *lines: str) -> str:
    """A program in the place of the peer's interpreter, which writes a file of requests."""
    path = folder / "stub"
    head = [f"#!{sys.executable}", "import json, sys", "for line in sys.stdin:", "    asked = json.loads(line)"]
    path.write_text("\n".join([*head, *("    " + line for line in lines)]) + "\n")
    path.chmod(0o755)
    return str(path)


def an_answer(size: int = 8, **changes: Any) -> dict[str, Any]:
    empty = {"solution": [0] * size, "best": 0.0, "share": 0.5}
    return {"wall": 2.0, "cpu": 1.0, "qubits": 13, "evaluations": 20, "circuits": 21} | empty | changes


def test_instances(bench: Any) -> None:
    for seed in range(5):
        knapsack, graph = bench.knapsack(seed), bench.independent_set(seed)
        weights = knapsack["weights"]
        assert weights.size == 8
        assert 1 <= weights.min() <= weights.max() <= 9
        assert int(knapsack["capacity"]) == weights.sum() // 2
        assert graph["weights"].tolist() == [1] * 12
        assert 5 <= len(graph["edges"]) <= 35  # of 66, 20 expected
    assert bench.knapsack(1)["profits"].tolist() != bench.knapsack(2)["profits"].tolist()
    assert bench.knapsack(1)["profits"].tolist() == bench.knapsack(1)["profits"].tolist()


def test_optimum(bench: Any) -> None:
    knapsack, graph = bench.knapsack(3), bench.independent_set(3)
    profits, weights = knapsack["profits"], knapsack["weights"]
    chosen = [list(c) for k in range(9) for c in combinations(range(8), k)]
    best = max(profits[c].sum() for c in chosen if weights[c].sum() <= knapsack["capacity"])
    assert bench.optimum(knapsack) == best
    apart = nx.complement(nx.Graph(graph["edges"].tolist()))
    apart.add_nodes_from(range(12))
    alone = [v for v in range(12) if not (graph["edges"] == v).any()]
    apart.add_edges_from((v, u) for v in alone for u in range(12) if u != v)
    assert bench.optimum(graph) == max(len(clique) for clique in nx.find_cliques(apart))


@pytest.mark.parametrize("name", ["slack, samples", "slack, exact", "slack-free, samples", "slack-free, exact"])
def test_ours_is_within_the_budget(bench: Any, name: str) -> None:
    instance, budget = bench.knapsack(2026), bench.Budget(layers=2, evaluations=9, shots=200)
    found = bench.ours(instance, bench.OURS[name], budget, seed=1)
    slack = int(instance["capacity"]).bit_length() if name.startswith("slack,") else 0
    assert found.qubits == 8 + slack
    assert found.evaluations == 9
    assert 0 < found.objective <= bench.optimum(instance)
    assert 0.0 < found.p_optimal < 1.0
    assert found.cpu > 0.0


def test_the_peer_is_asked_for_the_same(bench: Any, tmp_path: Path) -> None:
    log = tmp_path / "requests"
    lines = [f"open({str(log)!r}, 'a').write(line)", f"print(json.dumps({an_answer(12)!r}), flush=True)"]
    instance, budget = bench.independent_set(0), bench.Budget(layers=2, evaluations=20, shots=100)
    with bench.peer(stub(tmp_path, *lines), "aer") as ask:
        found = [ask(instance, budget, seed) for seed in (4, 5)]
    assert found == [bench.Solve(2.0, 1.0, 13, 20, 0.0, 0.0)] * 2
    asked = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one.pop("seed") for one in asked] == [4, 5]
    assert asked[0] == asked[1]
    assert asked[0].pop("data") == {"edges": instance["edges"].tolist(), "weights": [1] * 12}
    assert asked[0] == {"problem": "mis", "sampler": "aer", "layers": 2, "evaluations": 20, "shots": 100}


def test_the_peer_is_verified(bench: Any) -> None:
    instance = bench.knapsack(0)
    assert bench.judged(instance, an_answer(solution=[1] * 8)).objective is None
    one = bench.judged(instance, an_answer(solution=[1] + [0] * 7, best=bench.optimum(instance)))
    assert one.objective == instance["profits"][0]
    assert one.p_optimal == 0.5
    with pytest.raises(CoGymError, match="20 circuits for 20 evaluations"):
        bench.judged(instance, an_answer(circuits=20))


def test_no_peer(bench: Any, tmp_path: Path) -> None:
    budget = bench.Budget(1, 10, 10)
    with pytest.raises(InputError, match="no interpreter"), bench.peer(str(tmp_path / "none"), "statevector"):
        pass
    with (
        pytest.raises(SolverError, match="the peer ended"),
        bench.peer(stub(tmp_path, "sys.exit(1)"), "statevector") as ask,
    ):
        ask(bench.knapsack(0), budget, 0)


def test_tables(bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = "'solution': [0] * len(asked['data']['weights'])"
    line = f"print(json.dumps({{**{an_answer()!r}, {changed}}}), flush=True)"
    bench.main(stub(tmp_path, line), layers=1, evaluations=6, shots=64, repeats=2)
    shown = capsys.readouterr().out
    assert shown.count("medians of 2") == 2
    rows = [[cell.strip() for cell in row.split("│")[1:-1]] for row in shown.splitlines() if row.startswith("│")]
    assert [row[0] for row in rows] == ["qiskit-optimization, statevector", *bench.OURS] * 2
    assert rows[0][1:9] == ["13", "20", "0", "0/2", "0.000", "1000", "2000", "1.0"]
    assert rows[1][2] == "6"
    took = {"mine": [bench.Solve(0.5, 0.25, 8, 5 + i, None, 0.1 * i) for i in range(3)]}
    theirs = {"peer": [bench.Solve(2.0, 1.0, 13, 20, 3.0, 0.0)] * 3}
    bench.print_table("some", theirs | took, {"peer": theirs["peer"][0], "mine": took["mine"][0]}, 3.0)
    shown = capsys.readouterr().out
    last = [cell.strip() for cell in shown.splitlines()[-2].split("│")[1:-1]]
    assert last == ["mine", "8", "5–7", "–", "0/3", "0.100", "250", "500", "4.0", "4.0", "500"]


def test_the_peer_itself(bench: Any) -> None:
    pytest.importorskip("qiskit_optimization")
    budget = bench.Budget(layers=1, evaluations=8, shots=256)
    with bench.peer(sys.executable, "statevector") as ask:
        for instance in (bench.knapsack(2026), bench.independent_set(2026)):
            theirs, mine = ask(instance, budget, 0), bench.ours(instance, bench.OURS["slack, samples"], budget, 0)
            assert theirs.qubits == mine.qubits
            assert theirs.evaluations == mine.evaluations == 8
            assert theirs.objective is None or theirs.objective <= bench.optimum(instance)
