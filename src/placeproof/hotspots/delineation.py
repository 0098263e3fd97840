"""Draw hot spots from crimes: the fullest squares that stand in significant concentrations."""

import json
from datetime import date

import numpy as np
import polars as pl
import shapely

from placeproof import geometry
from placeproof.errors import GeometryError, IdentificationError, SettingsError
from placeproof.hotspots.register import hotspot_rows
from placeproof.tables import estimate

_LARGEST_GRID = 2_000_000
# Squares are tried at this many positions per side.
_SHIFTS = 4


def area_cells(area_wkb: bytes, *, cell_m: float) -> pl.DataFrame:
    """
    List the square cells whose centre lies in the study area.

    Parameters
    ----------
    area_wkb : bytes
        Study area in metres on the British National Grid.
    cell_m : float
        Side of a cell.

    Returns
    -------
    DataFrame
        `cell_east`, `cell_north`: whole numbers; times `cell_m` they give the lower left corner.
        Sorted by north, then east.

    Raises
    ------
    GeometryError
        If the area is empty, or so large for the cell that there are over two million cells.
    """
    if cell_m <= 0:
        raise SettingsError(
            f"the side of a cell is {cell_m:g} m. Expected: a length above 0.",
            mend="Set a side in metres.",
        )
    area = shapely.from_wkb(area_wkb)
    if area is None or area.is_empty:
        raise GeometryError("the study area is empty.", mend="Supply the outline of the force.")
    west, south, east, north = (int(np.floor(b / cell_m)) for b in area.bounds)
    if (east - west + 1) * (north - south + 1) > _LARGEST_GRID:
        raise GeometryError(
            f"the study area spans {east - west + 1} by {north - south + 1} cells of {cell_m:g} m.",
            mend="Check that the area is in metres and that it is the force, or use larger cells.",
        )
    grid_east, grid_north = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
    shapely.prepare(area)
    inside = shapely.contains_xy(area, (grid_east + 0.5) * cell_m, (grid_north + 0.5) * cell_m)
    return pl.DataFrame(
        {"cell_east": grid_east[inside], "cell_north": grid_north[inside]},
        schema={"cell_east": pl.Int64, "cell_north": pl.Int64},
    )


def gi_star(counts: pl.DataFrame, *, false_discovery_rate: float) -> pl.DataFrame:
    """
    Mark the cells that stand in concentrations larger than chance would gather.

    Getis-Ord Gi* with the eight cells around and the cell itself, from `esda`, analytical and
    one-sided; Benjamini-Hochberg over all cells. Where chance means: the same counts dealt out
    over the cells of the area at random.

    Parameters
    ----------
    counts : DataFrame
        One row per cell: `cell_east`, `cell_north`, `count`. Not modified.
    false_discovery_rate : float
        Share of marked cells that may be marked by chance.

    Returns
    -------
    DataFrame
        The same rows with `gi_z`, `gi_p` and `significant`. Nothing is significant where all
        counts are equal.
    """
    ordered = counts.sort("cell_north", "cell_east")
    values = ordered["count"].to_numpy().astype(float)
    if len(values) < 3 or np.ptp(values) == 0:
        return ordered.with_columns(gi_z=pl.lit(0.0), gi_p=pl.lit(1.0), significant=pl.lit(False))
    z = _gi_z(ordered, values)
    from scipy import stats

    p = stats.norm.sf(z)
    return ordered.with_columns(
        gi_z=pl.Series(z),
        gi_p=pl.Series(p),
        significant=pl.Series(stats.false_discovery_control(p) <= false_discovery_rate),
    )


def _gi_z(cells: pl.DataFrame, values: np.ndarray) -> np.ndarray:
    from esda.getisord import G_Local
    from libpysal.graph import Graph

    numbered = cells.select("cell_east", "cell_north").with_row_index("focal")
    steps = [(e, n) for n in (-1, 0, 1) for e in (-1, 0, 1) if (e, n) != (0, 0)]
    pairs = pl.concat(
        numbered.with_columns(pl.col("cell_east") + e, pl.col("cell_north") + n).join(
            numbered.rename({"focal": "neighbour"}), on=["cell_east", "cell_north"]
        )
        for e, n in steps
    ).sort("focal", "neighbour")
    lonely = np.setdiff1d(np.arange(len(cells)), pairs["focal"].to_numpy())
    graph = Graph.from_arrays(
        np.concatenate([pairs["focal"].to_numpy(), lonely]),
        np.concatenate([pairs["neighbour"].to_numpy(), lonely]),
        np.concatenate([np.ones(len(pairs)), np.zeros(len(lonely))]),
    )
    result = G_Local(values, graph.assign_self_weight(1), transform="B", star=None, permutations=0)
    return np.nan_to_num(np.asarray(result.Zs, dtype=float), nan=0.0)


