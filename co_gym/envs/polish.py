"""Local search on batches of solutions, such as a policy proposes: tensors in, tensors out.

`Environment.polish` calls these functions with the data that the environment has checked. They run compiled on the
CPU: tensors on other devices are moved there, and the results back.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.kernels import polish_subsets as subset_kernels
from co_gym.envs.kernels import polish_tours as tour_kernels
from co_gym.envs.kernels.metric import nearest
from co_gym.envs.tours import are_tours, require_cities
from co_gym.errors import InputError

NEIGHBOURS = 10
"""Near cities that the search on tours looks at."""
TREE_FROM = 1000
"""Cities from which on a k-d tree finds the near ones of coordinates."""
ROUND = 100
"""Least number of kicks that tours get in turn while there is time."""
CITIES_A_CALL = 30_000
ITEMS_A_CALL = 100_000
"""What a kernel works on before the clock and Ctrl-C are looked at."""


def polish_tours(
    data: dict[str, Tensor], tours: Tensor, *, neighbours: int = NEIGHBOURS, seconds: float | None = None
) -> Tensor:
    """Improves tours by 2-opt and Or-opt until no city offers a gain.

    Or-opt moves segments of one to three cities, in both orientations. Both kinds of moves are looked for among
    the nearest neighbours of the cities whose surroundings have changed (Bentley 1992), the best one of a city at
    a time. Integral distances are exact; with float data a gain counts from 1e-9 of the tour's length on.

    Args:
        data: `coordinates` [B, n, 2], float, or `distances` [B, n, n], float or int64, symmetric with zero
            diagonal; the distances count if both are there. Without them memory grows with n only.
        tours: Permutations of the cities, integers [B, n] or [B, S, n].
        neighbours: Number of near cities, at least 1; more find more moves in more time.
        seconds: After this time the tours that are left stay as they are; None: no limit.

    Returns:
        Tours of the same shape, none longer, a new int64 tensor.

    Raises:
        InputError: If a shape or dtype is not as above, or a tour no permutation.
    """
    return _polished_tours(data, tours, neighbours, seconds, 0, 0)


def improve_tours(
    data: dict[str, Tensor],
    tours: Tensor,
    *,
    kicks: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    neighbours: int = NEIGHBOURS,
) -> Tensor:
    """Improves tours by iterated local search: `polish_tours`, then kicks with local repair.

    A kick is a double bridge of three short neighbouring segments (Martin, Otto and Felten 1991; local as in
    Applegate, Cook and Rohe 2003); a kick that leaves a longer tour is undone.

    Args:
        data: As for `polish_tours`.
        tours: As for `polish_tours`.
        kicks: Kicks of each tour; None: as many as there is time for.
        seconds: When to stop, at the latest; None: after the kicks.
        seed: Of the kicks. Without `seconds` each tour's result depends on the seed and the tour's place only.
        neighbours: As for `polish_tours`.

    Returns:
        Tours of the same shape, none longer, a new int64 tensor.

    Raises:
        InputError: As `polish_tours`, or if there are neither kicks nor seconds.
    """
    if kicks is None and seconds is None:
        raise InputError("improve_tours needs kicks, seconds or both")
    return _polished_tours(data, tours, neighbours, seconds, kicks, seed)


def polish_independent_sets(data: dict[str, Tensor], selected: Tensor) -> Tensor:
    """Improves independent sets to local optima of insertions, (omega,1)-swaps and (1,2)-swaps.

    A node enters for all its neighbours if it is worth more (Nogueira, Pinheiro and Subramanian 2018), and two
    nodes enter for one (Andrade, Resende and Werneck 2012).

    Args:
        data: `weights` [B, n]; `adjacency` bool [B, n, n], or `indptr` [B, n + 1] and `indices` [B, E], int64;
            optionally `node_mask` bool [B, n]: as `MISEnv` documents them.
        selected: Independent sets, bool or 0/1 integers, [B, n] or [B, S, n].

    Returns:
        Independent sets of the same shape, 0/1 as int64, none of less weight.

    Raises:
        InputError: If a shape is not as above, or a set is not independent.
    """
    weights = _values(data["weights"])
    margins = _margins(weights)
    mask = data.get("node_mask")
    rows = _subsets(selected, weights.shape, mask, "node")
    if mask is not None:
        weights = np.where(mask.cpu().numpy(), weights, -1 - weights.sum(-1, keepdims=True))
    indptr, indices = _neighbour_lists(data)
    bad = _in_turn(
        rows,
        lambda first, last: subset_kernels.polish_independent_sets(
            indptr, indices, weights, margins, rows, first, last
        ),
    )
    if bad >= 0:
        raise InputError(f"solution {bad} of the batch is no independent set")
    return torch.from_numpy(rows).view(selected.shape).to(selected.device, torch.int64)


def polish_knapsacks(
    profits: Tensor, weights: Tensor, limits: Tensor, selected: Tensor, item_mask: Tensor | None = None
) -> Tensor:
    """Improves choices of items: adds what fits, then exchanges 1-1, 1-2 and 2-1, until nothing gains.

    Args:
        profits: [B, n], non-negative.
        weights: [B, m, n], non-negative.
        limits: [B, m]: the capacities; of float data with the tolerance that is to be used.
        selected: Choices within the limits, bool or 0/1 integers, [B, n] or [B, S, n].
        item_mask: bool [B, n], false for items that must not be chosen.

    Returns:
        Choices within the limits of the same shape, 0/1 as int64, none of less profit.

    Raises:
        InputError: If a shape is not as above, or a choice exceeds a limit.
    """
    gains, loads, room = _values(profits), _values(weights), _values(limits)
    if len({gains.dtype, loads.dtype, room.dtype}) > 1:
        gains, loads, room = (array.astype(np.float64) for array in (gains, loads, room))
    rows = _subsets(selected, gains.shape, item_mask, "item")
    movable = (loads <= room[..., None]).all(1)
    if item_mask is not None:
        movable &= item_mask.cpu().numpy()
    surrogate = (loads / np.where(room > 0, room, 1)[..., None]).sum(1)
    ratios = np.divide(gains, surrogate, out=np.full(gains.shape, np.inf), where=surrogate > 0)
    by_item = np.ascontiguousarray(loads.swapaxes(1, 2))
    orders = [np.lexsort((-key, ~movable), axis=-1) for key in (ratios, gains)]
    margins, sizes = _margins(gains), movable.sum(-1)
    bad = _in_turn(
        rows,
        lambda first, last: subset_kernels.polish_knapsacks(
            gains, by_item, room, margins, *orders, sizes, rows, first, last
        ),
    )
    if bad >= 0:
        raise InputError(f"solution {bad} of the batch exceeds a capacity")
    return torch.from_numpy(rows).view(selected.shape).to(selected.device, torch.int64)


def _polished_tours(
    data: dict[str, Tensor], tours: Tensor, neighbours: int, seconds: float | None, kicks: int | None, seed: int
) -> Tensor:
    batch, n = require_cities(data)
    if neighbours < 1:
        raise InputError(f"neighbours is {neighbours}: expected at least 1")
    ends = np.inf if seconds is None else perf_counter() + seconds
    rows = _require_rows(tours, batch, n).to("cpu", torch.int64, copy=True).contiguous().view(-1, n)
    if not bool(are_tours(rows).all()):
        raise InputError("tours is not a batch of permutations of the cities")
    if n >= 4 and rows.shape[0] > 0:
        _search(_tables(data), rows.numpy(), batch, min(neighbours, n - 1), ends, kicks, seed)
    return rows.view(tours.shape).to(tours.device)


def _search(
    tables: Any, rows: NDArray[np.int64], batch: int, width: int, ends: float, kicks: int | None, seed: int
) -> None:
    """Polishes the tours [R, n] in place, then kicks them in rounds until that is done or the time is up."""
    total, n = rows.shape
    near = _near(tables, batch, n, width)
    rngs = np.random.default_rng(seed % (1 << 63)).integers(1, 1 << 63, size=(total, 1), dtype=np.uint64)
    exact = not isinstance(tables, tuple) and tables.dtype == np.int64

    def work(step: int, fresh: bool, count: int) -> None:
        for first in range(0, total, step):
            if perf_counter() >= ends:
                return
            last = min(first + step, total)
            tour_kernels.polish(tables, near, rows, first, last, fresh, count, rngs, exact)

    work(max(1, CITIES_A_CALL // n), True, 0)
    done = 0
    while (kicks is None or done < kicks) and perf_counter() < ends and n > 4:
        count = min(max(ROUND, n), CITIES_A_CALL)
        count = count if kicks is None else min(count, kicks - done)
        work(max(1, CITIES_A_CALL // (10 * count)), False, count)
        done += count


def _tables(data: dict[str, Tensor]) -> Any:
    """What the kernels take distances from, see `metric.Table`."""
    if "distances" in data:
        return _values(data["distances"])
    points = data["coordinates"].detach().to("cpu", torch.float64)
    return tuple(points[..., axis].contiguous().numpy() for axis in (0, 1))


def _near(tables: Any, batch: int, n: int, width: int) -> NDArray[np.int32]:
    """The nearest other cities [B, n, width], nearest first."""
    near = np.empty((batch, n, width), dtype=np.int32)
    if not isinstance(tables, tuple) or n < TREE_FROM or width > n // 10:
        nearest(tables, near)
        return near
    from scipy.spatial import cKDTree

    for b in range(batch):
        points = np.column_stack([axis[b] for axis in tables])
        _, found = cKDTree(points).query(points, width + 1)
        # Itself comes first, or where cities coincide somewhere or not at all.
        other = found != np.arange(n)[:, None]
        other[:, -1] &= ~other.all(1)
        near[b] = found[other].reshape(n, width)
    return near


def _values(tensor: Tensor) -> NDArray[Any]:
    """As a contiguous array of int64 or float64."""
    wide = torch.float64 if tensor.is_floating_point() else torch.int64
    return tensor.detach().to("cpu", wide).contiguous().numpy()


def _margins(values: NDArray[Any]) -> NDArray[Any]:
    """[B] of the same dtype: what rounding must not pass for a gain; 0 for integers."""
    return values.max(-1) * (0 if values.dtype == np.int64 else 1e-9)


def _require_rows(solution: Tensor, batch: int, n: int) -> Tensor:
    if solution.ndim not in (2, 3) or solution.shape[0] != batch or solution.shape[-1] != n:
        raise InputError(
            f"the solutions have shape {list(solution.shape)}: expected [{batch}, {n}] or [{batch}, S, {n}]"
        )
    if solution.is_floating_point():
        raise InputError(f"the solutions have dtype {solution.dtype}: expected integers")
    return solution.detach()


def _subsets(selected: Tensor, shape: tuple[int, ...], mask: Tensor | None, noun: str) -> NDArray[np.bool_]:
    """A copy of the solutions as bool [R, n]."""
    rows = _require_rows(selected, shape[0], shape[1])
    if bool(((rows != 0) & (rows != 1)).any()):
        raise InputError("the solutions are not 0/1")
    if mask is not None:
        spread = mask if rows.ndim == 2 else mask.unsqueeze(1)
        if bool((rows.bool() & ~spread).any()):
            raise InputError(f"a solution chooses a {noun} that its mask excludes")
    return rows.to("cpu", torch.bool, copy=True).contiguous().view(-1, shape[1]).numpy()


def _neighbour_lists(data: dict[str, Tensor]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each node's neighbours are [B, n + 1], and the neighbours of all instances [E]."""
    if "adjacency" in data:
        adjacency = data["adjacency"].cpu()
        batch, n = adjacency.shape[:2]
        ends = adjacency.sum(-1).flatten().cumsum(0)
        starts = torch.cat([ends.new_zeros(1), ends])
        where = torch.arange(batch).unsqueeze(1) * n + torch.arange(n + 1)
        return starts[where].numpy(), adjacency.nonzero()[:, 2].contiguous().numpy()
    indptr, indices = _values(data["indptr"]), _values(data["indices"])
    offsets = np.arange(indices.shape[0])[:, None] * indices.shape[1]
    return indptr + offsets, indices.reshape(-1)


def _in_turn(rows: NDArray[np.bool_], work: Callable[[int, int], int]) -> int:
    """Has all rows worked on, some at a time; the first that is refused, or -1."""
    total, n = rows.shape
    step = max(1, ITEMS_A_CALL // max(1, n))
    for first in range(0, total, step):
        bad = work(first, min(first + step, total))
        if bad >= 0:
            return bad
    return -1
