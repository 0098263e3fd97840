"""A line for each visit, cut so that it can be shown: where a patrol went, not where from."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from placeproof import geometry
from placeproof.calendar import operating_day
from placeproof.tables import Route

Shapes = NDArray[np.object_]
_LINE = shapely.GeometryType.LINESTRING
_CHUNK = 20_000
"""Visits worked on at once, so that memory is bounded by them and not by the study."""


def routes(
    pings: pl.DataFrame,
    visits: pl.DataFrame,
    hotspots: pl.DataFrame,
    *,
    margin_m: float,
    lead_s: float,
    longest_gap_s: float,
    trim_m: float,
    snap_m: float,
    simplify_m: float,
    premises: pl.DataFrame | None,
) -> pl.DataFrame:
    """
    Draw the line of each visit, cut to its hot spot and a margin, without its private ends.

    The line joins a device's positions from `lead_s` before the visit to `lead_s` after it and is
    broken where the device was silent for too long. What lies beyond the margin is cut off. An end
    that remains inside is where a device was switched on or off, or where we stopped looking: a
    disc of `trim_m` around it is taken out of the whole line, and so are premises. A visit that
    stands still draws no line and has no row.

    Parameters
    ----------
    pings : table `ping`
        Any order, repeats allowed. Not modified. May be a part of the devices, as long as the
        visits are theirs.
    visits : table `visit`
        Ready-made visits have no positions and are passed over.
    hotspots : table `hotspot`
        The version of the day of arrival is the one that cuts.
    margin_m : float
        How far outside the outline a line may be seen.
    lead_s : float
        Seconds before and after the visit that are drawn as far as they lie in the margin.
    longest_gap_s : float
        Seconds of silence over which no line is drawn.
    trim_m : float
        Radius taken out around ends that lie inside.
    snap_m : float
        Positions are rounded to multiples of this.
    simplify_m : float
        Farthest that the line may stray from the rounded positions.
    premises : DataFrame or None
        `easting_m`, `northing_m`, `radius_m` of stations and other places whose inside is never
        drawn; None where no list is supplied.

    Returns
    -------
    table `route`
        Sorted by hot spot, arrival, length and line. No device is named.

    Raises
    ------
    ValueError
        If a length or time is negative, or `snap_m` or `longest_gap_s` is not above 0.
    """
    _require(margin_m, lead_s, trim_m, simplify_m, above=(snap_m, longest_gap_s))
    chosen = _with_version(visits.filter(pl.col("source") == "pings"), hotspots)
    if chosen.is_empty() or pings.is_empty():
        return Route.create_empty()
    chosen, track = _numbered(chosen, pings)
    outlines = geometry.outlines(hotspots["geometry"])
    zones = np.asarray(shapely.buffer(outlines, margin_m), dtype=object)
    closed = _closed(premises)
    look = _Look(lead_s, longest_gap_s, trim_m, snap_m, simplify_m)
    parts: list[pl.DataFrame] = [Route.create_empty()]
    for first in range(0, chosen.height, _CHUNK):
        parts.append(_drawn(chosen.slice(first, _CHUNK), track, zones, closed, look))
    made = pl.concat(parts).sort("hotspot_id", "arrived_at", "length_m", "line")
    return Route.validate(made, cast=True)


@dataclass(frozen=True)
class _Look:
    lead_s: float
    longest_gap_s: float
    trim_m: float
    snap_m: float
    simplify_m: float


@dataclass(frozen=True)
class _Track:
    """Positions of all devices, by device and time; `key` puts both into one rising number."""

    device: NDArray[np.int64]
    at: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    def between(
        self, device: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index of the first position of each stretch, and of the first one after it."""
        low = min(int(self.at[0]) if len(self.at) else 0, int(self.at.min()), int(first.min()))
        span = max(int(self.at.max()), int(last.max())) - low + 2
        key = self.device * span + (self.at - low)
        return (
            np.searchsorted(key, device * span + (first - low), side="left"),
            np.searchsorted(key, device * span + (last - low), side="right"),
        )


