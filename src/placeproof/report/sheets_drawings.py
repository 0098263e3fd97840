"""Drawings of the sheets as plain vector graphics: no chart library, no tiles, a few paths each."""

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from placeproof.report import style

WIDTH, MAP_HEIGHT, HISTOGRAM_HEIGHT = 340.0, 268.0, 150.0
BIN_MINUTES, LAST_BIN = 5, 60
"""Visits of an hour or more share the last bar."""

_FOOT = 34.0
_REACHED, _EARLIER = 0.62, 0.18
_TEXT = f'font-family="{style.FIGURE_FONT}" font-size="10.5" fill="{style.QUIET}"'


class Ground:
    """The fixed part of a hot spot's map: outline, pieces, scale; drawn once for all weeks."""

    def __init__(
        self, outline: shapely.Geometry, corners: NDArray[np.float64] | None, *, streets: bool
    ) -> None:
        west, south, east, north = outline.bounds
        pad = 0.06 * max(east - west, north - south, 40.0) + 22.0
        west, south, east, north = west - pad, south - pad, east + pad, north + pad
        room = MAP_HEIGHT - _FOOT
        self.scale = min(WIDTH / (east - west), room / (north - south))
        self.west = west - (WIDTH / self.scale - (east - west)) / 2
        self.north = north + (room / self.scale - (north - south)) / 2
        self.outline = _path(_rings(outline), self)
        self.corners, self.streets = corners, streets

    def x(self, easting_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position on the drawing, from the left."""
        return np.round((easting_m - self.west) * self.scale, 1)

    def y(self, northing_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position on the drawing, from the top."""
        return np.round((self.north - northing_m) * self.scale, 1)


def map_of(
    ground: Ground,
    *,
    reached: NDArray[np.int64],
    earlier: NDArray[np.int64],
    lines: Sequence[bytes],
) -> str:
    """
    Draw the outline, what was reached and the lines of one week.

    Parameters
    ----------
    ground : Ground
        The hot spot.
    reached : array of int
        Pieces that routes of the week came near.
    earlier : array of int
        Pieces that only routes of the weeks before came near.
    lines : sequence of WKB
        Routes of the week.

    Returns
    -------
    str
        SVG. North is up.
    """
    parts = []
    if ground.corners is not None:
        draw = _street_path if ground.streets else _cell_path
        if ground.streets:
            every = np.arange(len(ground.corners))
            path = draw(ground, every)
            parts.append(f'<path d="{path}" fill="none" stroke="{style.LINE}" stroke-width="3"/>')
        for pieces, opacity in ((earlier, _EARLIER), (reached, _REACHED)):
            if not len(pieces):
                continue
            look = (
                f'fill="none" stroke="{style.HOT_SPOT}" stroke-width="4"'
                f' stroke-opacity="{opacity + 0.2:.2f}"'
                if ground.streets
                else f'fill="{style.HOT_SPOT}" fill-opacity="{opacity}"'
            )
            parts.append(f'<path d="{draw(ground, pieces)}" {look}/>')
    if lines:
        shapes = shapely.get_parts(shapely.from_wkb(np.array(lines, dtype=object)))
        parts.append(
            f'<path d="{_open_path(shapes, ground)}" fill="none" stroke="{style.INK}" '
            'stroke-width=".7" stroke-opacity=".5"/>'
        )
    parts.append(
        f'<path d="{ground.outline}" fill="none" stroke="{style.HOT_SPOT}" stroke-width="2.2"/>'
    )
    foot = _scale_bar(ground.scale) + _legend(ground, bool(lines))
    room = MAP_HEIGHT - _FOOT
    return _svg(
        f'<clipPath id="m"><rect width="{WIDTH:.0f}" height="{room:.0f}"/></clipPath>'
        f'<g clip-path="url(#m)">{"".join(parts)}</g>{foot}',
        MAP_HEIGHT,
    )


def histogram(
    week: NDArray[np.float64], before: NDArray[np.float64], *, target_minutes: float
) -> str:
    """
    Draw how long visits were, against the length that is aimed at.

    Parameters
    ----------
    week, before : array of float
        Minutes of each visit of the week, and of the weeks before it.
    target_minutes : float

    Returns
    -------
    str
        SVG.
    """
    left, right, top, base = 26.0, 6.0, 20.0, HISTOGRAM_HEIGHT - 32
    now, then = counts(week), counts(before)
    tallest = max(int((now + then).max()), 4)
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 10**6) if tallest / size <= 4)
    most = math.ceil(tallest / step) * step
    across = (WIDTH - left - right) / len(now)
    rise = (base - top) / most
    parts = []
    for tick in range(0, most + 1, step):
        y = base - tick * rise
        parts.append(
            f'<path d="M{left} {y:.1f}H{WIDTH - right}" stroke="{style.LINE}" stroke-width=".6"/>'
            f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end" {_TEXT}>{tick}</text>'
        )
    for index, (solid, light) in enumerate(zip(now.tolist(), then.tolist(), strict=True)):
        x = left + index * across + 1
        parts.append(_bar(x, base, across - 2, solid * rise, _REACHED + 0.2))
        parts.append(_bar(x, base - solid * rise, across - 2, light * rise, _EARLIER + 0.06))
    mark = left + min(target_minutes / BIN_MINUTES, len(now)) * across
    parts.append(
        f'<path d="M{mark:.1f} {top - 6}V{base}" stroke="{style.INK}" stroke-width="1.4" '
        f'stroke-dasharray="4 2.5"/><text x="{mark + 4:.1f}" y="{top - 8}" '
        f'font-family="{style.FIGURE_FONT}" font-size="10.5" fill="{style.INK}">'
        f"{target_minutes:g} minutes</text>"
        f'<path d="M{left} {base}H{WIDTH - right}" stroke="{style.QUIET}" stroke-width="1"/>'
    )
    for minutes in range(0, LAST_BIN + 1, 15):
        x = left + minutes / BIN_MINUTES * across
        words = f"{minutes}+" if minutes == LAST_BIN else str(minutes)
        parts.append(
            f'<text x="{x:.1f}" y="{base + 12}" text-anchor="middle" {_TEXT}>{words}</text>'
        )
    parts.append(_key(WIDTH - 196, base + 20, _REACHED + 0.2, "this week"))
    parts.append(_key(WIDTH - 112, base + 20, _EARLIER + 0.06, "weeks before"))
    parts.append(f'<text x="{left}" y="{base + 27}" {_TEXT}>minutes inside</text>')
    return _svg("".join(parts), HISTOGRAM_HEIGHT)


