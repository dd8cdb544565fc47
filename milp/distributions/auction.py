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
    """The bids of one bidder, bundles as 0/1 vectors [items]; none if he would pay a negative price."""
    interests = rng.random(market.values.size)
    worth = market.values + MAX_VALUE * VALUE_DEVIATION * (2 * interests - 1)
    bundle = _pick(rng, interests[None])
    while rng.random() < market.add_item and not bundle.all():
        _extend(rng, bundle, interests, market)
    price = float(_prices(bundle, worth)[0])
    if price < 0:
        return []
    substitutes = _substitutes(rng, bundle[0], interests, market)
    asked = _prices(substitutes, worth)
    resale = RESALE_FACTOR * market.values[bundle[0]].sum()
    able = (asked >= 0) & (asked <= BUDGET_FACTOR * price) & (substitutes @ market.values >= resale)
    offers = {bundle[0].tobytes(): (bundle[0], price)}
    for i in np.argsort(-asked, kind="stable"):
        if able[i] and len(offers) <= MAX_SUBSTITUTES:
            offers.setdefault(substitutes[i].tobytes(), (substitutes[i], float(asked[i])))
    return list(offers.values())


def _substitutes(rng: np.random.Generator, bundle: NDArray, interests: NDArray, market: _Market) -> NDArray:
    """For each item of a bundle, another bundle of the same size that holds it, [size, items] bool."""
    found = np.eye(bundle.size, dtype=bool)[bundle]
    for _ in range(int(bundle.sum()) - 1):
        _extend(rng, found, interests, market)
    return found


def _extend(rng: np.random.Generator, bundles: NDArray, interests: NDArray, market: _Market) -> None:
    """Add one item to each bundle [k, items], drawn by interest and by compatibility with what is there."""
    weights = interests * (bundles.astype(float) @ market.compatibility)
    bundles |= _pick(rng, np.where(bundles, 0.0, weights))


def _pick(rng: np.random.Generator, weights: NDArray) -> NDArray:
    """One item for each row of weights [k, items], as a bool matrix."""
    sums = np.cumsum(weights, axis=1)
    drawn = rng.random((len(weights), 1)) * sums[:, -1:]
    return np.arange(weights.shape[1]) == (sums <= drawn).sum(axis=1, keepdims=True)


def _prices(bundles: NDArray, worth: NDArray) -> NDArray:
    """What a bidder pays for bundles [k, items]: their worth, and more for larger ones."""
    return bundles @ worth + bundles.sum(axis=1) ** (1 + ADDITIVITY)
