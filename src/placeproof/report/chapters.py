"""The chapters around the findings: summary, background, methods, delivery, limitations."""

from collections.abc import Sequence

import polars as pl

from placeproof.report import findings as parts
from placeproof.report import maps
from placeproof.report.document import (
    Block,
    Bullets,
    Day,
    Figure,
    Folded,
    Name,
    Paragraph,
    Recorded,
    Section,
    Spans,
    Table,
    Text,
)
from placeproof.report.material import Material, Row
from placeproof.report.numbers import whole
from placeproof.report.questions import status_words
from placeproof.report.spans import cell, number, recorded, sentence


def summary(material: Material) -> Section:
    """Two pages that stand alone: the answer to each question and the headline numbers."""
    blocks: list[Block] = []
    blocks += material.authored("summary")
    blocks.append(_answers_table(material))
    keys = [str(answer["question"]) for answer in material.answers]
    headlines = [row for key in keys for row in material.of(key) if row["role"] == "headline"]
    if headlines:
        blocks.append(
            parts.estimates_table(
                headlines,
                identity="headline-numbers",
                caption="Headline numbers, one for each question and outcome",
                by=("outcome", *parts.differing(headlines, "population", "estimand", "subgroup")),
                stamp=material.stamp,
            )
        )
    if not material.rows:
        blocks.append(Paragraph((Text("No finding was released in this run."),)))
    return Section("summary", (Text("Summary"),), tuple(blocks), kind="summary")


def _answers_table(material: Material) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for answer in material.answers:
        words = answer["because"] if answer["status"] == "not answerable" else answer["summary"]
        short = str(words).split("\n\n")[0]
        rows.append(
            (
                (Name(str(answer["question"])), Text(". "), Name(str(answer["title"]))),
                (Text(status_words(answer["status"]), strong=True),),
                sentence(short, material.by_id),
                (Text(str(answer["confidence"])),),
            )
        )
    return Table(
        "answers",
        "Answers to the research questions",
        ("Question", "Status", "Answer", "Confidence"),
        tuple(rows),
        stamp=material.stamp,
        widths=(0.24, 0.13, 0.5, 0.13),
    )


def background(material: Material) -> Section:
    """The authors' background."""
    return Section("background", (Text("Background"),), material.authored("background"))


def aims(material: Material) -> Section:
    """Aims and the ten questions."""
    items = tuple(
        (Name(str(answer["question"])), Text(". "), Name(str(answer["title"])))
        for answer in material.answers
    )
    blocks: tuple[Block, ...] = (*material.authored("aims"), Bullets(items))
    return Section("aims", (Text("Aims and questions"),), blocks)


def methods(material: Material) -> Section:
    """Data and methods: what came in, what was kept, and where the places are."""
    return Section(
        "methods",
        (Text("Data and methods"),),
        material.authored("methods"),
        (_data(material), _places(material)),
    )


def _data(material: Material) -> Section:
    receipts = material.contents.receipts
    blocks: list[Block] = []
    if receipts.height:
        blocks.append(
            Paragraph(
                (
                    Text(
                        "Rows in equal rows kept, rows quarantined and rows superseded by a later "
                        "extract. Nothing is dropped in silence."
                    ),
                )
            )
        )
        blocks.append(feeds_table(receipts))
    else:
        blocks.append(Paragraph((Text("No file was read in this run."),)))
    rows = material.of("data")
    levels = [row for row in rows if row["horizon"] == "all"]
    whole = [row for row in levels if row["subgroup"] == "all"]
    split = [row for row in levels if row["subgroup"] != "all"]
    if whole:
        blocks.append(_data_table(material, whole, "data-findings", "What the data look like"))
    if split:
        table = _data_table(material, split, "data-in-parts", "What the data look like, in parts")
        blocks.append(Folded(table.caption, (table,), printed=False))
    return Section("data", (Text("Data"),), tuple(blocks))


def _data_table(material: Material, rows: Sequence[Row], identity: str, caption: str) -> Table:
    by = parts.differing(rows, "outcome", "population", "estimand", "method", "hours", "subgroup")
    return parts.estimates_table(
        rows, identity=identity, caption=caption, by=by, stamp=material.stamp
    )


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
            (Name(str(row["feed"])),),
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


def _places(material: Material) -> Section:
    blocks: list[Block] = []
    places = material.contents.places
    drawing = maps.outlines(places, area_wkb=material.contents.area_wkb)
    if drawing:
        blocks.append(
            Figure(
                "map",
                "Hot spots, their rings and the comparison places",
                "Map of the study area with the outlines of hot spots, rings and comparison "
                "places; the table lists the hot spots.",
                svg=drawing,
                data=_places_table(places),
                printed_data=True,
            )
        )
    rows = material.of("places")
    levels = [row for row in rows if row["horizon"] == "all"]
    along = [row for row in rows if row["horizon"] != "all"]
    if levels:
        blocks.append(
            parts.estimates_table(
                levels,
                identity="places-findings",
                caption="Concentration and choice of places",
                by=("estimand", *parts.differing(levels, "outcome", "population", "method")),
                stamp=material.stamp,
            )
        )
    blocks += parts.series_block(
        along,
        identity="places-along",
        title="Concentration along its horizon",
        alt="Concentration along its horizon; the table that follows holds the figures.",
        along="",
        joined=True,
        stamp=material.stamp,
    )
    if not blocks:
        blocks.append(Paragraph((Text("No outlines of places were supplied."),)))
    return Section("places", (Text("Places"),), tuple(blocks))