def _require(*lengths: float, above: tuple[float, ...]) -> None:
    if not (all(length >= 0 for length in lengths) and all(length > 0 for length in above)):
        raise ValueError("lengths and times of routes must not be negative, snap and gap above 0")


def _with_version(visits: pl.DataFrame, hotspots: pl.DataFrame) -> pl.DataFrame:
    """Each visit with the index of the outline that held on its day; others are passed over."""
    held = hotspots.select("hotspot_id", "valid_from", "valid_to").with_row_index("outline")
    return (
        visits.with_columns(day=operating_day(pl.col("arrived_at")))
        .join(held, on="hotspot_id")
        .filter(
            pl.col("day") >= pl.col("valid_from"),
            pl.col("valid_to").is_null() | (pl.col("day") <= pl.col("valid_to")),
        )
        .sort("device_id", "hotspot_id", "arrived_at", "left_at", "outline")
        .unique(["device_id", "hotspot_id", "arrived_at"], keep="first", maintain_order=True)
    )


def _numbered(visits: pl.DataFrame, pings: pl.DataFrame) -> tuple[pl.DataFrame, _Track]:
    names = visits.select("device_id").unique().sort("device_id").with_row_index("device")
    track = (
        pings.drop_nulls(["longitude_deg", "latitude_deg"])
        .select(
            "device_id", "at", *(_as_packed(name) for name in ("longitude_deg", "latitude_deg"))
        )
        .join(names, on="device_id")
        .sort("device", "at", "longitude_deg", "latitude_deg")
        .filter(
            (pl.col("device").diff() != 0)
            | (pl.col("at").diff().dt.total_microseconds() != 0)
            | pl.col("at").diff().is_null()
        )
    )
    return visits.join(names, on="device_id", maintain_order="left"), _Track(
        track["device"].cast(pl.Int64).to_numpy(),
        track["at"].dt.epoch("us").to_numpy(),
        track["longitude_deg"].to_numpy(),
        track["latitude_deg"].to_numpy(),
    )


def _as_packed(name: str) -> pl.Expr:
    """To a centimetre, as packed positions are: so both draw the same line."""
    return ((pl.col(name) * 1e7).round(mode="half_to_even") / 1e7).alias(name)


def _closed(premises: pl.DataFrame | None) -> shapely.Geometry | None:
    if premises is None or premises.is_empty():
        return None
    centres = shapely.points(premises["easting_m"].to_numpy(), premises["northing_m"].to_numpy())
    return shapely.union_all(shapely.buffer(centres, premises["radius_m"].to_numpy()))


def _drawn(
    visits: pl.DataFrame,
    track: _Track,
    zones: Shapes,
    closed: shapely.Geometry | None,
    look: _Look,
) -> pl.DataFrame:
    if not len(track.at):
        return Route.create_empty()
    lead = round(look.lead_s * 1e6)
    first, past = track.between(
        visits["device"].cast(pl.Int64).to_numpy(),
        visits["arrived_at"].dt.epoch("us").to_numpy() - lead,
        visits["left_at"].dt.epoch("us").to_numpy() + lead,
    )
    size = past - first
    visit = np.repeat(np.arange(visits.height), size)
    ping = np.arange(len(visit)) - np.repeat(np.cumsum(size) - size, size) + first[visit]
    zone = zones[visits["outline"].to_numpy()]
    x, y = geometry.to_metres(track.longitude[ping], track.latitude[ping])
    inside = _inside(x, y, zone, visits["outline"].to_numpy(), visit)
    x, y = (np.round(metres / look.snap_m) * look.snap_m for metres in (x, y))
    lines, owner, ends, end_owner = _lines(x, y, track.at[ping], visit, inside, look)
    return _table(visits, inside, visit, *_safe(lines, owner, ends, end_owner, zone, closed, look))


