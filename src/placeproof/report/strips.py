"""Charts of many estimates side by side: strips of strokes, and differences by stage."""

from collections.abc import Sequence
from dataclasses import dataclass

from placeproof.report import style
from placeproof.report.figures import (
    CHANGES,
    Row,
    chart,
    clipped,
    drawable,
    line_of_words,
    plotted,
    tooltips,
)
from placeproof.report.numbers import shown
from placeproof.report.words import capital, horizon_words

CLEARLY = 0.25
"""Differences beyond this many standard deviations are called clear."""


@dataclass(frozen=True)
class Strip:
    """One line of a chart: words, what they say in figures, and the estimates on it."""

    words: str
    told: str
    rows: tuple[Row, ...]
    """One with its interval, or many as strokes."""
    middle: Row | None = None
    """Their median, as a thick stroke."""


def drawn(lines: Sequence[Strip], *, axis: str) -> dict[str, object]:
    """
    Draw one line of words and estimates for each strip, the headline first.

    Parameters
    ----------
    lines : sequence of Strip
        All of rate ratios. The first holds the headline, whose estimate stands in every line as a
        long stroke; a thin one stands at no change.
    axis : str
        Words under the horizontal axis.

    Returns
    -------
    dict
        A Vega-Lite specification. Estimates beyond `CHANGES` stand at the edge.
    """
    points: list[dict[str, object]] = []
    for order, strip in enumerate(lines):
        points.append({"order": order, "words": drawable(strip.words), "told": strip.told})
        single = len(strip.rows) == 1
        for row in strip.rows:
            ends: dict[str, object] = {
                name: plotted(row, row[name]) for name in ("estimate", "lower", "upper")
            }
            what = drawable(strip.words if single else horizon_words(row["horizon"]))
            point = {"order": order, "what": what, "figure": shown(row, "full")}
            if single:
                points.append(point | clipped(ends) | {"single": True})
            else:
                points.append(point | {"stroke": _edged(plotted(row, row["estimate"]))})
        if strip.middle is not None:
            middle = plotted(strip.middle, strip.middle["estimate"])
            points.append({"order": order, "what": "middle", "middle": _edged(middle),
                           "figure": shown(strip.middle)})  # fmt: skip
    x: dict[str, object] = {
        "type": "quantitative",
        "title": axis,
        "axis": {"tickCount": 6, "grid": False, "labelFlush": True},
        "scale": {"domain": _room(points), "nice": False},
    }
    words = {"align": "left", "x": 0, "limit": {"expr": "width"}, "baseline": "middle"}
    headline = plotted(lines[0].rows[0], lines[0].rows[0]["estimate"])
    layers: list[dict[str, object]] = [
        _stroke(x, 0.0, {"size": 24, "thickness": 1, "color": style.SUPPRESSED}),
        _stroke(x, _edged(headline), {"size": 30, "thickness": 2, "color": style.HOT_SPOT}),
        _only("stroke", {"type": "tick", "size": 15, "thickness": 1.4, "opacity": 0.55,
                         "color": style.INK}, x),
        _only("middle", {"type": "tick", "size": 22, "thickness": 3.5, "color": style.INK}, x),
        {"transform": [{"filter": "datum.single && isValid(datum.lower)"}],
         "mark": {"type": "rule", "strokeWidth": 2.5, "color": style.INK},
         "encoding": {"x": {**x, "field": "lower"}, "x2": {"field": "upper"}}},
        _only("estimate", {"type": "point", "filled": True, "size": 90, "opacity": 1,
                           "color": style.INK}, x),
        {"transform": [{"filter": "isValid(datum.words)"}],
         **line_of_words("words", {**words, "dy": -31, "fontSize": 13, "color": style.INK})},
        {"transform": [{"filter": "isValid(datum.told)"}],
         **line_of_words("told", {**words, "dy": -16, "fontSize": 12, "color": style.QUIET})},
    ]  # fmt: skip
    along = {"field": "order", "type": "ordinal", "axis": None, "sort": "ascending"}
    for layer in layers:
        layer["encoding"] = {"y": along, **layer["encoding"]}  # type: ignore[dict-item]
    return chart(
        {
            "data": {"values": points},
            "height": {"step": 60},
            "encoding": {"tooltip": tooltips("what", "figure")},
            "layer": layers,
        }
    )


