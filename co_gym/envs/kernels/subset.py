"""Construction of subsets: items that fit into knapsacks, nodes that are independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.envs.kernels.rows import close, refused
from co_gym.envs.kernels.words import WORD, count
from co_gym.solvers.kernels.compiled import inner, kernel


@inner
def _take(
    row: int, item: int, selected: NDArray[np.bool_], current: NDArray[np.int64], steps: NDArray[np.int64]
) -> None:
    selected[row, item] = True
    current[row] = item
    steps[row] += 1


@inner
def _mask_out(row: int, item: int, mask: NDArray[np.bool_], additive: NDArray[np.float32]) -> None:
    mask[row, item] = False
    additive[row, item] = -np.inf


@inner
def _settle(
    row: int, mask: NDArray[np.bool_], additive: NDArray[np.float32], available: NDArray[np.int64]
) -> None:
    """Counts one row's admissible elements and writes its additive mask, in two loops that both vectorize."""
    free, added = mask[row], additive[row]
    count = 0
    for j in range(free.size):
        count += free[j]
    for j in range(free.size):
        added[j] = np.float32(0.0) if free[j] else np.float32(-np.inf)
    available[row] = count


@inner
def _exclude(
    free: NDArray[np.bool_],
    added: NDArray[np.float32],
    joined: NDArray[np.bool_],
    free_words: NDArray[np.uint64],
    joined_words: NDArray[np.uint64],
) -> int:
    """Masks out of one row the entries [n] that are joined; returns how many of them were admissible."""
    n = free.size
    lost = first = 0
    while first + WORD <= n:
        word = free_words[first]
        hit = word & joined_words[first]
        word ^= hit
        free_words[first] = word
        lost += count(hit)
        for k in range(WORD):
            admissible = (word >> np.uint64(8 * k)) & np.uint64(1)
            added[first + k] = np.float32(0.0) if admissible else np.float32(-np.inf)
        first += WORD
    for j in range(first, n):
        if free[j] and joined[j]:
            free[j] = False
            added[j] = -np.inf
            lost += 1
    return lost


@kernel
def pack(
    action: NDArray[np.int64],
    check: bool,
    mask: NDArray[np.bool_],
    additive: NDArray[np.float32],
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    done: NDArray[np.bool_],
    selected: NDArray[np.bool_],
    available: NDArray[np.int64],
    remaining: NDArray,
    weights: NDArray,
    slack: NDArray,
    heaviest: NDArray,
) -> int:
    """Puts an item into each row's knapsack and masks what no longer fits.

    While the heaviest item would fit, only the chosen one leaves the mask, and no other weight is read.

    Args:
        action: [R] items.
        check: Whether to refuse items against the mask.
        mask: [R, n] items that fit.
        additive: [R, n] the same as 0 and -inf.
        current: [R] latest item.
        steps: [R] items chosen.
        done: [R] finished rows.
        selected: [R, n] chosen items.
        available: [R] number of items that fit.
        remaining: [R, m] capacity left.
        weights: [B, m, n], B a divisor of R.
        slack: [B, m] by how much a weight may exceed what remains.
        heaviest: [B, m] largest weights.

    Returns:
        Rows still active, or -1 - row for the first row whose action is refused; then nothing has changed.
    """
    bad = refused(action, check, mask, done)
    if bad >= 0:
        return -1 - bad
    instances, m, n = weights.shape
    starts = mask.shape[0] // instances
    active = row = 0
    for b in range(instances):
        for _ in range(starts):
            if done[row]:
                current[row] = -1
            else:
                item = action[row]
                _take(row, item, selected, current, steps)
                _mask_out(row, item, mask, additive)
                available[row] -= 1
                blocked = False
                for i in range(m):
                    remaining[row, i] -= weights[b, i, item]
                    limit = remaining[row, i] + slack[b, i]
                    if heaviest[b, i] > limit:
                        blocked = True
                        fits, weight = mask[row], weights[b, i]
                        for j in range(n):
                            fits[j] &= weight[j] <= limit
                if blocked:
                    _settle(row, mask, additive, available)
                if available[row] == 0:
                    close(row, mask, additive, done)
                else:
                    active += 1
            row += 1
    return active


@kernel
def exclude_dense(
    action: NDArray[np.int64],
    check: bool,
    mask: NDArray[np.bool_],
    additive: NDArray[np.float32],
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    done: NDArray[np.bool_],
    selected: NDArray[np.bool_],
    available: NDArray[np.int64],
    adjacency: NDArray[np.bool_],
    mask_words: NDArray[np.uint64],
    adjacency_words: NDArray[np.uint64],
) -> int:
    """Adds a node to each row's independent set and masks its neighbours.

    Arguments and result as those of `pack`, with the number of admissible nodes `available` [R] and the
    adjacency [B, n, n].
    """
    bad = refused(action, check, mask, done)
    if bad >= 0:
        return -1 - bad
    instances = adjacency.shape[0]
    starts = mask.shape[0] // instances
    active = row = 0
    for b in range(instances):
        for _ in range(starts):
            if done[row]:
                current[row] = -1
            else:
                node = action[row]
                _take(row, node, selected, current, steps)
                _mask_out(row, node, mask, additive)
                joined, joined_words = adjacency[b, node], adjacency_words[b, node]
                lost = _exclude(mask[row], additive[row], joined, mask_words[row], joined_words)
                available[row] -= 1 + lost
                if available[row] == 0:
                    close(row, mask, additive, done)
                else:
                    active += 1
            row += 1
    return active


@kernel
def exclude_sparse(
    action: NDArray[np.int64],
    check: bool,
    mask: NDArray[np.bool_],
    additive: NDArray[np.float32],
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    done: NDArray[np.bool_],
    selected: NDArray[np.bool_],
    available: NDArray[np.int64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
) -> int:
    """The same with neighbour lists: those of node i of b are indices[b, indptr[b, i] : indptr[b, i + 1]]."""
    bad = refused(action, check, mask, done)
    if bad >= 0:
        return -1 - bad
    instances = indptr.shape[0]
    starts = mask.shape[0] // instances
    active = row = 0
    for b in range(instances):
        for _ in range(starts):
            if done[row]:
                current[row] = -1
            else:
                node = action[row]
                _take(row, node, selected, current, steps)
                _mask_out(row, node, mask, additive)
                left = available[row] - 1
                for k in range(indptr[b, node], indptr[b, node + 1]):
                    other = indices[b, k]
                    if mask[row, other]:
                        _mask_out(row, other, mask, additive)
                        left -= 1
                available[row] = left
                if left == 0:
                    close(row, mask, additive, done)
                else:
                    active += 1
            row += 1
    return active


@kernel
def totals(selected: NDArray[np.bool_], values: NDArray, out: NDArray) -> None:
    """Sum [R] of the values [B, n] of each row's selected [R, n] entries, in the dtype of `out`."""
    rows, n = selected.shape
    starts = rows // values.shape[0]
    for row in range(rows):
        value, chosen = values[row // starts], selected[row]
        out[row] = 0
        total = out[row]
        for j in range(n):
            total += value[j] * chosen[j]
        out[row] = total
