"""Comparison places: candidates from the rest of the area, matched on history before selection."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
import shapely

from placeproof import geometry
from placeproof.errors import GeometryError, IdentificationError, SettingsError
from placeproof.hotspots.grid import area_cells, has_point
from placeproof.hotspots.register import place_rows

_MATCH_SCHEMA = {
    "target_id": pl.String,
    "place_id": pl.String,
    "match_rank": pl.Int64,
    "distance": pl.Float64,
    "level_distance": pl.Float64,
    "shape_distance": pl.Float64,
}
_FORBIDDEN = 1e12


def candidates(
    events: pl.DataFrame,
    *,
    area_wkb: bytes,
    treated: pl.DataFrame,
    side_m: float,
    offset_m: tuple[float, float],
    excluded_within_m: float,
    least_events: int,
) -> pl.DataFrame:
    """
    Tile the rest of the study area with squares that could serve as comparison places.

    The tiles are laid without looking at where they would be fullest: squares fitted to their own
    crimes would be hot by luck in the very window they are matched on. Another `offset_m` gives
    another set, so that the choice of grid can be seen to matter or not.

    Parameters
    ----------
    events : DataFrame
        Events of the matching history: `easting_m`, `northing_m` (null: left out). Not modified.
    area_wkb : bytes
        Study area in metres; a tile belongs to it if its centre does.
    treated : table `place`
        Hot spots, every version of them that matters. Not modified.
    side_m : float
        Side of a tile; that of the hot spots.
    offset_m : (float, float)
        Shift of the grid to the east and north, each from 0 to below `side_m`.
    excluded_within_m : float
        Tiles nearer than this to a hot spot are left out: the outer edge of the outer ring.
    least_events : int
        Tiles with fewer events in the history are left out. Low, or it selects on luck.

    Returns
    -------
    table `place`
        Kind and group `comparison`, never treated, sorted by id; empty where nothing qualifies.
        Tiles never overlap.
    """
    if not all(0 <= shift < side_m for shift in offset_m):
        raise SettingsError(
            f"the grid is shifted by {offset_m} m. Expected: each from 0 to below {side_m:g} m.",
            mend="Choose a smaller shift; a whole side gives the same grid again.",
        )
    counted = (
        events.filter(has_point())
        .group_by(_cell("east", offset_m[0], side_m), _cell("north", offset_m[1], side_m))
        .agg(events=pl.len())
    )
    outlines = tiles(
        counted,
        area_wkb=area_wkb,
        side_m=side_m,
        offset_m=offset_m,
        least_events=least_events,
    )
    free = _far_from(outlines, treated, excluded_within_m)
    return place_rows(
        [_candidate_row(outline) for outline, keep in zip(outlines, free, strict=True) if keep]
    )


def _cell(side: str, shift_m: float, side_m: float) -> pl.Expr:
    return (
        ((pl.col(f"{side}ing_m") - shift_m) / side_m).floor().cast(pl.Int64).alias(f"cell_{side}")
    )


def tiles(
    counted: pl.DataFrame,
    *,
    area_wkb: bytes,
    side_m: float,
    offset_m: tuple[float, float],
    least_events: float,
) -> np.ndarray:
    """
    Draw the tiles of one grid that lie in the study area and held enough events.

    Parameters
    ----------
    counted : DataFrame
        `cell_east`, `cell_north` (whole numbers, counted from the shifted grid) and `events`, for
        every cell that held any. Not modified.
    area_wkb : bytes
        Study area in metres; a tile belongs to it if its centre does.
    side_m : float
        Side of a tile.
    offset_m : (float, float)
        Shift of the grid to the east and north.
    least_events : float
        Tiles with fewer events are left out.

    Returns
    -------
    array of shapely geometries
        Sorted by north, then east.
    """
    east_m, north_m = offset_m
    if least_events > 0:
        # Cells without an event need not be looked at: in a rural force they are nearly all.
        kept = counted.filter(pl.col("events") >= least_events)
        kept = kept.filter(_centre_inside(kept, area_wkb, side_m, offset_m))
    else:
        moved = shapely.transform(shapely.from_wkb(area_wkb), lambda xy: xy - [east_m, north_m])
        kept = area_cells(shapely.to_wkb(moved), cell_m=side_m)
    kept = kept.sort("cell_north", "cell_east")
    west = kept["cell_east"].to_numpy() * side_m + east_m
    south = kept["cell_north"].to_numpy() * side_m + north_m
    return np.asarray(shapely.box(west, south, west + side_m, south + side_m), dtype=object)


def _centre_inside(
    cells: pl.DataFrame, area_wkb: bytes, side_m: float, offset_m: tuple[float, float]
) -> pl.Series:
    area = shapely.from_wkb(area_wkb)
    if area is None or area.is_empty:
        raise GeometryError("the study area is empty.", mend="Supply the outline of the force.")
    shapely.prepare(area)
    x = (cells["cell_east"].to_numpy() + 0.5) * side_m + offset_m[0]
    y = (cells["cell_north"].to_numpy() + 0.5) * side_m + offset_m[1]
    return pl.Series(np.asarray(shapely.contains_xy(area, x, y), dtype=bool), dtype=pl.Boolean)


def _far_from(outlines: np.ndarray, treated: pl.DataFrame, within_m: float) -> np.ndarray:
    return far_from(outlines, geometry.outlines(treated["geometry"]), within_m)


def far_from(outlines: np.ndarray, treated: np.ndarray, within_m: float) -> np.ndarray:
    """
    Say of each outline whether it keeps clear of hot spots and their rings.

    Parameters
    ----------
    outlines : array of shapely geometries, shape (K,)
        In metres.
    treated : array of shapely geometries
        Hot spots.
    within_m : float
        Outer edge of the outer ring.

    Returns
    -------
    array of bool, shape (K,)
        True from that distance on. Touching a hot spot counts as near even where no ring is
        excluded.
    """
    free = np.ones(len(outlines), dtype=bool)
    if len(treated) and len(outlines):
        reach = max(within_m, 1e-9)
        near = shapely.STRtree(outlines).query(treated, predicate="dwithin", distance=reach)[1]
        near = np.unique(near)
        distance = shapely.distance(outlines[near], shapely.union_all(treated))
        free[near[distance < reach]] = False
    return free


def _candidate_row(outline: shapely.Geometry) -> dict[str, object]:
    west, south = (round(v) for v in outline.bounds[:2])
    return {
        "place_id": f"C{west:06d}-{south:07d}",
        "kind": "comparison",
        "group": "comparison",
        "version": 1,
        "name": f"Tile at {west} E {south} N",
        "geometry": outline,
    }


def split_periods(periods: Sequence[date]) -> tuple[list[date], list[date]]:
    """
    Deal the periods of the history out: every other one to match on, the rest as baseline.

    Places that match by luck lose their luck later. If the same periods serve as baseline, their
    fall makes patrols look harmful (in simulations by 2 to 4 %); a baseline that took no part in
    matching does not have that fault.

    Parameters
    ----------
    periods : sequence of date
        Starts of the periods before the selection window.

    Returns
    -------
    (list of date, list of date)
        Periods to match on, and periods for the baseline; in order, no period in both.
    """
    ordered = sorted(set(periods))
    return ordered[::2], ordered[1::2]


def match(
    treated: pl.DataFrame,
    candidates: pl.DataFrame,
    *,
    per_hotspot: int,
    shape_weight: float,
    widest_distance: float | None,
) -> pl.DataFrame:
    """
    Give each hot spot comparison places with the same history before the selection window.

    Counts go through 2 sqrt(x + 3/8), after which the noise of a Poisson count is about 1 at any
    level. Level distance is the difference of the whole history's counts on that scale. Shape
    distance is the root mean square, over periods, of the difference between the hot spot's counts
    and the candidate's counts scaled to the same total. Distance² = level² + weight x shape². All
    matches together have the smallest sum of squared distances; no candidate serves twice.

    Parameters
    ----------
    treated, candidates : DataFrame
        One row per place and period of the history, zeros included: `place_id`, `period_start`,
        `count` (a period with a null anywhere is left out for all). Not modified.
    per_hotspot : int
        Comparison places wanted for each hot spot.
    shape_weight : float
        0 matches the level only; 1 counts the shape as much as the level.
    widest_distance : float or None
        Worse matches are not made; None: no limit.

    Returns
    -------
    DataFrame
        `target_id` (hot spot), `place_id` (its match), `match_rank` (1 is the nearest), `distance`,
        `level_distance`, `shape_distance`. Sorted by target and rank. Fewer rows than
        `per_hotspot` each where candidates run out.

    Raises
    ------
    IdentificationError
        If there is no hot spot, no candidate or no common period.
    SettingsError
        If `per_hotspot` is below 1 or `shape_weight` below 0.
    """
    if per_hotspot < 1 or shape_weight < 0:
        raise SettingsError(
            f"per_hotspot is {per_hotspot} and shape_weight {shape_weight:g}. "
            "Expected: at least 1, and at least 0.",
            mend="Set comparison_per_hotspot in plan.toml.",
        )
    ids, pool, own, other = histories(treated, candidates)
    level, shape = distances(own, other)
    cost = level**2 + shape_weight * shape**2
    if widest_distance is not None:
        cost = np.where(np.sqrt(cost) > widest_distance, np.inf, cost)
    hot, chosen = paired(cost, per_hotspot=per_hotspot)
    return (
        pl.DataFrame(
            {
                "target_id": [ids[i] for i in hot],
                "place_id": [pool[j] for j in chosen],
                "distance": np.sqrt(cost[hot, chosen]),
                "level_distance": level[hot, chosen],
                "shape_distance": shape[hot, chosen],
            },
            schema={k: v for k, v in _MATCH_SCHEMA.items() if k != "match_rank"},
        )
        .sort("target_id", "distance", "place_id")
        .with_columns(match_rank=pl.int_range(1, pl.len() + 1).over("target_id"))
        .select(list(_MATCH_SCHEMA))
    )


def histories(
    treated: pl.DataFrame, candidates: pl.DataFrame
) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Lay both histories out as place by period: ids and counts of hot spots and candidates."""
    both = pl.concat(
        frame.select("place_id", "period_start", pl.col("count").cast(pl.Float64))
        for frame in (treated, candidates)
    )
    missing = both.filter(pl.col("count").is_null())["period_start"].unique()
    common = set(treated["period_start"]) & set(candidates["period_start"]) - set(missing)
    if treated.is_empty() or candidates.is_empty() or not common:
        lacking = (
            "hot spot"
            if treated.is_empty()
            else "candidate"
            if candidates.is_empty()
            else "period that both have counts for"
        )
        raise IdentificationError(
            f"there is no {lacking} in the history, so no comparison place can be matched.",
            mend="Check history_from and history_to in plan.toml; they must lie before the "
            "selection window and inside the data.",
        )
    wide = both.filter(pl.col("period_start").is_in(sorted(common))).pivot(
        on="period_start", index="place_id", values="count", aggregate_function="sum"
    )
    months = sorted(set(wide.columns) - {"place_id"})
    wide = wide.select("place_id", *(pl.col(m).fill_null(0.0) for m in months)).sort("place_id")
    hot = pl.col("place_id").is_in(treated["place_id"].unique().to_list())
    own, pool = wide.filter(hot), wide.filter(~hot)
    return (
        own["place_id"].to_list(),
        pool["place_id"].to_list(),
        own.drop("place_id").to_numpy(),
        pool.drop("place_id").to_numpy(),
    )


