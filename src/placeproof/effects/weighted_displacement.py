"""Weighted Displacement Difference, with a variance that is not plain Poisson."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from placeproof.effects.grid import Grid
from placeproof.effects.inference import Spread, spread

SIGNS = {"treated": 1.0, "comparison": -1.0, "ring": 1.0, "comparison_ring": -1.0}


@dataclass(frozen=True)
class Displacement:
    """The difference in events, and what it rests on."""

    difference: float
    """Events in the time after, beyond what comparison places and their rings would suggest."""
    spread: Spread | None
    poisson_error: float
    """Standard error if counts were Poisson and independent, which they are not."""
    overdispersion: float
    """Factor on the Poisson variance."""
    overdispersion_before: float | None
    overdispersion_comparison: float | None
    periods_before: int
    periods_after: int
    window: tuple[int, int]
    """First period of the time before and last of the time after, as positions."""
    events: float
    refusal: str | None = None
    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Events before and after in each kind of area, as in `difference`."""


def difference(
    counts: Mapping[str, tuple[float, float]],
    *,
    time_weights: tuple[float, float],
    area_weights: Mapping[str, float],
) -> tuple[float, float]:
    """
    Compute the Weighted Displacement Difference and its Poisson variance.

    Parameters
    ----------
    counts : mapping of str to (float, float)
        Events before and after in "treated", "comparison", "ring" and "comparison_ring"; absent
        ones take no part.
    time_weights : (float, float)
        Length of the time before and after, in one unit: counts are divided by it.
    area_weights : mapping of str to float
        Size of each area, in one unit: changes are divided by it.

    Returns
    -------
    (float, float)
        Difference per unit of time and area, and its variance if counts were independent Poisson.

    Sources
    -------
    Documentation of the R package ptools 2.0.0, function wdd, by the statistic's first author: the
    statistic, its variance and how the weights enter.
    """
    estimate, variance = 0.0, 0.0
    for area, (before, after) in counts.items():
        change = after / time_weights[1] - before / time_weights[0]
        estimate += SIGNS[area] * change / area_weights[area]
        noise = after / time_weights[1] ** 2 + before / time_weights[0] ** 2
        variance += noise / area_weights[area] ** 2
    return float(estimate), float(variance)


def weighted_displacement(targets: Grid, rings: Sequence[Grid], *, level: float) -> Displacement:
    """
    Estimate the change in and around treated places beyond that in and around comparison places.

    The time before ends with the earliest start and the time after begins with the latest, so that
    staggered starts share one window; what lies between is left out. Counts are scaled to the
    length of the time after, and comparison areas to the number of treated places. The Poisson
    variance is multiplied by the larger of two overdispersions, each measured where no patrol can
    have had a part: between the halves of the time before, and between before and after in the
    comparison places alone.

    Parameters
    ----------
    targets : Grid
        Hot spots and comparison places.
    rings : sequence of Grid
        Rings of both, one grid for each band; may be empty.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Displacement
        With `refusal` where there is no common time before or after, no comparison place or
        no event.
    """
    grids = [targets, *rings]
    before, after = _windows(grids)
    refusal = _refusal(targets, before, after)
    if refusal:
        return _refused(refusal)
    counts, sizes = _areas(targets, rings, before, after)
    scale = (before.sum() / after.sum(), 1.0)
    estimate, variance = difference(counts, time_weights=scale, area_weights=sizes)
    events = float(sum(map(sum, counts.values())))
    if variance <= 0:
        return _refused("No event was counted in the places compared.")
    own, beside, degrees = _overdispersions(targets, rings, before, after)
    factor = max([1.0, *(f for f in (own, beside) if f is not None)])
    measured = own is not None or beside is not None
    error = float(np.sqrt(variance * factor))
    places = np.flatnonzero(before)[0], np.flatnonzero(after)[-1]
    return Displacement(
        difference=estimate,
        spread=spread(estimate, error, degrees=degrees, level=level) if measured else None,
        poisson_error=float(np.sqrt(variance)),
        overdispersion=factor,
        overdispersion_before=own,
        overdispersion_comparison=beside,
        periods_before=int(before.sum()),
        periods_after=int(after.sum()),
        window=(int(places[0]), int(places[1])),
        events=events,
        counts=counts,
    )


def _windows(grids: Sequence[Grid]) -> tuple[np.ndarray, np.ndarray]:
    supplied = np.logical_and.reduce([g.observed.all(axis=0) for g in grids])
    before = np.logical_and.reduce([g.before[g.patrolled].all(axis=0) for g in grids]) & supplied
    after = np.logical_and.reduce([g.after[g.patrolled].all(axis=0) for g in grids]) & supplied
    return before, after


def _refusal(targets: Grid, before: np.ndarray, after: np.ndarray) -> str | None:
    if not targets.patrolled.any():
        return "No treated place."
    if targets.patrolled.all():
        return "No comparison place."
    if not before.any():
        return "No period with all counts lies before the earliest start."
    if not after.any():
        return "No period with all counts lies after the latest start."
    return None


def _areas(
    targets: Grid, rings: Sequence[Grid], before: np.ndarray, after: np.ndarray
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    side = targets.patrolled
    counts = {
        "treated": _pair(targets.counts[side], before, after),
        "comparison": _pair(targets.counts[~side], before, after),
    }
    if rings:
        counts["ring"] = _pair(_stacked(rings, True), before, after)
        counts["comparison_ring"] = _pair(_stacked(rings, False), before, after)
    ratio = float((~side).sum() / side.sum())
    sizes = {area: 1.0 if SIGNS[area] > 0 else ratio for area in counts}
    return counts, sizes


def _stacked(rings: Sequence[Grid], patrolled: bool) -> np.ndarray:
    return np.vstack([ring.counts[ring.patrolled == patrolled] for ring in rings])


def _pair(counts: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    return float(counts[:, before].sum()), float(counts[:, after].sum())


def _overdispersions(
    targets: Grid, rings: Sequence[Grid], before: np.ndarray, after: np.ndarray
) -> tuple[float | None, float | None, int]:
    periods = np.flatnonzero(before)
    half = len(periods) // 2
    own = beside = None
    free = 0
    pieces = [(g.counts[g.patrolled == s], s) for g in [targets, *rings] for s in (True, False)]
    if half:
        early, late = periods[:half], periods[len(periods) - half :]
        own, free = _pearson([(c[:, early].sum(1), c[:, late].sum(1)) for c, _ in pieces])
    untouched = [(c[:, before].sum(1), c[:, after].sum(1)) for c, s in pieces if not s]
    beside, free_beside = _pearson(untouched)
    if own is None or (beside is not None and beside > own):
        free = free_beside
    return own, beside, max(1, free)


def _pearson(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float | None, int]:
    """Pearson's chi-square over its degrees of freedom of changes, within each kind of place."""
    total, free = 0.0, 0
    for early, late in pairs:
        both = early + late
        seen = both > 0
        if seen.sum() < 2:
            continue
        share = late.sum() / both.sum()
        if not 0 < share < 1:
            continue
        expected = both[seen] * share
        total += float(((late[seen] - expected) ** 2 / (expected * (1 - share))).sum())
        free += int(seen.sum()) - 1
    return (total / free, free) if free else (None, 0)


def _refused(why: str) -> Displacement:
    nothing = float("nan")
    return Displacement(nothing, None, nothing, nothing, None, None, 0, 0, (0, 0), 0.0, why)
