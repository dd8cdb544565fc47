"""Winner determination in combinatorial auctions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram, binary_program

MIN_VALUE, MAX_VALUE = 1.0, 100.0
VALUE_DEVIATION = 0.5
MAX_SUBSTITUTES = 5
ADDITIVITY = 0.2
BUDGET_FACTOR = 1.5
RESALE_FACTOR = 0.5


@dataclass(frozen=True, eq=False)
class _Market:
    """What all bidders share.

    Attributes:
        values: [items] resale values.
        compatibility: [items, items] how well an item goes with another.
        add_item: Probability that a bundle gets one more item.
    """

    values: NDArray
    compatibility: NDArray
    add_item: float


def auction(rng: np.random.Generator, items: int, bids: int, add_item: float = 0.7) -> MixedIntegerProgram:
    """Combinatorial auction, scheme 'arbitrary' of Leyton-Brown et al. (2000), constants of Gasse et al. (2019).

    Each bidder bids on a bundle and on up to five substitutes. A bidder with three or more bids has a dummy item
    of his own in all of them, so that he wins one at most; two bids exclude each other by an item that they share.

    Args:
        rng: Source of randomness.
        items: Items for sale.
        bids: Bids, the program's columns.
        add_item: Probability that a bundle gets one more item.
    """
    compatibility = np.triu(rng.random((items, items)), k=1)
    compatibility += compatibility.T
    values = MIN_VALUE + (MAX_VALUE - MIN_VALUE) * rng.random(items)
    market = _Market(values, compatibility / compatibility.sum(axis=1), add_item)
    bundles: list[NDArray] = []
    prices: list[float] = []
    groups: list[NDArray] = []
    while len(bundles) < bids:
        offers = _offers(rng, market)[: bids - len(bundles)]
        if len(offers) > 2:
            groups.append(np.arange(len(bundles), len(bundles) + len(offers)))
        bundles += [bundle for bundle, _ in offers]
        prices += [price for _, price in offers]
    return binary_program("maximize", np.array(prices), _rows(bundles, groups, items), -np.inf, 1.0)


def _rows(bundles: list[NDArray], groups: list[NDArray], items: int) -> sparse.csr_matrix:
    """One row for each item that is bid for and one for each bidder with three or more bids."""
    dummies = np.zeros((len(bundles), len(groups)))
    for number, members in enumerate(groups):
        dummies[members, number] = 1.0
    A = sparse.csr_matrix(np.hstack([np.array(bundles, dtype=float).reshape(-1, items), dummies]).T)
    return A[np.diff(A.indptr) > 0]


def _offers(rng: np.random.Generator, market: _Market) -> list[tuple[NDArray, float]]:
    """The bids of one bidder, bundles as bool vectors [items]; none if he would pay a negative price."""
    interests = rng.random(market.values.size)
    worth = market.values + MAX_VALUE * VALUE_DEVIATION * (2 * interests - 1)
    bundle = _bundle(rng, interests, market)
    price = float(_prices(bundle, worth))
    if price < 0:
        return []
    substitutes = _grow(rng, np.flatnonzero(bundle), int(bundle.sum()), interests, market)
    asked = _prices(substitutes, worth)
    resale = RESALE_FACTOR * market.values[bundle].sum()
    able = (asked >= 0) & (asked <= BUDGET_FACTOR * price) & (substitutes @ market.values >= resale)
    offers = {bundle.tobytes(): (bundle, price)}
    for i in np.argsort(-asked, kind="stable"):
        if able[i] and len(offers) <= MAX_SUBSTITUTES:
            offers.setdefault(substitutes[i].tobytes(), (substitutes[i], float(asked[i])))
    return list(offers.values())


def _bundle(rng: np.random.Generator, interests: NDArray, market: _Market) -> NDArray:
    """The bundle that a bidder wants first: an item by interest, then more as chance has it."""
    size = int(min(rng.geometric(1 - market.add_item), interests.size))
    return _grow(rng, _pick(rng, interests[None]), size, interests, market)[0]


def _grow(rng: np.random.Generator, first: NDArray, size: int, interests: NDArray, market: _Market) -> NDArray:
    """Bundles [k, items] of a size from their first items [k].

    Each further item is drawn in proportion to the bidder's interest and its compatibility with what is there.
    """
    lines = np.arange(first.size)
    bundles = np.zeros((first.size, interests.size), dtype=bool)
    bundles[lines, first] = True
    weights = interests * market.compatibility[first]
    for _ in range(size - 1):
        item = _pick(rng, np.where(bundles, 0.0, weights))
        bundles[lines, item] = True
        weights += interests * market.compatibility[item]
    return bundles


def _pick(rng: np.random.Generator, weights: NDArray) -> NDArray:
    """One position in each row of weights [k, items], drawn in proportion to them."""
    sums = np.cumsum(weights, axis=1)
    drawn = rng.random((len(weights), 1)) * sums[:, -1:]
    return (sums <= drawn).sum(axis=1)


def _prices(bundles: NDArray, worth: NDArray) -> NDArray:
    """What a bidder pays for bundles [..., items]: their worth, and more for larger ones."""
    return bundles @ worth + bundles.sum(axis=-1) ** (1 + ADDITIVITY)
