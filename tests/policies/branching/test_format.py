import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from co_gym.errors import InputError
from policies.branching.format import Shard, shards
from policies.branching.synthetic import random_shard


@pytest.mark.parametrize("graphs", [True, False])
def test_what_is_written_is_read(tmp_path, graphs):
    path = tmp_path / "0000.npz"
    shard = random_shard(graphs=graphs)
    shard.save(path)
    found = Shard.load(path)
    for field in fields(Shard):
        left, right = getattr(shard, field.name), getattr(found, field.name)
        assert (left is None and right is None) or np.array_equal(left, right), field.name
    assert found.has_graphs == graphs
    assert not Shard.load(path, graphs=False).has_graphs
    assert [each.name for each in tmp_path.iterdir()] == ["0000.npz"]


def test_the_graphs_of_the_nodes():
    shard = random_shard(seed=3)
    for sample in range(4):
        graph = shard.graph(sample)
        assert len(graph.indptr) == len(graph.rows) + 1
        assert graph.indptr[0] == 0
        assert graph.indptr[-1] == len(graph.indices) == len(graph.values)
    assert len(shard.graph(0).rows) == 8
    assert len(shard.graph(1).rows) == 7
    assert np.array_equal(shard.graph(0).values, shard.graph(2).values)
    with pytest.raises(InputError, match="no graphs"):
        random_shard(graphs=False).graph(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"scores": s.scores - 100}, "array 'scores' holds -.*at least 0"),
        (lambda s: {"scores": s.scores * np.nan}, "array 'scores' holds a number that is not finite"),
        (lambda s: {"features": s.features.astype(float) * 1e39}, "'features' holds a number that is not finite"),
        (lambda s: {"features": s.features[:-1]}, r"array 'features' has shape .* expected \["),
        (lambda s: {"features": s.features.astype(int)}, "array 'features' is int64: expected float32"),
        (lambda s: {"candidates": s.candidates + 100}, "array 'candidates' holds .* expected less than 12"),
        (lambda s: {"candidate_offsets": s.candidate_offsets[::-1]}, "'candidate_offsets': expected offsets"),
        (lambda s: {"root_indices": s.root_indices - 5}, "array 'root_indices' holds -"),
        (lambda s: {"root_indptr": s.root_indptr * 2}, "array 'root_indptr': expected offsets"),
        (lambda s: {"matrix": s.matrix + 1}, "array 'matrix' holds 2: expected less than 2"),
        (lambda s: {"matrix": s.matrix * 0}, "'row_offsets': a sample has not as many rows as its matrix"),
        (lambda s: {"matrix_indptr": s.matrix_indptr[::-1].copy()}, "array 'matrix_indptr': expected offsets"),
        (lambda s: {"variables": None}, "array 'variables' is missing"),
    ],
)
def test_arrays_that_are_refused(tmp_path, change, message):
    path, shard = tmp_path / "0000.npz", random_shard()
    with pytest.raises(InputError, match=rf"0000\.npz: .*{message}"):
        replace(shard, **change(shard)).save(path)
    assert not list(tmp_path.iterdir())


def test_files_that_are_refused(tmp_path):
    path = tmp_path / "0000.npz"
    random_shard().save(path)
    data = path.read_bytes()
    for broken in (b"", b"text", data[: len(data) // 2], data[:-30], data[:300] + b"x" * 50 + data[350:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"0000\.npz: expected samples"):
            Shard.load(path)
    np.savez(path, root_rows=np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"0000\.npz: expected samples"):
        Shard.load(path)
    np.savez(path, nonsense=np.zeros(3))
    with pytest.raises(InputError, match=r"0000\.npz: array 'candidate_offsets' is missing"):
        Shard.load(path)
    with pytest.raises(InputError, match="expected samples"):
        Shard.load(tmp_path / "none.npz")
    with pytest.raises(InputError, match="expected a folder with samples"):
        shards(tmp_path / "none")


def test_writing_needs_no_torch():
    code = "import sys, policies.branching.format; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
