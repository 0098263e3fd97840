"""Outlines of hot spots made ready: vertices, edges in whole numbers, and the raster over them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from placeproof import geometry
from placeproof.calendar import DAY_STARTS, LOCAL_ZONE, to_utc
from placeproof.patrols.outline_index import ALWAYS, OutlineIndex
from placeproof.patrols.outline_raster import rasterise

LONGEST_EDGE_M = 250.0
"""Longer edges get further vertices before they are projected: a line that is straight on the
National Grid is not straight in degrees."""

Integers = NDArray[np.int64]
_CELL_M = 10.0
_METRES_PER_E7 = 0.0111195
_MOST_CELLS = 2**24
_MOST_BLOCKS = 2**22


def of_grid(hotspots: pl.DataFrame) -> OutlineIndex:
    """
    Index outlines that are on the National Grid.

    Parameters
    ----------
    hotspots : table `hotspot`
        As for `OutlineIndex.of`.
    """
    shapes = geometry.outlines(hotspots["geometry"])
    shapes = shapely.segmentize(_polygons(shapes), LONGEST_EDGE_M)
    xy, ring_start, ring_outline = _rings(shapes)
    longitude, latitude = geometry.to_degrees(xy[:, 0], xy[:, 1]) if len(xy) else xy.T
    return _index(
        hotspots["hotspot_id"].to_list(),
        np.column_stack([longitude, latitude]),
        ring_start,
        ring_outline,
        hotspots["valid_from"],
        hotspots["valid_to"],
    )


def of_degrees(
    ids: Sequence[str],
    outlines: Sequence[Any],
    valid_from: Sequence[date | None],
    valid_to: Sequence[date | None],
) -> OutlineIndex:
    """
    Index outlines that are in degrees already.

    Parameters
    ----------
    ids, outlines, valid_from, valid_to
        As for `OutlineIndex.of_degrees`.
    """
    shapes = _polygons(np.array(list(outlines), dtype=object))
    xy, ring_start, ring_outline = _rings(shapes)
    return _index(
        list(ids),
        xy,
        ring_start,
        ring_outline,
        pl.Series(list(valid_from), dtype=pl.Date),
        pl.Series(list(valid_to), dtype=pl.Date),
    )


def _polygons(shapes: NDArray[Any]) -> NDArray[Any]:
    """Only polygons cover anything; what crosses itself is mended first."""
    present = np.array([shape is not None for shape in shapes], dtype=bool)
    crossed = present.copy()
    crossed[present] = ~shapely.is_valid(shapes[present])
    mended = shapes.copy()
    mended[crossed] = shapely.make_valid(shapes[crossed])
    return mended


def _rings(shapes: NDArray[Any]) -> tuple[NDArray[np.float64], Integers, Integers]:
    """Vertices of all rings, where each ring begins, and whose it is."""
    parts, of_shape = _parts(shapes)
    while len(parts) and (shapely.get_type_id(parts) != 3).any():  # collections within collections
        deeper, within = _parts(parts)
        if len(deeper) == len(parts):
            flat = shapely.get_type_id(deeper) == 3
            parts, of_shape = deeper[flat], of_shape[within[flat]]
            break
        parts, of_shape = deeper, of_shape[within]
    rings, of_part = shapely.get_rings(parts, return_index=True)
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    ring_start = np.searchsorted(of_ring, np.arange(len(rings) + 1))
    return xy, ring_start.astype(np.int64), of_shape[of_part].astype(np.int64)


def _parts(shapes: NDArray[Any]) -> tuple[NDArray[Any], Integers]:
    return shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)


def _index(
    ids: list[str],
    degrees: NDArray[np.float64],
    ring_start: Integers,
    ring_outline: Integers,
    valid_from: pl.Series,
    valid_to: pl.Series,
) -> OutlineIndex:
    hotspot_ids = sorted(set(ids))
    number = {name: index for index, name in enumerate(hotspot_ids)}
    vertices = np.rint(degrees * 1e7).astype(np.int64)
    edges, edge_start = _edges(vertices, ring_start, ring_outline, outlines=len(ids))
    raster = _raster(edges, edge_start)
    return OutlineIndex(
        hotspot_ids=hotspot_ids,
        outline_hotspot=np.array([number[name] for name in ids], dtype=np.int32),
        from_s=_six_o_clock(valid_from, days_later=0, unknown=-ALWAYS),
        until_s=_six_o_clock(valid_to, days_later=1, unknown=ALWAYS),
        edges=edges,
        edge_start=edge_start,
        **raster,
    )


def _edges(
    vertices: Integers, ring_start: Integers, ring_outline: Integers, *, outlines: int
) -> tuple[NDArray[np.int32], Integers]:
    continues = np.ones(len(vertices), dtype=bool)
    continues[ring_start[1:] - 1] = False
    begins = np.flatnonzero(continues)
    pair = np.column_stack([vertices[begins], vertices[begins + 1]]).reshape(-1, 4)
    upwards = pair[:, 1] <= pair[:, 3]
    pair = np.where(upwards[:, None], pair, pair[:, [2, 3, 0, 1]])
    ring = np.searchsorted(ring_start, begins, side="right") - 1
    whose = ring_outline[ring]
    real = (pair[:, 0] != pair[:, 2]) | (pair[:, 1] != pair[:, 3])
    pair, whose = pair[real], whose[real]
    edge_start = np.searchsorted(whose, np.arange(outlines + 1)).astype(np.int64)
    return np.ascontiguousarray(pair, dtype=np.int32), edge_start


def _raster(edges: NDArray[np.int32], edge_start: Integers) -> dict[str, Any]:
    wide = edges.astype(np.int64)
    west = int(wide[:, [0, 2]].min()) if len(wide) else 0
    south = int(wide[:, 1].min()) if len(wide) else 0
    shift_x, shift_y, columns, rows = _grid(wide, edge_start, west, south)
    keys, codes, row_lists, row_edges = rasterise(
        edges, edge_start, west, south, shift_x, shift_y, columns
    )
    return {
        "west": west,
        "south": south,
        "shift_x": shift_x,
        "shift_y": shift_y,
        "columns": columns,
        "rows": rows,
        "row_lists": row_lists,
        "row_edges": row_edges,
        **_two_levels(
            *(keys, codes, columns, rows),
            outlines=len(edge_start) - 1,
            row_lists=len(row_lists),
        ),
    }


def _grid(
    edges: Integers, edge_start: Integers, west: int, south: int
) -> tuple[int, int, int, int]:
    """Cells of about 10 m; larger ones where outlines are so large or far apart that it helps."""
    if not len(edges):
        return 11, 11, 1, 1
    x, y = edges[:, [0, 2]] - west, edges[:, [1, 3]] - south
    shrink = np.cos(np.radians((south + float(y.max()) / 2) / 1e7))
    shift_y = round(np.log2(_CELL_M / _METRES_PER_E7))
    shift_x = round(np.log2(_CELL_M / _METRES_PER_E7 / max(shrink, 0.05)))
    starts = edge_start[:-1][np.diff(edge_start) > 0]
    low_x, high_x = (
        np.minimum.reduceat(x.min(1), starts),
        np.maximum.reduceat(x.max(1), starts),
    )
    low_y, high_y = (
        np.minimum.reduceat(y.min(1), starts),
        np.maximum.reduceat(y.max(1), starts),
    )
    while True:
        wide = (high_x >> shift_x) - (low_x >> shift_x) + 1
        high = (high_y >> shift_y) - (low_y >> shift_y) + 1
        columns = (int(x.max()) >> (shift_x + 4)) + 1
        rows = (int(y.max()) >> (shift_y + 4)) + 1
        if int((wide * high).sum()) <= _MOST_CELLS and columns * rows <= _MOST_BLOCKS:
            return shift_x, shift_y, columns, rows
        shift_x, shift_y = shift_x + 1, shift_y + 1


def _two_levels(
    keys: Integers,
    codes: NDArray[np.int32],
    columns: int,
    rows: int,
    *,
    outlines: int,
    row_lists: int,
) -> dict[str, NDArray[np.int32]]:
    order = np.argsort(keys, kind="stable")
    keys, codes = keys[order], codes[order]
    cell, first, several = np.unique(keys, return_index=True, return_counts=True)
    block, of_cell = np.unique(cell >> 8, return_inverse=True)
    # One empty column and row around, so that a position outside needs no test of its own.
    blocks = np.zeros((rows + 1, columns + 1), dtype=np.int32)
    blocks[block // columns, block % columns] = np.arange(1, len(block) + 1)
    held, list_start, lists = _cell_codes(
        codes, first, several, outlines=outlines, row_lists=row_lists
    )
    cells = np.zeros((len(block) + 1) * 256, dtype=np.int32)
    cells[(of_cell + 1) * 256 + (cell & 255)] = held
    return {
        "blocks": blocks.ravel(),
        "taken": np.packbits(cells != 0, bitorder="little").view("<u4"),
        "cells": cells,
        "list_start": list_start,
        "lists": lists,
    }


def _cell_codes(
    codes: NDArray[np.int32],
    first: Integers,
    several: Integers,
    *,
    outlines: int,
    row_lists: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """What each cell holds, and the lists of those that hold more than one outline."""
    code = codes[first]
    held = np.where(code < outlines, code + 1, outlines - code - 1).astype(np.int32)
    crowded = np.flatnonzero(several > 1)
    held[crowded] = -row_lists - np.arange(len(crowded), dtype=np.int32) - 1
    sizes = several[crowded]
    list_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    of_list = np.repeat(np.arange(len(crowded)), sizes)
    within = np.arange(len(of_list)) - list_start[of_list]
    return held, list_start, codes[first[crowded][of_list] + within]


def _six_o_clock(days: pl.Series, *, days_later: int, unknown: int) -> Integers:
    """Seconds since 1970 of the moment at which each operating day begins."""
    local = pl.col("day").dt.offset_by(f"{days_later}d").dt.combine(DAY_STARTS)
    at = pl.DataFrame({"day": days.cast(pl.Date)}).select(
        to_utc(local, time_zone=LOCAL_ZONE, ambiguous="earliest").dt.epoch("s")
    )
    return at.to_series().fill_null(unknown).to_numpy().astype(np.int64)
