"""How much of a hot spot patrols reached: of its streets where they are given, else of a grid."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from placeproof import geometry
from placeproof.calendar import PeriodKind, operating_day, period_end, period_start
from placeproof.patrols.rows import base_row, missing
from placeproof.tables import estimate

PIECES = {
    "hotspot_id": pl.String,
    "version": pl.Int64,
    "piece": pl.Int64,
    "of": pl.String,
    "size": pl.Float64,
    "from_easting_m": pl.Float64,
    "from_northing_m": pl.Float64,
    "to_easting_m": pl.Float64,
    "to_northing_m": pl.Float64,
}
"""One row per piece: a piece of street (size in metres) or a cell (size 1, its two corners)."""

REACHED = {
    "hotspot_id": pl.String,
    "version": pl.Int64,
    "period_start": pl.Date,
    "piece": pl.Int64,
}
"""One row per piece and period in which a route came near enough."""


@dataclass(frozen=True)
class Coverage:
    """
    What there is to patrol and what was reached.

    Parameters
    ----------
    pieces : DataFrame
        `PIECES`.
    reached : DataFrame
        `REACHED`.
    shares : DataFrame
        One row per hot spot and period with an observed day: `hotspot_id`, `version`,
        `period_start`, `period_end`, `of` (streets or cells), `size`, `size_reached`, `share`,
        `routes`.
    """

    pieces: pl.DataFrame
    reached: pl.DataFrame
    shares: pl.DataFrame


def coverage(
    route: pl.DataFrame,
    hotspots: pl.DataFrame,
    *,
    observed: pl.DataFrame,
    streets: pl.DataFrame | None,
    cell_m: float,
    reach_m: float,
    kind: PeriodKind,
) -> Coverage:
    """
    Measure how much of each hot spot routes came near to, period by period.

    Where a street network is given and touches a hot spot, what counts is the length of its streets
    inside the outline; where none does, cells whose centre lies inside. A piece is reached when a
    route of the period passes within `reach_m` of its middle.

    Parameters
    ----------
    route : table `route`
    hotspots : table `hotspot`
        In each period the latest version that held counts.
    observed : DataFrame
        `hotspot_id`, `operating_day`: days on which positions were reported. A period without one
        has no row: it is not supplied, not 0.
    streets : DataFrame or None
        `line`: WKB in metres on the British National Grid.
    cell_m : float
        Side of a cell; also the longest piece of a street.
    reach_m : float
        How near a route must pass.
    kind : {"day", "week", "month"}

    Returns
    -------
    Coverage

    Raises
    ------
    ValueError
        If `cell_m` or `reach_m` is not above 0.
    """
    if not (cell_m > 0 and reach_m > 0):
        raise ValueError(f"cell_m and reach_m must be above 0, not {cell_m} and {reach_m}")
    pieces = _pieces(hotspots, streets, cell_m)
    periods = _periods(observed, hotspots, kind)
    drawn = route.with_columns(
        period_start=period_start(operating_day(pl.col("arrived_at")), kind=kind)
    ).join(periods, on=["hotspot_id", "period_start"])
    reached = _reached(drawn, pieces, reach_m)
    whose = ["hotspot_id", "version"]
    sizes = pieces.group_by(*whose, "of").agg(pl.col("size").sum())
    got = (
        reached.join(pieces, on=[*whose, "piece"])
        .group_by(*whose, "period_start")
        .agg(size_reached=pl.col("size").sum())
    )
    counts = drawn.group_by("hotspot_id", "period_start").agg(routes=pl.len().cast(pl.Int64))
    shares = (
        periods.join(sizes, on=whose)
        .join(got, on=[*whose, "period_start"], how="left")
        .join(counts, on=["hotspot_id", "period_start"], how="left")
        .with_columns(pl.col("size_reached", "routes").fill_null(0))
        .with_columns(share=pl.col("size_reached") / pl.col("size"))
        .select(
            *whose, "period_start", "period_end", "of", "size", "size_reached", "share", "routes"
        )
        .sort(*whose, "period_start")
    )
    return Coverage(pieces, reached, shares)


def coverage_estimates(
    shares: pl.DataFrame | None, *, cell_m: float, reach_m: float
) -> pl.DataFrame:
    """
    Say how much was reached, in all and by hot spot, month by month.

    Parameters
    ----------
    shares : DataFrame or None
        Of `coverage` with months; None where no positions were supplied.
    cell_m, reach_m : float
        Reported with it.

    Returns
    -------
    table `estimate`
        Shares of streets or of cells that were reached; the row for all months is their mean,
        weighted by size.
    """
    if shares is None:
        return estimate.rows(
            [
                missing(
                    "cells_patrolled", "Share of cells that a patrol came near", "ping or hotspot"
                )
            ]
        )
    rows = []
    for (of,), part in sorted(shares.group_by("of"), key=lambda item: str(item[0])):
        for key, group in _groups(part):
            rows.append(_row(str(of), key, group, cell_m=cell_m, reach_m=reach_m))
    return estimate.rows(rows)


def _groups(part: pl.DataFrame) -> list[tuple[dict[str, object], pl.DataFrame]]:
    months = part.with_columns(month=pl.col("period_start").dt.strftime("%Y-%m"))
    found: list[tuple[dict[str, object], pl.DataFrame]] = [({}, part)]
    for (month,), group in sorted(months.group_by("month"), key=lambda item: str(item[0])):
        found.append(({"horizon": month}, group))
    for (place,), group in sorted(part.group_by("hotspot_id"), key=lambda item: str(item[0])):
        found.append(({"subgroup": f"hotspot={place}"}, group))
    both = months.group_by("hotspot_id", "month")
    for (place, month), group in sorted(both, key=lambda item: (str(item[0][0]), str(item[0][1]))):
        found.append(({"subgroup": f"hotspot={place}", "horizon": month}, group))
    return found


def _row(
    of: str, key: dict[str, object], part: pl.DataFrame, *, cell_m: float, reach_m: float
) -> dict[str, object]:
    words = {
        "streets": "Share of street length that a patrol came near in a month",
        "cells": "Share of cells that a patrol came near in a month",
    }
    size, got = float(part["size"].sum()), float(part["size_reached"].sum())
    feeds = "ping hotspot"
    said = f'{{"cell_m": {cell_m}, "reach_m": {reach_m}, "routes": {int(part["routes"].sum())}}}'
    return (
        base_row(f"{of}_patrolled", words[of], "share", "route_within_reach", "share", feeds)
        | {
            "estimate": got / size,
            "n": part.height,
            "n_places": part["hotspot_id"].n_unique(),
            "diagnostics": said,
            "reason": "A visit that stands still draws no line; trimmed ends are not counted.",
        }
        | key
    )


def _periods(observed: pl.DataFrame, hotspots: pl.DataFrame, kind: PeriodKind) -> pl.DataFrame:
    """Each hot spot and period with an observed day on which a version held."""
    held = hotspots.select("hotspot_id", "version", "valid_from", "valid_to")
    return (
        observed.select("hotspot_id", "operating_day")
        .unique()
        .join(held, on="hotspot_id")
        .filter(
            pl.col("operating_day") >= pl.col("valid_from"),
            pl.col("valid_to").is_null() | (pl.col("operating_day") <= pl.col("valid_to")),
        )
        .select(
            "hotspot_id",
            "version",
            period_start=period_start(pl.col("operating_day"), kind=kind),
            period_end=period_end(pl.col("operating_day"), kind=kind),
        )
        .unique()
        .sort("hotspot_id", "period_start", "version")
        .unique(["hotspot_id", "period_start"], keep="last", maintain_order=True)
    )


def _pieces(hotspots: pl.DataFrame, streets: pl.DataFrame | None, cell_m: float) -> pl.DataFrame:
    network = None
    if streets is not None and streets.height:
        network = geometry.outlines(streets["line"])
        network = network[~(shapely.is_missing(network) | shapely.is_empty(network))]
    tree = shapely.STRtree(network) if network is not None and len(network) else None
    parts = [pl.DataFrame(schema=PIECES)]
    outlines = geometry.outlines(hotspots["geometry"])
    for row, outline in zip(hotspots.iter_rows(named=True), outlines, strict=True):
        if outline is None or outline.is_empty:
            continue
        of, size, corners = "streets", *_street_pieces(tree, outline, cell_m)
        if not len(size):
            of, size, corners = "cells", *_cells(outline, cell_m)
        parts.append(
            pl.DataFrame(
                {
                    "hotspot_id": row["hotspot_id"],
                    "version": row["version"],
                    "piece": np.arange(len(size)),
                    "of": of,
                    "size": size,
                    **{name: corners[:, i] for i, name in enumerate(list(PIECES)[5:])},
                },
                schema=PIECES,
            )
        )
    return pl.concat(parts).sort("hotspot_id", "version", "piece")


def _street_pieces(
    tree: shapely.STRtree | None, outline: shapely.Geometry, longest_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Length and ends of each piece of street inside the outline."""
    nothing = np.zeros(0), np.zeros((0, 4))
    if tree is None:
        return nothing
    near = np.sort(tree.query(outline, predicate="intersects"))
    if not len(near):
        return nothing
    # As one shape: where two lines of a file run along each other the street counts once.
    clipped = shapely.intersection(shapely.union_all(tree.geometries[near]), outline)
    lines = shapely.get_parts(clipped)
    lines = lines[shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING]
    if not len(lines):
        return nothing
    cut = shapely.segmentize(shapely.normalize(lines), longest_m)
    points, line = shapely.get_coordinates(cut, return_index=True)
    joined = line[1:] == line[:-1]
    ends = np.column_stack([points[:-1][joined], points[1:][joined]])
    ends = ends[np.lexsort(ends.T[::-1])]
    size = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    return size[size > 0], ends[size > 0]


