"""How probable it is that a device was inside an outline, given where it says it was.

The error of a position is a Gaussian in two dimensions; what a device calls its accuracy is the
radius that holds 68 % of it. The probability is the integral of that Gaussian over the outline,
exact for any polygon with holes and parts, so that a position 3 m outside a fence with an accuracy
of 10 m is neither in nor out, and one with an accuracy of 5 km is nearly nowhere.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placeproof.patrols.compiled import compiled
from placeproof.patrols.outline_index import OutlineIndex

SD_PER_ACCURACY = 1.0 / math.sqrt(-2.0 * math.log(1.0 - 0.68))
"""Standard deviation along each axis, for a radius of 1 that holds 68 %."""
FARTHEST_SD = 5.0
"""Positions farther than this from a boundary are inside or outside for certain (3 in 10⁷)."""

_AXIS_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563
_MOST_CELLS = 2**21
_WIDEST_SD = 6.0
_PANEL_SD = 3.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbourhood:
    """
    Outlines in metres around their own centres, and a coarse grid of where each one is near.

    Attributes
    ----------
    hotspot : int32, one for each outline
        Place in `OutlineIndex.hotspot_ids`.
    begins, ends : int64
        Microseconds since 1970 from which, and before which, the outline counts.
    centre : int64, (outlines, 2)
        Longitude and latitude × 1e7.
    metres : float64, (outlines, 2)
        Metres to 1e-7 degree east and north at the centre: right to 0.1 m within 500 m of it.
    box : int64, (outlines, 4)
        West, south, east, north × 1e7.
    edges : int64, (edges, 4)
        x1, y1, x2, y2 from the centre × 1e7, what is inside on the left.
    edge_start : int64, outlines + 1
    grid : int64
        west, south, shift, columns, rows.
    cell_start, cell_outlines : int64
        Outlines whose box, widened by the margin, touches each cell.
    """

    hotspot: NDArray[np.int32]
    begins: Integers
    ends: Integers
    centre: Integers
    metres: Numbers
    box: Integers
    edges: Integers
    edge_start: Integers
    grid: Integers
    cell_start: Integers
    cell_outlines: Integers

    @classmethod
    def of(cls, index: OutlineIndex, *, margin_m: float) -> "Neighbourhood":
        """
        Prepare the outlines of an index.

        Parameters
        ----------
        index : OutlineIndex
        margin_m : float
            How far outside an outline a position is still looked at.
        """
        outlines = len(index.edge_start) - 1
        wide = index.edges.astype(np.int64)
        box, centre = np.zeros((outlines, 4), np.int64), np.zeros((outlines, 2), np.int64)
        near = np.zeros_like(box)
        metres, edges = np.ones((outlines, 2)), np.zeros_like(wide)
        for number in range(outlines):
            part = slice(index.edge_start[number], index.edge_start[number + 1])
            own = wide[part]
            if not len(own):
                box[number] = near[number] = (0, 0, -1, -1)
                continue
            low = own.reshape(-1, 2).min(axis=0)
            high = own.reshape(-1, 2).max(axis=0)
            centre[number] = (low + high) // 2
            metres[number] = metres_per_e7(float(centre[number, 1]) / 1e7)
            reach = np.ceil(margin_m / metres[number]).astype(np.int64)
            box[number] = (*low, *high)
            near[number] = (*(low - reach), *(high + reach))
            edges[part] = _inside_on_the_left(own - np.tile(centre[number], 2))
        grid, cell_start, cell_outlines = _cells(near)
        farthest_s = 2**61 // 1_000_000
        begins, ends = (
            np.clip(moment_s, -farthest_s, farthest_s) * 1_000_000
            for moment_s in (index.from_s, index.until_s)
        )
        return cls(
            index.outline_hotspot,
            *(begins, ends, centre, metres, box, edges, index.edge_start),
            *(grid, cell_start, cell_outlines),
        )

    def arrays(self) -> tuple[NDArray[np.int32] | Numbers | Integers, ...]:
        """Everything, in the order in which the compiled functions take it."""
        return (
            *(self.hotspot, self.begins, self.ends, self.centre, self.metres, self.box),
            *(self.edges, self.edge_start, self.grid, self.cell_start, self.cell_outlines),
        )


def metres_per_e7(latitude_deg: float) -> tuple[float, float]:
    """
    Measure 1e-7 degree on the ellipsoid WGS84.

    Parameters
    ----------
    latitude_deg : float

    Returns
    -------
    east_m, north_m : float
    """
    eccentricity = _FLATTENING * (2 - _FLATTENING)
    phi = math.radians(latitude_deg)
    below = 1 - eccentricity * math.sin(phi) ** 2
    unit = math.radians(1e-7) * _AXIS_M
    return (
        unit * max(math.cos(phi), 1e-6) / math.sqrt(below),
        unit * (1 - eccentricity) / below**1.5,
    )


def _cells(box: Integers) -> tuple[Integers, Integers, Integers]:
    real = np.flatnonzero(box[:, 2] >= box[:, 0])
    if not len(real):
        return np.array([0, 0, 17, 1, 1], np.int64), np.zeros(2, np.int64), np.zeros(0, np.int64)
    west, south = box[real, 0].min(), box[real, 1].min()
    shift = 17  # about 1.4 km from south to north
    while True:
        columns = int((box[real, 2].max() - west) >> shift) + 1
        rows = int((box[real, 3].max() - south) >> shift) + 1
        if columns * rows <= _MOST_CELLS:
            break
        shift += 1
    cells, outlines = [], []
    for number in real:
        x = np.arange((box[number, 0] - west) >> shift, ((box[number, 2] - west) >> shift) + 1)
        y = np.arange((box[number, 1] - south) >> shift, ((box[number, 3] - south) >> shift) + 1)
        cells.append((y[:, None] * columns + x).ravel())
        outlines.append(np.full(len(x) * len(y), number))
    cell, outline = np.concatenate(cells), np.concatenate(outlines)
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(columns * rows + 1)).astype(np.int64)
    grid = np.array([west, south, shift, columns, rows], np.int64)
    return grid, start, outline[order].astype(np.int64)


@compiled()
def _inside_on_the_left(edges):  # type: ignore[no-untyped-def]
    """Turn each edge so that what the outline covers lies on its left; a hole covers nothing."""
    turned = edges.copy()
    for one in range(len(edges)):
        x1, y1, x2, y2 = edges[one]
        level = y1 == y2
        # Whether what lies just beyond the middle, to the right of (or above) the edge, is inside.
        inside = False
        for other in range(len(edges)):
            if other == one:
                continue
            a1, b1, a2, b2 = edges[other]
            if level:
                a1, b1, a2, b2 = b1, a1, b2, a2
                px, py = float(y1), (x1 + x2) * 0.5
            else:
                px, py = (x1 + x2) * 0.5, (y1 + y2) * 0.5
            if (b1 > py) != (b2 > py) and a1 + (py - b1) / (b2 - b1) * (a2 - a1) > px:
                inside = not inside
        if level:
            # Inside above: from west to east.
            if inside != (x2 > x1):
                turned[one] = (x2, y2, x1, y1)
        elif inside:
            turned[one] = (x2, y2, x1, y1)  # edges come with y1 < y2: inside right of them
    return turned


@compiled()
def is_inside(x, y, edges, first, last):  # type: ignore[no-untyped-def]
    """
    Say whether a point lies in an outline, boundary included, exactly.

    Parameters
    ----------
    x, y : int
        From the outline's centre × 1e7.
    edges : int64, (edges, 4)
    first, last : int
        Which edges are the outline's.
    """
    inside = False
    for one in range(first, last):
        x1, y1, x2, y2 = edges[one, 0], edges[one, 1], edges[one, 2], edges[one, 3]
        cross = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        if cross == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        if (y1 > y) != (y2 > y) and ((cross > 0) == (y2 > y1)):
            inside = not inside
    return inside


@compiled()
def presence(x, y, sd_m, east_m, north_m, edges, first, last):  # type: ignore[no-untyped-def]
    """
    Integrate the error of a position over an outline.

    By Green's theorem the integral is one along the boundary, edge by edge, of
    (1 − exp(−r²/2)) / r² times what the edge sweeps, r in standard deviations.

    Parameters
    ----------
    x, y : int
        From the outline's centre × 1e7.
    sd_m : float
        Standard deviation along each axis; 0: the position is taken at its word.
    east_m, north_m : float
        Metres to 1e-7 degree.
    edges : int64, (edges, 4)
    first, last : int
        Which edges are the outline's.

    Returns
    -------
    float
        From 0 to 1.
    """
    if sd_m > 0.0 and _is_near(x, y, FARTHEST_SD * sd_m, east_m, north_m, edges, first, last):
        total = 0.0
        for one in range(first, last):
            total += _swept(
                (edges[one, 0] - x) * east_m / sd_m,
                (edges[one, 1] - y) * north_m / sd_m,
                (edges[one, 2] - x) * east_m / sd_m,
                (edges[one, 3] - y) * north_m / sd_m,
            )
        return min(max(total, 0.0), 1.0)
    return 1.0 if is_inside(x, y, edges, first, last) else 0.0


@compiled()
def _is_near(x, y, reach_m, east_m, north_m, edges, first, last):  # type: ignore[no-untyped-def]
    for one in range(first, last):
        ax, ay = (edges[one, 0] - x) * east_m, (edges[one, 1] - y) * north_m
        dx = (edges[one, 2] - edges[one, 0]) * east_m
        dy = (edges[one, 3] - edges[one, 1]) * north_m
        along = -(ax * dx + ay * dy) / (dx * dx + dy * dy)
        along = min(max(along, 0.0), 1.0)
        ax += along * dx
        ay += along * dy
        if ax * ax + ay * ay <= reach_m * reach_m:
            return True
    return False


@compiled()
def _swept(ax, ay, bx, by):  # type: ignore[no-untyped-def]
    """One edge's part of the integral, from a position at the origin; unit: standard deviation."""
    dx, dy = bx - ax, by - ay
    length = math.sqrt(dx * dx + dy * dy)
    if length == 0.0:
        return 0.0
    dx /= length
    dy /= length
    height = ax * dy - ay * dx
    low = ax * dx + ay * dy
    high = low + length
    if abs(height) < 1e-12:
        return 0.0
    if abs(height) >= _WIDEST_SD or low >= _WIDEST_SD or high <= -_WIDEST_SD:
        return (math.atan(high / height) - math.atan(low / height)) / (2 * math.pi)
    total = 0.0
    if low <= -_WIDEST_SD and high >= _WIDEST_SD:
        # As long as a whole line, of which the integral is known; less what lies beyond the ends.
        beyond = math.pi - math.atan(high / abs(height)) + math.atan(low / abs(height))
        whole = math.pi * math.erf(abs(height) / math.sqrt(2.0))
        return math.copysign((whole - beyond) / (2 * math.pi), height)
    if low < -_WIDEST_SD:
        total += math.atan(-_WIDEST_SD / height) - math.atan(low / height)
        low = -_WIDEST_SD
    if high > _WIDEST_SD:
        total += math.atan(high / height) - math.atan(_WIDEST_SD / height)
        high = _WIDEST_SD
    panels = math.ceil((high - low) / _PANEL_SD)
    half = (high - low) / panels / 2
    for panel in range(panels):
        middle = low + (2 * panel + 1) * half
        for node in range(len(_NODES)):
            along = middle + half * _NODES[node]
            square = height * height + along * along
            total += half * _WEIGHTS[node] * height * -math.expm1(-square / 2) / square
    return total / (2 * math.pi)
