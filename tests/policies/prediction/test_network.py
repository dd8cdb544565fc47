from __future__ import annotations

import pytest
import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.branching.batch import Batch, edges_of
from policies.prediction.network import Competition, Predictor

N, M = 11, 8


def random_graph(seed: int) -> Batch:
    """A graph in which a row and a column may be empty."""
    generator = torch.Generator().manual_seed(seed)
    dense = torch.randn(M, N, generator=generator) * (torch.rand(M, N, generator=generator) < 0.35)
    dense[seed % M], dense[:, seed % N] = 0.0, 0.0
    return {
        "variables": torch.rand(N, 6, generator=generator),
        "rows": torch.randn(M, 4, generator=generator),
        **entries(dense),
    }


def entries(dense: Tensor) -> Batch:
    rows, columns = dense.nonzero(as_tuple=True)
    counts = rows.bincount(minlength=len(dense))
    indptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)]).int()
    return {"indptr": indptr, "indices": columns.int(), "values": dense[rows, columns]}


def dense_of(graph: Batch) -> Tensor:
    return torch.sparse_coo_tensor(
        edges_of(graph).edge_index, graph["values"], (M, N), check_invariants=False
    ).to_dense()


def fitted(competitive: bool, seed: int = 0) -> Predictor:
    torch.manual_seed(seed)
    network = Predictor(width=16, competitive=competitive)
    network.fit([random_graph(k) for k in range(4)])
    return network


@pytest.mark.parametrize("competitive", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_order_of_columns_and_rows_does_not_matter(seed: int, competitive: bool) -> None:
    network, graph = fitted(competitive), random_graph(seed)
    generator = torch.Generator().manual_seed(seed)
    columns, rows = torch.randperm(N, generator=generator), torch.randperm(M, generator=generator)
    moved = {
        "variables": graph["variables"][columns],
        "rows": graph["rows"][rows],
        **entries(dense_of(graph)[rows][:, columns]),
    }
    with torch.no_grad():
        one, other = network(graph), network(moved)
    assert one.std() > 1e-3
    torch.testing.assert_close(one[columns], other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_competition_against_dense_matrices(seed: int) -> None:
    graph, layer = random_graph(seed), Competition().double()
    with torch.no_grad():
        layer.beta.fill_(0.7)
    a = (dense_of(graph) != 0).double()
    down, up = a.sum(1).clamp_min(1).diag().inverse(), a.sum(0).clamp_min(1).diag().inverse()
    h = torch.randn(N, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed), requires_grad=True)
    torch.testing.assert_close(layer(h, edges_of(graph)), h - 0.7 * up @ a.T @ down @ a @ h)
    assert torch.autograd.gradcheck(lambda x: layer(x, edges_of(graph)), [h])


def test_competition_is_learned_and_begins_with_a_half() -> None:
    network = fitted(competitive=True)
    betas = [value for name, value in network.named_parameters() if name.endswith("beta")]
    assert [beta.item() for beta in betas] == [0.5, 0.5]
    network(random_graph(1)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(beta.grad.item() != 0 for beta in betas if beta.grad is not None)


def test_coefficients_reach_the_network() -> None:
    network, graph = fitted(competitive=False), random_graph(3)
    with torch.no_grad():
        assert not torch.allclose(network(graph), network(graph | {"values": 2 * graph["values"]}))


def test_marginals_follow_the_calibration() -> None:
    network, logits = fitted(competitive=False), torch.linspace(-3, 3, 50)
    network.calibrate(logits, (2 * logits - 1).sigmoid(), torch.ones(50))
    torch.testing.assert_close(network.marginals(logits), (2 * logits - 1).sigmoid(), rtol=0.01, atol=1e-3)
    assert {"scale", "shift"} <= network.state_dict().keys()


@pytest.mark.parametrize("given", [{"width": 0}, {"rounds": 0}])
def test_arguments_are_checked(given: dict[str, int]) -> None:
    with pytest.raises(InputError, match="expected at least 1"):
        Predictor(**given)  # type: ignore[arg-type]
