"""The register of hot spots: which outline held when, and since when a place is patrolled."""

import itertools
from datetime import date

import polars as pl
import shapely

from placeproof import geometry
from placeproof.errors import ContractError, GeometryError
from placeproof.tables import Hotspot, Place


def require_register(hotspots: pl.DataFrame) -> None:
    """
    Refuse a register whose outlines or dates contradict each other.

    Parameters
    ----------
    hotspots : table `hotspot`
        One row per version of a hot spot.

    Raises
    ------
    GeometryError
        If an outline is empty, not an area, or crosses itself (the message names the row), or if
        outlines are not in metres on the British National Grid.
    ContractError
        If two versions of one hot spot hold on the same day, or a version ends before it begins.
    """
    _require_outlines(hotspots)
    geometry.require_metres(hotspots["centre_easting_m"], hotspots["centre_northing_m"])
    rows = hotspots.sort("hotspot_id", "valid_from", "version").to_dicts()
    for row in rows:
        if row["valid_to"] is not None and row["valid_to"] < row["valid_from"]:
            raise ContractError(
                f"hot spots, row {row['source_row']}: {row['hotspot_id']} version "
                f"{row['version']} ends on {row['valid_to']}, before it begins on "
                f"{row['valid_from']}.",
                mend="Correct valid_from or valid_to of that version.",
            )
    for earlier, later in itertools.pairwise(rows):
        if earlier["hotspot_id"] != later["hotspot_id"]:
            continue
        if earlier["valid_to"] is None or earlier["valid_to"] >= later["valid_from"]:
            raise ContractError(
                f"hot spots, rows {earlier['source_row']} and {later['source_row']}: versions "
                f"{earlier['version']} and {later['version']} of {earlier['hotspot_id']} both hold "
                f"on {later['valid_from']}. Expected: one outline on each day.",
                mend="End the earlier version on the day before the later one begins.",
            )


def _require_outlines(hotspots: pl.DataFrame) -> None:
    shapes = shapely.from_wkb(hotspots["geometry"].to_list(), on_invalid="ignore")
    for row, outline in zip(hotspots["source_row"].to_list(), shapes, strict=True):
        if outline is None or outline.is_empty or outline.area == 0:
            fault = "is not an area"
        elif not outline.is_valid:
            fault = f"crosses itself: {shapely.is_valid_reason(outline)}"
        else:
            continue
        raise GeometryError(
            f"hot spots, row {row}, column geometry: the outline {fault}. "
            "Expected: a closed polygon that does not cross itself.",
            mend="Redraw the outline in the mapping program and export it again.",
        )


def version_on(hotspots: pl.DataFrame, *, day: date) -> pl.DataFrame:
    """
    Pick the versions that hold on a day.

    Parameters
    ----------
    hotspots : table `hotspot`
        One row per version of a hot spot. Not modified.
    day : date
        Local day.

    Returns
    -------
    table `hotspot`
        At most one row per hot spot, sorted by id; none for one not yet drawn or retired.
    """
    holds = (pl.col("valid_from") <= day) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= day)
    )
    return hotspots.filter(holds).sort("hotspot_id")


def outline_on(hotspots: pl.DataFrame, *, day: date) -> pl.DataFrame:
    """
    Pick the outline in which each hot spot is counted on a day.

    Counting needs an outline on every day, also before the place was first drawn: the history of
    a hot spot is what happened inside its first outline. So the first version reaches back, and
    every version reaches forward until the next one begins.

    Parameters
    ----------
    hotspots : table `hotspot`
        One row per version of a hot spot. Not modified.
    day : date
        Local day.

    Returns
    -------
    table `hotspot`
        Exactly one row per hot spot, in the order of who counts a point that lies in several:
        earliest first patrol, then id.
    """
    begun = pl.col("valid_from") <= day
    chosen = (
        hotspots.sort("hotspot_id", "valid_from")
        .with_columns(
            _latest=pl.col("valid_from").filter(begun).max().over("hotspot_id"),
            _first=pl.col("valid_from").min().over("hotspot_id"),
        )
        .filter(pl.col("valid_from") == pl.coalesce("_latest", "_first"))
        .drop("_latest", "_first")
    )
    starts = first_treated(hotspots).select("hotspot_id", _start="first_treated")
    return (
        chosen.join(starts, on="hotspot_id", how="left")
        .sort("_start", "hotspot_id", nulls_last=True)
        .drop("_start")
    )


