"""Charts as Vega-Lite, the same for the screen and for paper; a colour keeps its meaning."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from placeproof.report import style
from placeproof.report.numbers import is_change, no_effect, shown
from placeproof.report.words import month_of

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
        scale = {"domain": _room(data), "nice": False}
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
        *(_arrow("x", x, end, shape, data) for end, shape in _SIDEWAYS.items()),
        _line_of_words("label", {**words, "dy": -32, "fontSize": 13, "color": style.INK}),
        _line_of_words("figure", {**words, "dy": -16, "fontSize": 12, "color": style.QUIET}),
    ]
    if change or no_effect(rows[0][1]) == 1:
        layers.insert(0, _mark_of_no_change(0 if change else 1))
    encoding = {"y": order, "tooltip": _tooltips("label", "figure")}
    return _chart(
        {
            "data": {"values": data},
            "height": {"step": 62},
            "encoding": encoding,
            "layer": [layer for layer in layers if layer],
        }
    )


CHANGES: tuple[float, float] = (-80.0, 150.0)
"""Changes in per cent outside these are arrows at the edge of a figure: it stays readable."""

_SIDEWAYS = {"below": "triangle-left", "above": "triangle-right"}
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


def _room(data: Sequence[Mapping[str, object]]) -> list[float]:
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


def _arrow(
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


def _line_of_words(field: str, look: dict[str, object]) -> dict[str, object]:
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
    x = {"title": along, "field": "at", "type": "quantitative", "axis": whole_steps}
    y = {"type": "quantitative", "title": axis, "scale": {"domain": _room(data), "nice": False}}
    layers = [
        _rule("x", -0.5),
        _rule("y", 0),
        _interval_rule("y", y, kinds, 2),
        _interval_dot("y", y, kinds, 55),
        *(_arrow("y", y, end, shape, data) for end, shape in _UPWARDS.items()),
    ]
    return _chart(
        {
            "data": {"values": data},
            "height": 260,
            "encoding": {"x": x, "tooltip": _tooltips("at", "figure")},
            "layer": [layer for layer in layers if layer],
        }
    )


def monthly(
    series: Sequence[tuple[str, Sequence[Row]]],
    *,
    axis: str,
    marks: Sequence[tuple[date, str]] = (),
    kind: str,
) -> dict[str, object]:
    """
    Draw series month by month; a month without a figure is a gap, never a line across it.

    Parameters
    ----------
    series : sequence of (words, findings)
        One line each, in `STROKES`; horizons such as "2021-07". Suppressed months get a cross.
    axis : str
        Words beside the vertical axis.
    marks : sequence of (day, sign)
        Vertical lines, each with a short sign that the words below the figure explain.
    kind : str
        A key of `style.MEANING`, whose colour the lines have, or "" for ink.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    colour = style.MEANING.get(kind, style.INK)
    data = [point for words, rows in series for point in _months(drawable(words), rows)]
    names = [drawable(words) for words, _ in series]
    x: dict[str, object] = {
        "field": "month", "type": "temporal", "scale": {"type": "utc"}, "title": None,
        "axis": {"format": "%b %Y", "grid": False, "labelOverlap": "greedy", "tickCount": 6},
    }  # fmt: skip
    y = {"type": "quantitative", "title": axis, "scale": {"zero": True}}
    dash: dict[str, object] = {
        "field": "series", "type": "nominal",
        "scale": {"domain": names, "range": [STROKES[i % len(STROKES)] for i in range(len(names))]},
        "legend": {"title": None, "symbolType": "stroke", "labelLimit": 300, "columns": 1}
        if len(names) > 1 else None,
    }  # fmt: skip
    line: dict[str, object] = {
        "mark": {"type": "line", "strokeWidth": 2, "color": colour, "tooltip": None,
                 "point": {"size": 14, "color": colour}},
        "encoding": {"x": x, "y": {**y, "field": "value"}, "strokeDash": dash,
                     "detail": {"field": "series"},
                     "tooltip": _tooltips("when", "series", "figure")},
    }  # fmt: skip
    layers = [line]
    if any(point["suppressed"] for point in data):
        layers.append(
            {
                "transform": [{"filter": "datum.suppressed"}],
                "mark": {"type": "point", "shape": "cross", "size": 40, "filled": True,
                         "color": style.SUPPRESSED, "opacity": 1},
                "encoding": {"x": x, "y": {"datum": 0}, "tooltip": _tooltips("when", "figure")},
            }
        )  # fmt: skip
    months = sorted(str(point["month"]) for point in data)
    inside = [(day, sign) for day, sign in marks if months[0] <= day.isoformat() <= months[-1]]
    layers += _marks(inside, x)
    return _chart({"data": {"values": data}, "height": 210, "layer": layers})


