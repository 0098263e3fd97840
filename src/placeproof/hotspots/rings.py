"""Rings around places, for displacement and diffusion: no ground belongs to two of them."""

import itertools
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
import shapely

from placeproof import geometry
from placeproof.hotspots.assignment import require_edges, ring_id
from placeproof.hotspots.register import place_rows

# Sampling step of outlines when ground between two places is split: the split is right to a metre.
_STEP_M = 2.0


def ring_places(targets: pl.DataFrame, *, edges_m: Sequence[float]) -> pl.DataFrame:
    """
    Draw the rings around hot spots and comparison places.

    The outlines are for maps and areas. Counting goes by distance (`assign`), to which they
    agree within a metre.

    Parameters
    ----------
    targets : table `place`
        Hot spots and comparison places together, because ground between two of them goes to the
        nearer one. Not modified.
    edges_m : sequence of float
        Distances that bound the rings, rising from 0: (0, 100, 250) makes two rings.

    Returns
    -------
    table `place`
        Kind `ring` for hot spots and `comparison_ring` for comparison places, one row per target
        and ring that has any ground, with the start and the group of its target. Rings overlap
        neither each other nor any target. Sorted by id.

    Raises
    ------
    SettingsError
        If the edges do not rise from 0.
    """
    require_edges(edges_m)
    ordered = targets.sort(
        pl.col("kind") != "hotspot", pl.col("first_treated"), "place_id", nulls_last=True
    )
    if ordered.is_empty() or not len(edges_m):
        return place_rows([])
    outlines = geometry.outlines(ordered["geometry"])
    everything = shapely.union_all(outlines)
    territories = _territories(outlines, float(edges_m[-1]))
    rows = []
    for row, outline, ground in zip(ordered.to_dicts(), outlines, territories, strict=True):
        for inner_m, outer_m in itertools.pairwise(edges_m):
            band = _buffer(outline, outer_m).difference(_buffer(outline, inner_m))
            shape = _areas_only(band.difference(everything).intersection(ground))
            if not shape.is_empty:
                rows.append(_ring_row(row, shape, float(inner_m), float(outer_m)))
    return place_rows(rows)


def _buffer(outline: shapely.Geometry, distance_m: float) -> shapely.Geometry:
    return outline if distance_m == 0 else shapely.buffer(outline, distance_m, quad_segs=32)


def _territories(outlines: np.ndarray, outer_m: float) -> list[shapely.Geometry]:
    """For each outline the ground that is nearer to it than to any other, as far as rings reach."""
    reach = shapely.buffer(outlines, outer_m, quad_segs=32)
    pairs = shapely.STRtree(reach).query(reach, predicate="intersects")
    cluster = list(range(len(outlines)))
    for one, other in sorted(zip(*pairs.tolist(), strict=True)):
        low, high = sorted((cluster[one], cluster[other]))
        cluster = [low if label == high else label for label in cluster]
    result = list(reach)
    for label in sorted(set(cluster)):
        members = [i for i, own in enumerate(cluster) if own == label]
        if len(members) > 1:
            for member, ground in zip(
                members, _nearest_ground([outlines[i] for i in members]), strict=True
            ):
                result[member] = reach[member].intersection(ground)
    return result


def _nearest_ground(outlines: list[shapely.Geometry]) -> list[shapely.Geometry]:
    """Split the plane between outlines by the nearest point of their sampled boundaries."""
    samples = [
        shapely.get_coordinates(shapely.segmentize(shapely.boundary(outline), _STEP_M))
        for outline in outlines
    ]
    # A point on two boundaries would make two equal sites: the first outline keeps it.
    sites, first = np.unique(np.round(np.concatenate(samples), 6), axis=0, return_index=True)
    owner = np.repeat(np.arange(len(outlines)), [len(s) for s in samples])[first]
    frame = shapely.buffer(shapely.envelope(shapely.union_all(outlines)), 10_000.0)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(sites), extend_to=frame))
    site_of_cell = shapely.STRtree(cells).query(shapely.points(sites), predicate="within")
    owned: list[list[shapely.Geometry]] = [[] for _ in outlines]
    for site, cell in sorted(zip(*site_of_cell.tolist(), strict=True)):
        owned[owner[site]].append(cells[cell])
    return [shapely.union_all(parts) for parts in owned]


def _areas_only(shape: shapely.Geometry) -> shapely.Geometry:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 1e-6]
    return shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0]


def _ring_row(
    target: dict[str, object], shape: shapely.Geometry, inner_m: float, outer_m: float
) -> dict[str, object]:
    start = target["first_treated"]
    assert start is None or isinstance(start, date)
    return {
        "place_id": ring_id(str(target["place_id"]), inner_m, outer_m),
        "kind": "ring" if target["kind"] == "hotspot" else "comparison_ring",
        "group": target["group"],
        "target_id": target["place_id"],
        "version": target["version"],
        "name": f"{target['name']}, ring {inner_m:g}-{outer_m:g} m",
        "town": target["town"],
        "ring_inner_m": inner_m,
        "ring_outer_m": outer_m,
        "first_treated": start,
        "treated_until": target["treated_until"],
        "geometry": shape,
    }
