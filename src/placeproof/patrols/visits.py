"""How pings become visits, and how ready-made visits join them."""

from typing import Any

import polars as pl

from placeproof.patrols.outline_index import OutlineIndex, degrees_e7, members
from placeproof.patrols.stays import Stays, in_order, stays_of, to_frame, usual_intervals
from placeproof.patrols.stretches import moments
from placeproof.tables import Visit

_NOT_KNOWN = pl.lit(None, dtype=pl.Float64)
_TICKS = 1_000_000


def visits(
    pings: pl.DataFrame,
    hotspots: pl.DataFrame,
    *,
    longest_gap_s: float,
    shortest_dwell_s: float,
) -> pl.DataFrame:
    """
    Join each device's pings in the same hot spot into visits.

    A visit is a run of one device's pings inside one hot spot in which no silence is longer than
    `longest_gap_s`. Where the device is between two pings is not asked: a short step outside does
    not end a visit. So the order of the rows, late rows and repeated rows change nothing. A device
    inside two overlapping hot spots visits both. An outline counts on the operating days on which
    its version held; a change of outline does not cut a visit.

    Membership is decided on whole ten-millionths of a degree (`outline_index`), in one pass of
    machine code (`stays`). `seen_s` is what pings show and is measured from below; `dwell_s` adds
    the time around them that pings leave unseen (`visits_from_stays` says how much that is).

    Parameters
    ----------
    pings : table `ping`
        Any order, repeats allowed. Not modified. Rows without a position are passed over.
    hotspots : table `hotspot`
        Every version of every hot spot; a point on the boundary is inside.
    longest_gap_s : float
        Seconds of silence that end a visit; at least 1.5 times the interval between pings. No
        default: it depends on that interval.
    shortest_dwell_s : float
        Visits whose estimated dwell is shorter are dropped. 0 keeps all.

    Returns
    -------
    table `visit`
        One row per visit, sorted by device, hot spot and arrival. Visits of a device to one hot
        spot never overlap. `pings` counts moments, so that repeats do not count.

    Raises
    ------
    ValueError
        If `longest_gap_s` is not above 0, or `shortest_dwell_s` is below 0.

    Examples
    --------
    Four pings of one car in one place, at minutes 0, 5, 12 and 60, with a longest gap of 600 s
    make two visits: `seen_s` is 720 and 0.
    """
    if not shortest_dwell_s >= 0:
        raise ValueError(f"shortest_dwell_s must not be below 0, not {shortest_dwell_s}")
    index = OutlineIndex.of(hotspots)
    device_ids, positions = _positions(pings)
    found = stays_of(index, **positions, ticks_per_second=_TICKS, longest_gap_s=longest_gap_s)
    stays = Stays.merge([found], longest_gap_s=longest_gap_s)
    frame = to_frame(stays, device_ids, index.hotspot_ids)
    return visits_from_stays(
        _counted(frame, inside(pings, hotspots)),
        usual_intervals(stays, device_ids, longest_gap_s=longest_gap_s),
        shortest_dwell_s=shortest_dwell_s,
    )


def visits_from_stays(
    stays: pl.DataFrame, intervals: pl.DataFrame, *, shortest_dwell_s: float
) -> pl.DataFrame:
    """
    Say of each stay how long it probably was.

    A stay reaches on average half a gap before its first ping and half a gap after its last, each
    anything from nothing to a whole gap. So where pings come regularly the estimate is one interval
    longer than what pings show, and its error has a standard deviation of interval / √6; `unseen_s`
    and `unseen_sd_s` allow for pings that are lost and gaps of different lengths. The accuracy of
    the positions is not part of that error: the path by crossings uses it.

    Parameters
    ----------
    stays : DataFrame
        `device_id`, `hotspot_id`, `arrived_at`, `left_at`, as `stays.to_frame` gives them; with
        `pings` where moments were counted.
    intervals : DataFrame
        `device_id`, `interval_s`, `unseen_s`, `unseen_sd_s`, as `stays.usual_intervals` gives
        them.
    shortest_dwell_s : float
        Visits whose estimated dwell is shorter are dropped. 0 keeps all.

    Returns
    -------
    table `visit`
        Sorted by device, hot spot and arrival; method order_free.
    """
    unseen_s = pl.col("unseen_s").fill_null(0.0)
    count = pl.col("pings") if "pings" in stays.columns else pl.lit(None, dtype=pl.Int64)
    seen_s = (pl.col("left_at") - pl.col("arrived_at")).dt.total_microseconds() / 1e6
    made = stays.join(intervals, on="device_id", how="left", maintain_order="left").select(
        *("device_id", "hotspot_id", "arrived_at", "left_at"),
        seen_s=seen_s,
        dwell_s=seen_s + unseen_s,
        dwell_sd_s="unseen_sd_s",
        visible_s=_NOT_KNOWN,
        interval_s="interval_s",
        pings=count,
        source=pl.lit("pings"),
        method=pl.lit("order_free"),
    )
    long_enough = made["dwell_s"] >= shortest_dwell_s
    if not long_enough.all():
        made = made.filter(long_enough)
    return Visit.validate(in_order(made), cast=True)


