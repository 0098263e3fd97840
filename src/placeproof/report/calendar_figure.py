"""The calendar: when each wave of patrols began, what else was done, and what moved counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from placeproof.report import registers, style
from placeproof.report.document import Block, Day, Figure, Name, Recorded, Spans, Table, Text
from placeproof.report.figures import chart, drawable, tooltips
from placeproof.report.material import Material
from placeproof.report.words import capital

PATROLS, RIVAL, CHANGE, STEP = "patrols", "rival", "change", "step"
LANE_PX = 38


@dataclass(frozen=True)
class Lane:
    """One line of the calendar: what, and the spans of time that it fills."""

    kind: str
    name: str
    spans: tuple[tuple[date, date | None], ...]
    places: int | None = None


def figure(material: Material) -> list[Block]:
    """
    Draw patrols, rivals, changes of recording and steps found on one axis of time.

    Parameters
    ----------
    material : Material
        The contents.

    Returns
    -------
    list of Block
        One figure with its table; nothing without a first day of patrols.
    """
    lanes = _lanes(material)
    if not any(lane.kind == PATROLS for lane in lanes):
        return []
    study = material.contents.study
    title = "What began when"
    alt = (
        "A line for each wave of patrols (filled bars), for what else was done in the same places "
        "(grey bars), for changes that move counts without moving crime (open bars and open "
        "diamonds) and for steps found in recording (crosses). The table holds the same days."
    )
    return [
        Figure(
            "calendar", title, alt,
            spec=_spec(lanes, study.start, study.cut_off),
            data=_table(lanes, title), note=(Text(_NOTE),),
        )
    ]  # fmt: skip


_NOTE = (
    "Filled: patrols. Grey: what else was done. Open bar: a change with a last day; open diamond: "
    "the first day of one that lasts. Cross: a step found in recording. What begins together "
    "cannot be told apart."
)


def _lanes(material: Material) -> list[Lane]:
    contents = material.contents
    found: list[Lane] = []
    places = contents.places
    if places.height:
        waves = (
            places.filter(pl.col("kind") == "hotspot")
            .drop_nulls("first_treated")
            .group_by("first_treated")
            .len()
            .sort("first_treated")
        )
        found += [
            Lane(PATROLS, "Patrols", ((day, None),), places=count)
            for day, count in waves.iter_rows()
        ]
    if contents.rivals is not None:
        for (name,), rows in contents.rivals.group_by("name", maintain_order=True):
            spans = tuple(
                rows.select("starts_on", "ends_on").unique(maintain_order=True).iter_rows()
            )
            count = rows["place_id"].drop_nulls().n_unique()
            found.append(Lane(RIVAL, str(name), spans, places=count or None))
    if contents.shocks is not None:
        found += [
            Lane(CHANGE, str(row["name"]), ((row["starts_on"], row["ends_on"]),))
            for row in contents.shocks.sort("starts_on", "shock_id").iter_rows(named=True)
        ]
    found += [
        Lane(STEP, str(row["name"]), ((_day(row), None),)) for row in registers.steps(material)
    ]
    first, last = contents.study.start, contents.study.cut_off
    return [lane for lane in found if _seen(lane, first, last)]


def _day(row: Mapping[str, object]) -> date:
    day = row["starts_on"]
    assert isinstance(day, date)
    return day


def _seen(lane: Lane, first: date, last: date) -> bool:
    return any(start <= last and (end or last) >= first for start, end in lane.spans)


def _words(lane: Lane) -> str:
    name = capital(lane.name)
    if lane.places is None:
        return name
    return f"{name} in 1 place" if lane.places == 1 else f"{name} in {lane.places} places"


def _spec(lanes: Sequence[Lane], first: date, last: date) -> dict[str, object]:
    data: list[dict[str, object]] = []
    for order, lane in enumerate(lanes):
        words = _words(lane)
        data.append({"order": order, "label": drawable(words)})
        for start, end in lane.spans:
            until = min(end or last, last)
            lasting = lane.kind == CHANGE and end is None
            point = {
                "order": order,
                "what": drawable(words),
                "kind": "sign" if lasting or lane.kind == STEP else lane.kind,
                "sign": "cross" if lane.kind == STEP else "diamond",
                "from": max(start, first).isoformat(),
                "to": until.isoformat(),
                "when": f"{start:%d %B %Y}" + (f" to {end:%d %B %Y}" if end else ""),
            }
            data.append(point)
    x: dict[str, object] = {
        "type": "temporal", "title": None,
        "scale": {"type": "utc", "domain": [first.isoformat(), last.isoformat()], "nice": False},
        "axis": {"format": "%b %Y", "grid": True, "labelOverlap": "greedy", "labelSeparation": 14,
                 "tickCount": 6},
    }  # fmt: skip
    y = {"field": "order", "type": "ordinal", "axis": None, "sort": "ascending"}
    bar: dict[str, object] = {"type": "bar", "height": 9, "yOffset": 9, "tooltip": None}
    looks: dict[str, dict[str, object]] = {
        PATROLS: {"color": style.HOT_SPOT},
        RIVAL: {
            "color": style.SUPPRESSED,
            "opacity": 0.65,
            "stroke": style.INK,
            "strokeWidth": 0.6,
        },
        CHANGE: {"color": style.PAPER, "stroke": style.INK, "strokeWidth": 1.4},
    }
    layers: list[dict[str, object]] = [
        {"transform": [{"filter": f"datum.kind === '{kind}'"}],
         "mark": {**bar, **look},
         "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"},
                      "tooltip": tooltips("what", "when")}}
        for kind, look in looks.items()
    ]  # fmt: skip
    sign: dict[str, object] = {
        "type": "point", "yOffset": 9, "opacity": 1, "size": 110, "strokeWidth": 1.6,
        "stroke": style.INK, "tooltip": None,
    }  # fmt: skip
    for shape, fill in (("diamond", style.PAPER), ("cross", style.INK)):
        layers.append(
            {"transform": [{"filter": f"datum.sign === '{shape}' && datum.kind === 'sign'"}],
             "mark": {**sign, "shape": shape, "fill": fill},
             "encoding": {"x": x | {"field": "from"}, "tooltip": tooltips("what", "when")}}
        )  # fmt: skip
    layers.append(
        {"transform": [{"filter": "isValid(datum.label)"}],
         "mark": {"type": "text", "align": "left", "x": 0, "dy": -8, "fontSize": 12,
                  "baseline": "middle", "limit": {"expr": "width"}, "color": style.INK},
         "encoding": {"text": {"field": "label"}, "tooltip": {"value": None}}}
    )  # fmt: skip
    return chart(
        {
            "data": {"values": data},
            "height": {"step": LANE_PX},
            "encoding": {"y": y},
            "layer": layers,
        }
    )


_KINDS = {PATROLS: "patrols", RIVAL: "what else was done", CHANGE: "moves counts",
          STEP: "found in recording"}  # fmt: skip


def _table(lanes: Sequence[Lane], title: str) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for lane in lanes:
        starts = sorted(start for start, _ in lane.spans)
        ends = [end for _, end in lane.spans]
        last = max((end for end in ends if end), default=None) if all(ends) else None
        begin: Spans = (Day(starts[0]),)
        if starts[-1] != starts[0]:
            begin = (*begin, Text(" to "), Day(starts[-1]))
        rows.append(
            (
                (Name(capital(lane.name)),),
                (Text(_KINDS[lane.kind]),),
                begin,
                (Day(last),) if last else (Text("goes on"),),
                (Recorded(str(lane.places), "places"),) if lane.places else (),
            )
        )
    head = ("What", "Kind", "Began", "Ended", "Places")
    return Table(
        "calendar-table", title, head, tuple(rows), frozenset({4}),
        widths=(0.36, 0.16, 0.22, 0.16, 0.1),
    )  # fmt: skip
