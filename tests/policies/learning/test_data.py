from dataclasses import replace

import numpy as np
import pytest
import torch

from co_gym.envs.tsp import TSPEnv
from co_gym.errors import InputError, SolverError
from co_gym.io import write
from co_gym.problems.mis import MIS
from co_gym.problems.tsp import TSP
from co_gym.verifier import verify
from policies import testsets
from policies.learning.batches import Keys, Loader, Stored
from policies.learning.data import GeneratedBatches, GeneratedData, Source
from policies.learning.files import FileData, SolvedData
from policies.learning.labels import Labels
from policies.learning.validation import prepared
from policies.tasks.tsp import TSPTask


def batches(seed=0, sources=None, length=4, **options):
    return GeneratedBatches("tsp", sources or [Source(6)], batch_size=3, length=length, seed=seed, **options)


def epochs(loader, count):
    found = []
    for epoch in range(count):
        loader.sampler.set_epoch(epoch)
        found.append([batch["coordinates"] for batch in loader])
    return found


def test_a_batch_depends_on_seed_epoch_and_number_alone():
    first, again = batches(), batches(length=9)
    assert torch.equal(first[2, 3]["coordinates"], again[2, 3]["coordinates"])
    others = (first[1, 3], first[2, 2], batches(seed=1)[2, 3])
    assert not any(torch.equal(first[2, 3]["coordinates"], other["coordinates"]) for other in others)


@pytest.mark.parametrize("workers", [0, 1])
def test_epochs_differ_whoever_draws(workers):
    data = batches()
    found = epochs(Loader(data, len(data), workers=workers), 2)
    expected = [[data[epoch, i]["coordinates"] for i in range(4)] for epoch in range(2)]
    assert all(torch.equal(*pair) for a, b in zip(found, expected, strict=True) for pair in zip(a, b, strict=True))
    assert not torch.equal(found[0][0], found[1][0])


def test_processes_share_no_batch():
    ranks = [list(Keys(3, rank, 2)) for rank in range(2)]
    assert sorted(ranks[0] + ranks[1]) == [(0, i) for i in range(6)]
    assert len(ranks[0]) == 3


@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_an_interrupted_epoch_goes_on_where_it_was(done):
    data = batches()
    loader = Loader(data, len(data))
    iterator = iter(loader)
    for _ in range(done):
        next(iterator)
    state = loader.state_dict()
    assert state == {"done": done}
    resumed = Loader(data, len(data))
    resumed.load_state_dict(state)
    rest = [batch["coordinates"] for batch in resumed]
    expected = [data[0, i]["coordinates"] for i in range(done % 4, 4)]
    assert all(torch.equal(*pair) for pair in zip(rest, expected, strict=True))
    assert resumed.state_dict() == {"done": 4}
    assert len(list(resumed)) == 4  # the next epoch is whole


def test_sources_come_and_go():
    sources = [Source(5, to_epoch=2), Source(6, from_epoch=1, weight=3.0), Source(7, "clustered", from_epoch=3)]
    data = batches(sources=sources, length=60)
    sizes = [[data[epoch, i]["coordinates"].shape[1] for i in range(60)] for epoch in range(4)]
    assert [set(each) for each in sizes] == [{5}, {5, 6}, {6}, {6, 7}]
    assert 30 < sizes[1].count(6) < 57  # 45 expected


def test_an_epoch_without_sources_is_an_error():
    with pytest.raises(InputError, match="epoch 1"):
        batches(sources=[Source(5, to_epoch=1)])[1, 0]


@pytest.mark.parametrize("bad", [{"size": 0}, {"size": 5, "weight": 0.0}])
def test_sources_out_of_range_are_refused(bad):
    with pytest.raises(InputError, match="expected size >= 1"):
        Source(**bad)


def test_graphs_and_knapsacks_are_drawn_too():
    graphs = GeneratedBatches("mis", [Source(8)], 3, 2, 0)[0, 0]
    assert graphs["adjacency"].shape == (3, 8, 8)
    knapsacks = GeneratedBatches("knapsack", [Source(8)], 3, 2, 0)[0, 0]
    assert knapsacks["weights"].shape == (3, 8)


def test_labels_are_solutions_of_the_instances():
    data = GeneratedBatches("mis", [Source(8)], 3, 2, 0, Labels("scip", seconds=5.0))
    batch = data[0, 1]
    independent = batch["solution"].bool()
    assert not (batch["adjacency"] & independent.unsqueeze(1) & independent.unsqueeze(2)).any()
    assert (independent.sum(1) >= 2).all()


def test_labels_that_cannot_be_found_are_an_error():
    instance = MIS().generate(40, seed=1)
    with pytest.raises((InputError, SolverError), match="no-such-method"):
        Labels("no-such-method").of(instance)


