"""Which place an event belongs to: inside, in a ring, outside, or nowhere known; never twice."""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from placeproof import calendar, geometry
from placeproof.errors import SettingsError
from placeproof.hotspots.grid import has_point
from placeproof.hotspots.register import first_treated, outline_on, require_register

OutlineRule = Literal["at_event", "first"]
"""Which outline of a re-drawn hot spot counts an event: the one on its day, or always the first."""

Assigned = {
    "place_id": pl.String,
    "target_id": pl.String,
    "zone": pl.String,
    "ring_inner_m": pl.Float64,
    "ring_outer_m": pl.Float64,
}
"""Columns of what `assign` returns."""


def ring_id(target_id: str, inner_m: float, outer_m: float) -> str:
    """Name the place that is the ring of a target between two distances."""
    return f"{target_id}:ring-{inner_m:g}-{outer_m:g}m"


def assign(
    events: pl.DataFrame,
    hotspots: pl.DataFrame,
    *,
    comparison: pl.DataFrame | None,
    edges_m: Sequence[float],
    outline_rule: OutlineRule,
) -> pl.DataFrame:
    """
    Give each event (or respondent, or any point) the one place that counts it.

    A point in several hot spots, or on a shared boundary, counts in the one patrolled first (then
    by id); hot spots go before comparison places. A point in no outline belongs to the ring of
    the nearest outline (ties: the one patrolled first, then by id), so overlapping rings never
    count it twice, and never count what lies inside any hot spot or comparison place. A hole in an
    outline is not inside.

    Parameters
    ----------
    events : DataFrame
        `easting_m`, `northing_m` (null: no location) and, for `outline_rule="at_event"`,
        `occurred_from` (UTC) or `month`: its operating day, or else the first of its month, says
        which outline held. Any order. Not modified.
    hotspots : table `hotspot`
        All versions.
    comparison : table `place` or None
        Comparison places, fixed in time.
    edges_m : sequence of float
        Distances that bound the rings, rising from 0: (0, 100, 250) makes two rings. Empty: none.
    outline_rule : "at_event" or "first"
        "at_event": the outline in force on the day of the event (`outline_on`), so a re-drawing
        never changes what was assigned before it, but the series has a step there. "first": the
        first outline throughout, so that the same ground is compared.

    Returns
    -------
    DataFrame
        One row per event, in the same order: `place_id` (null: in no place), `target_id` (the hot
        spot or comparison place it is in or beside), `zone` (inside, ring, outside, unlocated),
        `ring_inner_m`, `ring_outer_m`.

    Raises
    ------
    SettingsError
        If the edges do not rise from 0, or `outline_rule` is unknown.
    GeometryError, ContractError
        If the register contradicts itself (`require_register`).
    """
    require_edges(edges_m)
    require_register(hotspots)
    if outline_rule not in ("at_event", "first"):
        raise SettingsError(
            f'outline_rule is "{outline_rule}". Expected: "at_event" or "first".',
            mend="Set one of the two.",
        )
    located = events.with_row_index("_event").filter(has_point())
    parts = [
        _assign_epoch(epoch, targets, edges_m)
        for epoch, targets in _epochs(located, hotspots, comparison, outline_rule)
    ]
    frame = pl.concat([pl.DataFrame(schema={"_event": pl.get_index_type(), **Assigned}), *parts])
    return (
        events.select(pl.int_range(pl.len(), dtype=pl.get_index_type()).alias("_event"))
        .join(frame, on="_event", how="left", maintain_order="left")
        .with_columns(pl.col("zone").fill_null("unlocated"))
        .drop("_event")
    )


def require_edges(edges_m: Sequence[float]) -> None:
    """Refuse ring edges that do not rise from 0; no edges mean no rings."""
    rising = all(a < b for a, b in itertools.pairwise(edges_m))
    if len(edges_m) and (len(edges_m) < 2 or edges_m[0] != 0 or not rising):
        raise SettingsError(
            f"ring edges are {list(edges_m)}. Expected: at least two distances in metres that "
            "rise from 0.",
            mend="Set ring_edges_m in plan.toml, for example [0, 100, 250].",
        )


def _epochs(
    located: pl.DataFrame,
    hotspots: pl.DataFrame,
    comparison: pl.DataFrame | None,
    outline_rule: OutlineRule,
) -> list[tuple[pl.DataFrame, pl.DataFrame]]:
    """Cut the events where an outline changes, each part with the outlines that hold in it."""
    if outline_rule == "first" or hotspots.is_empty():
        return [(located, _targets(hotspots, comparison, date.min))]
    changes = hotspots.filter(pl.col("valid_from") > pl.col("valid_from").min().over("hotspot_id"))[
        "valid_from"
    ]
    starts = [date.min, *changes.unique().sort().to_list()]
    dated = located.with_columns(_day=_event_day(located))
    parts = []
    for number, start in enumerate(starts):
        inside = pl.col("_day") >= start
        if number + 1 < len(starts):
            inside = inside & (pl.col("_day") < starts[number + 1])
        parts.append((dated.filter(inside), _targets(hotspots, comparison, start)))
    return parts


