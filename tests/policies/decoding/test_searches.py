"""What holds for every search, and what each promises."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from co_gym import verify
from co_gym.envs import unstack
from co_gym.envs.wrappers import augment
from co_gym.errors import InputError
from policies.decoding import (
    ActiveSearch,
    BeamSearch,
    Greedy,
    MultiStart,
    Sampling,
    Search,
    SimulationGuidedBeamSearch,
    Solutions,
)
from policies.decoding.augmentation import augmented
from policies.policy import ConstructivePolicy

Draw = Callable[..., dict[str, Tensor]]

SEARCHES: dict[str, Callable[..., Search]] = {
    "greedy": lambda **k: MultiStart(num_starts=0, **k),
    "starts": lambda **k: MultiStart(**k),
    "samples": lambda **k: MultiStart(Sampling(0.7, seed=1), num_starts=3, samples=4, **k),
    "beam": lambda **k: BeamSearch(5, num_starts=0, **k),
    "beam of starts": lambda **k: BeamSearch(3, **k),
    "guided": lambda **k: SimulationGuidedBeamSearch(2, 3, **k),
    "guided from free starts": lambda **k: SimulationGuidedBeamSearch(3, 2, num_starts=0, **k),
    "active": lambda **k: ActiveSearch(4, **k),
}
DETERMINISTIC = [name for name in SEARCHES if name not in ("samples", "active")]


def assert_verified(policy: ConstructivePolicy, data: dict[str, Tensor], found: Solutions) -> None:
    name = policy.environment.problem
    for b, instance in enumerate(unstack(name, data)):
        check = verify(instance, found.solution[b].numpy(), claimed=found.objective[b].item())
        assert check.ok, check


@pytest.mark.parametrize("name", SEARCHES)
def test_objectives_are_those_of_the_verifier(
    name: str, tsp: ConstructivePolicy, knapsack: ConstructivePolicy, cities: Draw, items: Draw
) -> None:
    for policy, data, copies in ((tsp, cities(3, 8), 8), (knapsack, items(3, 8), 1)):
        found = SEARCHES[name](augmentations=copies)(policy, data)
        assert found.solution.shape == (3, 8)
        assert found.solution.dtype is torch.int64
        assert found.details["finished"]
        assert_verified(policy, data, found)


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_a_batch_is_its_instances_one_by_one(
    name: str, tsp: ConstructivePolicy, knapsack: ConstructivePolicy, cities: Draw, items: Draw
) -> None:
    """And however the batch is cut."""
    for policy, data in ((tsp, cities(5, 7)), (knapsack, items(5, 7))):
        whole = SEARCHES[name]()(policy, data)
        cut = SEARCHES[name](batch_numbers=30)(policy, data)
        for found in (whole, cut):
            for b in range(5):
                one = SEARCHES[name]()(policy, {key: value[b : b + 1] for key, value in data.items()})
                assert torch.equal(one.solution[0], found.solution[b])
                assert (one.objective[0], one.start[0]) == (found.objective[b], found.start[b])


@pytest.mark.parametrize("name", SEARCHES)
def test_the_policy_stays_as_it_is(name: str, knapsack: ConstructivePolicy, items: Draw) -> None:
    knapsack.train()
    before = {key: value.clone() for key, value in knapsack.state_dict().items()}
    data = items(2, 6)
    kept = {key: value.clone() for key, value in data.items()}
    SEARCHES[name]()(knapsack, data)
    assert knapsack.training
    assert all(torch.equal(before[key], value) for key, value in knapsack.state_dict().items())
    assert all(parameter.grad is None for parameter in knapsack.parameters())
    assert all(torch.equal(kept[key], value) for key, value in data.items())


@pytest.mark.parametrize("name", SEARCHES)
def test_a_deadline_leaves_a_solution_of_each_instance(name: str, tsp: ConstructivePolicy, cities: Draw) -> None:
    data = cities(3, 6)
    found = SEARCHES[name](augmentations=8, batch_numbers=1)(tsp, data, deadline=lambda: True)
    assert not found.details["finished"]
    assert found.augmentation.tolist() == [0, 0, 0]
    assert_verified(tsp, data, found)


def test_several_starts_are_a_loop_over_single_ones(tsp: ConstructivePolicy, cities: Draw) -> None:
    data = cities(4, 7)
    with torch.no_grad():
        encoding = tsp.eval().encode(data)
    environment: Any = tsp.environment
    best: list[tuple[float, int]] = [(math.inf, -1)] * 4
    for start in range(7):
        state = environment.reset(data)
        environment.step(state, torch.full((4,), start))
        while not state.all_done:
            one = state.take_starts(torch.zeros(4, 1, dtype=torch.int64))
            environment.step(state, tsp.logits(encoding, one)[:, 0].argmax(-1))
        best = [min(old, (float(new), start)) for old, new in zip(best, environment.objective(state), strict=True)]
    found = MultiStart()(tsp, data)
    assert list(zip(found.objective.tolist(), found.start.tolist(), strict=True)) == best
    assert found.details["episodes"] == 28


def test_samples_of_a_start_are_different_episodes(tsp: ConstructivePolicy, cities: Draw) -> None:
    data = cities(1, 9)
    found = MultiStart(Sampling(seed=2), num_starts=1, samples=60)(tsp, data)
    single = MultiStart(Sampling(seed=2), num_starts=1)(tsp, data)
    assert found.objective < single.objective
    assert int(found.start) == 0
    assert found.details["episodes"] == 60


def test_the_winning_copy_is_exact(tsp: ConstructivePolicy, cities: Draw) -> None:
    """Each copy solved on its own, valued on the instance as it was given."""
    data = cities(6, 9)
    found = MultiStart(augmentations=8)(tsp, data)
    copies = augment(data["coordinates"]).view(8, 6, 9, 2)
    environment: Any = tsp.environment
    for b in range(6):
        ranks = []
        for turn in range(8):
            with torch.no_grad():
                encoding = tsp.eval().encode({"coordinates": copies[turn, b : b + 1]})
            state = tsp.rollout(encoding, Greedy(), num_starts=9).state
            original = replace(state, data={"coordinates": data["coordinates"][b : b + 1]}, arrays=None)
            ranks += [(float(v), turn, s) for s, v in enumerate(environment.objective(original)[0])]
        assert (float(found.objective[b]), int(found.augmentation[b]), int(found.start[b])) == min(ranks)
    assert len(set(found.augmentation.tolist())) > 1


def test_symmetric_instances_tie_and_the_first_copy_wins(tsp: ConstructivePolicy) -> None:
    """Every tour of an equilateral triangle is equally long, whichever copy and start it comes from."""
    corners = torch.tensor([[[0.1, 0.2], [0.8, 0.3], [0.4, 0.9]]])
    found = MultiStart(augmentations=8)(tsp, {"coordinates": corners, "distances": 1 - torch.eye(3).unsqueeze(0)})
    assert (int(found.augmentation), int(found.start), float(found.objective)) == (0, 0, 3.0)


def test_copies_are_those_of_the_environments(cities: Draw) -> None:
    points = cities(2, 5)["coordinates"]
    turned = augmented({"coordinates": points.repeat(8, 1, 1)}, torch.arange(8).repeat_interleave(2))
    assert torch.allclose(turned["coordinates"], augment(points), atol=1e-7)


def test_a_beam_of_one_is_greedy(
    tsp: ConstructivePolicy, knapsack: ConstructivePolicy, cities: Draw, items: Draw
) -> None:
    for policy, data in ((tsp, cities(4, 8)), (knapsack, items(4, 8))):
        assert torch.equal(
            BeamSearch(1, num_starts=0)(policy, data).solution, MultiStart(num_starts=0)(policy, data).solution
        )


def test_a_wide_beam_holds_every_solution(tsp: ConstructivePolicy, cities: Draw) -> None:
    """In the order of their probabilities, computed for each permutation on its own; the shortest tour wins."""
    data = cities(1, 4)
    with torch.no_grad():
        encoding = tsp.eval().encode(data)
    environment: Any = tsp.environment
    scored = []
    for tour in itertools.permutations(range(4)):
        state, log_prob = environment.reset(data), 0.0
        for city in tour:
            one = state.take_starts(torch.zeros(1, 1, dtype=torch.int64))
            log_prob += float(tsp.logits(encoding, one)[0, 0].log_softmax(-1)[city])
            environment.step(state, torch.tensor([city]))
        scored.append((-log_prob, tour, float(environment.objective(state))))
    scored.sort()
    search = BeamSearch(100, num_starts=0)
    (found,) = search.episodes(tsp, encoding)
    assert found.state.done.shape == (1, 24)
    assert [tuple(row) for row in found.state.tour[0].tolist()] == [tour for _, tour, _ in scored]  # type: ignore[attr-defined]
    assert float(search(tsp, data).objective) == min(length for _, _, length in scored)
    (narrow,) = BeamSearch(3, num_starts=0).episodes(tsp, encoding)
    assert narrow.state.done.shape == (1, 3)


def test_a_wide_beam_solves_knapsacks(knapsack: ConstructivePolicy, items: Draw) -> None:
    """Episodes end at different times and children run out; the best of all subsets is found."""
    data = items(4, 5)
    found = BeamSearch(400, num_starts=0)(knapsack, data)
    for b in range(4):
        p, w, c = (data[key][b].numpy() for key in ("profits", "weights", "capacity"))
        subsets = (np.array(bits) for bits in itertools.product((0, 1), repeat=5))
        assert int(found.objective[b]) == max(int(x @ p) for x in subsets if x @ w <= c)


def test_simulations_never_do_worse_than_greedy(
    tsp: ConstructivePolicy, knapsack: ConstructivePolicy, cities: Draw, items: Draw
) -> None:
    for policy, data in ((tsp, cities(8, 9)), (knapsack, items(8, 12))):
        for starts in (None, 0):
            greedy = MultiStart(num_starts=starts)(policy, data).objective
            guided = SimulationGuidedBeamSearch(2, 2, num_starts=starts)(policy, data).objective
            gain = (guided - greedy) * (1 if policy.environment.maximize else -1)
            assert bool((gain >= 0).all())
            assert bool((gain > 0).any())


def test_wide_simulations_enumerate(tsp: ConstructivePolicy, cities: Draw) -> None:
    data = cities(3, 5)
    best = BeamSearch(1000, num_starts=0)(tsp, data).objective
    assert torch.equal(SimulationGuidedBeamSearch(200, 5)(tsp, data).objective, best)


def test_active_search_learns(tsp: ConstructivePolicy, cities: Draw) -> None:
    """Never worse than greedy; and its draws become better, as they would not by chance (0.3 % is one sigma)."""
    data = cities(5, 12)
    search = ActiveSearch(24, samples=3, learning_rate=0.05)
    assert bool((search(tsp, data).objective <= MultiStart()(tsp, data).objective).all())
    with torch.no_grad():
        encoding = tsp.eval().encode(data)
        found = [tsp.environment.objective(found.state) for found in search.episodes(tsp, encoding)]
    means = torch.stack([value[:, :36].mean() for value in found[1:]])
    assert float(means[-4:].mean()) < 0.98 * float(means[:3].mean())


def test_active_search_follows_its_best_solution(knapsack: ConstructivePolicy, items: Draw) -> None:
    """The last episode of each iteration is the best so far, though episodes differ in length."""
    data = items(4, 9)
    with torch.no_grad():
        encoding = knapsack.eval().encode(data)
        best = torch.full((4,), -1)
        for found in ActiveSearch(6, num_starts=2, samples=2).episodes(knapsack, encoding):
            value = knapsack.environment.objective(found.state)
            if value.shape[1] == 5:
                assert torch.equal(value[:, -1], best)
            best = torch.maximum(best, value.amax(1))


def test_a_decoder_without_the_hook(
    tsp: ConstructivePolicy, cities: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    from policies.decoders.base import Decoder

    monkeypatch.setattr(type(tsp.decoder), "adaptable", Decoder.adaptable)
    with pytest.raises(InputError, match="PointerDecoder cannot be adapted"):
        ActiveSearch(1)(tsp, cities(1, 4))


def test_polishing_competes_with_what_it_was_given(tsp: ConstructivePolicy, cities: Draw) -> None:
    data = cities(3, 6)
    plain = MultiStart()(tsp, data)
    best = BeamSearch(1000, num_starts=0)(tsp, data)
    order = torch.arange(6)

    def spoil(own: dict[str, Tensor], tours: Tensor) -> Tensor:
        return order.expand_as(tours)

    def perfect(own: dict[str, Tensor], tours: Tensor) -> Tensor:
        assert tours.shape == (3, 6, 6)
        assert torch.equal(own["coordinates"], data["coordinates"])
        return best.solution.unsqueeze(1).expand_as(tours)

    assert bool((MultiStart(polish=spoil)(tsp, data).objective <= plain.objective).all())
    assert torch.equal(MultiStart(polish=perfect)(tsp, data).objective, best.objective)


def test_one_city_and_nothing_to_pack(tsp: ConstructivePolicy, knapsack: ConstructivePolicy, cities: Draw) -> None:
    empty = {"profits": torch.ones(1, 3), "weights": torch.full((1, 3), 5), "capacity": torch.tensor([2])}
    for search in SEARCHES.values():
        assert search()(tsp, cities(1, 1)).solution.tolist() == [[0]]
        assert search()(knapsack, empty).solution.tolist() == [[0, 0, 0]]


def test_wrong_arguments(tsp: ConstructivePolicy, knapsack: ConstructivePolicy, items: Draw, cities: Draw) -> None:
    for make, name in (
        (lambda: MultiStart(num_starts=-1), "num_starts"),
        (lambda: MultiStart(samples=0), "samples"),
        (lambda: MultiStart(batch_numbers=0), "batch_numbers"),
        (lambda: BeamSearch(0), "width"),
        (lambda: SimulationGuidedBeamSearch(expansion=0), "expansion"),
        (lambda: ActiveSearch(0), "iterations"),
        (lambda: ActiveSearch(learning_rate=0.0), "learning_rate"),
        (lambda: MultiStart(augmentations=9)(tsp, cities(1, 4)), "augmentations"),
        (lambda: MultiStart(augmentations=8)(knapsack, items(1, 4)), "Items has no symmetries"),
        (lambda: MultiStart()(tsp, cities(0, 4)), "no instance"),
    ):
        with pytest.raises(InputError, match=name):
            make()
