"""Points of rows: from degrees to metres once per distinct point, and inside the force or not."""

import polars as pl

DEGREES_LONGITUDE = (-9.5, 2.5)
DEGREES_LATITUDE = (49.0, 61.5)
METRES_EASTING = (0.0, 700_000.0)
METRES_NORTHING = (0.0, 1_300_000.0)
_STEPS_PER_DEGREE = 10_000_000
_STEPS_APART = 1 << 32


def within(column: str, limits: tuple[float, float]) -> pl.Expr:
    """
    Whether a column lies between two limits, both included.

    Parameters
    ----------
    column : str
        Column of numbers.
    limits : pair of float
        Lowest and highest value.
    """
    return pl.col(column).is_between(limits[0], limits[1])


def degrees_fit(longitude: str, latitude: str) -> pl.Expr:
    """
    Whether two columns can be a longitude and latitude of Great Britain.

    Parameters
    ----------
    longitude, latitude : str
        Columns in degrees.
    """
    return within(longitude, DEGREES_LONGITUDE) & within(latitude, DEGREES_LATITUDE)


def metres_fit(easting: str, northing: str) -> pl.Expr:
    """
    Whether two columns can be metres on the British National Grid.

    Parameters
    ----------
    easting, northing : str
        Columns in metres. Nothing of Great Britain lies within 1 km of the grid's origin, where
        degrees taken for metres would fall.
    """
    inside = within(easting, METRES_EASTING) & within(northing, METRES_NORTHING)
    return inside & ((pl.col(easting) > 1000) | (pl.col(northing) > 1000))


def step(longitude: str, latitude: str) -> pl.Expr:
    """
    One whole number per point, to 1e-7 degree (a centimetre): it joins faster than two floats.

    Parameters
    ----------
    longitude, latitude : str
        Columns in degrees; null unless both are there.
    """
    east, north = (
        (pl.col(name) * _STEPS_PER_DEGREE).round().cast(pl.Int64, strict=False)
        for name in (longitude, latitude)
    )
    return east * _STEPS_APART + north


def distinct(rows: pl.DataFrame) -> pl.DataFrame:
    """
    The distinct points of rows: `point`, `longitude_deg`, `latitude_deg`, sorted.

    Parameters
    ----------
    rows : DataFrame
        With `point`, as `step` makes it of degrees on the globe.
    """
    points = rows.select(pl.col("point").drop_nulls().unique()).sort("point")
    half = _STEPS_APART // 2
    north = (pl.col("point") + half) % _STEPS_APART - half
    return points.select(
        "point",
        ((pl.col("point") - north) // _STEPS_APART / _STEPS_PER_DEGREE).alias("longitude_deg"),
        (north / _STEPS_PER_DEGREE).alias("latitude_deg"),
    )


def in_metres(points: pl.DataFrame, area_wkb: bytes | None) -> pl.DataFrame:
    """
    Project distinct points, and say which lie in the force.

    Parameters
    ----------
    points : DataFrame
        `point`, `longitude_deg` and `latitude_deg`, none of them null, within Great Britain.
    area_wkb : bytes or None
        Outline of the force in metres; None: `inside` is null.

    Returns
    -------
    DataFrame
        `point`, `easting_m`, `northing_m` and `inside`.
    """
    from placeproof import geometry

    easting_m, northing_m = geometry.to_metres(
        points["longitude_deg"].to_numpy(), points["latitude_deg"].to_numpy()
    )
    placed = points.select("point").with_columns(
        easting_m=pl.Series(easting_m, dtype=pl.Float64),
        northing_m=pl.Series(northing_m, dtype=pl.Float64),
    )
    return placed.with_columns(inside_area(placed, area_wkb))


def inside_area(points: pl.DataFrame, area_wkb: bytes | None) -> pl.Series:
    """
    Whether points lie in the force; null where that is not known.

    Parameters
    ----------
    points : DataFrame
        With `easting_m` and `northing_m`.
    area_wkb : bytes or None
        Outline of the force in metres.
    """
    from placeproof import geometry

    if area_wkb is None or points.is_empty():
        return pl.Series("inside", [None] * points.height, dtype=pl.Boolean)
    outline = geometry.outlines(pl.Series([area_wkb]))
    known = points.select("easting_m", "northing_m").with_columns(
        known=pl.col("easting_m").is_not_null() & pl.col("northing_m").is_not_null()
    )
    at = geometry.locate(
        known["easting_m"].to_numpy(), known["northing_m"].to_numpy(), list(outline)
    )
    inside = known.with_columns(inside=pl.Series(at >= 0))
    return inside.select(pl.when(pl.col("known")).then(pl.col("inside")).alias("inside"))["inside"]
