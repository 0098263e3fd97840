"""Squares of the British National Grid: cells of the study area, and squares shifted over them."""

import numpy as np
import polars as pl
import shapely

from placeproof.errors import GeometryError, SettingsError

_LARGEST_GRID = 2_000_000
# Squares are tried at this many positions per side.
_SHIFTS = 4


def has_point() -> pl.Expr:
    """Say of each row whether it has a location; not-a-number counts as none."""
    return pl.all_horizontal(
        pl.col(name).cast(pl.Float64).is_finite().fill_null(False)
        for name in ("easting_m", "northing_m")
    )


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


def grid_counts(
    events: pl.DataFrame, *, cell_m: float, area_wkb: bytes, weight: str | None
) -> pl.DataFrame:
    """
    Count events in the square cells of a grid over the study area, empty cells included.

    Parameters
    ----------
    events : DataFrame
        `easting_m`, `northing_m` (null: no location, left out). Not modified.
    cell_m : float
        Side of a cell; lines lie on multiples of it on the British National Grid.
    area_wkb : bytes
        Study area in metres; a cell belongs to it if its centre does.
    weight : str or None
        Column to add up instead of counting rows, for example `harm`.

    Returns
    -------
    DataFrame
        One row per cell: `cell_east`, `cell_north` (whole numbers, times `cell_m` gives the lower
        left corner), `count` and `events` (rows). Sorted by north, then east.
    """
    cells = area_cells(area_wkb, cell_m=cell_m)
    amount = pl.len().cast(pl.Float64) if weight is None else pl.col(weight).sum().cast(pl.Float64)
    counted = (
        events.filter(has_point())
        .group_by(
            cell_east=(pl.col("easting_m") / cell_m).floor().cast(pl.Int64),
            cell_north=(pl.col("northing_m") / cell_m).floor().cast(pl.Int64),
        )
        .agg(count=amount, events=pl.len().cast(pl.Int64))
    )
    return (
        cells.join(counted, on=["cell_east", "cell_north"], how="left")
        .with_columns(pl.col("count").fill_null(0.0), pl.col("events").fill_null(0))
        .sort("cell_north", "cell_east")
    )


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
        `west_m`, `south_m` (lower left corner), `events`, `core_events` (those in the middle
        quarter of the square) and `largest_part` (those in the fullest of its 16 parts). The
        fullest first; equal ones with the fuller middle first, then south to north and west to
        east. A point on a line belongs to the square north-east of it.
    """
    step = side_m / _SHIFTS
    fine = (
        events.filter(has_point())
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
        .agg(
            pl.col("events").sum(),
            pl.col("core_events").sum(),
            largest_part=pl.col("events").max(),
        )
        .sort("events", "core_events", "y", "x", descending=[True, True, False, False])
        .select(
            west_m=pl.col("x") * step,
            south_m=pl.col("y") * step,
            events="events",
            core_events="core_events",
            largest_part="largest_part",
        )
    )


def square(west_m: float, south_m: float, side_m: float) -> shapely.Geometry:
    """Draw the square with this lower left corner."""
    return shapely.box(west_m, south_m, west_m + side_m, south_m + side_m)
