"""Metres and degrees, points in outlines, rings around outlines.

Lengths and areas are metres on the British National Grid. Degrees where metres are meant, and
latitude where longitude is meant, are refused.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import shapely

from placeproof.errors import GeometryError

BRITISH_GRID = "EPSG:27700"
WGS84 = "EPSG:4326"

# One fixed chain, so that a grid-shift file that happens to lie on a machine changes no result:
# EPSG operation 1314 (seven-parameter Helmert) and the Transverse Mercator of the National Grid.
# docs/decisions/0003 says how far it is from the official transformation.
_DEGREES_TO_METRES = (
    "+proj=pipeline "
    "+step +proj=unitconvert +xy_in=deg +xy_out=rad "
    "+step +proj=push +v_3 "
    "+step +proj=cart +ellps=WGS84 "
    "+step +inv +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 "
    "+s=-20.489 +convention=position_vector "
    "+step +inv +proj=cart +ellps=airy "
    "+step +proj=pop +v_3 "
    "+step +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy"
)
_EASTING_M = (0.0, 700_000.0)
_NORTHING_M = (0.0, 1_300_000.0)
_LONGITUDE_DEG = (-9.5, 2.5)
_LATITUDE_DEG = (49.0, 61.5)
_RESOLUTION_DECIMALS = 4  # distances are compared to a tenth of a millimetre


def to_metres(longitude_deg: Any, latitude_deg: Any) -> tuple[np.ndarray, np.ndarray]:
    """
    Project degrees to the British National Grid.

    Parameters
    ----------
    longitude_deg, latitude_deg : array of float, one length
        WGS84. NaN stays NaN.

    Returns
    -------
    easting_m, northing_m : arrays of float
        Within 3 m of the official grid in England (docs/decisions/0003); neighbours shift alike.

    Raises
    ------
    GeometryError
        If latitude and longitude are swapped, are no degrees, or lie outside Great Britain.
    """
    longitude, latitude = _floats(longitude_deg), _floats(latitude_deg)
    require_degrees(longitude, latitude)
    return _finite_pair(*_pipeline().transform(longitude, latitude))


def to_degrees(easting_m: Any, northing_m: Any) -> tuple[np.ndarray, np.ndarray]:
    """
    Project the British National Grid to degrees: the inverse of `to_metres`, to a few millimetres.

    Parameters
    ----------
    easting_m, northing_m : array of float, one length
        NaN stays NaN.

    Returns
    -------
    longitude_deg, latitude_deg : arrays of float
        WGS84.

    Raises
    ------
    GeometryError
        If the numbers are degrees, or lie outside Great Britain.
    """
    easting, northing = _floats(easting_m), _floats(northing_m)
    require_metres(easting, northing)
    return _finite_pair(*_pipeline().transform(easting, northing, direction="INVERSE"))


def require_metres(easting_m: Any, northing_m: Any) -> None:
    """
    Refuse coordinates that are not metres on the British National Grid.

    Parameters
    ----------
    easting_m, northing_m : array of float, one length
        NaN and null are places that are not known: they pass.

    Raises
    ------
    GeometryError
        If all numbers look like degrees, if easting and northing can only be swapped, or if any
        point lies outside Great Britain.
    """
    x, y = _known(easting_m, northing_m)
    if not len(x):
        return
    if bool(((np.abs(x) <= 180) & (np.abs(y) <= 180)).all()):
        raise GeometryError(
            "Coordinates look like degrees where metres on the British National Grid are meant.",
            mend='set crs = "EPSG:4326" for this file in study.toml, or export metres.',
        )
    outside = ~_between(x, _EASTING_M) | ~_between(y, _NORTHING_M)
    if not outside.any():
        return
    if bool((_between(y, _EASTING_M) & _between(x, _NORTHING_M)).all()):
        raise GeometryError(
            f"Easting and northing seem to be swapped: {_share(outside)} lie outside Great "
            "Britain as given and none do the other way round.",
            mend="swap the two columns in study.toml.",
        )
    raise GeometryError(
        f"{_share(outside)} lie outside Great Britain on the British National Grid "
        f"({_EASTING_M[0]:.0f}–{_EASTING_M[1]:.0f} m east, "
        f"{_NORTHING_M[0]:.0f}–{_NORTHING_M[1]:.0f} m north); {_first(outside)}.",
        mend="correct these points, or name the right crs for this file in study.toml.",
    )


def require_degrees(longitude_deg: Any, latitude_deg: Any) -> None:
    """
    Refuse coordinates that are not WGS84 degrees in Great Britain.

    Parameters
    ----------
    longitude_deg, latitude_deg : array of float, one length
        NaN and null are places that are not known: they pass.

    Raises
    ------
    GeometryError
        If any number is no degree, if latitude and longitude are swapped, or if any point lies
        outside Great Britain.
    """
    x, y = _known(longitude_deg, latitude_deg)
    if not len(x):
        return
    if bool(((np.abs(x) > 180) | (np.abs(y) > 180)).all()):
        raise GeometryError(
            "Coordinates look like metres where degrees of longitude and latitude are meant.",
            mend='if they are metres, set crs = "EPSG:27700" for this file in study.toml.',
        )
    swapped = _between(y, _LONGITUDE_DEG) & _between(x, _LATITUDE_DEG)
    if swapped.any():
        raise GeometryError(
            f"Latitude and longitude are swapped in {_share(swapped)}; {_first(swapped)}.",
            mend="swap the two columns in study.toml: longitude is the smaller number here.",
        )
    outside = ~_between(x, _LONGITUDE_DEG) | ~_between(y, _LATITUDE_DEG)
    if outside.any():
        raise GeometryError(
            f"{_share(outside)} lie outside Great Britain; {_first(outside)}.",
            mend="correct these points, or name the right crs for this file in study.toml.",
        )


def to_british_grid(geometries: Sequence[Any], *, crs: str) -> list[Any]:
    """
    Bring outlines to metres on the British National Grid.

    Parameters
    ----------
    geometries : sequence of shapely geometries
        None stays None; heights are dropped.
    crs : str
        What the coordinates are in, as "EPSG:4326" or "EPSG:27700".

    Returns
    -------
    list of shapely geometries
        In the same order. Areas differ from those on the ellipsoid by less than 0.1 %.

    Raises
    ------
    GeometryError
        If the system is unknown, the coordinates cannot be in it, or lie outside Great Britain.
    """
    flat = shapely.force_2d(np.array(list(geometries), dtype=object))
    coordinates = shapely.get_coordinates(flat)
    x, y = coordinates[:, 0], coordinates[:, 1]
    known = crs.upper().replace(" ", "")
    if known in (BRITISH_GRID, "OGC:CRS27700", "URN:OGC:DEF:CRS:EPSG::27700"):
        easting, northing = x, y
    elif known in (WGS84, "EPSG:4258", "OGC:CRS84", "URN:OGC:DEF:CRS:OGC:1.3:CRS84"):
        easting, northing = to_metres(x, y)
    else:
        longitude, latitude = _other_to_degrees(crs, x, y)
        easting, northing = to_metres(longitude, latitude)
    require_metres(easting, northing)
    return list(shapely.set_coordinates(flat.copy(), np.column_stack([easting, northing])))


def outlines(wkb: pl.Series) -> np.ndarray:
    """
    Read a column of outlines.

    Parameters
    ----------
    wkb : Series of Binary
        WKB in metres; null where a place has no outline.

    Returns
    -------
    array of shapely geometries
        None where null.

    Raises
    ------
    GeometryError
        If a value is no WKB.
    """
    try:
        return np.asarray(shapely.from_wkb(np.array(wkb.to_list(), dtype=object)), dtype=object)
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise GeometryError(
            f"A geometry cannot be read as WKB: {error}.", mend="export the outlines anew."
        ) from None


def outlines_from_text(wkt: pl.Series) -> np.ndarray:
    """
    Read a column of outlines that are written as text.

    Parameters
    ----------
    wkt : Series of String
        WKT in metres on the British National Grid; null where there is no outline.

    Returns
    -------
    array of shapely geometries
        None where null.

    Raises
    ------
    GeometryError
        If a value is no WKT, no polygon, or not in metres in Great Britain.
    """
    made = []
    for position, words in enumerate(wkt.to_list()):
        try:
            outline = None if words is None else shapely.from_wkt(words)
        except (shapely.errors.ShapelyError, TypeError):
            outline = shapely.Point()
        if outline is not None:
            if outline.is_empty or not outline.is_valid or outline.area <= 0:
                raise GeometryError(
                    f"Row {position + 1} of the outlines written as text is no valid polygon.",
                    mend="write it as POLYGON ((easting northing, …)), closed, in metres.",
                )
            corners = shapely.get_coordinates(outline)
            require_metres(corners[:, 0], corners[:, 1])
        made.append(outline)
    return np.array([*made, None], dtype=object)[:-1]


def to_wkb(geometries: Sequence[Any]) -> pl.Series:
    """
    Write outlines as a column, byte for byte the same on every machine.

    Parameters
    ----------
    geometries : sequence of shapely geometries
        None becomes null.

    Returns
    -------
    Series of Binary
        Little-endian WKB in two dimensions, named `geometry`.
    """
    written = [
        None if shape is None else shapely.to_wkb(shape, output_dimension=2, byte_order=1)
        for shape in geometries
    ]
    return pl.Series("geometry", written, dtype=pl.Binary)


def locate(easting_m: Any, northing_m: Any, outlines: Sequence[Any]) -> np.ndarray:
    """
    Find the outline in which each point lies.

    Parameters
    ----------
    easting_m, northing_m : array of float, one length
        NaN lies in no outline.
    outlines : sequence of shapely geometries
        In metres; None holds no point.

    Returns
    -------
    array of int
        Index of the outline, -1 for none. A point on a boundary is inside; of several outlines
        the one with the lowest index.

    Raises
    ------
    GeometryError
        If the points are degrees.
    """
    x, y = _metres(easting_m, northing_m)
    found = np.full(len(x), -1, dtype=np.int64)
    for index, candidates in _candidates(x, y, outlines, within_m=0.0):
        candidates = candidates[found[candidates] < 0]
        inside = shapely.intersects_xy(outlines[index], x[candidates], y[candidates])
        found[candidates[inside]] = index
    return found


def nearest_band(
    easting_m: Any,
    northing_m: Any,
    outlines: Sequence[Any],
    *,
    edges_m: Sequence[float],
    priority: Sequence[Any],
) -> tuple[np.ndarray, np.ndarray]:
    """
    Give each point outside all outlines to one ring of its nearest outline.

    Parameters
    ----------
    easting_m, northing_m : array of float, one length
        NaN belongs to no ring.
    outlines : sequence of shapely geometries
        In metres; None has no rings.
    edges_m : sequence of float
        Rising distances from the outline: [0, 100, 250] makes band 0 (up to 100 m) and band 1
        (more than 100, up to 250 m).
    priority : sequence of numbers or days, one for each outline
        Of outlines equally near (to 0.1 mm) the lowest wins, then the lowest index; unknown last.

    Returns
    -------
    target_index, band_index : arrays of int
        Outline and band; both -1 for a point inside any outline, nearer than the first edge or
        farther than the last. A point is never in two rings.

    Raises
    ------
    GeometryError
        If the points are degrees, or the edges do not rise from 0 or more.
    """
    edges = _rising(edges_m)
    x, y = _metres(easting_m, northing_m)
    target = np.full(len(x), -1, dtype=np.int64)
    nearest = np.full(len(x), np.inf)
    outside = locate(x, y, outlines) < 0
    order = np.argsort(np.asarray(priority), kind="stable")
    for index, candidates in _candidates(x, y, outlines, within_m=edges[-1], order=order):
        candidates = candidates[outside[candidates]]
        points = shapely.points(x[candidates], y[candidates])
        distance = np.round(shapely.distance(outlines[index], points), _RESOLUTION_DECIMALS)
        nearer = distance < nearest[candidates]
        target[candidates[nearer]] = index
        nearest[candidates[nearer]] = distance[nearer]
    band = np.searchsorted(edges, nearest, side="left") - 1
    band[nearest == edges[0]] = 0
    in_a_band = (target >= 0) & (band >= 0) & (band < len(edges) - 1)
    return np.where(in_a_band, target, -1), np.where(in_a_band, band, -1)


@cache
def _pipeline() -> Any:
    from pyproj import Transformer

    return Transformer.from_pipeline(_DEGREES_TO_METRES)


def _other_to_degrees(crs: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    try:
        transformer = Transformer.from_crs(crs, WGS84, always_xy=True)
    except CRSError:
        raise GeometryError(
            f'crs = "{crs}" is no coordinate system.',
            mend='write "EPSG:27700" (eastings and northings) or "EPSG:4326" (degrees).',
        ) from None
    return _finite_pair(*transformer.transform(x, y))


def _floats(values: Any) -> np.ndarray:
    if isinstance(values, pl.Series):
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def _finite_pair(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # PROJ answers infinity for what it cannot place; an unknown place is NaN here.
    known = np.isfinite(x) & np.isfinite(y)
    return np.where(known, x, np.nan), np.where(known, y, np.nan)


def _known(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    first, second = _floats(x), _floats(y)
    known = ~(np.isnan(first) | np.isnan(second))
    return first[known], second[known]


def _between(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (values >= limits[0]) & (values <= limits[1])


def _share(bad: np.ndarray) -> str:
    return f"{int(bad.sum())} of {len(bad)} points"


def _first(bad: np.ndarray) -> str:
    return f"the first is point {int(np.argmax(bad)) + 1} of those with coordinates"


def _metres(easting_m: Any, northing_m: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = _floats(easting_m), _floats(northing_m)
    known_x, known_y = _known(x, y)
    if len(known_x) and bool(((np.abs(known_x) <= 180) & (np.abs(known_y) <= 180)).all()):
        require_metres(known_x, known_y)
    return x, y


def _rising(edges_m: Sequence[float]) -> np.ndarray:
    edges = np.asarray(edges_m, dtype=np.float64)
    if len(edges) < 2 or edges[0] < 0 or not bool((np.diff(edges) > 0).all()):
        raise GeometryError(
            f"Ring edges {list(edges_m)} do not rise from 0 or more.",
            mend="write distances in metres such as ring_edges_m = [0, 100, 250].",
        )
    return edges


def _candidates(
    x: np.ndarray,
    y: np.ndarray,
    outlines: Sequence[Any],
    *,
    within_m: float,
    order: np.ndarray | None = None,
) -> Any:
    """Yield each outline's index with the points in its bounding box, widened by `within_m`.

    Points are sorted by easting once, so an outline looks only at its own strip.
    """
    eastwards = np.argsort(x, kind="stable")
    eastings = x[eastwards]
    for index in range(len(outlines)) if order is None else order.tolist():
        shape = outlines[index]
        if shape is None or shapely.is_empty(shape):
            continue
        shapely.prepare(shape)
        west, south, east, north = shapely.bounds(shape)
        strip = eastwards[
            np.searchsorted(eastings, west - within_m, side="left") : np.searchsorted(
                eastings, east + within_m, side="right"
            )
        ]
        yield index, strip[_between(y[strip], (south - within_m, north + within_m))]
