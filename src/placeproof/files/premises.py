"""Reads premises: places where being there is no patrol, and which no route shows."""

from pathlib import Path

import polars as pl
import shapely

from placeproof import geometry
from placeproof.errors import GeometryError, InputError
from placeproof.files.coordinates import default_locations


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
    sheet, table = default_locations(path, shown=path.name)
    try:
        geometry.require_metres(table["easting_m"], table["northing_m"])
    except GeometryError as error:
        raise GeometryError(
            f"{path.name}: {error.message}",
            mend="give easting_m and northing_m as metres on the British National Grid",
        ) from None
    low = sheet.rows.filter(table["radius_m"] <= 0)
    if low.height:
        raise InputError(
            f"{path.name}, row {low['source_row'][0]}: radius_m is not above 0.",
            mend="Give the size of the premises.",
        )
    points = shapely.points(table["easting_m"].to_numpy(), table["northing_m"].to_numpy())
    discs = shapely.buffer(points, table["radius_m"].to_numpy())
    return table.with_columns(geometry=geometry.to_wkb(list(discs)))
