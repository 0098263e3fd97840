"""Copies of the hot spots' own outlines, moved to other ground and kept apart from each other."""

import numpy as np
import polars as pl
import shapely

from placeproof.hotspots.comparison import distances, far_from
from placeproof.hotspots.points import Points

TRIED = 200
"""Spots to which each outline is moved in one set, those nearest to it in level."""


def copies(
    history: Points,
    *,
    outlines: np.ndarray,
    own: np.ndarray,
    area_wkb: bytes,
    forbidden: np.ndarray,
    excluded_within_m: float,
    side_m: float,
    offset_m: tuple[float, float],
    least_events: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Move each hot spot's own outline over the rest of the area.

    A shifted grid says where outlines may be put down: their centre comes to the centre of a cell
    that held events. Of these cells each outline takes the `TRIED` whose count, held to its own
    area, is nearest to its own.

    Parameters
    ----------
    history : Points
        Events of the periods that are matched on.
    outlines : array of shapely geometries, shape (H,)
        Hot spots, in metres.
    own : array, shape (H, periods)
        Their history.
    area_wkb : bytes
        Study area in metres; a copy that leaves it is dropped.
    forbidden : array of shapely geometries
        Every hot spot; a copy nearer than `excluded_within_m` is dropped.
    excluded_within_m : float
        Outer edge of the outer ring.
    side_m : float
        Side of a cell of the grid.
    offset_m : (float, float)
        Its shift to the east and north.
    least_events : float
        Copies with fewer events in the history are dropped.

    Returns
    -------
    (array of shapely geometries, array of int, array)
        The copies, the hot spot that each is a copy of, and their history (copies, periods).
        Copies may overlap each other.
    """
    cells = _anchors(history, side_m, offset_m)
    if cells.is_empty() or not len(outlines):
        nothing = np.zeros((0, len(history.periods)))
        return np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64), nothing
    centre_x, centre_y = cells["x"].to_numpy(), cells["y"].to_numpy()
    events = cells["events"].to_numpy()[:, None]
    area = shapely.from_wkb(area_wkb)
    shapely.prepare(area)
    clear = shapely.contains_xy(area, centre_x, centre_y)
    clear &= far_from(shapely.points(centre_x, centre_y), forbidden, excluded_within_m)
    made, owners = [], []
    for i, outline in enumerate(outlines):
        scaled = events[clear] * shapely.area(outline) / side_m**2
        gap = distances(own[i : i + 1].sum(axis=1, keepdims=True), scaled)[0][0]
        near = np.flatnonzero(clear)[np.argsort(gap, kind="stable")[:TRIED]]
        centre = shapely.centroid(outline)
        shift = np.column_stack([centre_x[near] - centre.x, centre_y[near] - centre.y])
        made.append(moved(outline, shift))
        owners.append(np.full(len(near), i))
    placed, owner = np.concatenate(made), np.concatenate(owners)
    kept = shapely.covers(area, placed) & far_from(placed, forbidden, excluded_within_m)
    placed, owner = placed[kept], owner[kept]
    counts = history.counted(placed)
    enough = counts.sum(axis=1) >= least_events
    return placed[enough], owner[enough], counts[enough]


def moved(outline: shapely.Geometry, shift: np.ndarray) -> np.ndarray:
    """
    Copy an outline to other ground, unturned.

    Parameters
    ----------
    outline : shapely geometry
        In metres.
    shift : array, shape (K, 2)
        How far east and north each copy goes.

    Returns
    -------
    array of shapely geometries, shape (K,)
        One copy for each shift.
    """
    corners = shapely.get_coordinates(outline)
    every = np.tile(corners, (len(shift), 1)) + np.repeat(shift, len(corners), axis=0)
    return np.asarray(
        shapely.set_coordinates(np.array([outline] * len(shift), dtype=object), every)
    )


def apart(
    cost: np.ndarray, outlines: np.ndarray, owner: np.ndarray, *, per_hotspot: int
) -> tuple[np.ndarray, np.ndarray]:
    """
    Choose copies from the nearest in history on, none of which touches another.

    Parameters
    ----------
    cost : array, shape (hot spots, copies)
        Squared distance of the histories; not finite: never chosen.
    outlines : array of shapely geometries, shape (copies,)
        Which may overlap.
    owner : array of int, shape (copies,)
        The hot spot that each is a copy of.
    per_hotspot : int
        Copies wanted for each hot spot.

    Returns
    -------
    (array of int, array of int)
        Hot spots and their copies, pair by pair; fewer than wanted where no free ground is left.
    """
    mine = cost[owner, np.arange(len(owner))]
    bounds = shapely.bounds(outlines)
    usable = np.flatnonzero(np.isfinite(mine))
    usable = usable[np.argsort(mine[usable], kind="stable")]
    options = [usable[owner[usable] == place].tolist() for place in range(len(cost))]
    blocked = np.zeros(len(outlines), dtype=bool)
    pairs: list[tuple[int, int]] = []
    for _ in range(per_hotspot):
        # Who has the worst best choice goes first: the fullest places have few of their like.
        for place in _hardest_first(options, mine):
            options[place] = [copy for copy in options[place] if not blocked[copy]]
            if options[place]:
                copy = options[place][0]
                pairs.append((place, copy))
                blocked |= _touched(copy, outlines, bounds)
    hot, chosen = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    return hot, chosen


def _hardest_first(options: list[list[int]], mine: np.ndarray) -> list[int]:
    best = [mine[copies[0]] if copies else 0.0 for copies in options]
    return np.argsort(-np.array(best), kind="stable").tolist()


def _touched(copy: int, outlines: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    west, south, east, north = bounds[copy]
    touched = (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
    touched &= (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    near = np.flatnonzero(touched)
    touched[near] = shapely.intersects(outlines[near], outlines[copy])
    return touched


def _anchors(history: Points, side_m: float, offset_m: tuple[float, float]) -> pl.DataFrame:
    """Centres of occupied cells of the grid and of the grid moved by half a side either way."""
    half = side_m / 2
    parts = []
    for east, north in ((0.0, 0.0), (half, 0.0), (0.0, half), (half, half)):
        shift = (offset_m[0] + east, offset_m[1] + north)
        parts.append(
            occupied(history, side_m, shift).select(
                "events",
                x=(pl.col("cell_east") + 0.5) * side_m + shift[0],
                y=(pl.col("cell_north") + 0.5) * side_m + shift[1],
            )
        )
    return pl.concat(parts).sort("y", "x")


def occupied(history: Points, side_m: float, offset_m: tuple[float, float]) -> pl.DataFrame:
    """
    Count events in the cells of a shifted grid.

    Parameters
    ----------
    history : Points
        Where events happened.
    side_m : float
        Side of a cell.
    offset_m : (float, float)
        Shift of the grid to the east and north.

    Returns
    -------
    DataFrame
        `cell_east`, `cell_north`, `events`, for every cell that held any. Sorted by north, east.
    """
    return (
        pl.DataFrame(
            {
                "cell_east": np.floor((history.easting_m - offset_m[0]) / side_m),
                "cell_north": np.floor((history.northing_m - offset_m[1]) / side_m),
                "events": history.totals,
            }
        )
        .cast({"cell_east": pl.Int64, "cell_north": pl.Int64})
        .filter(pl.col("events") > 0)
        .group_by("cell_east", "cell_north")
        .agg(pl.col("events").sum())
        .sort("cell_north", "cell_east")
    )
