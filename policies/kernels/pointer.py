"""The parts of a pointer decoder that are not matrix products.

Arrays are float32 but for indices (int64) and masks (bool). c instances with q queries each; H heads; n nodes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from policies.kernels.fastmath import exp_nonpositive, tanh, vectorized

Floats = NDArray[np.float32]
TINY = np.float32(2e-12)
"""Sums of weights below this are computed anew: a weight is off by at most e^-43, so here by 1e-7 of the sum."""
ZERO = np.float32(0.0)
ONE = np.float32(1.0)
FAR = np.float32(-1e30)
LEAST = -43.0
"""Scores below this count as this where their exponentials are taken beforehand."""


@vectorized
def attention(
    tables: Floats,
    powers: Floats,
    scalar_tables: Floats,
    nodes: NDArray[np.int64],
    scalars: Floats,
    mask: NDArray[np.bool_],
    out: Floats,
) -> None:
    """Softmax of the glimpse's scores, which are sums of rows of tables.

    Without scalars the exponential of a sum is a product of numbers that are there already; where this loses
    precision, because all that is admissible has tiny weights, the exponentials are taken anew.

    Args:
        tables: [c, K, n + 1, H * n]; scores by context node, each head's row at most 0; row n: no such node.
        powers: The exponentials of the tables, those below -43 of -43.
        scalar_tables: [c, C, H * n]; scores to be multiplied by the scalars.
        nodes: [c, q, K]; -1 for no node.
        scalars: [c, q, C].
        mask: [c, q, n].
        out: [c, H, q, n]; the weights.
    """
    c, K, rows, width = tables.shape
    H, q, n = out.shape[1:]
    quick = K == 2 and scalar_tables.shape[1] == 0
    score, allowed, weight = np.empty(width, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    for b in range(c):
        for i in range(q):
            if not quick:
                _scores(tables[b], scalar_tables[b], nodes[b, i], scalars[b, i], score)
                for h in range(H):
                    _careful(score[h * n : h * n + n], mask[b, i], out[b, h, i])
                continue
            for j in range(n):
                allowed[j] = ONE if mask[b, i, j] else ZERO
            first, latest = nodes[b, i, 0] % rows, nodes[b, i, 1] % rows
            for h in range(H):  # a slice of an array costs more here than the loop over it: so full indices
                start = h * n
                total = ZERO
                for j in range(n):
                    weight[j] = powers[b, 0, first, start + j] * powers[b, 1, latest, start + j] * allowed[j]
                    total += weight[j]
                if total > TINY:
                    inverse = ONE / total
                    for j in range(n):
                        out[b, h, i, j] = weight[j] * inverse
                else:
                    _scores(tables[b], scalar_tables[b], nodes[b, i], scalars[b, i], score)
                    _careful(score[start : start + n], mask[b, i], out[b, h, i])


@vectorized
def _scores(tables: Floats, scalar_tables: Floats, nodes: NDArray, scalars: Floats, score: Floats) -> None:
    score[:] = ZERO
    for k in range(tables.shape[0]):
        row = tables[k, nodes[k] % tables.shape[1]]
        for j in range(len(score)):
            score[j] += row[j]
    for k in range(scalar_tables.shape[0]):
        factor = scalars[k]
        for j in range(len(score)):
            score[j] += factor * scalar_tables[k, j]


@vectorized
def _careful(score: Floats, mask: NDArray[np.bool_], out: Floats) -> None:
    """Softmax with the largest admissible score subtracted."""
    largest = FAR
    for j in range(len(score)):
        largest = max(largest, score[j] if mask[j] else FAR)
    total = ZERO
    for j in range(len(score)):
        out[j] = exp_nonpositive(min(score[j] - largest, ZERO)) * (ONE if mask[j] else ZERO)
        total += out[j]
    inverse = ONE / total
    for j in range(len(score)):
        out[j] *= inverse


@vectorized
def logits(
    u: Floats, bias: Floats, nodes: NDArray[np.int64], mask: NDArray[np.bool_], clip: float, masked: float
) -> None:
    """Turns compatibilities into clipped logits, in place.

    Args:
        u: [c, q, n]; becomes clip * tanh(u + bias) (u + bias for clip 0), `masked` where the mask is false.
        bias: [c, n + 1, n]; added by latest context node; [c, 0, n] for none.
        nodes: [c, q, K]; the last one counts.
        mask: [c, q, n].
        clip: Bound on the logits.
        masked: Value of what is not admissible.
    """
    c, q, n = u.shape
    last = nodes.shape[2] - 1
    size, low = np.float32(clip), np.float32(masked)
    biased = bias.shape[1] > 0
    for b in range(c):
        for i in range(q):
            row = u[b, i]
            if biased:
                extra = bias[b, nodes[b, i, last] % bias.shape[1]]
                for j in range(n):
                    row[j] += extra[j]
            if size > ZERO:
                for j in range(n):
                    row[j] = size * tanh(row[j])
            for j in range(n):
                row[j] = row[j] if mask[b, i, j] else low


@vectorized
def choices(logit: Floats, action: NDArray[np.int64], log_prob: Floats, entropy: Floats, log_sum: Floats) -> None:
    """Log-probability of the actions and entropy, from logits that are -inf (or -1e30) where not admissible.

    Args:
        logit: [c, q, n].
        action: [c, q].
        log_prob: [c, q], written.
        entropy: [c, q], written; in nats.
        log_sum: [c, q], written; logarithm of the sum of the exponentials.
    """
    c, q, n = logit.shape
    for b in range(c):
        for i in range(q):
            row = logit[b, i]
            largest = FAR
            for j in range(n):
                largest = max(largest, row[j])
            total, moment = ZERO, ZERO
            for j in range(n):
                shifted = min(row[j] - largest, ZERO)
                e = exp_nonpositive(shifted) * (ONE if row[j] > FAR else ZERO)
                total += e
                moment += e * max(shifted, np.float32(-1e4))
            log_total = np.float32(math.log(total))
            log_sum[b, i] = largest + log_total
            log_prob[b, i] = row[action[b, i]] - largest - log_total
            entropy[b, i] = log_total - moment / total


@vectorized
def choices_backward(
    logit: Floats,
    action: NDArray[np.int64],
    log_sum: Floats,
    entropy: Floats,
    d_log_prob: Floats,
    d_entropy: Floats,
    clip: float,
    nodes: NDArray[np.int64],
    d_bias: Floats,
    out: Floats,
) -> None:
    """Gradient with respect to the compatibilities, [c, q, n] to `out`; adds that of the bias to `d_bias`."""
    c, q, n = logit.shape
    size = np.float32(clip)
    inverse = ONE / size if size > ZERO else ZERO
    last = nodes.shape[2] - 1
    biased = d_bias.shape[1] > 0
    for b in range(c):
        for i in range(q):
            row, d = logit[b, i], out[b, i]
            dl, dh, z, ent = d_log_prob[b, i], d_entropy[b, i], log_sum[b, i], entropy[b, i]
            for j in range(n):
                kept = max(row[j], FAR)
                t = kept * inverse
                centred = max(kept - z, np.float32(-1e4))
                p = exp_nonpositive(min(centred, ZERO)) * (ONE if row[j] > FAR else ZERO)
                slope = max(ONE - t * t, ZERO) * (size if size > ZERO else ONE)
                d[j] = -p * (dl + dh * (centred + ent)) * slope
            a = action[b, i]
            t = row[a] * inverse
            d[a] += dl * (ONE - t * t) * (size if size > ZERO else ONE)
            if biased:
                extra = d_bias[b, nodes[b, i, last] % d_bias.shape[1]]
                for j in range(n):
                    extra[j] += d[j]


@vectorized
def attention_backward(
    weights: Floats,
    d_weights: Floats,
    nodes: NDArray[np.int64],
    scalars: Floats,
    d_tables: Floats,
    d_scalar_tables: Floats,
) -> None:
    """Adds the gradients with respect to the tables of `attention`, given those of the weights [c, H, q, n]."""
    c, H, q, n = weights.shape
    K, rows = d_tables.shape[1], d_tables.shape[2]
    C = d_scalar_tables.shape[1]
    d = np.empty(n, np.float32)
    for b in range(c):
        for h in range(H):
            first = h * n
            for i in range(q):
                dot = ZERO
                for j in range(n):
                    dot += weights[b, h, i, j] * d_weights[b, h, i, j]
                for j in range(n):
                    d[j] = weights[b, h, i, j] * (d_weights[b, h, i, j] - dot)
                for k in range(K):
                    row = nodes[b, i, k] % rows
                    for j in range(n):
                        d_tables[b, k, row, first + j] += d[j]
                for k in range(C):
                    factor = scalars[b, i, k]
                    for j in range(n):
                        d_scalar_tables[b, k, first + j] += factor * d[j]


@vectorized
def sample(logit: Floats, uniform: NDArray[np.float64], out: NDArray[np.int64]) -> None:
    """Draws from the softmax of each row by inversion.

    Args:
        logit: [r, n]; -inf where not admissible, not everywhere.
        uniform: [r]; in [0, 1).
        out: [r]; the draws.
    """
    rows, n = logit.shape
    e = np.empty(n, np.float32)
    for i in range(rows):
        row = logit[i]
        largest = FAR
        for j in range(n):
            largest = max(largest, row[j])
        total = ZERO
        for j in range(n):
            e[j] = exp_nonpositive(min(row[j] - largest, ZERO)) * (ONE if row[j] > FAR else ZERO)
            total += e[j]
        rest = np.float32(uniform[i]) * total
        chosen = -1
        for j in range(n):
            if e[j] > ZERO:
                chosen = j
                rest -= e[j]
                if rest < ZERO:
                    break
        out[i] = chosen
