"""The figure of dose and response: groups of alike dose as points, the slope as a line."""

import json
import math
from collections.abc import Mapping, Sequence

from placeproof.report import style
from placeproof.report.figures import Row, arrow, chart, clipped, plotted, room, tooltips
from placeproof.report.numbers import shown

LINE_POINTS = 30


def response(
    groups: Sequence[Row], slope: Row | None, *, axis: str, along: str
) -> dict[str, object]:
    """
    Draw the change at each dose against none, and the line that the slope stands for.

    Parameters
    ----------
    groups : sequence of findings
        `dose_group_rate_ratio` with intervals; where each lies stands in its diagnostics.
    slope : finding or None
        `dose_rate_ratio` by planned minutes; None: no line.
    axis, along : str
        Words beside the vertical and under the horizontal axis.

    Returns
    -------
    dict
        A Vega-Lite specification: no dose is the hollow point, the slope a dashed line.
    """
    data = []
    for row in groups:
        ends = {name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")}
        dose = round(float(_told(row)["minutes_a_day"]), 3)  # type: ignore[arg-type]
        data.append({"dose": dose, "figure": shown(row, "full"), **clipped(dict(ends))})
    farthest = max(float(str(point["dose"])) for point in data) * 1.06
    x: dict[str, object] = {
        "title": along, "field": "dose", "type": "quantitative",
        "axis": {"grid": False, "tickCount": 6},
        "scale": {"domain": [0, round(farthest, 2)], "nice": False, "padding": 12},
    }  # fmt: skip
    y = {"type": "quantitative", "title": axis, "scale": {"domain": room(data), "nice": False}}
    ink = {"color": {"value": style.HOT_SPOT}}
    dot = {"type": "point", "opacity": 1, "size": 70}
    layers: list[dict[str, object]] = [
        {"data": {"values": [{"estimate": 0}]},
         "mark": {"type": "rule", "strokeDash": [4, 3], "color": style.QUIET, "tooltip": None},
         "encoding": {"x": {"value": 0}, "x2": {"value": "width"},
                      "y": {"field": "estimate", "type": "quantitative"}}},
        *([_line(slope, farthest)] if slope else []),
        {"mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": x, "y": {**y, "field": "lower"}, "y2": {"field": "upper"}, **ink}},
        {"mark": {**dot, "filled": True}, "encoding": {"x": x, "y": {**y, "field": "estimate"},
                                                       **ink, "tooltip": tooltips("figure")}},
        *(arrow("y", y, end, shape, data) for end, shape in _ENDS.items()),
        {"data": {"values": [{"dose": 0, "estimate": 0}]},
         "mark": {**dot, "filled": True, "fill": style.PAPER, "stroke": style.HOT_SPOT,
                  "strokeWidth": 1.8},
         "encoding": {"x": x, "y": {**y, "field": "estimate"}}},
    ]  # fmt: skip
    return chart(
        {
            "data": {"values": data},
            "height": 240,
            "encoding": {"x": x},
            "layer": [layer for layer in layers if layer],
        }
    )


_ENDS = {"below": "triangle-down", "above": "triangle-up"}


def _line(slope: Row, farthest: float) -> dict[str, object]:
    step = float(_told(slope)["minutes_a_day_step"])  # type: ignore[arg-type]
    log = math.log(float(str(slope["estimate"])))
    doses = [farthest * k / (LINE_POINTS - 1) for k in range(LINE_POINTS)]
    values = [
        {"dose": round(dose, 3), "estimate": round(100 * math.expm1(log * dose / step), 3)}
        for dose in doses
    ]
    y = {"field": "estimate", "type": "quantitative"}
    mark = {"type": "line", "strokeDash": [7, 4], "strokeWidth": 1.6, "color": style.INK,
            "clip": True, "tooltip": None}  # fmt: skip
    return {"data": {"values": values}, "mark": mark, "encoding": {"y": y}}


def _told(row: Row) -> Mapping[str, object]:
    told: Mapping[str, object] = json.loads(str(row["diagnostics"] or "{}"))
    return told
