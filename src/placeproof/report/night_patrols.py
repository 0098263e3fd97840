"""What became of the hours around the nights, and of nights with a tasked patrol."""

from collections.abc import Sequence

from placeproof.report import findings as parts
from placeproof.report.document import Block, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.impact import too_wide
from placeproof.report.material import Material, Row

_BANDS = {
    "nte": "In night-time hours",
    "before": "Just before",
    "after": "Just after",
    "rest": "All other hours",
}
_NIGHTS = {
    ("nte", "day=0"): "In night-time hours",
    ("before", "day=0"): "Just before",
    ("after", "day=0"): "Just after",
    ("other", "day=0"): "Other hours, same day",
    ("other", "day=1"): "Other hours, next day",
}
_SINCE = (
    " Change in the hot spots since patrols began. Just before and just after: as many hours "
    "beside each night as the plan says. Where crime only moved to other hours, it fell in "
    "night-time hours and rose beside them. Patrols by day, where there were any, are in these "
    "figures too."
)
_TASKED = (
    " Events on nights for which a patrol was asked for, against nights without one in the same "
    "place and month. By lot: chance alone chose the days. Otherwise an association: what made it "
    "a night of patrol may have moved events as well. The hours before a patrol cannot follow from "
    "it, unless people knew that it would come. Too few nights: no interval, or one whose ends lie "
    "nine times apart."
)


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show the effect around the nights, and nights with a tasked patrol against nights without.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ9.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        Two tables and what cannot be compared; nothing where no record has a time of day.
    """
    found: list[Block] = []
    around = [row for row in rows if row["estimand"] == "rate_ratio" and row["subgroup"] == "all"]
    bands = {_kind(row) for row in around}
    if {"before", "after", "rest"} & bands:
        beside = [row for row in around if _kind(row) in ("before", "after", "rest")]
        shown = {(row["outcome"], _preset(row)) for row in beside}
        chosen = [
            row for row in around
            if row["population"] == "treated hot spots" and row["horizon"] == "all"
            and (row["outcome"], _preset(row)) in shown and _kind(row) in _BANDS
        ]  # fmt: skip
        found.append(
            parts.pivot(
                _ordered(material, chosen), identity=f"{key}-around-nights",
                caption="Change around the nights", corner="Outcome",
                down=lambda row: str(row["outcome_label"]),
                across=lambda row: _BANDS[_kind(row)], columns=list(_BANDS.values()),
                stamp=material.tag, note=(*level_note(chosen), Text(_SINCE)),
                widths=(0.28, 0.18, 0.18, 0.18, 0.18),
            )
        )  # fmt: skip
    return [*found, *_first_tasked(rows), *_nights(material, key, rows)]


def _kind(row: Row) -> str:
    return str(row["hours"]).partition(":")[0]


def _preset(row: Row) -> str:
    return str(row["hours"]).partition(":")[2]


def _ordered(material: Material, rows: Sequence[Row]) -> list[Row]:
    order = [
        name
        for question in ("RQ1", "RQ2", "RQ3")
        for name in sorted(material.headline_outcomes(question))
    ]
    return sorted(
        rows,
        key=lambda row: order.index(str(row["outcome"])) if row["outcome"] in order else len(order),
    )


def _first_tasked(rows: Sequence[Row]) -> list[Block]:
    """Places by when they were first tasked: why there is no comparison, or the comparison."""
    kinds = [row for row in rows if str(row["subgroup"]).startswith("first_tasked=")]
    refused = [row for row in kinds if row["status"] != "estimated"]
    if refused and len(refused) == len(kinds):
        return [Paragraph((Name(str(refused[0]["reason"])),), "note")]
    against = [
        row
        for row in kinds
        if row["estimand"] == "ratio_of_rate_ratios" and row["status"] == "estimated"
    ]
    if not against:
        return []
    spans: Spans = (
        Text("Places first tasked at night against the others, one change divided by the other: "),
    )
    for index, row in enumerate(against):
        hours = "in night-time hours" if _kind(row) == "nte" else "in the other hours"
        joint = "; " if index else ""
        label = (Text(joint), Name(str(row["outcome_label"])), Text(f" {hours} "))
        spans = (*spans, *label, *with_interval(row))
    return [Paragraph((*spans, Text(".")))]


def _nights(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    wanted = [row for row in rows if row["estimand"] == "tasked_night_rate_ratio"]
    known = _ordered(
        material, [row for row in wanted if (_kind(row), str(row["horizon"])) in _NIGHTS]
    )
    if not any(row["status"] == "estimated" for row in known):
        reasons = dict.fromkeys(str(row["reason"]) for row in wanted if row["reason"])
        return [Paragraph((Name(" ".join(reasons)),), "note")] if reasons else []
    at = {
        (str(row["outcome"]), str(row["subgroup"]), _kind(row), str(row["horizon"])): row
        for row in known
    }
    body: list[tuple[Spans, ...]] = []
    groups: list[tuple[int, Spans]] = []
    for outcome in dict.fromkeys(str(row["outcome"]) for row in known):
        label = next(row["outcome_label"] for row in known if row["outcome"] == outcome)
        groups.append((len(body), (Name(str(label)),)))
        for (kind, horizon), words in _NIGHTS.items():
            cells = [at.get((outcome, lots, kind, horizon)) for lots in _LOTS]
            body.append(((Text(words),), *(_told(row) if row else () for row in cells)))
    head = ("Hours", *_LOTS.values())
    return [
        Table(
            f"{key}-tasked-nights", "Nights with a tasked patrol against nights without", head,
            tuple(body), frozenset({1, 2}), note=(*level_note(known), Text(_TASKED)),
            stamp=material.tag, widths=(0.4, 0.3, 0.3), groups=tuple(groups),
        )
    ]  # fmt: skip


def _told(row: Row) -> Spans:
    """The figure, or that too few nights stand behind it for one that would not mislead."""
    few = row["status"] == "not_identified" or too_wide(row)
    return (Text("too few nights"),) if few else with_interval(row)


_LOTS = {"days=by lot": "Days by lot", "days=not by lot": "Other days"}