def squares(events: pl.DataFrame, *, side_m: float) -> pl.DataFrame:
    """
    Count events in every square of a side, shifted in quarters of it, that holds any.

    Parameters
    ----------
    events : DataFrame
        `easting_m`, `northing_m` (null: left out). Not modified.
    side_m : float
        Side of a square.

    Returns
    -------
    DataFrame
        `west_m`, `south_m` (lower left corner), `events` and `core_events` (those in the middle
        quarter of the square). The fullest first; equal ones with the fuller middle first, then
        south to north and west to east. A point on a line belongs to the square north-east of it.
    """
    step = side_m / _SHIFTS
    fine = (
        events.filter(pl.col("easting_m").is_not_null() & pl.col("northing_m").is_not_null())
        .group_by(
            x=(pl.col("easting_m") / step).floor().cast(pl.Int64),
            y=(pl.col("northing_m") / step).floor().cast(pl.Int64),
        )
        .agg(events=pl.len().cast(pl.Int64))
    )
    core = range(_SHIFTS // 4, _SHIFTS - _SHIFTS // 4)
    shifted = pl.concat(
        fine.select(
            pl.col("x") - dx,
            pl.col("y") - dy,
            "events",
            core_events=pl.col("events") * int(dx in core and dy in core),
        )
        for dx in range(_SHIFTS)
        for dy in range(_SHIFTS)
    )
    return (
        shifted.group_by("x", "y")
        .agg(pl.col("events").sum(), pl.col("core_events").sum())
        .sort("events", "core_events", "y", "x", descending=[True, True, False, False])
        .select(
            west_m=pl.col("x") * step,
            south_m=pl.col("y") * step,
            events="events",
            core_events="core_events",
        )
    )


def derive(
    events: pl.DataFrame,
    *,
    area_wkb: bytes,
    n_places: int,
    side_m: float,
    separation_m: float,
    false_discovery_rate: float,
    selection: tuple[date, date],
    valid_from: date,
    first_treated: date | None,
    treated_until: date | None,
    source_sha256: str,
) -> pl.DataFrame:
    """
    Draw hot spots from the crimes of a selection window.

    The fullest square whose middle lies in a significant cell (`gi_star`) becomes the first hot
    spot; then the next fullest that keeps its distance, and so on. Fewer than `n_places` come back
    where fewer such squares exist. Counts of the selection window overstate how hot the places
    are: compare them on other windows only (regression to the mean).

    Parameters
    ----------
    events : DataFrame
        Events of the selection window: `easting_m`, `northing_m` (null: left out). Not modified.
    area_wkb : bytes
        Study area in metres; events outside it choose nothing.
    n_places : int
        Number of hot spots wanted.
    side_m : float
        Side of the square, for example 200.
    separation_m : float
        Smallest distance between two outlines; at least the inner ring, or rings swallow each
        other.
    false_discovery_rate : float
        As in `gi_star`.
    selection : (date, date)
        First and last day of the selection window, recorded in the rows.
    valid_from : date
        Day from which the outlines hold.
    first_treated, treated_until : date or None
        Days of patrols, the same for all; None: not known or never.
    source_sha256 : str
        Hash of what the places were derived from.

    Returns
    -------
    table `hotspot`
        One row per hot spot, `D01` the fullest; `source_row` counts them from 2.

    Raises
    ------
    IdentificationError
        If no event lies in the area, or no square stands in a significant concentration.
    """
    from placeproof.hotspots.concentration import grid_counts

    cells = grid_counts(events, cell_m=side_m, area_wkb=area_wkb, weight=None)
    if cells.is_empty() or cells["events"].sum() == 0:
        raise IdentificationError(
            "no event of the selection window lies in the study area, so no hot spot can be drawn.",
            mend="Check selection_from and selection_to in plan.toml against the data's dates.",
        )
    marked = gi_star(cells, false_discovery_rate=false_discovery_rate)
    chosen = _spaced(
        _in_significant_cells(squares(events, side_m=side_m), marked, side_m=side_m),
        side_m=side_m,
        separation_m=separation_m,
        n_places=n_places,
    )
    if chosen.is_empty():
        raise IdentificationError(
            f"none of {len(cells)} cells of {side_m:g} m stands out from chance.",
            mend="Supply drawn hot spots, a longer selection window, or larger places.",
        )
    rule = (
        f"fullest squares of {side_m:g} m, at least {separation_m:g} m apart, in cells significant "
        f"by Gi* at a false discovery rate of {false_discovery_rate:g}"
    )
    return hotspot_rows(
        [
            {
                "hotspot_id": f"D{rank:02d}",
                "version": 1,
                "name": f"Derived place {rank}",
                "kind": "unknown",
                "valid_from": valid_from,
                "first_treated": first_treated,
                "treated_until": treated_until,
                "selection_rule": rule,
                "selection_from": selection[0],
                "selection_to": selection[1],
                "geometry": square(row["west_m"], row["south_m"], side_m),
                "source_sha256": source_sha256,
                "source_row": rank + 1,
            }
            for rank, row in enumerate(chosen.to_dicts(), start=1)
        ]
    )


def square(west_m: float, south_m: float, side_m: float) -> shapely.Geometry:
    """Draw the square with this lower left corner."""
    return shapely.box(west_m, south_m, west_m + side_m, south_m + side_m)


def _in_significant_cells(
    found: pl.DataFrame, marked: pl.DataFrame, *, side_m: float
) -> pl.DataFrame:
    cell = {
        "cell_east": ((pl.col("west_m") + side_m / 2) / side_m).floor().cast(pl.Int64),
        "cell_north": ((pl.col("south_m") + side_m / 2) / side_m).floor().cast(pl.Int64),
    }
    significant = marked.filter("significant").select("cell_east", "cell_north")
    return found.with_columns(**cell).join(
        significant, on=["cell_east", "cell_north"], how="semi", maintain_order="left"
    )


def _spaced(
    found: pl.DataFrame, *, side_m: float, separation_m: float, n_places: int
) -> pl.DataFrame:
    """Walk down the list and keep each square that lies far enough from all kept before."""
    west, south = found["west_m"].to_numpy(), found["south_m"].to_numpy()
    free = np.ones(len(found), dtype=bool)
    kept: list[int] = []
    position = 0
    while len(kept) < n_places:
        ahead = np.flatnonzero(free[position:])
        if len(ahead) == 0:
            break
        position += int(ahead[0])
        kept.append(position)
        gap_east = np.maximum(np.abs(west - west[position]) - side_m, 0.0)
        gap_north = np.maximum(np.abs(south - south[position]) - side_m, 0.0)
        overlaps = (np.abs(west - west[position]) < side_m) & (
            np.abs(south - south[position]) < side_m
        )
        free &= ~overlaps & (np.hypot(gap_east, gap_north) >= separation_m)
        free[position] = False
    return found[kept]


def delineation_estimates(
    hotspots: pl.DataFrame,
    events: pl.DataFrame,
    *,
    n_wanted: int,
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    feeds: str,
) -> pl.DataFrame:
    """
    Say how many places were drawn and how much of the selection window lies in them.

    Parameters
    ----------
    hotspots : table `hotspot`
        What `derive` gave.
    events : DataFrame
        The events it was given. Not modified.
    n_wanted : int
        How many places were wanted.
    outcome, outcome_label : str
        Outcome that chose them, by id and in words.
    definition_edition : str or None
        Definition that was used.
    feeds : str
        Canonical tables behind the events.

    Returns
    -------
    table `estimate`
        Question `places`: `places_derived` (the reason says if fewer than wanted were found) and
        `share_in_hotspots` of the located events of the selection window.
    """
    located = events.drop_nulls(["easting_m", "northing_m"])
    inside = np.asarray(
        geometry.locate(
            located["easting_m"].to_numpy(),
            located["northing_m"].to_numpy(),
            geometry.outlines(hotspots["geometry"]),
        )
    )
    base = {
        "question": "places",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "population": "derived hot spots",
        "window_start": hotspots["selection_from"].min(),
        "window_end": hotspots["selection_to"].max(),
        "method": "fullest_squares_gi_star",
        "n": len(located),
        "n_places": len(hotspots),
        "feeds": feeds,
        "diagnostics": json.dumps(
            {"area_m2": round(float(hotspots["area_m2"].sum()), 1), "wanted": n_wanted},
            sort_keys=True,
        ),
    }
    few = (
        f"{n_wanted} places were wanted; only {len(hotspots)} stand apart and out from chance."
        if len(hotspots) < n_wanted
        else None
    )
    share = (
        {"estimate": float((inside >= 0).mean())}
        if len(located)
        else {"status": "not_identified", "reason": "No event has a location."}
    )
    return estimate.rows(
        [
            base
            | {"estimand": "places_derived", "unit": "places", "reason": few}
            | {"estimate": float(len(hotspots))},
            base
            | {
                "estimand": "share_in_hotspots",
                "unit": "share",
                "n_events": float((inside >= 0).sum()),
            }
            | share,
        ]
    )
