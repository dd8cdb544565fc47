"""Batches of tours: lengths, validity, constructions to begin from."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.envs.kernels import tsp as kernels
from co_gym.envs.tensors import gather_rows
from co_gym.errors import InputError

FLOATS = (torch.float32, torch.float64)


def require_cities(data: dict[str, Tensor]) -> tuple[int, int]:
    """Batch size and number of cities of `coordinates`, `distances` or both.

    Raises:
        InputError: If a key, shape or dtype is not as `TSPEnv` documents it.
    """
    for key, value in data.items():
        if key not in ("coordinates", "distances"):
            raise InputError(f"unknown key '{key}' of tsp: expected coordinates, distances")
        if value.ndim != 3 or value.shape[2] != (2 if key == "coordinates" else value.shape[1]):
            shape = "[B, n, 2]" if key == "coordinates" else "[B, n, n]"
            raise InputError(f"{key} has shape {list(value.shape)}: expected {shape}")
        if value.dtype not in FLOATS and (key == "coordinates" or value.dtype is not torch.int64):
            raise InputError(f"{key} has dtype {value.dtype}: expected float32, float64 or int64 distances")
    sizes = {(value.shape[0], value.shape[1]) for value in data.values()}
    if len(sizes) != 1:
        raise InputError("expected coordinates or distances, or both of one batch size and number of cities")
    return sizes.pop()


def leg(data: dict[str, Tensor], start: Tensor, end: Tensor) -> Tensor:
    """Distances between two cities of each row [...]: int64 for integral distances, else float64."""
    if "distances" in data:
        found = gather_rows(data["distances"], start).gather(-1, end.unsqueeze(-1)).squeeze(-1)
        return found.double() if found.is_floating_point() else found
    points = data["coordinates"]
    difference = gather_rows(points, start).double() - gather_rows(points, end).double()
    return difference.square().sum(-1).sqrt()


def path_lengths(
    data: dict[str, Tensor], tour: Tensor, steps: Tensor | None = None, *, compiled: bool = True
) -> Tensor:
    """Lengths [...] of paths over the first `steps` cities of each row, closed where these are all cities.

    Args:
        data: `coordinates` or `distances` (which count if both are there), [B, ...].
        tour: int64 [B, n] or [B, S, n].
        steps: int64 [...]; None: n.
        compiled: Whether a compiled kernel may do it, on the CPU.

    Returns:
        int64 for integral distances, else the data's dtype (summed in float64 either way).
    """
    by_distance = "distances" in data
    table = data["distances" if by_distance else "coordinates"]
    n = tour.shape[-1]
    if steps is None:
        steps = torch.full(tour.shape[:-1], n, device=tour.device)
    if compiled and tour.is_cpu:
        out = torch.empty(tour.shape[:-1], dtype=torch.float64 if table.is_floating_point() else torch.int64)
        measure = kernels.lengths_by_distances if by_distance else kernels.lengths_by_coordinates
        rows = tour.contiguous().view(-1, n).numpy()
        measure(rows, steps.reshape(-1).numpy(), table.numpy(), out.view(-1).numpy())
        return out.to(table.dtype)
    legs = _legs(table, tour, by_distance)
    used = torch.arange(1, n + 1, device=tour.device) < steps.unsqueeze(-1)
    used[..., -1] = steps == n
    return (legs * used).sum(-1).to(table.dtype)


def _legs(table: Tensor, tour: Tensor, by_distance: bool) -> Tensor:
    """Length of each leg [..., n], the last one back to the first city."""
    following = tour.roll(-1, -1)
    if by_distance:
        n = tour.shape[-1]
        pairs = (tour * n + following).reshape(tour.shape[0], -1)
        legs = table.flatten(1).gather(1, pairs).view(tour.shape)
        return legs.double() if legs.is_floating_point() else legs
    points = gather_rows(table, tour).double()
    return (points.roll(-1, -2) - points).square().sum(-1).sqrt()


def are_tours(tour: Tensor) -> Tensor:
    """Whether each row [..., n] is a permutation of 0..n-1, bool [...]; by marking, without sorting."""
    n = tour.shape[-1]
    if tour.is_cpu:
        good = kernels.are_permutations(tour.contiguous().view(-1, n).numpy())
        return torch.from_numpy(good).view(tour.shape[:-1])
    inside = ((tour >= 0) & (tour < n)).all(-1)
    seen = torch.zeros(tour.shape, dtype=torch.bool, device=tour.device)
    return seen.scatter_(-1, tour.clamp(0, n - 1), True).all(-1) & inside


def nearest_neighbour(data: dict[str, Tensor], shape: torch.Size) -> Tensor:
    """Tours [..., n] that go on to the nearest city left, from city 0, or from city s (modulo n) for start s."""
    table = data["distances"] if "distances" in data else data["coordinates"]
    n, device = table.shape[1], table.device
    starts = shape[1] if len(shape) == 2 else 1
    here = (torch.arange(starts, device=device) % n).expand(shape[0], starts).contiguous()
    visited = torch.zeros(shape[0], starts, n, dtype=torch.bool, device=device)
    tour = torch.empty(shape[0], starts, n, dtype=torch.int64, device=device)
    for position in range(n):
        tour[..., position] = here
        visited.scatter_(-1, here.unsqueeze(-1), True)
        if "distances" in data:
            away = gather_rows(table, here).double()
        else:
            away = (gather_rows(table, here).unsqueeze(2) - table.unsqueeze(1)).double().square().sum(-1)
        here = away.masked_fill_(visited, torch.inf).argmin(-1)
    return tour.view(*shape, n)
