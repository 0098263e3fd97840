"""Charts as Vega-Lite, the same for the screen and for paper; a colour keeps its meaning."""

import re
from collections.abc import Mapping, Sequence

from placeproof.report import style
from placeproof.report.numbers import is_change, no_effect, shown

Row = Mapping[str, object]
WIDTH = 620
"""Width of a figure on paper, in pixels; on screen it takes what there is."""

_RELATIVE = re.compile(r"^[a-z ]+=\s*([+-]?\d+)$")


def position(horizon: str) -> int | None:
    """The whole number in a relative horizon such as "month=-3"; None for any other."""
    found = _RELATIVE.match(horizon)
    return int(found[1]) if found else None


def plotted(row: Row, value: object) -> float | None:
    """A value on the scale of the figure: ratios as change in per cent, shares in per cent."""
    if not isinstance(value, int | float):
        return None
    if is_change(row):
        return round((value - 1) * 100, 4)
    return round(value * 100, 4) if row["unit"] == "share" else round(value, 6)


def intervals(rows: Sequence[tuple[str, Row]], *, axis: str) -> dict[str, object]:
    """
    Draw one line of label, printed figure and interval for each row.

    Parameters
    ----------
    rows : sequence of (label, finding)
        In the order in which they stand, top first.
    axis : str
        Words under the horizontal axis.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    data = [_interval_point(index, label, row) for index, (label, row) in enumerate(rows)]
    kinds = [kind for kind in style.MEANING if any(point["kind"] == kind for point in data)]
    order = {"field": "order", "type": "ordinal", "axis": None, "sort": "ascending"}
    x = {"type": "quantitative", "title": axis, "axis": {"tickCount": 6, "grid": False}}
    scale = {"zero": rows[0][1]["unit"] == "share"}
    words = {"align": "left", "x": 0, "limit": {"expr": "width"}, "baseline": "middle"}
    layers: list[dict[str, object]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5},
            "encoding": {
                "x": {**x, "field": "lower", "scale": scale},
                "x2": {"field": "upper"},
                "color": _colour(kinds),
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "x": {**x, "field": "estimate", "scale": scale},
                "color": _colour(kinds),
                "shape": _shape(kinds),
            },
        },
        _line_of_words("label", {**words, "dy": -32, "fontSize": 13, "color": style.INK}),
        _line_of_words("figure", {**words, "dy": -16, "fontSize": 12, "color": style.QUIET}),
    ]
    if is_change(rows[0][1]) or no_effect(rows[0][1]) == 1:
        layers.insert(0, _mark_of_no_change(0 if is_change(rows[0][1]) else 1))
    encoding = {"y": order, "tooltip": _tooltips("label", "figure")}
    return _chart(
        {
            "data": {"values": data},
            "height": {"step": 62},
            "encoding": encoding,
            "layer": layers,
        }
    )


def _mark_of_no_change(at: float) -> dict[str, object]:
    """A stroke in each row, short enough never to strike the words above it."""
    return {
        "mark": {"type": "tick", "orient": "vertical", "size": 20, "thickness": 1.5},
        "encoding": {"x": {"datum": at, "type": "quantitative"}, "color": {"value": style.QUIET}},
    }


def _line_of_words(field: str, look: dict[str, object]) -> dict[str, object]:
    return {"mark": {"type": "text", **look}, "encoding": {"text": {"field": field}}}


def drawable(words: str) -> str:
    """Words without what a chart cannot shorten: it would cut a character of two halves in two."""
    return "".join(
        "\ufffd" if ord(letter) > 0xFFFF or not letter.isprintable() else letter for letter in words
    )


def _interval_point(index: int, label: str, row: Row) -> dict[str, object]:
    return {
        "order": index,
        "label": drawable(label),
        "figure": shown(row, "full"),
        "kind": style.kind_of(str(row["population"])),
        **{name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")},
    }


def series(
    rows: Sequence[Row], *, axis: str, along: str, joined: bool = False
) -> dict[str, object]:
    """
    Draw findings along their horizon: an event study, or a level month by month.

    Parameters
    ----------
    rows : sequence of findings
        Ordered by horizon; several populations make several lines.
    axis : str
        Words beside the vertical axis.
    along : str
        Words under the horizontal axis.
    joined : bool
        Whether neighbouring points are joined by a line.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    data = [
        {
            "at": position(str(row["horizon"])),
            "when": row["horizon"],
            "population": drawable(str(row["population"])),
            "figure": shown(row, "full"),
            "kind": style.kind_of(str(row["population"])),
            **{name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")},
        }
        for row in rows
    ]
    relative = all(point["at"] is not None for point in data)
    kinds = [kind for kind in style.MEANING if any(point["kind"] == kind for point in data)]
    x: dict[str, object] = {"title": along, "field": "at" if relative else "when"}
    x |= (
        {"type": "quantitative", "axis": {"tickMinStep": 1, "format": "d", "grid": False}}
        if relative
        else {"type": "ordinal", "axis": {"labelOverlap": "greedy", "labelAngle": 0}}
    )
    y = {"type": "quantitative", "title": axis, "scale": {"zero": not is_change(rows[0])}}
    layers: list[dict[str, object]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5, "opacity": 0.75},
            "encoding": {
                "y": {**y, "field": "lower"},
                "y2": {"field": "upper"},
                "color": _colour(kinds),
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
            "encoding": {
                "y": {**y, "field": "estimate"},
                "color": _colour(kinds),
                "shape": _shape(kinds),
            },
        },
    ]
    if joined:
        line: dict[str, object] = {
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {
                "y": {**y, "field": "estimate"},
                "color": _colour(kinds),
                "strokeDash": _dash(kinds),
                "detail": {"field": "population"},
            },
        }
        layers[:1] = [line]
    if is_change(rows[0]):
        layers.insert(0, _rule("y", 0))
    if relative:
        layers.insert(0, _rule("x", -0.5))
    return _chart(
        {
            "data": {"values": data},
            "height": 300,
            "encoding": {"x": x, "tooltip": _tooltips("when", "population", "figure")},
            "layer": layers,
        }
    )