def _inside(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    zone: Shapes,
    outline: NDArray[np.int64],
    visit: NDArray[np.int64],
) -> NDArray[np.bool_]:
    within = np.zeros(len(x), dtype=bool)
    which = outline[visit]
    order = np.argsort(which, kind="stable")
    edges = np.flatnonzero(np.diff(which[order])) + 1
    for rows in np.split(order, edges):
        if len(rows):
            area = zone[visit[rows[0]]]
            shapely.prepare(area)
            within[rows] = shapely.intersects_xy(area, x[rows], y[rows])
    return within


def _lines(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    at: NDArray[np.int64],
    visit: NDArray[np.int64],
    inside: NDArray[np.bool_],
    look: _Look,
) -> tuple[Shapes, NDArray[np.int64], Shapes, NDArray[np.int64]]:
    """Lines between silences with their visit, and the ends that lie inside with theirs."""
    gap = round(look.longest_gap_s * 1e6)
    begins = np.ones(len(x), dtype=bool)
    begins[1:] = (visit[1:] != visit[:-1]) | (at[1:] - at[:-1] > gap)
    closes = np.append(begins[1:], True)
    at_end = inside & (begins | closes)
    part = np.cumsum(begins) - 1
    still = np.zeros(len(x), dtype=bool)
    still[1:] = ~begins[1:] & (x[1:] == x[:-1]) & (y[1:] == y[:-1])
    moving = ~still
    points = np.bincount(part[moving], minlength=part[-1] + 1 if len(part) else 0)
    kept = moving & (points[part] >= 2) if len(part) else moving
    _, index = np.unique(part[kept], return_inverse=True)
    coordinates = np.column_stack([x[kept], y[kept]])
    lines = (
        shapely.linestrings(coordinates, indices=index)
        if len(coordinates)
        else np.array([], dtype=object)
    )
    first = np.flatnonzero(np.diff(np.append(-1, index)))
    return lines, visit[kept][first], shapely.points(x[at_end], y[at_end]), visit[at_end]


def _safe(
    lines: Shapes,
    owner: NDArray[np.int64],
    ends: Shapes,
    end_owner: NDArray[np.int64],
    zone: Shapes,
    closed: shapely.Geometry | None,
    look: _Look,
) -> tuple[Shapes, NDArray[np.int64]]:
    """The lines cut to their zone, without discs around their ends and without premises."""
    plain = shapely.simplify(lines, look.simplify_m, preserve_topology=False)
    shown = shapely.intersection(plain, zone[owner])
    if look.trim_m > 0 and len(ends):
        whose, group = np.unique(end_owner, return_inverse=True)
        spots = shapely.buffer(shapely.multipoints(ends, indices=group), look.trim_m)
        at = np.searchsorted(whose, owner)
        has = (at < len(whose)) & (whose[np.minimum(at, len(whose) - 1)] == owner)
        shown[has] = shapely.difference(shown[has], spots[at[has]])
    if closed is not None:
        shown = shapely.difference(shown, closed)
    parts, index = shapely.get_parts(shown, return_index=True)
    drawn = (shapely.get_type_id(parts) == _LINE) & (shapely.length(parts) > 0)
    return parts[drawn], owner[index[drawn]]


def _table(
    visits: pl.DataFrame,
    inside: NDArray[np.bool_],
    visit: NDArray[np.int64],
    parts: Shapes,
    owner: NDArray[np.int64],
) -> pl.DataFrame:
    if not len(parts):
        return Route.create_empty()
    whose, index = np.unique(owner, return_inverse=True)
    lines = shapely.normalize(shapely.line_merge(shapely.multilinestrings(parts, indices=index)))
    counted = np.bincount(visit[inside], minlength=visits.height)[whose]
    return (
        visits[whose]
        .select("hotspot_id", "arrived_at", "dwell_s")
        .with_columns(
            pings=pl.Series(np.maximum(counted, 1), dtype=pl.Int64),
            length_m=pl.Series(shapely.length(lines), dtype=pl.Float64),
            line=geometry.to_wkb(lines.tolist()),
        )
    )
