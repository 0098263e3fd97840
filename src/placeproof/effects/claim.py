"""A before-and-after claim taken apart: what was to be expected, what was luck, what is left."""

import math
from dataclasses import dataclass, replace

import numpy as np

from placeproof.effects.effect import Effect, effects
from placeproof.effects.grid import Grid, only
from placeproof.effects.imputation import groups, imputable
from placeproof.effects.inference import Spread, jackknife


@dataclass(frozen=True)
class Factor:
    """One factor of the change, on the log scale; the factors of a claim add up to its change."""

    log_ratio: float
    spread: Spread | None

    @property
    def ratio(self) -> float:
        """The factor itself."""
        return math.exp(self.log_ratio)


@dataclass(frozen=True)
class TakenApart:
    """A change between two windows in treated places, and what it is made of."""

    counted_then: float
    counted_now: float
    expected_then: float
    """Events that the earlier window would have had at these places' usual level."""
    expected_now: float
    """Events that the later window would have had without patrols."""
    change: Factor
    """Counted now over counted then, for each period."""
    elsewhere: Factor
    """Expected now over expected then: season, and what moved in the comparison places too."""
    luck: Factor
    """Expected over counted in the earlier window: the return from a chance high or low."""
    beyond: Factor
    """Counted over expected in the later window: what neither season nor chance accounts for."""
    luck_share: float
    """Part of the log change that `luck` is; not a number where the change is too small to divide
    or the earlier window was patrolled."""
    luck_share_spread: Spread | None
    places: int
    dropped_places: int
    """Treated places without an expectation in one of the windows; they are in no figure."""
    periods_then: int
    periods_now: int
    patrolled_then: float
    """Share of the place-periods of the earlier window that patrols had reached."""
    patrolled_now: float
    refusal: str | None = None


SMALL_CHANGE = 0.01
"""Log change below which a share of it means nothing."""

_NOTHING = "No event was counted in one of the windows: there is no change in per cent."


def taken_apart(
    table: Grid, *, then: np.ndarray, now: np.ndarray, baseline: np.ndarray, level: float
) -> TakenApart:
    """
    Compare two windows in the treated places, and each window with what was to be expected.

    Expectations are Poisson imputation from untreated counts, to which the treated places' own
    counts of both windows do not belong: so a chance high of the earlier window shows as counted
    above expected, and its end as regression to the mean, which a before-and-after claim counts as
    success. On the log scale the change is exactly the sum of three factors: what the comparison
    places' course leads one to expect, the return from chance, and what is left beyond.

    Parameters
    ----------
    table : Grid
        Treated and comparison places. Not modified.
    then, now : array of bool, shape (T,)
        Periods of the earlier and the later window.
    baseline : array of bool, shape (T,)
        Periods whose untreated counts may serve as baseline.
    level : float
        Coverage that the intervals claim.

    Returns
    -------
    TakenApart
        `refusal` says why where there is nothing to say. Intervals are leave-one-place-out
        jackknife intervals on the log scale.
    """
    patrolled = table.patrolled[:, None]
    windows = np.stack([patrolled & then[None], patrolled & now[None]])
    # In a window that may not serve as baseline (hot spots were chosen in it) the comparison
    # places still say what season and town did.
    serving = np.where(patrolled, baseline & ~(then | now), baseline | then | now)
    before = table.before & serving
    why = _cannot(table, windows, held=bool(then.any() and now.any()))
    if why:
        return _refused(why)
    keep = ~table.patrolled | _expected(table, windows, before)
    dropped = int((~keep).sum())
    if not (keep & table.patrolled).any():
        return _refused(
            "No treated place has an untreated count outside the two windows that ties it to the "
            "comparison places: what was to be expected cannot be said."
        )
    table, windows, before = only(table, keep), windows[:, keep], before[keep]
    earlier, later = effects(table, parts=windows, before=before, level=level)
    why = earlier.refusal or later.refusal
    if why or earlier.observed <= 0 or later.observed <= 0:
        return _refused(why or _NOTHING)
    made = _factors(table, windows, earlier, later, level=level)
    return replace(
        made,
        dropped_places=dropped,
        periods_then=int(then.sum()),
        periods_now=int(now.sum()),
    )


def _cannot(table: Grid, windows: np.ndarray, *, held: bool) -> str | None:
    if not table.patrolled.any():
        return "No place was patrolled."
    if table.patrolled.all():
        return "There is no comparison place: what was to be expected cannot be said."
    if not held:
        return "One of the windows holds no whole period of the data."
    if (windows.any(axis=0) & ~table.observed).any():
        return "Counts of one of the windows were not supplied: its sum is not known."
    if not np.where(windows, table.counts, 0.0).sum(axis=(1, 2)).all():
        return _NOTHING
    return None


def _expected(table: Grid, windows: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Places whose every cell of both windows has an expectation."""
    grouped = groups(table)
    known = imputable(table, grouped, before=(before & table.observed)[grouped.first])
    wanted = np.asarray(windows.any(axis=0))
    return (known[grouped.member] | ~wanted).all(axis=1) & wanted.any(axis=1)


def _factors(
    table: Grid, windows: np.ndarray, earlier: Effect, later: Effect, *, level: float
) -> TakenApart:
    lengths = windows.any(axis=1).sum(axis=1)
    counts = np.where(windows, table.counts[None], 0.0).sum(axis=2)
    totals = counts.sum(axis=1)
    without = totals[:, None] - counts
    treated = int(np.any(windows, axis=(0, 2)).sum())
    scale = math.log(lengths[0] / lengths[1])
    change = math.log(totals[1] / totals[0]) + scale
    with np.errstate(divide="ignore", invalid="ignore"):
        change_without = np.log(without[1]) - np.log(without[0]) + scale

    def factor(value: float, replicates: np.ndarray) -> Factor:
        if treated < 2 or not np.isfinite(replicates).all():
            return Factor(value, None)
        return Factor(value, jackknife(value, replicates, degrees=treated - 1, level=level))

    luck, beyond = -earlier.log_ratio, later.log_ratio
    elsewhere = change - luck - beyond
    reached = [float(table.after[window].mean()) for window in windows]
    share, shares = math.nan, np.full(len(table.places), math.nan)
    if abs(change) >= SMALL_CHANGE and not reached[0]:
        share = luck / change
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = -earlier.replicates / change_without
    return TakenApart(
        counted_then=float(totals[0]),
        counted_now=float(totals[1]),
        expected_then=float(totals[0] * math.exp(luck)),
        expected_now=float(totals[1] * math.exp(-beyond)),
        change=factor(change, change_without),
        elsewhere=factor(elsewhere, change_without + earlier.replicates - later.replicates),
        luck=factor(luck, -earlier.replicates),
        beyond=factor(beyond, later.replicates),
        luck_share=share,
        luck_share_spread=factor(share, shares).spread if math.isfinite(share) else None,
        places=treated,
        dropped_places=0,
        periods_then=0,
        periods_now=0,
        patrolled_then=reached[0],
        patrolled_now=reached[1],
    )


def _refused(why: str) -> TakenApart:
    nothing = Factor(math.nan, None)
    return TakenApart(
        *(math.nan,) * 4,
        *(nothing,) * 4,
        luck_share=math.nan,
        luck_share_spread=None,
        places=0,
        dropped_places=0,
        periods_then=0,
        periods_now=0,
        patrolled_then=math.nan,
        patrolled_now=math.nan,
        refusal=why,
    )
