"""Pings to visits on sorted data: what needs order, accuracy and boundary crossings.

The other path, which needs no order, is `placeproof.patrols.visits`; `advice` says which one suits.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.patrols.cleaning import MICROSECONDS, Tracks, tracks
from placeproof.patrols.crossing_kernel import visits_of
from placeproof.patrols.membership import FARTHEST_SD, SD_PER_ACCURACY, Neighbourhood
from placeproof.patrols.near_pings import near_pings, usual_intervals, walking
from placeproof.patrols.outline_index import OutlineIndex
from placeproof.tables import Visit


@dataclass(frozen=True)
class CrossingVisits:
    """
    Visits, and what was done to the pings before.

    Attributes
    ----------
    visits : table `visit`
        Method crossings.
    cleaned : DataFrame
        `reason`, `treated` (dropped; noted: kept, yet worth knowing; not patrol: in the track, but
        no presence; kept), `pings`, `stretches`, `hours`. The dropped, the not patrol and the kept
        add up to the rows that came in.
    """

    visits: pl.DataFrame
    cleaned: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class CrossingRules:
    """
    Every choice of the second path; none has a default.

    Attributes
    ----------
    longest_gap_s : float
        Seconds of silence that end a visit. The time of a longer silence is not counted, but for
        half a usual interval on either side.
    shortest_dwell_s : float
        Visits whose estimated time inside is shorter are dropped.
    exit_after_s : float
        Seconds outside that end a visit; a shorter step outside joins, and is not counted inside.
    fastest_m_s : float
        Fastest that a device can move: what needs more is dropped.
    foot_fastest_m_s : float
        Fastest that counts as walking, for `visible_s`.
    default_accuracy_m : float or None
        68 % radius where a ping gives none. None: such a position is inside or outside.
    worst_accuracy_m : float
        Positions less accurate than this say nothing about places of 200 m and are dropped.
    smallest_presence : float
        Probability of being inside from which a ping belongs to a visit.
    usual_stay_s : float or None
        How long a device usually stays on one side of a boundary: a lone ping on the other side is
        believed the less, the longer this is. None: each ping is judged by itself.
    error_lasts_s : float
        For how long errors of membership are alike; widens `dwell_sd_s`, moves nothing else.
    still_after_s, still_within_m : float
        A device that stays within this distance for longer than this time was left somewhere: its
        pings are no presence.
    """

    longest_gap_s: float
    shortest_dwell_s: float
    exit_after_s: float
    fastest_m_s: float
    foot_fastest_m_s: float
    default_accuracy_m: float | None
    worst_accuracy_m: float
    smallest_presence: float
    usual_stay_s: float | None
    error_lasts_s: float
    still_after_s: float
    still_within_m: float

    def __post_init__(self) -> None:
        for name in (
            *("longest_gap_s", "fastest_m_s", "worst_accuracy_m", "error_lasts_s"),
            *("still_after_s", "smallest_presence"),
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("shortest_dwell_s", "exit_after_s", "foot_fastest_m_s", "still_within_m"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be below 0, not {getattr(self, name)}")
        if not self.smallest_presence <= 1:
            raise ValueError(f"smallest_presence is at most 1, not {self.smallest_presence}")
        if self.default_accuracy_m is not None and not self.default_accuracy_m >= 0:
            raise ValueError(f"default_accuracy_m must not be below 0: {self.default_accuracy_m}")
        if not self.worst_accuracy_m < np.inf:
            raise ValueError("worst_accuracy_m must be finite: nothing bounds what is near")
        if self.default_accuracy_m is not None and self.default_accuracy_m > self.worst_accuracy_m:
            raise ValueError(
                f"default_accuracy_m {self.default_accuracy_m} is worse than worst_accuracy_m "
                f"{self.worst_accuracy_m}: every ping without an accuracy would be dropped"
            )
        if self.usual_stay_s is not None and not self.usual_stay_s > 0:
            raise ValueError(f"usual_stay_s must be above 0, not {self.usual_stay_s}")


def visits_by_crossings(
    pings: pl.DataFrame,
    hotspots: pl.DataFrame,
    *,
    premises: pl.DataFrame | None,
    rules: CrossingRules,
) -> CrossingVisits:
    """
    Join each device's pings into visits by what probably happened between and around them.

    Each ping gets the probability that the device was inside: its error integrated over the
    outline, then weighed against its neighbours in time (a lone ping across the fence among ten on
    this side is more likely an error than a step). The time inside is the sum of these, each
    ping standing for half the time to its neighbours: a boundary is crossed at any moment between
    two pings with equal chance, so this is right on average however fast a device was on either
    side, where a straight line at constant speed is not. `docs/explanation/visits.md` measures it.

    Parameters
    ----------
    pings : table `ping`
        Any order, repeats allowed. Not modified.
    hotspots : table `hotspot`
        Every version of every hot spot.
    premises : DataFrame or None
        `geometry`: outlines on the National Grid of stations and other premises. Time inside them
        is not visible. None: not supplied.
    rules : CrossingRules

    Returns
    -------
    CrossingVisits

    Raises
    ------
    ValueError
        If a rule is out of range (when `rules` is made).
    """
    inner = None if premises is None else premises_index(premises)
    return crossings_of(pings, OutlineIndex.of(hotspots), premises=inner, rules=rules)


def crossings_of(
    pings: pl.DataFrame,
    index: OutlineIndex,
    *,
    premises: OutlineIndex | None,
    rules: CrossingRules,
) -> CrossingVisits:
    """
    As `visits_by_crossings`, with outlines anywhere on Earth.

    Parameters
    ----------
    pings : table `ping`
    index : OutlineIndex
        Of the hot spots.
    premises : OutlineIndex or None
    rules : CrossingRules

    Returns
    -------
    CrossingVisits
    """
    track = tracks(
        pings,
        default_accuracy_m=rules.default_accuracy_m,
        worst_accuracy_m=rules.worst_accuracy_m,
        fastest_m_s=rules.fastest_m_s,
        still_after_s=rules.still_after_s,
        still_within_m=rules.still_within_m,
    )
    indoors = _indoors(track, premises)
    found = _found(track, index, indoors, rules)
    return CrossingVisits(
        Visit.validate(found.select(Visit.column_names()), cast=True), _cleaned(track, indoors)
    )


def premises_index(premises: pl.DataFrame) -> OutlineIndex:
    """
    Index premises as hot spots are: they hold on every day.

    Parameters
    ----------
    premises : DataFrame
        `geometry`: outlines on the National Grid.

    Returns
    -------
    OutlineIndex
    """
    from_day, open_end = pl.lit(date(1900, 1, 1)), pl.lit(None, dtype=pl.Date)
    return OutlineIndex.of(
        premises.select(
            "geometry",
            hotspot_id=pl.int_range(pl.len()).cast(pl.String),
            valid_from=from_day,
            valid_to=open_end,
        )
    )


def _indoors(track: Tracks, premises: OutlineIndex | None) -> NDArray[np.bool_]:
    if premises is None:
        return np.zeros(len(track.at), dtype=bool)
    near = Neighbourhood.of(premises, margin_m=0.0)
    nothing = np.zeros(len(track.at), np.int32)
    positions = (track.at, track.longitude_e7, track.latitude_e7)
    _, ping, _, _ = near_pings(*positions, nothing.astype(np.float64), nothing, near.arrays())
    place = np.zeros(len(track.at), dtype=bool)
    place[ping] = True
    return place


def _found(
    track: Tracks, index: OutlineIndex, indoors: NDArray[np.bool_], rules: CrossingRules
) -> pl.DataFrame:
    positions = (track.at, track.longitude_e7, track.latitude_e7)
    margin_m = FARTHEST_SD * SD_PER_ACCURACY * rules.worst_accuracy_m
    outlines = Neighbourhood.of(index, margin_m=margin_m).arrays()
    sd_m = np.nan_to_num(track.accuracy_m, nan=0.0) * SD_PER_ACCURACY
    near = near_pings(*positions, sd_m, track.still, outlines)
    order = np.argsort(near[0], kind="stable")
    hotspot, ping, outline, chance = _once(*(column[order] for column in near))
    gap, leave = rules.longest_gap_s * MICROSECONDS, rules.exit_after_s * MICROSECONDS
    interval_s = usual_intervals(track.device, track.at, gap, len(track.device_ids))
    afoot = walking(ping, track.device, *positions, track.speed_m_s, gap, rules.foot_fastest_m_s)
    afoot[indoors[ping]] = 0
    switch_per_s = np.inf if rules.usual_stay_s is None else 2 / rules.usual_stay_s
    whose, moments, numbers, moments_inside = visits_of(
        *(hotspot, ping, outline, chance, afoot, track.device, *positions, interval_s),
        *(gap, leave, rules.smallest_presence, switch_per_s, rules.error_lasts_s, outlines),
    )
    return _frame(track, index, whose, moments, numbers, moments_inside, rules.shortest_dwell_s)


def _once(*entries: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Where outlines of one hot spot hold at once, a ping counts by the one it is likelier in."""
    hotspot, ping, _, chance = entries
    again = np.zeros(len(ping), dtype=bool)
    again[1:] = (hotspot[1:] == hotspot[:-1]) & (ping[1:] == ping[:-1])
    if not again.any():
        return entries
    order = np.lexsort((-chance, ping, hotspot))
    kept = order[~again]  # repeats follow each other in this order, too, the likeliest first
    return tuple(column[kept] for column in entries)


