"""Charts of months, groups of people, concentration and ranks; no line crosses a gap."""

from collections.abc import Mapping, Sequence
from datetime import date

from placeproof.report import style
from placeproof.report.figures import (
    SIDEWAYS,
    Row,
    arrow,
    chart,
    clipped,
    drawable,
    line_of_words,
    plotted,
    position,
    room,
    tooltips,
)
from placeproof.report.numbers import is_change, shown
from placeproof.report.words import month_of


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
        "axis": {"format": "%b %Y", "grid": False, "labelOverlap": "greedy", "labelSeparation": 14,
                 "tickCount": 6},
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
                     "tooltip": tooltips("when", "series", "figure")},
    }  # fmt: skip
    layers = [line]
    if any(point["suppressed"] for point in data):
        layers.append(
            {
                "transform": [{"filter": "datum.suppressed"}],
                "mark": {"type": "point", "shape": "cross", "size": 40, "filled": True,
                         "color": style.SUPPRESSED, "opacity": 1},
                "encoding": {"x": x, "y": {"datum": 0}, "tooltip": tooltips("when", "figure")},
            }
        )  # fmt: skip
    months = sorted(str(point["month"]) for point in data)
    inside = [(day, sign) for day, sign in marks if months[0] <= day.isoformat() <= months[-1]]
    layers += _marks(inside, x)
    return chart({"data": {"values": data}, "height": 210, "layer": layers})


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
    words = {"type": "text", "align": "center", "y": -7, "fontSize": 12,
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
        Rows of one item next to each other; one unit. Changes are drawn about a line at none.
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
    change = is_change(rows[0][2])
    for item, group, row in rows:
        if item != last:
            at += 1.2 if last is not None else 0.4
            data.append({"at": at, "item": drawable(item)})
            at += 0.95
            last = item
        ends = {name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")}
        figure = shown(row, "full")
        point = clipped(dict(ends)) if change else ends
        data.append({"at": at, "group": drawable(group), "figure": figure, **point})
        at += 0.85
    y = {"field": "at", "type": "quantitative", "axis": None,
         "scale": {"domain": [0, round(at, 2)], "reverse": True, "nice": False}}  # fmt: skip
    spread: dict[str, object] = {"range": [136, {"expr": "width"}], "nice": False}
    spread |= {"domain": [0, 100]} if whole else {"zero": False}
    spread |= {"domain": room(data)} if change else {}
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
        line_of_words("item", {**bold, "color": style.INK}),
        line_of_words("group", {**look, "fontSize": 12, "limit": 130, "color": style.QUIET}),
    ]  # fmt: skip
    for layer, name in zip(layers, ("lower", "estimate", "item", "group"), strict=True):
        layer["transform"] = [{"filter": f"isValid(datum.{name})"}]
    if change:
        none = {"x": {**x, "datum": 0}, "y": {"value": 0}, "y2": {"value": "height"}}
        rule = {"type": "rule", "strokeDash": [4, 3], "color": style.QUIET}
        layers.insert(0, {"mark": rule, "encoding": {**none, "tooltip": {"value": None}}})
        layers += [
            layer for end, shape in SIDEWAYS.items() if (layer := arrow("x", x, end, shape, data))
        ]
    return chart(
        {
            "data": {"values": data},
            "height": round(at * 24),
            "encoding": {"y": y, "tooltip": tooltips("group", "figure")},
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
    return chart(
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
         "scale": {"domainMin": 0}, "axis": {"grid": False}}  # fmt: skip
    dot = {"type": "point", "size": 60, "opacity": 1, "strokeWidth": 1.8}
    return chart(
        {
            "data": {"values": data},
            "height": {"step": 19},
            "encoding": {"y": y, "tooltip": tooltips("place", "figure")},
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