def _only(field: str, mark: dict[str, object], x: dict[str, object]) -> dict[str, object]:
    return {
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "mark": mark,
        "encoding": {"x": {**x, "field": field}},
    }


def _stroke(x: dict[str, object], at: float | None, look: dict[str, object]) -> dict[str, object]:
    """A stroke in each row, short enough never to strike the words above it."""
    mark = {"type": "tick", "orient": "vertical", "tooltip": None, **look}
    return {
        "transform": [{"filter": "isValid(datum.words)"}],
        "mark": mark,
        "encoding": {"x": {**x, "datum": at}, "tooltip": {"value": None}},
    }


def _edged(value: float | None) -> float | None:
    return None if value is None else min(max(value, CHANGES[0]), CHANGES[1])


def _room(points: Sequence[dict[str, object]]) -> list[float]:
    names = ("stroke", "middle", "estimate", "lower", "upper")
    values = [v for point in points for n in names if isinstance(v := point.get(n), int | float)]
    low, high = min([*values, -5.0]), max([*values, 5.0])
    margin = (high - low) * 0.04
    return [round(low - margin, 2), round(high + margin, 2)]


SHAPES = ("circle", "square", "triangle-up")


def differences(
    points: Sequence[tuple[str, str, Row]], *, stages: Sequence[str], axis: str
) -> dict[str, object]:
    """
    Draw the difference of each feature before and after matching on one line.

    Parameters
    ----------
    points : sequence of (feature, stage, finding)
        In any order.
    stages : sequence of str
        Stages in order; each has its own shape, the first one open.
    axis : str
        Words under the horizontal axis.

    Returns
    -------
    dict
        A Vega-Lite specification, with lines at no difference and at `CLEARLY` on either side.
    """
    features = list(dict.fromkeys(feature for feature, _, _ in points))
    present = [stage for stage in stages if any(stage == s for _, s, _ in points)]
    data: list[dict[str, object]] = [
        {"order": features.index(feature), "stage": stage, "figure": shown(row), "what": feature,
         "difference": plotted(row, row["estimate"])}
        for feature, stage, row in points
    ]  # fmt: skip
    data += [
        {"order": i, "words": drawable(capital(feature))} for i, feature in enumerate(features)
    ]
    x: dict[str, object] = {
        "type": "quantitative",
        "title": axis,
        "axis": {"tickCount": 6, "grid": False, "labelFlush": True},
        "scale": {"zero": True},
    }
    scale: dict[str, object] = {"domain": present}
    shape = {"field": "stage", "type": "nominal", "legend": {"title": None, "columns": 1},
             "scale": scale | {"range": list(SHAPES[: len(present)])}}  # fmt: skip
    inks = [style.PAPER, style.INK, style.LINE][: len(present)]
    fill = {"field": "stage", "type": "nominal", "legend": {"title": None, "columns": 1},
            "scale": scale | {"range": inks}}  # fmt: skip
    lines = [
        _stroke(x, at, {"size": 22, "thickness": 1.5 if at == 0 else 1, "color": style.QUIET})
        for at in (-CLEARLY, 0.0, CLEARLY)
    ]
    order = {"field": "order", "type": "ordinal", "axis": None, "sort": "ascending"}
    words: dict[str, object] = {
        "type": "text",
        "align": "left",
        "x": 0,
        "limit": {"expr": "width"},
        "baseline": "middle",
        "dy": -19,
        "fontSize": 13,
        "color": style.INK,
    }
    for line in lines:
        line["encoding"] = {"y": order, **line["encoding"]}  # type: ignore[dict-item]
    return chart(
        {
            "data": {"values": data},
            "height": {"step": 48},
            "encoding": {"tooltip": tooltips("what", "stage", "figure")},
            "layer": [
                *lines,
                {
                    "transform": [{"filter": "isValid(datum.difference)"}],
                    "mark": {"type": "point", "size": 75, "opacity": 1, "stroke": style.INK,
                             "strokeWidth": 1.3},
                    "encoding": {"x": {**x, "field": "difference"}, "y": order, "shape": shape,
                                 "fill": fill},
                },
                {
                    "transform": [{"filter": "isValid(datum.words)"}],
                    "mark": words,
                    "encoding": {"y": order, "text": {"field": "words"}},
                },
            ],
        }
    )  # fmt: skip
