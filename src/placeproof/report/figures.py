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
        In the order in which they stand, top first. Of one unit.
    axis : str
        Words under the horizontal axis.

    Returns
    -------
    dict
        A Vega-Lite specification. Changes are drawn between `CHANGES`; an arrow stands where an
        interval goes on beyond.
    """
    data = [_interval_point(index, label, row) for index, (label, row) in enumerate(rows)]
    kinds = [kind for kind in style.MEANING if any(point["kind"] == kind for point in data)]
    order = {"field": "order", "type": "ordinal", "axis": None, "sort": "ascending"}
    change = is_change(rows[0][1])
    scale: dict[str, object] = {"zero": rows[0][1]["unit"] == "share", "nice": False}
    if change:
        scale = {"domain": room(data), "nice": False}
    x = {
        "type": "quantitative",
        "title": axis,
        "axis": {"tickCount": 6, "grid": False, "labelFlush": True},
        "scale": scale,
    }
    words = {"align": "left", "x": 0, "limit": {"expr": "width"}, "baseline": "middle"}
    layers: list[dict[str, object]] = [
        _interval_rule("x", x, kinds, 2.5),
        _interval_dot("x", x, kinds, 90),
        *(arrow("x", x, end, shape, data) for end, shape in SIDEWAYS.items()),
        line_of_words("label", {**words, "dy": -32, "fontSize": 13, "color": style.INK}),
        line_of_words("figure", {**words, "dy": -16, "fontSize": 12, "color": style.QUIET}),
    ]
    if change or no_effect(rows[0][1]) == 1:
        layers.insert(0, _mark_of_no_change(0 if change else 1))
    encoding = {"y": order, "tooltip": tooltips("label", "figure")}
    return chart(
        {
            "data": {"values": data},
            "height": {"step": 62},
            "encoding": encoding,
            "layer": [layer for layer in layers if layer],
        }
    )


CHANGES: tuple[float, float] = (-80.0, 150.0)
"""Changes in per cent outside these are arrows at the edge of a figure: it stays readable."""

SIDEWAYS = {"below": "triangle-left", "above": "triangle-right"}
_UPWARDS = {"below": "triangle-down", "above": "triangle-up"}


def clipped(point: dict[str, object]) -> dict[str, object]:
    """
    Cut an interval of changes at the limits of the figure.

    Parameters
    ----------
    point : dict
        With `estimate`, `lower` and `upper` in per cent, or None.

    Returns
    -------
    dict
        The same, cut; `below` and `above` hold the limit where the interval goes on beyond it.
    """
    low, high = CHANGES
    made: dict[str, object] = {**point, "below": None, "above": None}
    for name in ("estimate", "lower", "upper"):
        value = point[name]
        if not isinstance(value, int | float):
            continue
        if value < low:
            made["below"] = low
        if value > high:
            made["above"] = high
        inside = low <= value <= high
        made[name] = value if inside else None if name == "estimate" else min(max(value, low), high)
    return made


def room(data: Sequence[Mapping[str, object]]) -> list[float]:
    """From where to where an axis of changes runs, so that every point has its place."""
    names = ("estimate", "lower", "upper", "below", "above")
    values = [v for point in data for n in names if isinstance(v := point.get(n), int | float)]
    low, high = min([*values, -10.0]), max([*values, 10.0])
    margin = (high - low) * 0.03
    return [round(low - margin, 2), round(high + margin, 2)]


def _interval_rule(
    axis: str, place: Mapping[str, object], kinds: Sequence[str], width: float
) -> dict[str, object]:
    ends = {axis: {**place, "field": "lower"}, f"{axis}2": {"field": "upper"}}
    return {
        "mark": {"type": "rule", "strokeWidth": width},
        "encoding": {**ends, "color": _colour(kinds)},
    }


def _interval_dot(
    axis: str, place: Mapping[str, object], kinds: Sequence[str], size: int
) -> dict[str, object]:
    return {
        "mark": {"type": "point", "filled": True, "size": size, "opacity": 1},
        "encoding": {
            axis: {**place, "field": "estimate"},
            "color": _colour(kinds),
            "shape": _shape(kinds),
        },
    }


def arrow(
    axis: str,
    place: Mapping[str, object],
    end: str,
    shape: str,
    data: Sequence[Mapping[str, object]],
) -> dict[str, object]:
    """The sign that an interval goes on beyond the figure; nothing where none does."""
    if all(point.get(end) is None for point in data):
        return {}
    return {
        "transform": [{"filter": f"isValid(datum.{end})"}],
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "shape": shape,
                 "color": style.QUIET},
        "encoding": {axis: {**place, "field": end}},
    }  # fmt: skip


def _mark_of_no_change(at: float) -> dict[str, object]:
    """A stroke in each row, short enough never to strike the words above it."""
    return {
        "mark": {"type": "tick", "orient": "vertical", "size": 20, "thickness": 1.5},
        "encoding": {"x": {"datum": at, "type": "quantitative"}, "color": {"value": style.QUIET}},
    }


def line_of_words(field: str, look: dict[str, object]) -> dict[str, object]:
    """A layer of words, one to a row."""
    return {"mark": {"type": "text", **look}, "encoding": {"text": {"field": field}}}


def drawable(words: str) -> str:
    """Words without what a chart cannot shorten: it would cut a character of two halves in two."""
    return "".join(
        "\ufffd" if ord(letter) > 0xFFFF or not letter.isprintable() else letter for letter in words
    )


def _interval_point(index: int, label: str, row: Row) -> dict[str, object]:
    ends = {name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")}
    return {
        "order": index,
        "label": drawable(label),
        "figure": shown(row, "full"),
        "kind": style.kind_of(str(row["population"])),
        **(clipped(dict(ends)) if is_change(row) else ends),
    }


def event_study(rows: Sequence[Row], *, axis: str, along: str) -> dict[str, object]:
    """
    Draw the change in each period before and after the start, unjoined, with intervals.

    Parameters
    ----------
    rows : sequence of findings
        One outcome, one population, one method; horizons such as "quarter=-2".
    axis, along : str
        Words beside the vertical and under the horizontal axis.

    Returns
    -------
    dict
        A Vega-Lite specification with lines at no change and at the start.
    """
    data = []
    for row in rows:
        ends = {name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")}
        data.append(
            {
                "at": position(str(row["horizon"])),
                "figure": shown(row, "full"),
                "kind": style.kind_of(str(row["population"])),
                **clipped(dict(ends)),
            }
        )
    kinds = [str(data[0]["kind"])]
    whole_steps = {"tickMinStep": 1, "format": "d", "grid": False}
    x: dict[str, object] = {"title": along, "field": "at", "type": "quantitative"}
    x |= {"axis": whole_steps, "scale": {"zero": False, "nice": False, "padding": 12}}
    y = {"type": "quantitative", "title": axis, "scale": {"domain": room(data), "nice": False}}
    layers = [
        _rule("x", -0.5),
        _rule("y", 0),
        _interval_rule("y", y, kinds, 2),
        _interval_dot("y", y, kinds, 55),
        *(arrow("y", y, end, shape, data) for end, shape in _UPWARDS.items()),
    ]
    return chart(
        {
            "data": {"values": data},
            "height": 260,
            "encoding": {"x": x, "tooltip": tooltips("at", "figure")},
            "layer": [layer for layer in layers if layer],
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


def tooltips(*fields: str) -> list[dict[str, object]]:
    """What a pointer shows."""
    return [{"field": field, "type": "nominal", "title": field} for field in fields]


def _legend(kinds: Sequence[str]) -> dict[str, object] | None:
    return {"title": None, "symbolOpacity": 1} if len(kinds) > 1 else None


def _colour(kinds: Sequence[str]) -> dict[str, object]:
    scale = {"domain": list(kinds), "range": [style.MEANING[kind] for kind in kinds]}
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": _legend(kinds)}


def _shape(kinds: Sequence[str]) -> dict[str, object]:
    scale = {"domain": list(kinds), "range": [style.MARKER[kind] for kind in kinds]}
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": _legend(kinds)}


def chart(body: Mapping[str, object]) -> dict[str, object]:
    """A chart with what all charts share: width, padding, fonts."""
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