def _frame(
    track: Tracks,
    index: OutlineIndex,
    whose: NDArray[np.int64],
    moments: NDArray[np.int64],
    numbers: NDArray[np.float64],
    moments_inside: NDArray[np.int64],
    shortest_dwell_s: float,
) -> pl.DataFrame:
    device = pl.Series(track.device_ids, dtype=pl.String)
    place = pl.Series(index.hotspot_ids, dtype=pl.String)
    seen_s, dwell_s, dwell_sd_s, visible_s, interval_s = numbers.T
    instant = pl.Datetime("us", "UTC")
    return (
        pl.DataFrame(
            {
                "device_id": device.gather(whose[:, 0]),
                "hotspot_id": place.gather(whose[:, 1]),
                "arrived_at": pl.Series(moments[:, 0]).cast(instant),
                "left_at": pl.Series(moments[:, 1]).cast(instant),
                "seen_s": seen_s,
                "dwell_s": dwell_s,
                "dwell_sd_s": dwell_sd_s,
                "visible_s": visible_s,
                "interval_s": interval_s,
                "pings": moments_inside,
            }
        )
        .with_columns(
            pl.col("visible_s", "interval_s").fill_nan(None),
            source=pl.lit("pings"),
            method=pl.lit("crossings"),
        )
        .filter(pl.col("dwell_s") >= shortest_dwell_s)
        .sort("device_id", "hotspot_id", "arrived_at")
    )