def test_stored_instances_are_all_seen_in_each_epoch():
    groups = [{"x": torch.arange(5)}, {"x": torch.arange(10, 14)}]
    data = Stored(groups, batch_size=2, seed=3)
    seen = [[data[epoch, i]["x"] for i in range(len(data))] for epoch in range(2)]
    assert all(sorted(torch.cat(each).tolist()) == [0, 1, 2, 3, 4, 10, 11, 12, 13] for each in seen)
    assert torch.cat(seen[0]).tolist() != torch.cat(seen[1]).tolist()
    assert all(len({x // 10 for x in batch.tolist()}) == 1 for batch in seen[0])
    in_order = Stored(groups, batch_size=2)
    assert torch.cat([in_order[1, i]["x"] for i in range(len(in_order))]).tolist() == [
        0,
        1,
        2,
        3,
        4,
        10,
        11,
        12,
        13,
    ]


def test_validation_has_the_references_of_the_test_set():
    data = GeneratedData("tsp", [Source(6)], validation=["tsp20", "tsp50"], validation_count=3, validation_batch=2)
    loaded = [[batch["reference"] for batch in loader] for loader in data.val_dataloader()]
    assert data.validation_names() == ["tsp20", "tsp50"]
    for name, found in zip(("tsp20", "tsp50"), loaded, strict=True):
        assert torch.cat(found).tolist() == pytest.approx(testsets.load(name).references(3).tolist())


def test_files_are_grouped_by_size(tmp_path):
    folder = tmp_path / "instances"
    folder.mkdir()
    instances = MIS().generate(8, count=3, seed=1) + MIS().generate(9, count=2, seed=2)
    for i, instance in enumerate(instances):
        write(folder / f"{i}.col", instance)
    (folder / "optima.csv").write_text("instance,optimum\n0,4\n4,5\n")
    data = FileData([str(folder)], [str(folder)], batch_size=2, labels=Labels("scip", seconds=5.0))
    data.setup("fit")
    sizes = [batch["weights"].shape for batch in data.train_dataloader()]
    assert sorted(sizes) == [(1, 8), (2, 8), (2, 9)]
    (loader,) = data.val_dataloader()
    references = torch.cat([batch["reference"] for batch in loader])
    assert references.tolist() == pytest.approx([4, np.nan, np.nan, np.nan, 5], nan_ok=True)
    for batch in data.train_dataloader():
        chosen = batch["solution"].bool()
        assert not (batch["adjacency"] & chosen.unsqueeze(1) & chosen.unsqueeze(2)).any()


def test_cities_of_files_are_moved_into_the_unit_square(tmp_path):
    points = np.random.default_rng(0).integers(0, 5000, (7, 2)).astype(float)
    plain = TSP().instance({"coordinates": points})
    rounded = TSP().instance(
        {"coordinates": points, "distances": np.rint(TSP().distances(plain)).astype(np.int64)}
    )
    for instance in (plain, rounded):
        tour = np.array([0, 3, 1, 2, 6, 5, 4])
        batch = prepared(replace(instance, reference=TSP().objective(instance, tour)), TSPTask(), tour)
        assert batch["coordinates"].amin() >= 0
        assert batch["coordinates"].amax() <= 1
        assert batch["solution"].tolist() == [tour.tolist()]
        state = TSPEnv().reset({k: v for k, v in batch.items() if k in ("coordinates", "distances")})
        for city in tour:
            TSPEnv().step(state, torch.tensor([city]))
        assert TSPEnv().objective(state).item() == pytest.approx(batch["reference"].item(), rel=1e-5)


def test_files_of_several_problems_are_refused(tmp_path, data):
    write(tmp_path / "a.col", MIS().generate(8))
    write(tmp_path / "b.tsp", TSP().generate(5))
    with pytest.raises(InputError, match="one problem, found mis, tsp"):
        FileData([str(tmp_path)])
    with pytest.raises(InputError, match="no such file"):
        FileData([str(tmp_path / "c.tsp")])


def solved(path, **changes):
    given = {"problem": "knapsack", "source": Source(8), "path": str(path), "count": 5, "batch_size": 2, "seed": 1}
    return SolvedData(**given | changes, labels=Labels("scip", seconds=5.0))


def test_solved_instances_are_kept(tmp_path):
    path = tmp_path / "deep" / "solved.npz"
    data = solved(path)
    data.prepare_data()
    written = path.read_bytes()
    data.prepare_data()
    data.setup("fit")
    assert path.read_bytes() == written
    assert [p.name for p in path.parent.iterdir()] == ["solved.npz"]
    batch = data.training[0, 0]
    (first, _) = unstacked(batch)
    assert verify(first, batch["solution"][0].numpy()).feasible
    assert len(data.train_dataloader()) == 3
    with pytest.raises(InputError, match='"count": 5'):
        solved(path, count=6).setup("fit")
    path.write_text("nothing")
    with pytest.raises(InputError, match="expected solved instances"):
        data.setup("fit")


def unstacked(batch):
    from co_gym.envs.batch import unstack

    return unstack("knapsack", {key: value for key, value in batch.items() if key != "solution"})
