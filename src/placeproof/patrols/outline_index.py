"""In which hot spots a position lies: outlines in whole ten-millionths of a degree, and a raster.

Membership is decided on integers (degrees × 1e7, about a centimetre), so that every engine and
every machine gives the same answer. A point on a boundary is inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from placeproof import geometry
from placeproof.calendar import DAY_STARTS, LOCAL_ZONE, to_utc

LONGEST_EDGE_M = 250.0
"""Longer edges get further vertices before they are projected: a line that is straight on the
National Grid is not straight in degrees."""
UNKNOWN_E7 = -(2**31)
"""Stands for a position that is not known; it lies in no outline."""

Integers = NDArray[np.int64]
_CELL_M = 10.0
_METRES_PER_E7 = 0.0111195
_MOST_CELLS = 2**24
_MOST_BLOCKS = 2**22
_ALWAYS = 2**61
"""Before or after all moments (in ticks of any size): leaves room for adding a gap."""


@dataclass(frozen=True)
class OutlineIndex:
    """
    Outlines of hot spots, with their dates, ready for millions of positions a second.

    Attributes
    ----------
    hotspot_ids : list of str
        Sorted; results refer to places in this list.
    outline_hotspot : int32, one for each outline
    from_s, until_s : int64, one for each outline
        Seconds since 1970 (UTC) from which, and before which, the outline counts.
    edges : int32, (edges, 4)
        x1, y1, x2, y2 in degrees × 1e7, y1 ≤ y2, outline by outline.
    edge_start : int64, outlines + 1
    west, south, shift_x, shift_y, columns, rows : int
        The raster: cells of 2**shift, in `columns` × `rows` blocks of 16 × 16 cells.
    blocks : int32
        For each block 0 (no outline) or its place in `cells`; one empty row and column around.
    taken : uint32
        A bit for each cell that is not empty.
    cells : int32
        256 for each block. 0: outside; n > 0: wholly inside outline n - 1; n < 0: touched by the
        one outline of row list -n - 1, or (beyond the row lists) by those of a list.
    list_start, lists : int32
        Outlines that fill a cell, and (from `outlines` on) row lists of those that touch it.
    row_lists : int32, (row lists, 4)
        First edge, one past the last edge, outline, 0: what passes a row of cells, by outline.
    row_edges : int32, (edges by row, 4)
    """

    hotspot_ids: list[str]
    outline_hotspot: NDArray[np.int32]
    from_s: Integers
    until_s: Integers
    edges: NDArray[np.int32]
    edge_start: Integers
    west: int
    south: int
    shift_x: int
    shift_y: int
    columns: int
    rows: int
    blocks: NDArray[np.int32]
    taken: NDArray[np.uint32]
    cells: NDArray[np.int32]
    list_start: NDArray[np.int32]
    lists: NDArray[np.int32]
    row_lists: NDArray[np.int32]
    row_edges: NDArray[np.int32]

    @classmethod
    def of(cls, hotspots: pl.DataFrame) -> "OutlineIndex":
        """
        Index every version of every hot spot.

        Parameters
        ----------
        hotspots : table `hotspot`
            Outlines on the National Grid. Edges longer than 250 m get further vertices, then the
            outline is projected to WGS84 and rounded to 1e-7 degree.
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

    @classmethod
    def of_degrees(
        cls,
        ids: Sequence[str],
        outlines: Sequence[Any],
        valid_from: Sequence[date | None],
        valid_to: Sequence[date | None],
    ) -> "OutlineIndex":
        """
        Index outlines that are in degrees already, anywhere on Earth; edges are straight there.

        Parameters
        ----------
        ids : sequence of str
            Hot spot of each outline; several outlines of one hot spot are its versions.
        outlines : sequence of shapely geometries
            Longitude and latitude, WGS84; what is no polygon covers nothing. None of them may
            cross the 180th meridian.
        valid_from, valid_to : sequence of date or None
            Operating days on which each outline held, both included; None: no limit.
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

    def arrays(self, ticks_per_second: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """What the machine code takes: the raster, and the lists with dates in ticks."""
        farthest = _ALWAYS // ticks_per_second
        outlines = np.zeros((len(self.outline_hotspot), 4), dtype=np.int64)
        outlines[:, 0] = np.clip(self.from_s, -farthest, farthest) * ticks_per_second
        outlines[:, 1] = np.clip(self.until_s, -farthest, farthest) * ticks_per_second
        outlines[:, 2] = self.outline_hotspot
        return (
            (
                *(
                    self.west,
                    self.south,
                    self.shift_x,
                    self.shift_y,
                    self.columns,
                    self.rows,
                ),
                *(self.blocks, self.taken, self.cells),
            ),
            (self.list_start, self.lists, self.row_lists, self.row_edges, outlines),
        )


def degrees_e7(degrees: pl.Series) -> NDArray[np.int32]:
    """
    Round degrees to whole ten-millionths, half to even.

    Parameters
    ----------
    degrees : Series of Float64
        Longitude or latitude.

    Returns
    -------
    array of int32
        `UNKNOWN_E7` for null, NaN and what is no degree.
    """
    values = degrees.cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = np.abs(values) <= 180.0  # NaN is not
    return np.where(known, np.rint(np.where(known, values, 0.0) * 1e7), UNKNOWN_E7).astype(np.int32)


def members(
    index: OutlineIndex,
    *,
    at: NDArray[np.int64],
    longitude_e7: NDArray[np.int32],
    latitude_e7: NDArray[np.int32],
    ticks_per_second: int,
) -> tuple[Integers, NDArray[np.int32]]:
    """
    Say which positions lie in which hot spots.

    Parameters
    ----------
    index : OutlineIndex
    at, longitude_e7, latitude_e7, ticks_per_second
        As for `stays.stays_of`.

    Returns
    -------
    row, hotspot : arrays of int
        One entry for each position and hot spot that it lies in, in the order of the rows.
    """
    from placeproof.patrols.outline_members import located

    found: tuple[Integers, NDArray[np.int32]] = located(
        np.ascontiguousarray(at, np.int64),
        np.ascontiguousarray(longitude_e7, np.int32),
        np.ascontiguousarray(latitude_e7, np.int32),
        *index.arrays(ticks_per_second),
    )
    return found


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
        from_s=_six_o_clock(valid_from, days_later=0, unknown=-_ALWAYS),
        until_s=_six_o_clock(valid_to, days_later=1, unknown=_ALWAYS),
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
    from placeproof.patrols.outline_raster import rasterise

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
