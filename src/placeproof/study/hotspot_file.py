"""Hot spots from one file that belongs to no study."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from placeproof import files
from placeproof.errors import InputError
from placeproof.files import places
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.mapping import propose_mapping
from placeproof.files.shapes import Shapes, open_shapes

if TYPE_CHECKING:
    from placeproof.patrols.outline_index import OutlineIndex

ALWAYS = date(1990, 1, 1)


def index_of_file(
    path: Path, *, id_column: str | None, crs: str | None
) -> tuple["OutlineIndex", list[str]]:
    """
    Read outlines and index them.

    Parameters
    ----------
    path : Path
        GeoJSON, GeoPackage, Shapefile, MapInfo TAB, KML or a zip of one. With columns for
        valid_from and valid_to each outline counts on its days; without, always.
    id_column : str or None
        Column that names hot spots; None: the one that plainly does.
    crs : str or None
        Coordinate system where the file states none.

    Returns
    -------
    OutlineIndex
    list of str
        What must be known of the outlines, in sentences.

    Raises
    ------
    InputError
        If the file cannot be read, no column plainly names hot spots, or no outline can be used.
    """
    from placeproof.patrols.outline_index import OutlineIndex

    shapes = open_shapes(path, layer=None, encoding=None)
    columns = dict(propose_mapping(path, contract="hotspot").columns)
    columns["hotspot_id"] = _id_column(shapes, columns, id_column, path)
    spec = FeedSpec(
        "hotspots",
        "hotspot",
        "geo",
        (path,),
        columns={k: v for k, v in columns.items() if k in _WANTED},
        constants={} if "valid_from" in columns else {"valid_from": ALWAYS},
        crs=crs,
        root=path.parent,
    )
    if _abroad(shapes):
        ids = shapes.attributes[columns["hotspot_id"]].to_list()
        _refuse_blank(ids, path, columns["hotspot_id"])
        nothing = [None] * len(ids)
        said = ["The outlines lie outside Great Britain; their edges are straight in degrees."]
        return OutlineIndex.of_degrees(ids, list(shapes.geometries), nothing, nothing), said
    result = files.read(spec, Surroundings(None, date(1990, 1, 1), date(2199, 12, 31)))
    table = result.tables["hotspot"]
    if table.is_empty():
        raise InputError(
            f"{path.name}: not one outline can be used. "
            + " ".join(result.notices["message"].head(3)),
            mend="Correct the file in a mapping program and export it again.",
        )
    said = result.notices.filter(result.notices["severity"] != "note")["message"].to_list()
    if "valid_from" not in columns:
        said.append("No column says from when an outline held, so each counts on every day.")
    return OutlineIndex.of(table), said


_WANTED = frozenset({"hotspot_id", "version", "name", "valid_from", "valid_to"})


def _id_column(shapes: Shapes, columns: dict[str, str], asked: str | None, path: Path) -> str:
    there = shapes.attributes.columns
    if asked is not None:
        if asked not in there:
            raise InputError(
                f"{path.name} has no column {asked}; it has {', '.join(there)}.",
                mend="Name one of them with --hotspot-id.",
            )
        return asked
    found = columns.get("hotspot_id")
    values = shapes.attributes[found] if found else None
    if found is None or values is None or values.null_count():
        raise InputError(
            f"{path.name}: no column plainly names the hot spots; it has {', '.join(there)}.",
            mend="Name the column with --hotspot-id.",
        )
    return found


def _refuse_blank(ids: list[str | None], path: Path, column: str) -> None:
    if any(not name for name in ids):
        raise InputError(
            f'{path.name}, column "{column}": some outlines have no name.', mend="Name them."
        )


def _abroad(shapes: Shapes) -> bool:
    """Whether the file is in degrees and no outline lies where Great Britain is."""
    system = (shapes.crs or "").upper()
    degrees = shapes.crs_by_standard or "4326" in system or "CRS84" in system or "WGS 84" in system
    known = [shape for shape in shapes.geometries if shape is not None and not shape.is_empty]
    if not degrees or not known:
        return False
    bounds = np.array([shape.bounds for shape in known])
    east, north = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    inside = (
        (east >= places.DEGREES_LONGITUDE[0])
        & (east <= places.DEGREES_LONGITUDE[1])
        & (north >= places.DEGREES_LATITUDE[0])
        & (north <= places.DEGREES_LATITUDE[1])
    )
    return bool(np.abs(bounds).max() <= 180 and not inside.any())
