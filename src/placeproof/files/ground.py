"""Reads what lies on the ground of a study: premises that are no patrol, and streets."""

from pathlib import Path

import numpy as np
import polars as pl
import shapely

from placeproof import geometry
from placeproof.errors import GeometryError, InputError
from placeproof.files.coordinates import default_locations
from placeproof.files.outlines import LINES, to_british_grid
from placeproof.files.shapes import open_shapes


def premises(path: Path) -> pl.DataFrame:
    """
    Read police stations and other premises: being there is no patrol, and no route shows them.

    Parameters
    ----------
    path : Path
        CSV with name, easting_m, northing_m and radius_m.

    Returns
    -------
    DataFrame
        `name`, `easting_m`, `northing_m`, `radius_m` and `geometry` (WKB: the disc).

    Raises
    ------
    InputError
        If a column is absent or a number is none.
    GeometryError
        If a point is not on the British National Grid.
    """
    table = default_locations(path, shown=path.name)[1]
    geometry.require_metres(table["easting_m"], table["northing_m"])
    if (table["radius_m"] <= 0).any():
        raise InputError(
            f"{path.name}: a radius_m is not above 0.", mend="Give the size of the premises."
        )
    points = shapely.points(table["easting_m"].to_numpy(), table["northing_m"].to_numpy())
    discs = shapely.buffer(points, table["radius_m"].to_numpy())
    return table.with_columns(geometry=geometry.to_wkb(list(discs)))


def streets(path: Path, *, crs: str | None) -> pl.DataFrame:
    """
    Read the lines of a street network.

    Parameters
    ----------
    path : Path
        GeoPackage, GeoJSON, Shapefile or MapInfo TAB.
    crs : str or None
        "EPSG:27700" or "EPSG:4326"; None: the file states it.

    Returns
    -------
    DataFrame
        `line`: WKB in metres on the British National Grid; features without a line are left out.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no line.
    GeometryError
        If lines are swapped, or not where Great Britain is.
    """
    shapes = open_shapes(path, layer=None, encoding=None)
    kinds = [None if one is None else one.geom_type for one in shapes.geometries]
    if not any(kind in LINES for kind in kinds):
        raise InputError(
            f"{path.name} holds no line.", mend="Export the street network as lines, not polygons."
        )
    moved, faults = to_british_grid(shapes, crs=crs, name=path.name, kinds=LINES)
    wrong = [fault for fault, kind in zip(faults, kinds, strict=True) if fault and kind in LINES]
    if wrong:
        first = wrong[0]
        raise GeometryError(
            f"{path.name}: {len(wrong)} lines cannot be used: {first.found} where {first.expected} "
            "is expected.",
            mend=first.mend,
        )
    lines = np.array([kind in LINES for kind in kinds])
    return pl.DataFrame({"line": geometry.to_wkb(list(moved[lines]))})
