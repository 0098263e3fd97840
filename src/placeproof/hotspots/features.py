"""What is known of the ground: features of areas and points, carried to any outline."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely

from placeproof import geometry

SQUARE_METRES_OF_A_HECTARE = 10_000.0


@dataclass(frozen=True)
class _AreaFeature:
    """Values of areas; the area in which the centre of an outline lies speaks for it."""

    tree: shapely.STRtree
    values: np.ndarray

    def at(self, outlines: np.ndarray) -> np.ndarray:
        centres = shapely.centroid(outlines)
        found = np.full(len(outlines), np.nan)
        outline, area = self.tree.query(centres, predicate="intersects")
        # On a boundary the first area by code speaks; pairs come in no order.
        order = np.lexsort((area, outline))[::-1]
        found[outline[order]] = self.values[area[order]]
        return found


@dataclass(frozen=True)
class _PointFeature:
    """Points with a value each, added up within a distance of an outline."""

    tree: shapely.STRtree
    values: np.ndarray
    reach_m: float

    def at(self, outlines: np.ndarray) -> np.ndarray:
        outline, point = self.tree.query(outlines, predicate="dwithin", distance=self.reach_m)
        return np.bincount(outline, self.values[point], len(outlines)).astype(float)


@dataclass(frozen=True)
class Features:
    """Features of the ground that can be read off at any outline."""

    names: tuple[str, ...]
    layers: tuple[_AreaFeature | _PointFeature, ...]
    absent: dict[str, str]
    """Features that were asked for and cannot be used, with the reason."""

    def at(self, outlines: np.ndarray) -> np.ndarray:
        """
        Read every feature off at some outlines.

        Parameters
        ----------
        outlines : array of shapely geometries, shape (K,)
            In metres.

        Returns
        -------
        array, shape (K, features)
            Levels as they stand, amounts to the hectare (places differ in size), points added up;
            not a number where the ground has no value.
        """
        if not self.layers or not len(outlines):
            return np.zeros((len(outlines), len(self.names)))
        return np.column_stack([layer.at(outlines) for layer in self.layers])


def features_of(
    table: pl.DataFrame | None,
    *,
    names: Sequence[str],
    areas: pl.DataFrame | None,
    reach_m: float,
) -> Features:
    """
    Lay out features of areas and points so that they can be read off at any outline.

    Parameters
    ----------
    table : table `place_feature` or None
        None: not supplied. Not modified.
    names : sequence of str
        Features wanted.
    areas : table `place` or None
        Outlines of the areas whose codes the table names; None: not supplied.
    reach_m : float
        Points within this distance of an outline count there.

    Returns
    -------
    Features
        In the order of `names`, without those that cannot be used.
    """
    kept: list[str] = []
    layers: list[_AreaFeature | _PointFeature] = []
    absent: dict[str, str] = {}
    for name in dict.fromkeys(names):
        rows = None if table is None else table.filter(feature=name)
        layer = _layer(rows, areas, reach_m)
        if isinstance(layer, str):
            absent[name] = layer
        else:
            kept.append(name)
            layers.append(layer)
    return Features(tuple(kept), tuple(layers), absent)


def _layer(
    rows: pl.DataFrame | None, areas: pl.DataFrame | None, reach_m: float
) -> _AreaFeature | _PointFeature | str:
    if rows is None or rows.is_empty():
        return "no file of the study holds it."
    if rows["measure"].n_unique() > 1:
        return "its rows disagree on whether it is a level, an amount or a point."
    if rows["measure"][0] == "point":
        points = rows.drop_nulls(["easting_m", "northing_m"]).sort("easting_m", "northing_m")
        if points.is_empty():
            return "none of its points has a location."
        xy = [points[name].to_numpy() for name in ("easting_m", "northing_m")]
        values = points["value"].fill_null(1.0).to_numpy()
        return _PointFeature(shapely.STRtree(shapely.points(*xy)), values, reach_m)
    if areas is None or areas.is_empty():
        return "it is known by area, and study.toml names no outlines of areas ([lsoa])."
    joined = areas.sort("place_id").join(
        rows.select(place_id="area_code", _value="value"), on="place_id", how="inner"
    )
    if joined.is_empty():
        return "its area codes are none of those whose outlines study.toml names ([lsoa])."
    value = pl.col("_value")
    if rows["measure"][0] == "amount":
        value = value / pl.col("area_m2") * SQUARE_METRES_OF_A_HECTARE
    tree = shapely.STRtree(geometry.outlines(joined["geometry"]))
    return _AreaFeature(tree, joined.select(value).to_series().to_numpy())