def _places_table(places: pl.DataFrame) -> Table:
    spots = places.filter(pl.col("kind") == "hotspot").sort("place_id")
    rows = tuple(
        (
            (Name(str(row["name"])),),
            cell(row["town"]),
            (Day(row["first_treated"]),) if row["first_treated"] else (Text("never"),),
            (Recorded(whole(row["area_m2"]), "map"),) if row["area_m2"] else (Text("none"),),
        )
        for row in spots.iter_rows(named=True)
    )
    head = ("Hot spot", "Town or district", "First day of patrols", "Area, square metres")
    return Table("hot-spots", "Hot spots", head, rows, frozenset({3}))


def delivery(material: Material) -> Section:
    """What was delivered, before any word of impact."""
    blocks: list[Block] = list(material.authored("delivery"))
    rows = material.of("delivery")
    if not rows:
        blocks.append(
            Paragraph(
                (
                    Text(
                        "Delivery was not supplied: no position reports, ready-made visits, "
                        "tasking or logs. What the patrols did is not known, and no estimate "
                        "below can tell a weak dose from a weak effect."
                    ),
                )
            )
        )
    whole = [row for row in rows if row["horizon"] == "all" and row["subgroup"] == "all"]
    split = [row for row in rows if row["horizon"] == "all" and row["subgroup"] != "all"]
    if whole:
        blocks.append(
            parts.estimates_table(
                whole,
                identity="delivered",
                caption="What was delivered",
                by=("outcome", *_further(whole)),
                stamp=material.stamp,
            )
        )
    if split:
        table = parts.estimates_table(
            split,
            identity="delivered-by-group",
            caption="What was delivered, in parts",
            by=("outcome", "subgroup", *_further(split)),
            stamp=material.stamp,
        )
        blocks.append(Folded("What was delivered, in parts", (table,), printed=False))
    along = [row for row in rows if row["horizon"] != "all"]
    kinds = dict.fromkeys((str(row["outcome_label"]), str(row["unit"])) for row in along)
    for index, (label, unit) in enumerate(kinds):
        same = [row for row in along if (row["outcome_label"], row["unit"]) == (label, unit)]
        blocks += _delivered_along(material, same, label, index)
    return Section("delivery", (Text("Delivery"),), tuple(blocks))


def _further(rows: Sequence[Row]) -> tuple[str, ...]:
    found = parts.differing(rows, "outcome", "population", "hours", "estimand")
    return tuple(name for name in found if name != "outcome")


def _delivered_along(
    material: Material, rows: Sequence[Row], label: str, index: int
) -> tuple[Block, ...]:
    return parts.series_block(
        rows,
        identity=f"delivery-along-{index}",
        title=label,
        alt="Delivery along its horizon; the table that follows holds the figures.",
        along="",
        joined=True,
        stamp=material.stamp,
    )


def limitations(material: Material) -> Section:
    """What the data cannot bear: notices, shocks, missing places, and the authors' words."""
    blocks: list[Block] = list(material.authored("limitations"))
    missing = [row for row in material.rows if str(row["estimand"]).startswith("missing_location")]
    blocks += parts.series_block(
        [row for row in missing if row["horizon"] != "all"],
        identity="missing-location",
        title="Share of rows without a location",
        alt="Share of rows without a location in each period. Where it changes, a count by place "
        "changes with it.",
        along="",
        joined=True,
        stamp=material.stamp,
    )
    bounds = [row for row in material.rows if "bound" in f"{row['estimand']} {row['method']}"]
    if bounds:
        blocks.append(
            parts.estimates_table(
                bounds,
                identity="location-bounds",
                caption="Bounds on the bias that missing locations can cause",
                by=("outcome", "estimand", *parts.differing(bounds, "population", "method")),
                stamp=material.stamp,
            )
        )
    blocks += _shocks(material)
    notices = material.contents.notices
    if notices.height:
        columns = {"feed": "Feed", "severity": "Severity", "message": "What was noticed"}
        blocks.append(
            recorded(
                notices.filter(pl.col("severity") != "note")
                if "severity" in notices.columns
                else notices,
                identity="warnings",
                caption="What reading the data noticed",
                columns=columns,
            )
        )
    unanswered = tuple(
        (
            Name(f"{answer['question']}"),
            Text(": "),
            *sentence(str(answer["because"]), material.by_id),
        )
        for answer in material.answers
        if answer["status"] != "answered"
    )
    if unanswered:
        blocks.append(Paragraph((Text("Questions that these data do not fully bear:"),)))
        blocks.append(Bullets(unanswered))
    return Section("limitations", (Text("Limitations"),), tuple(blocks))


def _shocks(material: Material) -> list[Block]:
    shocks = material.contents.shocks
    if shocks is None or not shocks.height:
        return []
    rows = tuple(
        (
            (Name(str(row["name"])),),
            (Day(row["starts_on"]),),
            (Day(row["ends_on"]),) if row["ends_on"] else (Text("goes on"),),
            (Name(str(row["kind"])),),
        )
        for row in shocks.sort("starts_on", "shock_id").iter_rows(named=True)
    )
    head = ("What happened", "From", "To", "Kind")
    return [Table("shocks", "Changes that move counts without moving crime", head, rows)]


def recommendations(material: Material) -> Section:
    """The authors' recommendations; the program makes none."""
    text = material.authored("recommendations")
    return Section("recommendations", (Text("Recommendations"),), text)


def headline_rows(material: Material) -> list[Spans]:
    """The headline figures as runs of words, for a cover or a message."""
    return [
        (Name(str(row["outcome_label"])), Text(": "), number(row, "full"))
        for row in material.rows
        if row["role"] == "headline"
    ]