def _rule(axis: str, at: float) -> dict[str, object]:
    return {
        "data": {"values": [{"at": at}]},
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": style.QUIET, "tooltip": None},
        "encoding": {
            "x": {"value": 0},
            "y": {"value": 0},
            axis: {"field": "at", "type": "quantitative"},
            **({"y2": {"value": "height"}} if axis == "x" else {"x2": {"value": "width"}}),
            "tooltip": {"value": None},
        },
    }


def _tooltips(*fields: str) -> list[dict[str, object]]:
    return [{"field": field, "type": "nominal", "title": field} for field in fields]


def _legend(kinds: Sequence[str]) -> dict[str, object] | None:
    return {"title": None, "symbolOpacity": 1} if len(kinds) > 1 else None


def _colour(kinds: Sequence[str]) -> dict[str, object]:
    scale = {"domain": list(kinds), "range": [style.MEANING[kind] for kind in kinds]}
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": _legend(kinds)}


def _shape(kinds: Sequence[str]) -> dict[str, object]:
    scale = {"domain": list(kinds), "range": [style.MARKER[kind] for kind in kinds]}
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": _legend(kinds)}


def _dash(kinds: Sequence[str]) -> dict[str, object]:
    scale = {"domain": list(kinds), "range": [style.DASH[kind] for kind in kinds]}
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": _legend(kinds)}


def _chart(body: Mapping[str, object]) -> dict[str, object]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        "config": style.chart_config(),
        **body,
    }


def svg(spec: Mapping[str, object]) -> str:
    """The chart as a drawing, with identifiers that do not depend on what was drawn before."""
    import vl_convert

    drawing: str = vl_convert.vegalite_to_svg(dict(spec))
    return steady(drawing)


def steady(drawing: str) -> str:
    """Number clip paths and gradients from one, so that a drawing is the same each time."""
    names: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        return names.setdefault(match[0], f"{match[1]}_{len(names) + 1}")

    return re.sub(r"\b(clip|gradient)_?\d+\b", renamed, drawing)


def png(drawing: str, *, scale: float = 1.6) -> bytes:
    """A drawing as pixels, for formats that take no SVG."""
    import vl_convert

    image: bytes = vl_convert.svg_to_png(drawing, scale=scale)
    return image
