"""Many sets of comparison places, each matched anew, to see how much the choice of set matters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placeproof.hotspots.comparison import distances, far_from, paired, tiles
from placeproof.hotspots.features import Features
from placeproof.hotspots.points import Points
from placeproof.hotspots.translation import apart, copies, occupied

TESSELLATED, TRANSLATED = "tessellated", "translated"
KINDS = (TESSELLATED, TRANSLATED)
"""Tiles of a shifted grid, and copies of the hot spots' own outlines moved to other ground."""


@dataclass(frozen=True)
class Ground:
    """Where candidates may lie, and what happened there before the selection window."""

    history: Points
    """Events of the periods that are matched on."""
    area_wkb: bytes
    outlines: np.ndarray
    """(H,) outlines of the treated hot spots, in metres."""
    own: np.ndarray
    """(H, periods) their history."""
    forbidden: np.ndarray
    """Outlines of every hot spot, treated or not."""
    excluded_within_m: float
    side_m: float
    least_events: float
    features: Features


@dataclass(frozen=True)
class Matching:
    """How candidates are held against hot spots."""

    per_hotspot: int
    shape_weight: float
    feature_weight: float


@dataclass(frozen=True)
class Pool:
    """The candidates of one set."""

    kind: str
    outlines: np.ndarray
    """(C,)"""
    counts: np.ndarray
    """(C, periods) their history."""
    features: np.ndarray
    """(C, features)"""
    owner: np.ndarray | None
    """(C,) the hot spot that each is a copy of; None: any hot spot may have any candidate."""


@dataclass(frozen=True)
class MatchedSet:
    """One set of comparison places, pair by pair."""

    kind: str
    number: int
    """Of its kind, from 1."""
    target: np.ndarray
    """(m,) the hot spot that each stands for."""
    outlines: np.ndarray
    """(m,)"""
    counts: np.ndarray
    """(m, periods) their history."""
    features: np.ndarray
    """(m, features)"""
    distance: np.ndarray
    """(m,) from the hot spot's history and features."""
    spare_target: np.ndarray
    """As `target`, of a matching that asks for one place more for each hot spot: for placebos."""
    spare_outlines: np.ndarray

    @property
    def name(self) -> str:
        """How rows call it, such as tessellated=7."""
        return f"{self.kind}={self.number}"


def forged(
    ground: Ground,
    *,
    sets: int,
    kinds: Sequence[str],
    matching: Matching,
    rng: np.random.Generator,
) -> list[MatchedSet]:
    """
    Match many sets of comparison places, each on a grid of its own.

    Parameters
    ----------
    ground : Ground
        Where candidates may lie.
    sets : int
        Sets in all, dealt out to the kinds in turn.
    kinds : sequence of str
        From `KINDS`.
    matching : Matching
        How candidates are held against hot spots.
    rng : numpy.random.Generator
        Draws the shift of each grid. Shifts end in half a metre, so that no point whose
        coordinates are whole metres lies on an edge.

    Returns
    -------
    list of MatchedSet
        In the order in which they were drawn; sets without a single match are left out.
    """
    made = []
    numbers = dict.fromkeys(kinds, 0)
    for index in range(sets if len(ground.outlines) else 0):
        kind = kinds[index % len(kinds)]
        numbers[kind] += 1
        steps = max(1, int(ground.side_m))
        east, north = (float(shift) % ground.side_m for shift in rng.integers(0, steps, 2) + 0.5)
        pool = candidate_pool(ground, kind=kind, offset_m=(east, north))
        one = _matched(ground, pool, matching, number=numbers[kind])
        if one is not None:
            made.append(one)
    return made


