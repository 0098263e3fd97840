"""Small areas (LSOAs) by what patrols did in them: they hold a hot spot, lie near one, or not."""

import numpy as np
import polars as pl
import shapely

from placeproof import geometry


def areas_by_patrol(areas: pl.DataFrame, hotspots: pl.DataFrame, *, near_m: float) -> pl.DataFrame:
    """
    Give each small area its part in a comparison.

    Parameters
    ----------
    areas : table `place`
        Small areas with outlines in metres. Not modified.
    hotspots : table `place`
        Hot spots, one outline each, with the first day of patrols. Not modified.
    near_m : float
        Areas nearer than this to a hot spot are no comparison: the outer edge of the outer ring.

    Returns
    -------
    table `place`
        The same areas in the same order. Group "treated" with the earliest first day for the area
        that holds the largest part of a hot spot that was ever patrolled; "other" for areas that
        it touches or that lie near any hot spot; "comparison" for the rest.
    """
    outlines = geometry.outlines(areas["geometry"])
    spots = geometry.outlines(hotspots["geometry"])
    if not len(spots):
        return areas.with_columns(group=pl.lit("comparison"))
    tree = shapely.STRtree(outlines)
    near = np.zeros(len(outlines), dtype=bool)
    near[np.unique(tree.query(spots, predicate="dwithin", distance=near_m)[1])] = True
    starts: dict[int, object] = {}
    for spot, first in zip(spots, hotspots["first_treated"].to_list(), strict=True):
        touched = tree.query(spot, predicate="intersects")
        if first is None or not len(touched):
            continue
        shared = shapely.area(shapely.intersection(outlines[touched], spot))
        holder = int(touched[np.lexsort((touched, -shared))[0]])
        known = starts.get(holder)
        starts[holder] = first if known is None else min(known, first)
    group = np.where(near, "other", "comparison").astype(object)
    group[list(starts)] = "treated"
    return areas.with_columns(
        pl.Series("group", group.tolist(), dtype=pl.String),
        pl.Series("first_treated", [starts.get(i) for i in range(len(outlines))], dtype=pl.Date),
    )
