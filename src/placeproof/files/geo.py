"""Reads places: hot spots, the outline of the study area, boundaries of small areas."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof import geometry
from placeproof.errors import GeometryError, InputError
from placeproof.files import outlines
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings
from placeproof.files.shapes import Shapes, open_shapes
from placeproof.tables import Place


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read a feed of outlines: the register of hot spots.

    Parameters
    ----------
    spec : FeedSpec
        As `register.read`.
    surroundings : Surroundings
        As `register.read`.

    Returns
    -------
    FeedResult
        Table hotspot.

    Raises
    ------
    InputError
        If the contract is another table: LSOAs and the force are settings of the study.
    """
    if spec.contract != "hotspot":
        raise InputError(
            f'[data.{spec.name}] reads outlines as table "{spec.contract}".',
            mend='Set contract = "hotspot"; the force and LSOAs are named under [study].',
        )
    from placeproof.files import register

    return register.read(spec, surroundings)


def outline(path: Path, *, crs: str | None = None, layer: str | None = None) -> bytes:
    """
    Read the outline of the study area: all polygons of the file as one.

    Parameters
    ----------
    path : Path
        GeoJSON, GeoPackage, Shapefile, MapInfo TAB, KML, or a zip that holds one of them.
    crs : str or None
        "EPSG:27700" or "EPSG:4326"; None: the file states it.
    layer : str or None
        Layer of the file; None where it has only one.

    Returns
    -------
    bytes
        WKB in metres on the British National Grid.

    Raises
    ------
    InputError
        If the file cannot be read or no coordinate system is known.
    GeometryError
        If any outline is missing, not valid or not where Great Britain is.
    """
    import shapely

    shapes = open_shapes(path, layer=layer, encoding=None)
    whole = shapely.union_all(_sound(shapes, crs=crs))
    return bytes(geometry.to_wkb([shapely.normalize(whole)])[0])


def lsoa_places(
    path: Path,
    *,
    code_column: str,
    name_column: str,
    crs: str | None = None,
    layer: str | None = None,
) -> pl.DataFrame:
    """
    Read boundaries of small areas as places that can be counted.

    Parameters
    ----------
    path : Path
        GeoJSON, GeoPackage, Shapefile, MapInfo TAB, KML, or a zip that holds one of them.
    code_column, name_column : str
        Headers of the area's code and name in the file.
    crs : str or None
        "EPSG:27700" or "EPSG:4326"; None: the file states it.
    layer : str or None
        Layer of the file; None where it has only one.

    Returns
    -------
    table `place`
        One row per area, kind "lsoa", group "other", version 1, sorted by code. Boundaries are
        often generalised: count by the code that a crime carries, not by these outlines.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or a code is blank or stands twice.
    GeometryError
        If any outline is missing, not valid or not where Great Britain is.
    """
    shapes = open_shapes(path, layer=layer, encoding=None)
    codes = _named_column(shapes, code_column)
    names = _named_column(shapes, name_column)
    _refuse_unclear_codes(codes, path.name, code_column)
    geometries = _sound(shapes, crs=crs)
    places = pl.DataFrame({"place_id": codes, "name": names.fill_null(codes)}).with_columns(
        *outlines.measures(geometries),
        kind=pl.lit("lsoa"),
        group=pl.lit("other"),
        version=pl.lit(1, dtype=pl.Int64),
    )
    absent = [
        pl.lit(None, dtype=column.dtype).alias(name)
        for name, column in Place.columns().items()
        if name not in places.columns
    ]
    return Place.validate(places.with_columns(absent).select(Place.column_names()).sort("place_id"))


def _sound(shapes: Shapes, *, crs: str | None) -> NDArray[np.object_]:
    """Every outline in metres, where no quarantine is possible: one fault refuses the file."""
    name = shapes.path.name
    geometries, faults = outlines.to_british_grid(shapes, crs=crs, name=name)
    wrong = [(place, fault) for place, fault in enumerate(faults, start=1) if fault is not None]
    if wrong:
        place, fault = wrong[0]
        raise GeometryError(
            f"{name}, feature {place} (row {place + 1}): {fault.found}; expected "
            f"{fault.expected}. {len(wrong)} of {len(faults)} outlines cannot be used.",
            mend=fault.mend,
        )
    return geometries


def _named_column(shapes: Shapes, header: str) -> pl.Series:
    if header not in shapes.attributes.columns:
        raise InputError(
            f'{shapes.path.name} has no column "{header}"; it has '
            f"{', '.join(shapes.attributes.columns)}.",
            mend="Name one of them in study.toml.",
        )
    return shapes.attributes[header].str.strip_chars().replace("", None)


def _refuse_unclear_codes(codes: pl.Series, name: str, header: str) -> None:
    blank = codes.is_null().arg_true().to_list()
    twice = codes.is_duplicated().arg_true().to_list()
    if blank or twice:
        place = (blank or twice)[0] + 1
        what = "is blank" if blank else "stands more than once"
        raise InputError(
            f'{name}, feature {place} (row {place + 1}), column "{header}": the code {what}.',
            mend="Give each area its own code, or name the column that holds it.",
        )
