"""How pings become visits, and how ready-made visits join them."""

from datetime import timedelta

import numpy as np
import polars as pl
import shapely

from placeproof import geometry
from placeproof.calendar import operating_day
from placeproof.tables import Visit

_NOT_KNOWN = pl.lit(None, dtype=pl.Float64)
_MARGIN_DEG = 0.01
"""About a kilometre: hot spots' bounds in degrees are only a first sieve before projecting."""


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

    Time before the first ping and after the last is not imputed, so a stay is measured from below;
    `with_ping_interval` says by how much.

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
        Visits with less between first and last ping are dropped. 0 keeps visits of one ping.

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
    Four pings of one car in one place, the last after 48 minutes of silence, make two visits.

    >>> from datetime import UTC, datetime, timedelta
    >>> start = datetime(2024, 5, 1, 20, tzinfo=UTC)
    >>> four = [start + timedelta(minutes=minute) for minute in (0, 5, 12, 60)]
    >>> there = pl.DataFrame({"device_id": ["car"] * 4, "hotspot_id": ["H01"] * 4, "at": four})
    >>> merged(there, longest_gap_s=600)["seen_s"].to_list()
    [720.0, 0.0]
    """
    if not longest_gap_s > 0:
        raise ValueError(f"longest_gap_s must be above 0, not {longest_gap_s}")
    if not shortest_dwell_s >= 0:
        raise ValueError(f"shortest_dwell_s must not be below 0, not {shortest_dwell_s}")
    found = merged(inside(pings, hotspots), longest_gap_s=longest_gap_s)
    kept = found.filter(pl.col("seen_s") >= shortest_dwell_s).with_columns(
        dwell_s="seen_s",
        dwell_sd_s=_NOT_KNOWN,
        visible_s=_NOT_KNOWN,
        interval_s=_NOT_KNOWN,
        source=pl.lit("pings"),
        method=pl.lit("order_free"),
    )
    full = with_ping_interval(kept).with_columns(dwell_s=pl.col("seen_s") + pl.col("interval_s"))
    return Visit.validate(full.select(Visit.column_names()), cast=True)


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
    near = _near(pings, hotspots)
    empty = near.select("device_id", pl.lit("").alias("hotspot_id"), "at").clear()
    if near.is_empty():
        return empty
    x, y = geometry.to_metres(near["longitude_deg"], near["latitude_deg"])
    near = near.select("device_id", "at", day=operating_day(pl.col("at")))
    parts = [empty]
    outlines = geometry.outlines(hotspots["geometry"])
    for version, outline in zip(hotspots.iter_rows(named=True), outlines, strict=True):
        hits = near[np.flatnonzero(_contained(x, y, outline))]
        held = pl.col("day") >= version["valid_from"]
        if version["valid_to"] is not None:
            held &= pl.col("day") <= version["valid_to"]
        parts.append(
            hits.filter(held).select(
                "device_id", pl.lit(version["hotspot_id"]).alias("hotspot_id"), "at"
            )
        )
    return pl.concat(parts)


def merged(inside: pl.DataFrame, *, longest_gap_s: float) -> pl.DataFrame:
    """
    Link the moments of one device in one hot spot wherever silence is short enough.

    Parameters
    ----------
    inside : DataFrame
        `device_id`, `hotspot_id`, `at`. Any order, repeats allowed.
    longest_gap_s : float
        Seconds of silence that end a visit.

    Returns
    -------
    DataFrame
        `device_id`, `hotspot_id`, `arrived_at`, `left_at`, `seen_s`, `pings`, sorted.
    """
    whose = ["device_id", "hotspot_id"]
    longest = timedelta(seconds=longest_gap_s)
    silence = pl.col("at").diff().over(whose)
    return (
        inside.unique([*whose, "at"])
        .sort([*whose, "at"])
        .with_columns(begins=silence.is_null() | (silence > longest))
        .with_columns(number=pl.col("begins").cum_sum())
        .group_by("number", *whose)
        .agg(
            arrived_at=pl.col("at").min(),
            left_at=pl.col("at").max(),
            pings=pl.len().cast(pl.Int64),
        )
        .sort("number")
        .with_columns(
            seen_s=(pl.col("left_at") - pl.col("arrived_at")).dt.total_microseconds() / 1e6
        )
        .drop("number")
    )


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


def with_ping_interval(visit: pl.DataFrame) -> pl.DataFrame:
    """
    Say how long after a ping the next one usually came, for the time that pings do not show.

    A stay reaches on average half an interval before its first ping and half an interval after its
    last, so the raw span is short by about one interval for each visit.

    Parameters
    ----------
    visit : table `visit`

    Returns
    -------
    table `visit` and `interval_s`
        Mean time between pings of the device inside visits; where all of its visits have one ping,
        that of all devices; 0 for ready-made visits and where no visit has two pings.
    """
    gaps = pl.col("pings") - 1
    own = pl.col("seen_s").sum() / gaps.sum()
    everyone = visit.select(pl.col("seen_s").filter(gaps > 0).sum() / gaps.sum()).item()
    by_device = (
        pl.when(gaps.sum().over("device_id") > 0).then(own.over("device_id")).otherwise(everyone)
    )
    known = pl.when(pl.col("source") == "pings").then(by_device).otherwise(0.0)
    return visit.with_columns(interval_s=known.fill_nan(None).fill_null(0.0).cast(pl.Float64))


def _near(pings: pl.DataFrame, hotspots: pl.DataFrame) -> pl.DataFrame:
    """Only these are projected, so that a stray position far away cannot stop the run."""
    outlines = geometry.outlines(hotspots["geometry"])
    bounds = shapely.bounds(np.array([o for o in outlines if o is not None], dtype=object))
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if pings.is_empty() or not len(bounds):
        return pings.clear()
    west, south = bounds[:, 0].min(), bounds[:, 1].min()
    east, north = bounds[:, 2].max(), bounds[:, 3].max()
    longitude, latitude = geometry.to_degrees(
        np.array([west, west, east, east]), np.array([south, north, south, north])
    )
    margin = _MARGIN_DEG
    return pings.filter(
        pl.col("longitude_deg").is_between(longitude.min() - margin, longitude.max() + margin),
        pl.col("latitude_deg").is_between(latitude.min() - margin, latitude.max() + margin),
    )


def _contained(x: np.ndarray, y: np.ndarray, outline: shapely.Geometry | None) -> np.ndarray:
    if outline is None or outline.is_empty:
        return np.zeros(x.shape, dtype=bool)
    west, south, east, north = outline.bounds
    within = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    shapely.prepare(outline)
    within[within] = shapely.intersects_xy(outline, x[within], y[within])
    return within
