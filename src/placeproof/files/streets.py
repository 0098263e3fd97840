"""Reads a street network: lines of any common map format, in metres."""

from pathlib import Path

import polars as pl

from placeproof import geometry
from placeproof.errors import InputError
from placeproof.files import outlines
from placeproof.files.shapes import open_shapes

LINES = ("LineString", "MultiLineString")


def streets(path: Path, *, crs: str | None = None, layer: str | None = None) -> pl.DataFrame:
    """
    Read the streets whose coverage by routes is measured.

    Parameters
    ----------
    path : Path
        GeoPackage, GeoJSON, Shapefile, MapInfo TAB or KML of lines. Features that are no lines, are
        empty or lie abroad are passed over: a network has many, and each is small.
    crs : str or None
        "EPSG:27700" or "EPSG:4326"; None: the file states it.
    layer : str or None
        Layer of the file; None where it has only one.

    Returns
    -------
    DataFrame
        `line`: WKB in metres on the British National Grid.

    Raises
    ------
    InputError
        If the file cannot be read, holds no line, or no coordinate system is known.
    GeometryError
        If every line has swapped, degree-for-metre or foreign coordinates.
    """
    shapes = open_shapes(path, layer=layer, encoding=None)
    lines, _ = outlines.to_british_grid(shapes, crs=crs, name=path.name, kinds=LINES)
    sound = [line for line in lines if line is not None]
    if not sound:
        raise InputError(
            f"{path.name} holds no line that can be used.",
            mend="export the street network as lines, in EPSG:27700 or EPSG:4326",
        )
    return pl.DataFrame({"line": geometry.to_wkb(sound)})
