"""Brings outlines to metres on the British National Grid and says what is wrong with each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof import geometry
from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files.places import (
    DEGREES_LATITUDE,
    DEGREES_LONGITUDE,
    METRES_EASTING,
    METRES_NORTHING,
)
from placeproof.files.shapes import Shapes

POLYGONS = ("Polygon", "MultiPolygon")
_FIX_OUTLINE = "Open the file in a mapping program, repair the outline and export it again."


@dataclass(frozen=True)
class Fault:
    """
    One thing wrong with one outline.

    Parameters
    ----------
    rule : str
        Short name of the rule, the same in every study.
    found, expected, mend : str
        In words; they hold no attribute of the feature.
    """

    rule: str
    found: str
    expected: str
    mend: str


_NONE = Fault("geometry_missing", "no outline", "a polygon", _FIX_OUTLINE)
_EMPTY = Fault("geometry_empty", "an empty outline", "a polygon", _FIX_OUTLINE)
_NOT_FINITE = Fault(
    "geometry_not_finite", "a corner that is not a number", "finite coordinates", _FIX_OUTLINE
)
_SWAPPED = Fault(
    "coordinates_swapped",
    "latitude and longitude the wrong way round",
    "longitude first, then latitude",
    "Export the outlines again with longitude (x) before latitude (y).",
)
_METRES = Fault(
    "metres_as_degrees",
    "coordinates in metres in a file that is read as degrees",
    "longitude and latitude",
    'Set crs = "EPSG:27700" if they are on the British National Grid, or export again.',
)
_DEGREES = Fault(
    "degrees_as_metres",
    "coordinates in degrees in a file that is read as metres",
    "eastings and northings",
    'Set crs = "EPSG:4326" if they are longitude and latitude, or export again.',
)
_ABROAD = Fault(
    "outside_great_britain",
    "an outline outside Great Britain",
    "a place in Great Britain",
    "Check the coordinate system of the file.",
)
_WHOLE_FILE = {_SWAPPED.rule, _METRES.rule, _DEGREES.rule, _ABROAD.rule}


def to_british_grid(
    shapes: Shapes, *, crs: str | None, name: str, kinds: tuple[str, ...] = POLYGONS
) -> tuple[NDArray[np.object_], list[Fault | None]]:
    """
    Bring every outline of a file to the British National Grid, and name what is wrong with it.

    Parameters
    ----------
    shapes : Shapes
        What `open_shapes` gave.
    crs : str or None
        Coordinate system named in study.toml; None: the file states its own.
    name : str
        Name of the file in messages.
    kinds : tuple of str
        Types of geometry that are expected; every other is a fault.

    Returns
    -------
    array of object, list
        Geometries in metres (None where there is a fault) and the fault of each (None: none).
        Never repaired: an outline that is not valid is a fault.

    Raises
    ------
    InputError
        If neither the file nor `crs` names a coordinate system, or they contradict each other.
    GeometryError
        If every outline has swapped, degree-for-metre or foreign coordinates.
    """
    import shapely

    system = _system(shapes, stated=crs, name=name)
    faults = [
        _fault_before(shape, geographic=system.is_geographic, kinds=kinds)
        for shape in shapes.geometries
    ]
    _refuse_if_all(faults, name)
    moved = np.full(len(faults), None, dtype=object)
    sound = np.array([fault is None for fault in faults])
    moved[sound] = shapes.geometries[sound]
    if not _same(system, _parsed(geometry.BRITISH_GRID, named_by_user=False, name=name)):
        moved = _in_degrees(moved, system, name)
        faults = [fault or _fault_abroad(moved[at]) for at, fault in enumerate(faults)]
        _refuse_if_all(faults, name)
        sound = np.array([fault is None for fault in faults])
        moved[sound] = shapely.transform(moved[sound], geometry.to_metres, interleaved=False)
    faults = [fault or _fault_in_metres(moved[at]) for at, fault in enumerate(faults)]
    _refuse_if_all(faults, name)
    moved[[fault is not None for fault in faults]] = None
    return shapely.normalize(moved), faults


def _in_degrees(shapes: NDArray[np.object_], system: Any, name: str) -> NDArray[np.object_]:
    """Outlines in WGS84: from there `geometry` has the one way to metres."""
    import shapely
    from pyproj import Transformer

    degrees = _parsed(geometry.WGS84, named_by_user=False, name=name)
    if _same(system, degrees):
        return shapes
    step = Transformer.from_crs(system, degrees, always_xy=True)
    moved = shapely.transform(shapes, step.transform, interleaved=False)
    return np.asarray(moved, dtype=object)


def _system(shapes: Shapes, *, stated: str | None, name: str) -> Any:
    own = shapes.crs if not (shapes.crs_by_standard and stated) else None
    if own is None and stated is None:
        raise InputError(
            f"{name} does not say in which coordinate system its outlines are.",
            mend='Set crs = "EPSG:27700" (British National Grid) or "EPSG:4326" (WGS84) for it.',
        )
    if own is None or stated is None:
        return _parsed(stated or str(own), named_by_user=stated is not None, name=name)
    of_user = _parsed(stated, named_by_user=True, name=name)
    of_file = _parsed(own, named_by_user=False, name=name)
    if not _same(of_user, of_file):
        raise InputError(
            f'{name} states the coordinate system "{of_file.name}", study.toml says {stated}.',
            mend="Remove crs from study.toml if the file is right; else export the file again.",
        )
    return of_user


def _same(one: Any, other: Any) -> bool:
    if one.equals(other, ignore_axis_order=True):
        return True
    codes = [system.to_epsg(min_confidence=20) for system in (one, other)]
    return codes[0] is not None and codes[0] == codes[1]


def _parsed(text: str, *, named_by_user: bool, name: str) -> Any:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(text)
    except CRSError:
        if named_by_user:
            raise SettingsError(
                f'crs = "{text}" is not a coordinate system.',
                mend='Use "EPSG:27700" (British National Grid) or "EPSG:4326" (WGS84).',
            ) from None
        raise InputError(
            f"{name} states a coordinate system that is not known.",
            mend="Name the right one as crs in study.toml after removing it from the file.",
        ) from None
    if not (system.is_geographic or system.is_projected):
        raise InputError(
            f'{name}: "{system.name}" is not a system of places on the ground.',
            mend='Use "EPSG:27700" (British National Grid) or "EPSG:4326" (WGS84).',
        )
    return system


def _fault_before(shape: Any, *, geographic: bool, kinds: tuple[str, ...]) -> Fault | None:
    """What can be told from the coordinates as the file gives them."""
    import shapely

    if shape is None:
        return _NONE
    if shape.is_empty:
        return _EMPTY
    if shape.geom_type not in kinds:
        expected = "a polygon" if kinds == POLYGONS else "a line"
        rule = "geometry_not_polygon" if kinds == POLYGONS else "geometry_not_line"
        return Fault(rule, f"a {shape.geom_type}", expected, _FIX_OUTLINE)
    corners = shapely.get_coordinates(shape)
    if not np.isfinite(corners).all():
        return _NOT_FINITE
    x, y = corners[:, 0], corners[:, 1]
    in_degrees = (np.abs(x) <= 180).all() and (np.abs(y) <= 90).all()
    if geographic and not in_degrees:
        return _METRES
    if geographic:
        turned = shapely.transform(shape, lambda a, b: (b, a), interleaved=False)
        return _SWAPPED if _within(turned, DEGREES_LONGITUDE, DEGREES_LATITUDE) else None
    return _DEGREES if in_degrees else None


def _fault_abroad(shape: Any) -> Fault | None:
    """What can be told once the outline is in WGS84."""
    return None if _within(shape, DEGREES_LONGITUDE, DEGREES_LATITUDE) else _ABROAD


def _within(shape: Any, east: tuple[float, float], north: tuple[float, float]) -> bool:
    import shapely

    x, y = shapely.get_coordinates(shape).T
    inside = (x >= east[0]) & (x <= east[1]) & (y >= north[0]) & (y <= north[1])
    return bool(inside.all())


def _fault_in_metres(shape: Any) -> Fault | None:
    """What can be told once the outline is in metres."""
    import shapely

    if not _within(shape, METRES_EASTING, METRES_NORTHING):
        return _ABROAD
    if not shapely.is_valid(shape):
        reason = shapely.is_valid_reason(shape).split("[")[0].strip().lower()
        return Fault(
            "geometry_invalid", f"an outline with a {reason}", "a simple outline", _FIX_OUTLINE
        )
    if shape.geom_type in POLYGONS and shape.area == 0:
        return Fault("geometry_invalid", "an outline of no area", "a polygon", _FIX_OUTLINE)
    return None


def _refuse_if_all(faults: list[Fault | None], name: str) -> None:
    """One mistake in every outline is a mistake of the file, said once."""
    rules = {fault.rule for fault in faults if fault is not None}
    if None in faults or len(rules) != 1 or not rules <= _WHOLE_FILE:
        return
    fault = faults[0]
    assert fault is not None
    raise GeometryError(
        f"{name}: all {len(faults)} outlines have {fault.found}; expected {fault.expected}.",
        mend=fault.mend,
    )


def measures(geometries: NDArray[np.object_]) -> list[pl.Series]:
    """
    What the contracts say of an outline: WKB, area and centroid.

    Parameters
    ----------
    geometries : array of object
        Polygons in metres on the British National Grid; None gives nulls.

    Returns
    -------
    list of Series
        `geometry`, `area_m2`, `centre_easting_m`, `centre_northing_m`, in the order given.
    """
    import shapely

    centres = shapely.centroid(geometries)
    return [
        geometry.to_wkb(list(geometries)),
        pl.Series("area_m2", shapely.area(geometries), dtype=pl.Float64).fill_nan(None),
        pl.Series("centre_easting_m", shapely.get_x(centres), dtype=pl.Float64).fill_nan(None),
        pl.Series("centre_northing_m", shapely.get_y(centres), dtype=pl.Float64).fill_nan(None),
    ]
