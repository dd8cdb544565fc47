"""Construction of subsets: items that fit into knapsacks, nodes that are independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.envs.kernels.blocks import BLOCK, exclude_block
from co_gym.envs.kernels.rows import close, inlined, refused
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
def _exclude_few(free: NDArray[np.bool_], added: NDArray[np.float32], joined: NDArray[np.bool_]) -> int:
    """`_exclude` for rows shorter than a block."""
    lost = 0
    for j in range(free.size):
        if free[j] and joined[j]:
            free[j] = False
            added[j] = -np.inf
            lost += 1
    return lost


@inlined
def _exclude(free: NDArray[np.bool_], added: NDArray[np.float32], joined: NDArray[np.bool_]) -> int:
    """Masks out of one row the entries [n] that are joined; returns how many of them were admissible."""
    n = free.size
    lost = 0
    if n < BLOCK:
        return _exclude_few(free, added, joined)
    # The last two blocks may overlap: what the first of them took out is not counted again.
    for block in range((n + BLOCK - 1) // BLOCK):
        lost += exclude_block(free, added, joined, min(block * BLOCK, n - BLOCK))
    return lost


@kernel
def begin(
    admissible: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    additive: NDArray[np.float32],
    done: NDArray[np.bool_],
    available: NDArray[np.int64],
) -> int:
    """Fills in what the masks [B, n] of the instances determine in all rows; returns how many are not done.

    The other arguments are as those of `pack`.
    """
    rows = done.size
    starts = rows // max(1, admissible.shape[0])
    active = 0
    for row in range(rows):
        instance = row // starts
        count = 0
        for j in range(mask.shape[1]):
            mask[row, j] = admissible[instance, j]
            count += admissible[instance, j]
        available[row] = count
    # One loop over all rows vectorizes well, many short ones do not.
    free, added = mask.reshape(-1), additive.reshape(-1)
    for i in range(free.size):
        added[i] = np.float32(0.0) if free[i] else np.float32(-np.inf)
    for row in range(rows):
        done[row] = False
        if available[row] == 0:
            close(row, mask, additive, done)
        else:
            active += 1
    return active


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
                # The node itself comes last: a vector that is read just after one of its bytes was written waits.
                lost = _exclude(mask[row], additive[row], adjacency[b, node])
                _mask_out(row, node, mask, additive)
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
