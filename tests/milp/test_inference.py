import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from co_gym.errors import InputError
from milp.inference import load_scorer
from milp.scorers import GCNNScorer, HybridScorer
from policies.branching.batch import tensors
from policies.branching.cards import BranchingBudget, BranchingCard
from policies.branching.format import BipartiteGraph
from policies.branching.network import BranchingNetwork
from policies.branching.samples import batch_of
from policies.branching.synthetic import random_graph
from policies.branching.weights import save
from policies.weights.cards import Part
from policies.weights.networks import build

PARTS = {
    "gcnn": Part(class_path="policies.branching.gcnn.GCNN", init_args={"width": 24}),
    "hybrid": Part(class_path="policies.branching.hybrid.Hybrid", init_args={"features": 7, "width": 16}),
    "deep": Part(
        class_path="policies.branching.hybrid.Hybrid",
        init_args={"features": 7, "width": 8, "layers": 3, "root_width": 12},
    ),
    "perceptron": Part(
        class_path="policies.branching.hybrid.Hybrid", init_args={"features": 7, "width": 16, "root": False}
    ),
}


def sample(seed, n=60, m=40, k=15):
    rng = np.random.default_rng(seed)
    features = (rng.normal(size=(k, 7)) * [1, 1e4, 1e-6, 1, 1, 0, 1] + [0, 0, 0, 0, 1e6, 3, 0]).astype(np.float32)
    return random_graph(seed, n, m, 0.1), rng.permutation(n)[:k].astype(np.int32), features


def batch(graph, candidates, features):
    own = {"candidates": torch.from_numpy(candidates), "features": torch.from_numpy(features)}
    return batch_of([(tensors(graph), [own | {"scores": torch.ones(len(candidates))}])])


def written(name, folder):
    """A network with statistics of its own, and its files."""
    torch.manual_seed(0)
    network = build(PARTS[name], BranchingNetwork, folder).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    network.fit([batch(*sample(seed)) for seed in (5, 6)])
    budget = BranchingBudget(instances=2, minutes=1.0, threads=1, machine="a test")
    card = BranchingCard(name=name, network=PARTS[name], trained=(), seed=0, budget=budget, feature_version=1)
    return network, save(network, card, folder)


@pytest.mark.parametrize("name", PARTS)
def test_scores_are_those_of_the_network(name, tmp_path):
    network, path = written(name, tmp_path)
    scorer = load_scorer(name, tmp_path)
    assert scorer.needs_graph == network.needs_graph == (name == "gcnn")
    assert isinstance(scorer, GCNNScorer if name == "gcnn" else HybridScorer)
    for seed, size in ((1, 60), (2, 200), (3, 30)):
        given = sample(seed, n=size)
        scorer.prepare(given[0])
        found = scorer.scores(*given)
        expected = network(batch(*given)).detach().numpy()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-4 * max(1.0, abs(expected).max()))
        again = scorer.scores(*given)
        np.testing.assert_array_equal(found, again)
    assert load_scorer(path).card.name == name


@pytest.mark.parametrize("name", ["gcnn", "hybrid"])
def test_the_order_of_columns_and_rows_does_not_matter(name, tmp_path):
    written(name, tmp_path)
    scorer = load_scorer(name, tmp_path)
    graph, candidates, features = sample(4)
    scorer.prepare(graph)
    expected = scorer.scores(graph, candidates, features)
    other, column = relabelled(graph)
    scorer.prepare(other)
    found = scorer.scores(other, column[candidates], features)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    turned = scorer.scores(other, column[candidates][::-1].copy(), features[::-1])
    np.testing.assert_allclose(turned[::-1], expected, atol=1e-4)


def relabelled(graph):
    rng = np.random.default_rng(0)
    n, m = len(graph.variables), len(graph.rows)
    column, row = rng.permutation(n).astype(np.int32), rng.permutation(m)
    counts = np.diff(graph.indptr)
    rows = row[np.repeat(np.arange(m), counts)]
    order = np.argsort(rows, kind="stable")
    other = BipartiteGraph(
        graph.variables[np.argsort(column)],
        graph.rows[np.argsort(row)],
        np.r_[0, np.bincount(rows, minlength=m).cumsum()].astype(np.int32),
        column[graph.indices][order],
        graph.values[order],
    )
    return other, column


