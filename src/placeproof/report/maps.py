"""A map without tiles: outlines of places drawn to scale, for screen and paper alike."""

import math
from collections.abc import Iterable
from html import escape

import polars as pl

from placeproof.report import style

_WIDTH = 620.0
_TALLEST = 560.0
_MARGIN = 14.0
_ORDER = ("lsoa", "ring", "comparison_ring", "comparison", "hotspot")
_LOOK = {
    "ring": (style.RING, "5 3", 0.14),
    "comparison_ring": (style.COMPARISON, "1.5 3", 0.08),
    "comparison": (style.COMPARISON, "2 2", 0.45),
    "hotspot": (style.HOT_SPOT, "", 0.75),
}


def outlines(places: pl.DataFrame, *, area_wkb: bytes | None) -> str:
    """
    Draw hot spots, rings and comparison places over the outline of the study area.

    Parameters
    ----------
    places : table `place`
        Places with an outline are drawn; the newest version of each.
    area_wkb : bytes or None
        Outline of the study area (British National Grid).

    Returns
    -------
    str
        An SVG with a scale bar and a legend, or "" when there is no outline to draw.
    """
    import shapely

    drawn = _newest(places)
    shapes = [shapely.from_wkb(wkb) for wkb in drawn["geometry"]] if drawn.height else []
    area = shapely.from_wkb(area_wkb) if area_wkb else None
    if not shapes and area is None:
        return ""
    west, south, east, north = shapely.total_bounds(shapes or [area])
    pad = 0.06 * max(east - west, north - south, 200.0)
    west, south, east, north = west - pad, south - pad, east + pad, north + pad
    scale = min((_WIDTH - 2 * _MARGIN) / (east - west), _TALLEST / (north - south))
    height = (north - south) * scale + 2 * _MARGIN + 40
    frame = _Frame(west, north, scale, (_WIDTH - (east - west) * scale) / 2)
    parts = [_backdrop(area, frame, tolerance=1 / scale)]
    for row, outline in zip(drawn.iter_rows(named=True), shapes, strict=True):
        parts.append(_place(row, outline, frame))
    kinds = [kind for kind in reversed(_ORDER) if kind in set(drawn["kind"])]
    parts += [_scale_bar(scale, height), _legend(kinds, height)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" '
        f'width="{_WIDTH:.0f}" height="{height:.0f}" font-family="{style.FIGURE_FONT}">'
        f'<clipPath id="frame"><rect x="0" y="0" width="{_WIDTH:.0f}" height="{height - 40:.1f}"/>'
        f'</clipPath><rect width="100%" height="100%" fill="{style.PAPER}"/>'
        f'<g clip-path="url(#frame)">{"".join(parts[:-2])}</g>{"".join(parts[-2:])}</svg>'
    )


class _Frame:
    def __init__(self, west: float, north: float, scale: float, left: float) -> None:
        self.west, self.north, self.scale, self.left = west, north, scale, left

    def path(self, geometry: object) -> str:
        return "".join(self._ring(ring) for ring in _rings(geometry))

    def _ring(self, ring: Iterable[tuple[float, float]]) -> str:
        points = [
            f"{self.left + (x - self.west) * self.scale:.1f} "
            f"{_MARGIN + (self.north - y) * self.scale:.1f}"
            for x, y in ring
        ]
        return f"M{'L'.join(points)}Z"


def _rings(geometry: object) -> Iterable[list[tuple[float, float]]]:
    import shapely

    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield [point[:2] for point in part.exterior.coords]
            for hole in part.interiors:
                yield [point[:2] for point in hole.coords]


def _newest(places: pl.DataFrame) -> pl.DataFrame:
    order = {kind: index for index, kind in enumerate(_ORDER)}
    return (
        places.filter(pl.col("geometry").is_not_null() & pl.col("kind").is_in(list(_LOOK)))
        .sort("version")
        .unique("place_id", keep="last", maintain_order=True)
        .sort(pl.col("kind").replace_strict(order, default=0), "place_id")
    )


def _backdrop(area: object, frame: _Frame, *, tolerance: float) -> str:
    import shapely

    if area is None:
        return ""
    path = frame.path(shapely.simplify(area, tolerance))
    return (
        f'<path d="{path}" fill="{style.WASH}" fill-rule="evenodd" '
        f'stroke="{style.LINE}" stroke-width="1.2"/>'
    )


def _place(row: dict[str, object], outline: object, frame: _Frame) -> str:
    colour, dash, opacity = _LOOK[str(row["kind"])]
    words = {"hotspot": "Hot spot", "ring": "Ring", "comparison": "Comparison place"}
    kind = words.get(str(row["kind"]), "Ring of a comparison place")
    town = f", {row['town']}" if row["town"] else ""
    title = escape(f"{kind}: {row['name']}{town}")
    return (
        f'<path d="{frame.path(outline)}" fill="{colour}" fill-opacity="{opacity}" '
        f'fill-rule="evenodd" stroke="{colour}" stroke-width="1.1"'
        f"{f' stroke-dasharray={chr(34)}{dash}{chr(34)}' if dash else ''}>"
        f"<title>{title}</title></path>"
    )


def _scale_bar(scale: float, height: float) -> str:
    rough = 130 / scale
    size = 10 ** math.floor(math.log10(rough))
    metres = max(step * size for step in (1, 2, 5) if step * size <= rough)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    y, right = height - 18, _WIDTH - _MARGIN
    return (
        f'<path d="M{right - metres * scale:.1f} {y - 4}V{y}H{right:.1f}V{y - 4}" fill="none" '
        f'stroke="{style.QUIET}"/><text x="{right - metres * scale - 6:.1f}" y="{y + 1}" '
        f'text-anchor="end" font-size="12" fill="{style.QUIET}">{words}</text>'
    )


def _legend(kinds: list[str], height: float) -> str:
    words = {"hotspot": "hot spot", "ring": "ring", "comparison": "comparison place"}
    parts, x = [], _MARGIN
    for kind in kinds:
        if kind not in words:
            continue
        colour, dash, opacity = _LOOK[kind]
        border = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<rect x="{x:.0f}" y="{height - 28:.0f}" width="13" height="13" fill="{colour}" '
            f'fill-opacity="{opacity}" stroke="{colour}"{border}/>'
            f'<text x="{x + 19:.0f}" y="{height - 17:.0f}" font-size="12" '
            f'fill="{style.QUIET}">{words[kind]}</text>'
        )
        x += 34 + 6.6 * len(words[kind])
    return "".join(parts)