def paired(cost: np.ndarray, *, per_hotspot: int) -> tuple[np.ndarray, np.ndarray]:
    """
    Give each hot spot its candidates so that all costs together are smallest.

    Parameters
    ----------
    cost : array, shape (hot spots, candidates)
        Not finite: this pair is never made.
    per_hotspot : int
        Candidates wanted for each hot spot.

    Returns
    -------
    (array of int, array of int)
        Hot spots and their candidates, pair by pair; no candidate serves twice. Fewer pairs than
        wanted where candidates run out.
    """
    from scipy.optimize import linear_sum_assignment

    bounded = np.where(np.isfinite(cost), np.minimum(cost, _FORBIDDEN / 2), _FORBIDDEN)
    # With fewer candidates than wanted places, SciPy leaves the costliest wishes unmet.
    wish, chosen = linear_sum_assignment(np.repeat(bounded, per_hotspot, axis=0))
    hot = wish // per_hotspot
    made = np.isfinite(cost[hot, chosen])
    return hot[made], chosen[made]


def distances(own: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Measure how far the histories of candidates lie from those of hot spots.

    Parameters
    ----------
    own, other : arrays, shapes (hot spots, periods) and (candidates, periods)
        Events by place and period.

    Returns
    -------
    (array, array), shape (hot spots, candidates) each
        Level and shape distance, as `match` explains them.
    """
    totals, pool_totals = own.sum(axis=1), other.sum(axis=1)
    level = np.abs(_stable(totals)[:, None] - _stable(pool_totals)[None, :])
    shares = other / np.maximum(pool_totals, 1.0)[:, None]
    shape = np.empty_like(level)
    for i, (history, total) in enumerate(zip(own, totals, strict=True)):
        gap = _stable(history)[None, :] - _stable(shares * total)
        shape[i] = np.sqrt((gap**2).mean(axis=1))
    return level, shape


def _stable(counts: np.ndarray) -> np.ndarray:
    return 2.0 * np.sqrt(counts + 0.375)


def matched_places(candidates: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """
    Keep the candidates that were matched, each with the hot spot it stands for.

    Parameters
    ----------
    candidates : table `place`
        What `candidates` gave. Not modified.
    matches : DataFrame
        What `match` gave. Not modified.

    Returns
    -------
    table `place`
        The matched places with `target_id` set to their hot spot. Sorted by id.
    """
    pairs = matches.select("place_id", _target="target_id")
    return (
        candidates.join(pairs, on="place_id")
        .with_columns(target_id=pl.col("_target"))
        .select(candidates.columns)
        .sort("place_id")
    )