def test_a_matrix_that_changes_is_noticed(tmp_path):
    network, _ = written("gcnn", tmp_path)
    scorer = load_scorer("gcnn", tmp_path)
    graph, candidates, features = sample(1)
    scorer.prepare(graph)
    other = BipartiteGraph(graph.variables, graph.rows, graph.indptr, graph.indices, graph.values * 2)
    expected = network(batch(other, candidates, features)).detach().numpy()
    np.testing.assert_allclose(scorer.scores(other, candidates, features), expected, atol=1e-3)


def test_graphs_without_rows_and_single_candidates(tmp_path):
    for name in PARTS:
        network, _ = written(name, tmp_path)
        scorer = load_scorer(name, tmp_path)
        graph, candidates, features = sample(1, k=1)
        none = np.empty(0, np.int32)
        empty = BipartiteGraph(
            graph.variables, graph.rows[:0], np.zeros(1, np.int32), none, np.empty(0, np.float32)
        )
        scorer.prepare(empty)
        found = scorer.scores(empty, candidates, features)
        expected = network(batch(empty, candidates, features)).detach().numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_misuse_of_the_hybrid(tmp_path):
    written("hybrid", tmp_path)
    scorer = load_scorer("hybrid", tmp_path)
    graph, candidates, features = sample(1)
    with pytest.raises(InputError, match="call prepare first"):
        scorer.scores(graph, candidates, features)
    scorer.prepare(graph)
    with pytest.raises(InputError, match="6 features of a candidate: weights 'hybrid' take 7"):
        scorer.scores(graph, candidates, features[:, :6])
    with pytest.raises(InputError, match="column 60: the root has 60"):
        scorer.scores(graph, candidates * 0 + 60, features)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["network"].update(class_path="os.system"), "'network.class_path' is 'os.system': expected"),
        (lambda c: c["network"]["init_args"].update(width=17), r"is float32 \[.*\]: expected floats \["),
        (lambda c: c["network"]["init_args"].update(width=-1), "width' is -1: expected 1 to"),
        (lambda c: c["network"]["init_args"].update(width="w"), "'network.init_args.width' is 'w': expected int"),
        (lambda c: c["network"]["init_args"].update(depth=1), "unknown field 'network.init_args.depth'"),
        (lambda c: c["network"]["init_args"].pop("features"), "'network.init_args.features' is missing"),
        (lambda c: c["network"]["init_args"].update(root=False), "unexpected weights"),
        (lambda c: c["network"]["init_args"].update(layers=4), "missing weights: hidden.2"),
        (lambda c: c.update(sha256="0"), "field 'sha256' is '0'"),
        (lambda c: c.pop("trained"), "field 'trained' is missing"),
    ],
)
def test_cards_that_are_refused(tmp_path, change, message):
    _, path = written("hybrid", tmp_path)
    card = path.with_suffix(".json")
    data = json.loads(card.read_text())
    change(data)
    card.write_text(json.dumps(data))
    with pytest.raises(InputError, match=message):
        load_scorer("hybrid", tmp_path)


def test_weights_that_are_refused(tmp_path):
    _, path = written("hybrid", tmp_path)
    weights, card = load_file(path), json.loads(path.with_suffix(".json").read_text())
    spoilt = {
        "holds a number that is not finite": weights | {"norm.mean": weights["norm.mean"] * np.nan},
        "'norm.mean' is int64": weights | {"norm.mean": np.zeros(7, np.int64)},
    }
    for message, given in spoilt.items():
        save_file(given, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_suffix(".json").write_text(json.dumps(card | {"sha256": digest}))
        with pytest.raises(InputError, match=message):
            load_scorer("hybrid", tmp_path)
    for broken in (b"", b"text", path.read_bytes()[:-10]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="expected weights in the format safetensors"):
            load_scorer("hybrid", tmp_path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_scorer("hybrid", tmp_path)
    with pytest.raises(InputError, match="unknown weights 'none'"):
        load_scorer("none", tmp_path)


def test_no_torch_is_needed():
    code = "import sys, milp.inference; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