def candidate_pool(ground: Ground, *, kind: str, offset_m: tuple[float, float]) -> Pool:
    """
    Lay out the candidates of one set.

    Parameters
    ----------
    ground : Ground
        Where candidates may lie.
    kind : str
        From `KINDS`.
    offset_m : (float, float)
        Shift of the grid to the east and north, each from 0 to below the side of a tile.

    Returns
    -------
    Pool
        Clear of hot spots and their rings, inside the study area.
    """
    owner = None
    if kind == TRANSLATED:
        outlines, owner, counts = copies(
            ground.history,
            outlines=ground.outlines,
            own=ground.own,
            area_wkb=ground.area_wkb,
            forbidden=ground.forbidden,
            excluded_within_m=ground.excluded_within_m,
            side_m=ground.side_m,
            offset_m=offset_m,
            least_events=ground.least_events,
        )
    else:
        outlines = tiles(
            occupied(ground.history, ground.side_m, offset_m),
            area_wkb=ground.area_wkb,
            side_m=ground.side_m,
            offset_m=offset_m,
            least_events=max(ground.least_events, 1e-9),
        )
        outlines = outlines[far_from(outlines, ground.forbidden, ground.excluded_within_m)]
        counts = ground.history.counted(outlines)
    return Pool(kind, outlines, counts, ground.features.at(outlines), owner)


def squared_distances(ground: Ground, pool: Pool, matching: Matching) -> np.ndarray:
    """
    Measure how far each candidate lies from each hot spot.

    Distance² = level² + weight x shape² of the history, as `match` has it, + weight x the squares
    of the differences in each feature, in standard deviations over candidates and hot spots.

    Parameters
    ----------
    ground : Ground
        With the hot spots.
    pool : Pool
        The candidates.
    matching : Matching
        The weights.

    Returns
    -------
    array, shape (hot spots, candidates)
        Infinite where a candidate lacks a feature that the hot spot has. A feature that the hot
        spot lacks tells its candidates not apart.
    """
    level, shape = distances(ground.own, pool.counts)
    cost = level**2 + matching.shape_weight * shape**2
    own = ground.features.at(ground.outlines)
    for mine, theirs in zip(own.T, pool.features.T, strict=True):
        both = np.concatenate([mine, theirs])
        spread = float(np.nanstd(both)) if np.isfinite(both).any() else 0.0
        if spread == 0 or not np.isfinite(theirs).any():
            continue
        gap = (mine[:, None] - theirs[None, :]) / spread
        gap = np.where(np.isfinite(theirs)[None, :], gap, np.inf)
        cost = cost + matching.feature_weight * np.where(np.isfinite(mine)[:, None], gap, 0.0) ** 2
    return cost


def chosen(pool: Pool, cost: np.ndarray, *, per_hotspot: int) -> tuple[np.ndarray, np.ndarray]:
    """
    Choose places from a pool: tiles so that all costs are smallest, copies so that none touch.

    Parameters
    ----------
    pool : Pool
        The candidates.
    cost : array, shape (hot spots, candidates)
        As `squared_distances` gives it.
    per_hotspot : int
        Places wanted for each hot spot.

    Returns
    -------
    (array of int, array of int)
        Hot spots and their candidates, pair by pair, sorted by hot spot, then by cost.
    """
    if not cost.size:
        hot, candidate = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    elif pool.owner is None:
        hot, candidate = paired(cost, per_hotspot=per_hotspot)
    else:
        hot, candidate = apart(cost, pool.outlines, pool.owner, per_hotspot=per_hotspot)
    order = np.lexsort((candidate, cost[hot, candidate], hot))
    return hot[order], candidate[order]


def _matched(ground: Ground, pool: Pool, matching: Matching, *, number: int) -> MatchedSet | None:
    cost = squared_distances(ground, pool, matching)
    hot, candidate = chosen(pool, cost, per_hotspot=matching.per_hotspot)
    if not len(hot):
        return None
    spare_hot, spare = chosen(pool, cost, per_hotspot=matching.per_hotspot + 1)
    return MatchedSet(
        kind=pool.kind,
        number=number,
        target=hot,
        outlines=pool.outlines[candidate],
        counts=pool.counts[candidate],
        features=pool.features[candidate],
        distance=np.sqrt(cost[hot, candidate]),
        spare_target=spare_hot,
        spare_outlines=pool.outlines[spare],
    )