def threshold_note(visit: pl.DataFrame, *, threshold_s: float) -> str | None:
    """
    Say when a length of time is too short for the pings to tell.

    Parameters
    ----------
    visit : table `visit`
    threshold_s : float
        A shortest dwell, a target, a gap between visits.

    Returns
    -------
    str or None
        A sentence for the reason of a result; None where pings are frequent enough. The interval
        is the median over visits that pings show.
    """
    known = visit.filter(pl.col("source") == "pings")["interval_s"].drop_nulls()
    usual = known.median()
    if not isinstance(usual, float) or threshold_s <= 0 or threshold_s > usual:
        return None
    return (
        f"The threshold of {threshold_s:g} s is not above the usual time between pings "
        f"({usual:.0f} s): pings cannot tell which side of it a visit is on."
    )


def inside(pings: pl.DataFrame, hotspots: pl.DataFrame) -> pl.DataFrame:
    """
    Find the pings that lie in a hot spot on a day on which its outline held.

    Parameters
    ----------
    pings : table `ping`
    hotspots : table `hotspot`

    Returns
    -------
    DataFrame
        `device_id`, `hotspot_id`, `at`: one row per ping and hot spot that it lies in.
    """
    index = OutlineIndex.of(hotspots)
    row, hotspot = members(
        index,
        at=moments(pings["at"]),
        longitude_e7=degrees_e7(pings["longitude_deg"]),
        latitude_e7=degrees_e7(pings["latitude_deg"]),
        ticks_per_second=_TICKS,
    )
    names = pl.Series("hotspot_id", index.hotspot_ids, dtype=pl.String).gather(hotspot)
    return pings.select("device_id", "at")[row].select("device_id", names, "at")


def ready_made_visits(delivered: pl.DataFrame) -> pl.DataFrame:
    """
    Take the visits that a source gives ready-made.

    Parameters
    ----------
    delivered : table `delivered`
        Rows without a start or an end are passed over: they are minutes, not visits.

    Returns
    -------
    table `visit`
        `source` is delivered, `pings` null; where the source names no unit, `device_id` says so.
    """
    timed = delivered.filter(
        pl.col("started_at").is_not_null(), pl.col("ended_at") >= pl.col("started_at")
    )
    span_s = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 1e6
    made = timed.select(
        device_id=pl.col("unit_id").fill_null("not supplied"),
        hotspot_id="hotspot_id",
        arrived_at="started_at",
        left_at="ended_at",
        seen_s=span_s,
        dwell_s=span_s,
        dwell_sd_s=_NOT_KNOWN,
        visible_s=_NOT_KNOWN,
        interval_s=_NOT_KNOWN,
        pings=pl.lit(None, dtype=pl.Int64),
        source=pl.lit("delivered"),
        method=pl.lit("ready_made"),
    )
    return Visit.validate(made, cast=True).sort("device_id", "hotspot_id", "arrived_at", "left_at")


def _positions(pings: pl.DataFrame) -> tuple[list[str], dict[str, Any]]:
    device_ids = pings["device_id"].unique().sort().to_list()
    codes = pings["device_id"].cast(pl.Enum(device_ids)).to_physical().cast(pl.Int32)
    return device_ids, {
        "device": codes.to_numpy(),
        "at": moments(pings["at"]),
        "longitude_e7": degrees_e7(pings["longitude_deg"]),
        "latitude_e7": degrees_e7(pings["latitude_deg"]),
    }


def _counted(stays: pl.DataFrame, within: pl.DataFrame) -> pl.DataFrame:
    """How many moments with a ping each stay has; every moment inside is in exactly one stay."""
    whose = ["device_id", "hotspot_id"]
    begun = stays.select(*whose, "arrived_at").sort("arrived_at")
    return stays.join(
        within.unique([*whose, "at"])
        .sort("at")
        .join_asof(begun.with_columns(at="arrived_at"), on="at", by=whose, check_sortedness=False)
        .group_by(*whose, "arrived_at")
        .agg(pings=pl.len().cast(pl.Int64)),
        on=[*whose, "arrived_at"],
        how="left",
    )
