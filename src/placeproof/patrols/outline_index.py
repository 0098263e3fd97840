"""In which hot spots a position lies: outlines in whole ten-millionths of a degree, and a raster.

Membership is decided on integers (degrees × 1e7, about a centimetre), so that every engine and
every machine gives the same answer. A point on a boundary is inside.

Nothing heavy is imported here, so that the executors of a cluster take an index as it was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

UNKNOWN_E7 = -(2**31)
"""Stands for a position that is not known; it lies in no outline."""
ALWAYS = 2**61
"""Before or after all moments (in ticks of any size): leaves room for adding a gap."""

Integers = NDArray[np.int64]


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
    def of(cls, hotspots: "pl.DataFrame") -> "OutlineIndex":
        """
        Index every version of every hot spot.

        Parameters
        ----------
        hotspots : table `hotspot`
            Outlines on the National Grid. Edges longer than 250 m get further vertices, then the
            outline is projected to WGS84 and rounded to 1e-7 degree.
        """
        from placeproof.patrols.outline_building import of_grid

        return of_grid(hotspots)

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
        from placeproof.patrols.outline_building import of_degrees

        return of_degrees(ids, outlines, valid_from, valid_to)

    def arrays(self, ticks_per_second: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """What the machine code takes: the raster, and the lists with dates in ticks."""
        farthest = ALWAYS // ticks_per_second
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


def degrees_e7(degrees: "pl.Series") -> NDArray[np.int32]:
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
    import polars as pl

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