def _event_day(events: pl.DataFrame) -> pl.Expr:
    month = pl.col("month") if "month" in events.columns else pl.lit(None, dtype=pl.Date)
    if "occurred_from" not in events.columns:
        # Undated points cannot choose between outlines: the first one counts them.
        return pl.coalesce(month, pl.lit(date.min))
    return pl.coalesce(calendar.operating_day(pl.col("occurred_from")), month, pl.lit(date.min))


def _targets(hotspots: pl.DataFrame, comparison: pl.DataFrame | None, day: date) -> pl.DataFrame:
    """The outlines in force, in the order in which they claim a point."""
    treated = outline_on(hotspots, day=day).select(
        pl.col("hotspot_id").alias("target_id"), "geometry"
    )
    starts = first_treated(hotspots).select(
        pl.col("hotspot_id").alias("target_id"), start="first_treated"
    )
    treated = treated.join(starts, on="target_id", how="left", maintain_order="left")
    if comparison is None or comparison.is_empty():
        return treated
    beside = comparison.sort("place_id").select(
        pl.col("place_id").alias("target_id"), "geometry", start=pl.lit(None, dtype=pl.Date)
    )
    return pl.concat([treated, beside])


def _assign_epoch(
    located: pl.DataFrame, targets: pl.DataFrame, edges_m: Sequence[float]
) -> pl.DataFrame:
    easting = located["easting_m"].to_numpy()
    northing = located["northing_m"].to_numpy()
    inside = np.full(len(located), -1, dtype=np.int64)
    ring, band = inside.copy(), inside.copy()
    if len(targets) and len(located):
        outlines = list(geometry.outlines(targets["geometry"]))
        inside = np.asarray(geometry.locate(easting, northing, outlines))
        if len(edges_m):
            ring, band = geometry.nearest_band(
                easting, northing, outlines, edges_m=edges_m, priority=range(len(targets))
            )
    return _named(located["_event"], inside, np.asarray(ring), np.asarray(band), targets, edges_m)


def _named(
    event: pl.Series,
    inside: np.ndarray,
    ring: np.ndarray,
    band: np.ndarray,
    targets: pl.DataFrame,
    edges_m: Sequence[float],
) -> pl.DataFrame:
    ids = targets["target_id"].to_list()
    bands = list(itertools.pairwise(edges_m))
    in_ring = ring >= 0  # never inside an outline: `nearest_band` says so
    target = np.where(inside >= 0, inside, np.where(in_ring, ring, -1))
    # The code of a place: its target, then 0 for inside and 1, 2… for its rings.
    zone_code = np.where(in_ring, band + 1, 0)
    codes = pl.DataFrame({"_event": event, "_target": target, "_zone": zone_code})
    lookup = pl.DataFrame(
        [
            (number, zone, name if zone == 0 else ring_id(name, *bands[zone - 1]), name)
            + (("inside", None, None) if zone == 0 else ("ring", *map(float, bands[zone - 1])))
            for number, name in enumerate(ids)
            for zone in range(len(bands) + 1)
        ],
        schema={"_target": pl.Int64, "_zone": pl.Int64, **Assigned},
        orient="row",
    )
    return (
        codes.cast({"_target": pl.Int64, "_zone": pl.Int64})
        .join(lookup, on=["_target", "_zone"], how="left", maintain_order="left")
        .with_columns(pl.col("zone").fill_null("outside"))
        .drop("_target", "_zone")
    )


def assign_to_places(events: pl.DataFrame, places: pl.DataFrame) -> pl.Series:
    """
    Find the place whose fixed outline holds each event.

    Parameters
    ----------
    events : DataFrame
        `easting_m`, `northing_m` (null: no location). Not modified.
    places : table `place`
        Places of one kind with outlines. A point in several belongs to the first by id.

    Returns
    -------
    Series
        `place_id` for each event in the same order; null outside all places or without location.
    """
    ordered = places.filter(pl.col("geometry").is_not_null()).sort("place_id")
    known = events.select(has_point()).to_series()
    found = np.full(len(events), -1, dtype=np.int64)
    if len(ordered) and known.any():
        located = events.filter(known)
        found[known.to_numpy()] = geometry.locate(
            located["easting_m"].to_numpy(),
            located["northing_m"].to_numpy(),
            list(geometry.outlines(ordered["geometry"])),
        )
    ids = [*ordered["place_id"].to_list(), None]
    return pl.Series("place_id", [ids[i] for i in found.tolist()], dtype=pl.String)


def assign_by_code(events: pl.DataFrame, places: pl.DataFrame) -> pl.Series:
    """
    Find the place of each event by the area code that the source gives.

    For public data: points are snapped and generalised boundaries cut them off, so the code is
    the better witness.

    Parameters
    ----------
    events : DataFrame
        `lsoa_code` (null: the source gives none). Not modified.
    places : table `place`
        Places of kind `lsoa`, whose `place_id` is the code.

    Returns
    -------
    Series
        `place_id` for each event in the same order; null without code or for a code of no place.
    """
    known = places.select(
        pl.col("place_id").cast(pl.String), lsoa_code=pl.col("place_id").cast(pl.String)
    )
    return (
        events.select("lsoa_code")
        .join(known, on="lsoa_code", how="left", maintain_order="left")["place_id"]
        .cast(pl.String)
    )
