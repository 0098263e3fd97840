"""Writes the raw exports so that the same rows give the same bytes."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from placeproof.geometry import to_degrees

CREATED = datetime(2023, 7, 3, 9, 0, tzinfo=UTC)
"""The day on which every invented export was made."""


def write_csv(
    path: Path,
    rows: pl.DataFrame,
    *,
    encoding: str = "utf-8",
    separator: str = ",",
    time_format: str = "%d/%m/%Y %H:%M",
    date_format: str = "%d/%m/%Y",
) -> None:
    """
    Write a CSV, packed where its name ends in .gz.

    Parameters
    ----------
    path : Path
        Made with its folders.
    rows : DataFrame
        One row per row.
    encoding : str
        Of the file; "utf-8-sig" for a byte-order mark.
    separator : str
        Between columns.
    time_format, date_format : str
        As for `strftime`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    rows.write_csv(
        buffer, separator=separator, datetime_format=time_format, date_format=date_format
    )
    data = buffer.getvalue()
    if encoding != "utf-8":
        data = data.decode("utf-8").encode(encoding)
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=6, mtime=0)
    path.write_bytes(data)


def write_xlsx(
    path: Path,
    sheets: Mapping[str, pl.DataFrame],
    *,
    time_format: str = "dd/mm/yyyy hh:mm",
    date_format: str = "dd/mm/yyyy",
) -> None:
    """
    Write a workbook with true Excel dates and a fixed day of creation.

    Parameters
    ----------
    path : Path
        Made with its folders.
    sheets : mapping
        Name of a sheet to its rows.
    time_format, date_format : str
        Number formats of Excel.
    """
    import xlsxwriter  # type: ignore[import-untyped]

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": CREATED.replace(tzinfo=None)})
        formats = {
            pl.Datetime: book.add_format({"num_format": time_format}),
            pl.Date: book.add_format({"num_format": date_format}),
        }
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, rows.columns)
            styles = [formats.get(dtype.base_type()) for dtype in rows.dtypes]
            for number, row in enumerate(rows.iter_rows(), start=1):
                for column, (value, style) in enumerate(zip(row, styles, strict=True)):
                    if value is None:
                        continue
                    if style is not None:
                        sheet.write_datetime(number, column, value, style)
                    else:
                        sheet.write(number, column, value)


def write_geojson(
    path: Path,
    geometries: Sequence[shapely.Geometry],
    columns: Mapping[str, Sequence[Any]],
    *,
    degrees: bool,
) -> None:
    """
    Write shapes that are held in metres as GeoJSON.

    Parameters
    ----------
    path : Path
        Made with its folders.
    geometries : sequence of geometries
        Metres on the British National Grid.
    columns : mapping
        Property to its values.
    degrees : bool
        True: longitude and latitude as the standard asks; False: metres, named in `crs`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes = [in_degrees(shape) if degrees else shape for shape in geometries]
    features = [
        {
            "type": "Feature",
            "properties": {name: values[i] for name, values in columns.items()},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for i, shape in enumerate(shapes)
    ]
    whole: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if not degrees:
        whole["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def write_geopackage(
    path: Path, geometries: Sequence[shapely.Geometry], columns: Mapping[str, Sequence[Any]]
) -> None:
    """
    Write shapes as a GeoPackage in metres on the British National Grid.

    Parameters
    ----------
    path : Path
        Made with its folders.
    geometries : sequence of geometries
        Metres on the British National Grid.
    columns : mapping
        Attribute to its values.
    """
    import pyogrio
    import pyogrio.raw

    path.parent.mkdir(parents=True, exist_ok=True)
    # Without this GDAL writes the moment of writing into the file.
    pyogrio.set_gdal_config_options(
        {"OGR_CURRENT_DATE": CREATED.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    )
    try:
        pyogrio.raw.write(
            path,
            geometry=np.array([shapely.to_wkb(shape) for shape in geometries], dtype=object),
            field_data=[np.array(list(values), dtype=object) for values in columns.values()],
            fields=np.array(list(columns), dtype=object),
            geometry_type="Polygon",
            crs="EPSG:27700",
            driver="GPKG",
            layer="hotspots",
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def in_degrees(shape: shapely.Geometry) -> shapely.Geometry:
    """
    Put a shape from metres into longitude and latitude, rounded to about a centimetre.

    Parameters
    ----------
    shape : geometry
        Metres on the British National Grid.
    """

    def move(points: np.ndarray) -> np.ndarray:
        return np.column_stack(degrees(points[:, 0], points[:, 1]))

    return shapely.transform(shape, move)


def degrees(easting_m: np.ndarray, northing_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Longitude and latitude of points, rounded to seven places.

    Parameters
    ----------
    easting_m, northing_m : array
        Metres on the British National Grid.
    """
    longitude, latitude = to_degrees(easting_m, northing_m)
    return np.round(longitude, 7), np.round(latitude, 7)