def counts(minutes: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Count visits by length.

    Parameters
    ----------
    minutes : array of float

    Returns
    -------
    array of int
        One for each five minutes, the last for an hour or more.
    """
    bins = np.minimum(minutes // BIN_MINUTES, LAST_BIN // BIN_MINUTES).astype(np.int64)
    return np.bincount(bins, minlength=LAST_BIN // BIN_MINUTES + 1)


def _svg(inner: str, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'width="{WIDTH:.0f}" height="{height:.0f}">{inner}</svg>'
    )


def _bar(x: float, base: float, width: float, height: float, opacity: float) -> str:
    if height <= 0:
        return ""
    return (
        f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{style.HOT_SPOT}" fill-opacity="{opacity:.2f}" stroke="{style.HOT_SPOT}" '
        'stroke-width=".6"/>'
    )


def _key(x: float, y: float, opacity: float, words: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y - 2:.1f}" width="10" height="10" fill="{style.HOT_SPOT}" '
        f'fill-opacity="{opacity:.2f}" stroke="{style.HOT_SPOT}" stroke-width=".6"/>'
        f'<text x="{x + 15:.1f}" y="{y + 7:.1f}" {_TEXT}>{words}</text>'
    )


def _rings(shape: shapely.Geometry) -> list[NDArray[np.float64]]:
    rings = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            rings += [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
    return rings


def _path(rings: Sequence[NDArray[np.float64]], ground: Ground) -> str:
    return "".join(f"M{_points(ring, ground)}Z" for ring in rings)


def _points(points: NDArray[np.float64], ground: Ground) -> str:
    pairs = zip(ground.x(points[:, 0]).tolist(), ground.y(points[:, 1]).tolist(), strict=True)
    return "L".join(f"{x:g} {y:g}" for x, y in pairs)


def _open_path(lines: NDArray[np.object_], ground: Ground) -> str:
    points, index = shapely.get_coordinates(lines, return_index=True)
    cuts = np.flatnonzero(np.diff(index)) + 1
    return "".join(f"M{_points(line, ground)}" for line in np.split(points, cuts))


def _cell_path(ground: Ground, pieces: NDArray[np.int64]) -> str:
    """Cells side by side become one long rectangle, so that a map stays a few hundred bytes."""
    corners = ground.corners[pieces]  # type: ignore[index]
    corners = corners[np.lexsort((corners[:, 0], corners[:, 1]))]
    joined = (corners[1:, 1] == corners[:-1, 1]) & (np.abs(corners[1:, 0] - corners[:-1, 2]) < 1e-6)
    first = np.flatnonzero(np.append(True, ~joined))
    last = np.append(first[1:] - 1, len(corners) - 1)
    left, right = ground.x(corners[first, 0]).tolist(), ground.x(corners[last, 2]).tolist()
    top, base = ground.y(corners[first, 3]).tolist(), ground.y(corners[first, 1]).tolist()
    rows = zip(left, right, top, base, strict=True)
    return "".join(
        f"M{west:g} {north:g}H{east:g}V{south:g}H{west:g}Z" for west, east, north, south in rows
    )


def _street_path(ground: Ground, pieces: NDArray[np.int64]) -> str:
    corners = ground.corners[pieces]  # type: ignore[index]
    x0, y0 = ground.x(corners[:, 0]).tolist(), ground.y(corners[:, 1]).tolist()
    x1, y1 = ground.x(corners[:, 2]).tolist(), ground.y(corners[:, 3]).tolist()
    made, before = [], None
    for start, end in zip(zip(x0, y0, strict=True), zip(x1, y1, strict=True), strict=True):
        made.append("" if start == before else f"M{start[0]:g} {start[1]:g}")
        made.append(f"L{end[0]:g} {end[1]:g}")
        before = end
    return "".join(made)


def _scale_bar(scale: float) -> str:
    metres = max(
        step for step in (10, 20, 50, 100, 200, 500, 1000, 2000) if step * scale <= 90 or step == 10
    )
    y, right = MAP_HEIGHT - 10, WIDTH - 4
    left = right - metres * scale
    return (
        f'<path d="M{left:.1f} {y - 4}V{y}H{right}V{y - 4}" fill="none" stroke="{style.QUIET}"/>'
        f'<text x="{left - 5:.1f}" y="{y + 1}" text-anchor="end" {_TEXT}>{metres} m</text>'
    )


def _legend(ground: Ground, lines: bool) -> str:
    y = MAP_HEIGHT - 19
    parts = []
    x = 2.0
    if ground.corners is not None:
        for opacity, words, size in (
            (_REACHED, "this week", 76),
            (_EARLIER, "weeks before", 92),
        ):
            parts.append(_key(x, y, opacity, words))
            x += size
    if lines:
        parts.append(
            f'<path d="M{x} {y + 3}h12" stroke="{style.INK}" stroke-width="1"/>'
            f'<text x="{x + 16}" y="{y + 7}" {_TEXT}>route</text>'
        )
    return "".join(parts)
