"""What it cost for each event prevented, and what would have paid for it."""

import json
from collections.abc import Sequence

from placeproof.report.document import Block, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import number

_PER = ("cost_per_event_prevented", "cost_per_harm_prevented")
_NOTE = (
    " Spending is what the accounts say for every month from the first patrols on, without any "
    "doubt of its own; the interval is that of what was prevented. Outcomes overlap, so that "
    "lines must not be added up."
)


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show spending for each event and unit of harm prevented, break-even and benefit.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1, RQ2 or RQ3.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        A table, and in words why a line has no number; nothing where no cost was supplied.
    """
    per = [row for row in rows if row["estimand"] in _PER and row["horizon"] == "all"]
    body: list[tuple[Spans, ...]] = []
    editions: dict[str, None] = {}
    told: dict[str, list[str]] = {}
    for row in per:
        least = _beside(rows, row, str(row["estimand"]), "at least")
        even = _beside(rows, row, "break_even_events")
        worth = _beside(rows, row, "benefit_per_pound")
        if row["reason"]:
            told.setdefault(str(row["reason"]), []).append(str(row["outcome_label"]))
        if row["status"] != "estimated" and not (least or even):
            continue
        if even:
            figures = json.loads(str(even["diagnostics"] or "{}"))
            editions.setdefault(str(figures.get("unit_cost_edition")))
        body.append(
            (
                (Name(str(row["outcome_label"])),),
                with_interval(row) if row["status"] == "estimated" else (Text("none prevented"),),
                (number(least),) if least else (),
                (number(even),) if even else (),
                with_interval(worth) if worth else (),
            )
        )
    found: list[Block] = []
    if body:
        head = ("What was prevented", "Pounds for each", "At least", "Offences to break even",
                "Pounds back for each pound")  # fmt: skip
        note = (*level_note(per), Text(_NOTE), *_named(editions), *_said(told))
        found.append(
            Table(
                f"{key}-cost", "What it cost", head, tuple(body), frozenset({1, 2, 3, 4}),
                note=note, stamp=material.tag, widths=(0.36, 0.2, 0.12, 0.14, 0.18),
            )
        )  # fmt: skip
    elif told:
        found.append(Paragraph((Text("Cost.", strong=True), *_said(told)), "note"))
    return found


def _beside(rows: Sequence[Row], row: Row, estimand: str, horizon: str = "all") -> Row | None:
    for other in rows:
        same = all(row[name] == other[name] for name in ("outcome", "definition_edition"))
        if same and other["estimand"] == estimand and other["horizon"] == horizon:
            return other if other["status"] == "estimated" else None
    return None


def _named(editions: dict[str, None]) -> Spans:
    if not editions:
        return ()
    return (Text(" Unit costs as supplied: "), Name("; ".join(editions)), Text("."))


def _said(told: dict[str, list[str]]) -> Spans:
    return tuple(Name(f" {'; '.join(labels)}: {why}") for why, labels in told.items())