STROKES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 3], [8, 3, 2, 3])
"""How lines of one figure are told apart; their colour says what kind of place they speak of."""


def _months(words: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    found = {day: row for row in rows if (day := month_of(str(row["horizon"])))}
    if not found:
        return []
    points: list[dict[str, object]] = []
    day = min(found)
    while day <= max(found):
        row = found.get(day)
        status = row["status"] if row else "not_supplied"
        points.append(
            {
                "month": day.isoformat(),
                "when": f"{day:%B} {day.year}",
                "series": words,
                "value": plotted(row, row["estimate"]) if row and status == "estimated" else None,
                "figure": shown(row, "full") if row else "not supplied",
                "suppressed": status == "suppressed",
            }
        )
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return points


def _marks(marks: Sequence[tuple[date, str]], x: Mapping[str, object]) -> list[dict[str, object]]:
    if not marks:
        return []
    data = {"values": [{"month": day.isoformat(), "sign": sign} for day, sign in marks]}
    where = {"x": {**x, "field": "month"}, "tooltip": {"value": None}}
    rule = {"type": "rule", "strokeDash": [4, 3], "color": style.QUIET}
    words = {"type": "text", "align": "left", "dx": 4, "y": 6, "fontSize": 12,
             "fontWeight": "bold", "color": style.INK}  # fmt: skip
    return [
        {"data": data, "mark": rule, "encoding": where},
        {"data": data, "mark": words, "encoding": {**where, "text": {"field": "sign"}}},
    ]


def groups(rows: Sequence[tuple[str, str, Row]], *, axis: str, whole: bool) -> dict[str, object]:
    """
    Draw estimates of several groups of people under a heading for each item.

    Parameters
    ----------
    rows : sequence of (item, group, finding)
        Rows of one item next to each other; one unit.
    axis : str
        Words under the horizontal axis.
    whole : bool
        Whether the axis runs over all of nought to a hundred per cent.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    data: list[dict[str, object]] = []
    at = 0.0
    last = None
    for item, group, row in rows:
        if item != last:
            at += 1.2 if last is not None else 0.4
            data.append({"at": at, "item": drawable(item)})
            at += 0.95
            last = item
        ends = {name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")}
        figure = shown(row, "full")
        data.append({"at": at, "group": drawable(group), "figure": figure, **ends})
        at += 0.85
    y = {"field": "at", "type": "quantitative", "axis": None,
         "scale": {"domain": [0, round(at, 2)], "reverse": True, "nice": False}}  # fmt: skip
    spread: dict[str, object] = {"range": [136, {"expr": "width"}], "nice": False}
    spread |= {"domain": [0, 100]} if whole else {"zero": False}
    x = {"type": "quantitative", "title": axis, "scale": spread,
         "axis": {"tickCount": 5, "labelFlush": True, "titleAnchor": "end"}}  # fmt: skip
    look = {"align": "left", "x": 0, "baseline": "middle"}
    bold = {**look, "fontSize": 13, "fontWeight": 600, "limit": {"expr": "width"}}
    ink = {"color": {"value": style.INK}}
    layers: list[dict[str, object]] = [
        {"mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": {**x, "field": "lower"}, "x2": {"field": "upper"}, **ink}},
        {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
         "encoding": {"x": {**x, "field": "estimate"}, **ink}},
        _line_of_words("item", {**bold, "color": style.INK}),
        _line_of_words("group", {**look, "fontSize": 12, "limit": 130, "color": style.QUIET}),
    ]  # fmt: skip
    for layer, name in zip(layers, ("lower", "estimate", "item", "group"), strict=True):
        layer["transform"] = [{"filter": f"isValid(datum.{name})"}]
    return _chart(
        {
            "data": {"values": data},
            "height": round(at * 24),
            "encoding": {"y": y, "tooltip": _tooltips("group", "figure")},
            "layer": layers,
        }
    )


def concentration(rows: Sequence[Row]) -> dict[str, object]:
    """
    Draw the share of events in the fullest places against their number, from nought.

    Parameters
    ----------
    rows : sequence of findings
        Shares of one outcome with horizons such as "top=24".

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    data: list[dict[str, object]] = [{"places": 0, "share": 0, "figure": ""}]
    for row in sorted(rows, key=lambda row: position(str(row["horizon"])) or 0):
        places, share = position(str(row["horizon"])), plotted(row, row["estimate"])
        data.append({"places": places, "share": share, "figure": shown(row)})
    x = {"field": "places", "type": "quantitative", "title": "Number of places, the fullest first",
         "scale": {"zero": True, "nice": False, "padding": 8}, "axis": {"grid": False}}  # fmt: skip
    y = {"field": "share", "type": "quantitative", "title": "Share of all events, per cent"}
    words = {"type": "text", "align": "left", "dx": 6, "dy": 13, "fontSize": 12, "color": style.INK}
    return _chart(
        {
            "data": {"values": data},
            "height": 220,
            "encoding": {"x": x, "y": {**y, "scale": {"domainMin": 0}}},
            "layer": [
                {"mark": {"type": "line", "color": style.INK, "strokeWidth": 2,
                          "interpolate": "monotone"}},
                {"mark": {"type": "point", "filled": True, "color": style.INK, "size": 50}},
                {"mark": words, "encoding": {"text": {"field": "figure"}}},
            ],
        }
    )  # fmt: skip


def ranks(pairs: Sequence[tuple[str, Row, Row]]) -> dict[str, object]:
    """
    Draw each place's rank before (hollow) and after (filled), joined by a line.

    Parameters
    ----------
    pairs : sequence of (place, finding before, finding after)
        In the order in which they stand, top first.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    data = [
        {
            "order": index,
            "place": drawable(place),
            "before": plotted(before, before["estimate"]),
            "after": plotted(after, after["estimate"]),
            "figure": f"{shown(before)} before, {shown(after)} after",
        }
        for index, (place, before, after) in enumerate(pairs)
    ]
    order = [point["place"] for point in data]
    y = {"field": "place", "type": "nominal", "sort": order, "title": None,
         "axis": {"grid": True, "ticks": False, "domain": False, "labelLimit": 130}}  # fmt: skip
    x = {"type": "quantitative", "title": "Rank, the hottest place first",
         "scale": {"zero": False, "padding": 8}, "axis": {"grid": False}}  # fmt: skip
    dot = {"type": "point", "size": 60, "opacity": 1, "strokeWidth": 1.8}
    return _chart(
        {
            "data": {"values": data},
            "height": {"step": 19},
            "encoding": {"y": y, "tooltip": _tooltips("place", "figure")},
            "layer": [
                {"mark": {"type": "rule", "color": style.HOT_SPOT, "strokeWidth": 1.6},
                 "encoding": {"x": {**x, "field": "before"}, "x2": {"field": "after"}}},
                {"mark": {**dot, "filled": True, "fill": style.PAPER, "stroke": style.HOT_SPOT},
                 "encoding": {"x": {**x, "field": "before"}}},
                {"mark": {**dot, "filled": True, "color": style.HOT_SPOT},
                 "encoding": {"x": {**x, "field": "after"}}},
            ],
        }
    )  # fmt: skip


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