def _cells(
    outline: shapely.Geometry, cell_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two corners of each cell whose centre is inside; one cell for a place smaller than that."""
    west, south, east, north = (int(np.floor(bound / cell_m)) for bound in outline.bounds)
    across, up = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
    low = np.column_stack([across.ravel(), up.ravel()]) * cell_m
    shapely.prepare(outline)
    inside = shapely.intersects_xy(outline, low[:, 0] + cell_m / 2, low[:, 1] + cell_m / 2)
    low = low[inside]
    if not len(low):
        point = shapely.point_on_surface(outline)
        low = np.array([[point.x - cell_m / 2, point.y - cell_m / 2]])
    return np.ones(len(low)), np.column_stack([low, low + cell_m])


def _reached(drawn: pl.DataFrame, pieces: pl.DataFrame, reach_m: float) -> pl.DataFrame:
    keys = ["hotspot_id", "version", "period_start"]
    middles = {
        key: shapely.points(
            ((part["from_easting_m"] + part["to_easting_m"]) / 2).to_numpy(),
            ((part["from_northing_m"] + part["to_northing_m"]) / 2).to_numpy(),
        )
        for key, part in pieces.group_by("hotspot_id", "version")
    }
    # Frames are taken apart once: there are thousands of groups, and each is small.
    ordered = drawn.sort(keys)
    lines = geometry.outlines(ordered["line"])
    groups = ordered.group_by(keys, maintain_order=True).agg(size=pl.len())
    ends = groups["size"].cum_sum().to_list()
    found: list[NDArray[np.int64]] = []
    for (place, version, _, size), end in zip(groups.iter_rows(), ends, strict=True):
        points = middles.get((place, version))
        hits = np.zeros(0, dtype=np.int64)
        if points is not None:
            web = shapely.multilinestrings(shapely.get_parts(lines[end - size : end]))
            shapely.prepare(web)
            hits = np.flatnonzero(shapely.dwithin(web, points, reach_m))
        found.append(hits)
    counts = pl.Series([len(hits) for hits in found], dtype=pl.Int64)
    pieces_reached = np.concatenate([np.zeros(0, dtype=np.int64), *found])
    return (
        groups.select(keys)
        .select(pl.all().repeat_by(counts).explode())
        .drop_nulls()
        .with_columns(piece=pl.Series(pieces_reached, dtype=pl.Int64))
        .select(pl.col(name).cast(kind) for name, kind in REACHED.items())
    )