def first_treated(hotspots: pl.DataFrame) -> pl.DataFrame:
    """
    Find the first and last day of patrols of each hot spot over all its versions.

    A re-drawn hot spot keeps the start of its first version: intention to treat is by first start.

    Parameters
    ----------
    hotspots : table `hotspot`
        One row per version of a hot spot. Not modified.

    Returns
    -------
    DataFrame
        `hotspot_id`, `first_treated` (null: never patrolled) and `treated_until` (null: never
        patrolled, or patrols go on by the latest version that names a start). Sorted by id.
    """
    named = pl.col("first_treated").is_not_null()
    return (
        hotspots.sort("hotspot_id", "valid_from")
        .group_by("hotspot_id", maintain_order=True)
        .agg(
            pl.col("first_treated").min(),
            treated_until=pl.col("treated_until").filter(named).last(),
        )
    )


def places(hotspots: pl.DataFrame, *, day: date) -> pl.DataFrame:
    """
    Turn the register into places that are counted.

    Parameters
    ----------
    hotspots : table `hotspot`
        One row per version of a hot spot. Not modified.
    day : date
        Whose outline stands in the row (for maps and areas); counting follows `assign`.

    Returns
    -------
    table `place`
        One row per hot spot. Group `treated` exactly when some version names a first day of
        patrols; a hot spot that was drawn but never patrolled is in group `comparison`.
    """
    starts = first_treated(hotspots)
    shown = outline_on(hotspots, day=day).drop("first_treated", "treated_until")
    rows = shown.join(starts, on="hotspot_id", how="left").select(
        pl.col("hotspot_id").alias("place_id"),
        pl.lit("hotspot").alias("kind"),
        pl.when(pl.col("first_treated").is_not_null())
        .then(pl.lit("treated"))
        .otherwise(pl.lit("comparison"))
        .alias("group"),
        pl.lit(None, dtype=pl.String).alias("target_id"),
        "version",
        "name",
        "town",
        pl.lit(None, dtype=pl.Float64).alias("ring_inner_m"),
        pl.lit(None, dtype=pl.Float64).alias("ring_outer_m"),
        "first_treated",
        "treated_until",
        "geometry",
        "area_m2",
        "centre_easting_m",
        "centre_northing_m",
    )
    return Place.validate(rows, cast=True).sort("place_id")


def hotspot_rows(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Make a valid `hotspot` table from mappings whose `geometry` is a shapely polygon."""
    schema = {name: column.dtype for name, column in Hotspot.columns().items()}
    filled = [dict.fromkeys(schema) | row | _measures(row["geometry"]) for row in rows]
    return Hotspot.validate(pl.DataFrame(filled, schema=schema), cast=True)


def place_rows(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Make a valid `place` table from mappings whose `geometry` is a shapely polygon."""
    schema = {name: column.dtype for name, column in Place.columns().items()}
    filled = [dict.fromkeys(schema) | row | _measures(row["geometry"]) for row in rows]
    return Place.validate(pl.DataFrame(filled, schema=schema), cast=True).sort("place_id")


def _measures(outline: shapely.Geometry) -> dict[str, object]:
    centre = outline.centroid
    return {
        "geometry": shapely.to_wkb(outline),
        "area_m2": float(outline.area),
        "centre_easting_m": float(centre.x),
        "centre_northing_m": float(centre.y),
    }
