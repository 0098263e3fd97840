"""The data: files, events, who answered, who was heard, and what has no location."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from placeproof.report import charts, registers
from placeproof.report import findings as parts
from placeproof.report.document import (
    Block,
    Bullets,
    Figure,
    Folded,
    Name,
    Paragraph,
    Recorded,
    Section,
    Span,
    Spans,
    Table,
    Text,
)
from placeproof.report.findings import alone
from placeproof.report.material import Material, Row
from placeproof.report.numbers import whole
from placeproof.report.spans import figure
from placeproof.report.words import capital, month_of, people_words

MOST_CHARTS = 3

_EVENTS = {
    "all": "events in all",
    "in the panel": "in the counted places",
    "outside all places": "outside them",
    "without a location": "without a location",
    "without a time": "without a time",
    "outside the window": "outside the period",
    "in months not supplied": "in months not supplied",
}


def section(material: Material) -> Section:
    """What came in, what was kept, and what the data cannot show."""
    receipts = material.contents.receipts
    found: list[Block] = []
    if receipts.height:
        words = (
            "Rows in equal rows kept, rows quarantined and rows superseded by a later extract. "
            "Nothing is dropped in silence."
        )
        found += [Paragraph((Text(words),)), feeds_table(receipts)]
    else:
        found.append(Paragraph((Text("No file was read in this run."),)))
    rows = material.of("data")
    found += _events(material, rows)
    found += _survey(material, rows)
    found += _interviews(material, rows)
    found += missing_locations(material)
    found += registers.scan(material)
    found.append(parts.more("Everything counted on the way stands in the ", "data"))
    return Section("data", (Text("Data"),), tuple(found))


def feeds_table(receipts: pl.DataFrame) -> Table:
    """One row per feed: files, rows in, kept, quarantined, superseded; sums of the receipts."""
    counts = [
        name
        for name in ("rows_in", "rows_kept", "rows_quarantined", "rows_superseded")
        if name in receipts.columns
    ]
    feeds = (
        receipts.group_by("feed", maintain_order=True)
        .agg(pl.len().alias("files"), *(pl.col(name).sum() for name in counts))
        .sort("feed")
    )
    rows: tuple[tuple[Spans, ...], ...] = tuple(
        (
            (Name(capital(str(row["feed"]).replace("_", " "))),),
            *(
                (Recorded(whole(row[name] or 0), "files"),)
                for name in ("files", *counts)
            ),
        )
        for row in feeds.iter_rows(named=True)
    )  # fmt: skip
    head = ("Feed", "Files", *(name.replace("_", " ").capitalize() for name in counts))
    caption = "Feeds: rows in and what became of them"
    return Table("feeds", caption, head, rows, frozenset(range(1, len(head))))


def _events(material: Material, rows: Sequence[Row]) -> list[Block]:
    chosen = [row for row in rows if row["method"] == "reconciliation"]
    if not chosen:
        return []
    names = list(_EVENTS)
    empty = {
        name
        for name in names[2:]
        if all(row["estimate"] == 0 for row in chosen if row["horizon"] == name)
    }
    chosen = [row for row in chosen if row["horizon"] not in empty]
    return [
        parts.pivot(
            chosen,
            identity="events",
            caption="Events, and which of them are counted",
            corner="Outcome",
            down=lambda row: str(row["outcome_label"]),
            across=lambda row: _EVENTS.get(str(row["horizon"]), str(row["horizon"])),
            columns=list(_EVENTS.values()),
            stamp=material.tag,
            cell=alone,
            note=(
                Text("The counted places are hot spots, comparison places and the rings of both."),
            ),
        )
    ]


def _survey(material: Material, rows: Sequence[Row]) -> list[Block]:
    people = [
        row
        for row in rows
        if row["outcome"] == "survey_people" and row["subgroup"] == "all"
        and "," in str(row["population"])
    ]  # fmt: skip
    if not people:
        return []
    worth = {
        row["population"]: row
        for row in rows
        if row["outcome"] == "survey_effective_people" and row["subgroup"] == "all"
    }
    people.sort(key=lambda row: people_words(row["population"])[::-1])
    body = tuple(
        (
            (Name(capital(people_words(row["population"])[0])),),
            (Name(people_words(row["population"])[1]),),
            alone(row),
            figure(row, "n_places"),
            alone(worth[row["population"]]) if row["population"] in worth else (Text("no weight"),),
        )
        for row in people
    )
    head = ("Population", "How they were met", "People", "Areas", "Worth after weighting")
    note: Spans = (Text("Worth after weighting: how many people the weighted answers are worth."),)
    found: list[Block] = [
        Table("survey-people", "People whose answers count", head, body, frozenset({2, 3, 4}),
              note=note, stamp=material.tag, widths=(0.26, 0.3, 0.13, 0.13, 0.18))
    ]  # fmt: skip
    targets = [row for row in rows if row["outcome"] == "survey_areas_covered" and row["reason"]]
    found += [
        Paragraph((Text("Targets of the survey: ", strong=True), Name(str(row["reason"]))))
        for row in targets
    ]
    return found


_HEARD: dict[str, str] = {
    "interview_sessions": "sessions",
    "interview_areas_covered": "areas in which somebody was heard",
    "interview_areas_without_role": "areas in which no key user was heard",
    "interview_empty_cells": "combinations of area, population and hours with nobody",
}


def _interviews(material: Material, rows: Sequence[Row]) -> list[Block]:
    level = [row for row in rows if row["subgroup"] == "all" and row["horizon"] == "all"]
    people = [row for row in level if row["outcome"] == "interview_people"]
    if not people:
        return []
    everyone = [row for row in people if row["population"] == "people interviewed"]
    spans: list[Span] = [Text("Interviews: ", strong=True)]
    for row in everyone[:1]:
        spans += [*alone(row), Text(" people heard")]
    groups = [row for row in people if row not in everyone]
    for index, row in enumerate(groups):
        who = people_words(row["population"])[0]
        spans += [Text("; of them " if index == 0 else ", "), *alone(row), Name(f" {who}")]
    for name, words in _HEARD.items():
        for row in (row for row in level if row["outcome"] == name):
            spans += [Text("; "), *alone(row), Text(f" {words}")]
    listed = tuple(
        (Name(str(row["reason"])),)
        for row in level
        if row["outcome"] in _HEARD and row["reason"] and row["status"] == "estimated"
    )
    found: list[Block] = [Paragraph((*spans, Text(".")))]
    if listed:
        found.append(Folded("Where nobody was heard", (Bullets(listed),), printed=False))
    return found


def missing_locations(material: Material) -> list[Block]:
    """The share of records without a location by month, with what could have moved it."""
    rows = [
        row
        for row in material.of("data")
        if row["estimand"] == "missing_location_share" and month_of(str(row["horizon"]))
    ]
    firsts = {row["outcome"] for row in material.rows if row["role"] == "headline"}
    labels = list(
        dict.fromkeys(
            str(row["outcome_label"])
            for row in sorted(rows, key=lambda row: row["outcome"] not in firsts)
        )
    )
    found: list[Block] = []
    marks = [(row["starts_on"], str(sign)) for sign, row in numbered_shocks(material)]
    for index, label in enumerate(labels[:MOST_CHARTS]):
        same = [row for row in rows if row["outcome_label"] == label]
        same.sort(key=lambda row: str(row["horizon"]))
        if sum(bool(row["estimate"]) for row in same) < 2:
            continue
        title = f"Share of events without a location: {label}"
        table = parts.estimates_table(
            same, identity=f"missing-location-{index}-table", caption=title, by=("horizon",),
            stamp=material.tag,
        )  # fmt: skip
        spec = charts.monthly([(label, same)], axis="Per cent", marks=_days(marks), kind="")
        found.append(
            Figure(
                f"missing-location-{index}",
                title,
                "Share of events without a location in each month. Where it changes, a count by "
                "place changes with it. Broken vertical lines are the changes listed with it.",
                spec=spec,
                data=table,
                stamp=material.tag,
                note=_legend(material, same),
            )
        )
    return found


def _days(marks: Sequence[tuple[object, str]]) -> list[tuple[date, str]]:
    return [(day, sign) for day, sign in marks if isinstance(day, date)]


def numbered_shocks(material: Material) -> list[tuple[int, Row]]:
    """Changes that move counts without moving crime, numbered from one by their first day."""
    shocks = material.contents.shocks
    if shocks is None or not shocks.height:
        return []
    rows = shocks.sort("starts_on", "shock_id").iter_rows(named=True)
    return list(enumerate(rows, 1))


def _legend(material: Material, rows: Sequence[Row]) -> Spans:
    months = sorted(str(row["horizon"]) for row in rows)
    spans: list[Span] = []
    for sign, shock in numbered_shocks(material):
        if months[0] <= f"{shock['starts_on']}"[:7] <= months[-1]:
            spans += [
                Text("; " if spans else "Lines: "), Recorded(str(sign), "shocks"), Text(" "),
                Name(str(shock["name"])),
            ]  # fmt: skip
    return (*spans, Text(".")) if spans else ()
