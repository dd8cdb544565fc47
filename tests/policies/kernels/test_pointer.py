import numpy as np
import pytest

from policies.kernels import pointer as kernels


def softmax(score, mask):
    e = np.exp(score - score[mask].max()) * mask
    return e / e.sum()


@pytest.mark.parametrize("depth", [3.0, 200.0])
def test_weights_are_a_softmax_even_where_their_exponentials_vanish(depth):
    """With depth 200 the admissible nodes have scores that no float32 exponential can tell from nothing."""
    rng = np.random.default_rng(0)
    heads, n = 2, 7
    tables = -depth * rng.random((1, 2, n + 1, heads * n)).astype(np.float32)
    tables[:, :, :, 0] = tables[:, :, :, n] = 0.0
    mask = np.ones((1, 3, n), bool)
    mask[..., 0] = False
    nodes = np.array([[[1, 2], [3, 3], [-1, 4]]])
    out = np.empty((1, heads, 3, n), np.float32)
    powers = np.exp(np.maximum(tables, kernels.LEAST))
    none = np.zeros((1, 0, heads * n), np.float32), np.zeros((1, 3, 0), np.float32)
    kernels.attention(tables, powers, none[0], nodes, none[1], mask, out)
    for query in range(3):
        first, latest = nodes[0, query]
        score = (tables[0, 0, first].astype(float) + tables[0, 1, latest]).reshape(heads, n)
        for head in range(heads):
            np.testing.assert_allclose(out[0, head, query], softmax(score[head], mask[0, query]), atol=2e-6)


def test_sampling_follows_the_softmax_and_never_leaves_the_mask():
    rng = np.random.default_rng(1)
    logit = np.array([0.5, -np.inf, 1.5, 0.0], np.float32)
    rows = np.tile(logit, (40_000, 1))
    out = np.empty(len(rows), np.int64)
    kernels.sample(rows, rng.random(len(rows)), out)
    expected = softmax(np.where(np.isinf(logit), -1e9, logit.astype(float)), ~np.isinf(logit))
    np.testing.assert_allclose(np.bincount(out, minlength=4) / len(rows), expected, atol=0.012)


@pytest.mark.parametrize("uniform", [0.0, 1.0 - 1e-16, 1.0])
def test_sampling_at_the_ends_of_the_interval(uniform):
    rows = np.array([[-np.inf, 0.0, -np.inf, 3.0, -np.inf]], np.float32)
    out = np.empty(1, np.int64)
    kernels.sample(rows, np.array([uniform]), out)
    assert out[0] in (1, 3)