def _cleaned(track: Tracks, indoors: NDArray[np.bool_]) -> pl.DataFrame:
    """Add to what was dropped what was left somewhere, and what remains."""
    still = track.still > 0
    number = track.still[still]
    begins = np.flatnonzero(np.diff(number, prepend=0))
    bounds = np.append(begins, len(number))
    ends = bounds[1:] - 1
    at = track.at[still]
    seconds = (at[ends] - at[begins]) / MICROSECONDS
    at_home = indoors[still][begins]
    sizes = np.diff(bounds)
    rows = [
        {
            "reason": reason,
            "treated": "not patrol",
            "pings": int(sizes[which].sum()),
            "stretches": int(which.sum()),
            "hours": float(seconds[which].sum() / 3600),
        }
        for reason, which in (
            ("left on at named premises", at_home),
            ("left on elsewhere", ~at_home),
        )
    ]
    moving = {"reason": "tracked", "treated": "kept", "pings": int((~still).sum())}
    added = pl.DataFrame(
        [*rows, {**moving, "stretches": None, "hours": None}],
        schema={
            "reason": pl.String,
            "treated": pl.String,
            "pings": pl.Int64,
            "stretches": pl.Int64,
            "hours": pl.Float64,
        },
    )
    return pl.concat([track.cleaned, added], how="diagonal")
