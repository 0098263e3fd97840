"""The places: map, concentration, matching, and how the hot spots' ranks moved."""

from collections.abc import Sequence

import polars as pl

from placeproof.report import charts, figures, forge, maps
from placeproof.report import findings as parts
from placeproof.report.document import (
    Block,
    Day,
    Figure,
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
from placeproof.report.spans import cell

HALF = 0.5
"""From this share on, a place's events hang on one point."""


def section(material: Material) -> Section:
    """Where the hot spots are, how much happens in them, and what they are compared with."""
    places = material.contents.places
    rows = material.of("places")
    found: list[Block] = []
    drawing = maps.outlines(places, area_wkb=material.contents.area_wkb)
    if drawing:
        found.append(
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
    found += _concentration(material, rows)
    found += forge.balance(material, rows)
    found += _single_points(rows, _hot_spots(places))
    found += _ranks(material, rows)
    if not found:
        found.append(Paragraph((Text("No outlines of places were supplied."),)))
    elif rows:
        found.append(parts.more("Everything counted about the places stands in the ", "places"))
    return Section("places", (Text("Places"),), tuple(found))


def _hot_spots(places: pl.DataFrame) -> set[str]:
    return set(places.filter(pl.col("kind") == "hotspot")["place_id"].to_list())


def _places_table(places: pl.DataFrame) -> Table:
    spots = places.filter(pl.col("kind") == "hotspot").sort("place_id", "version")
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


def _concentration(material: Material, rows: Sequence[Row]) -> list[Block]:
    tops = [row for row in rows if row["estimand"] == "top_share"]
    drawn = [
        row for row in tops if row["status"] == "estimated" and str(row["horizon"])[:4] == "top="
    ]
    found: list[Block] = []
    others = [
        row
        for row in rows
        if row["estimand"] in ("gini_corrected", "share_in_hotspots", "places_derived")
    ]
    others += [row for row in tops if row not in drawn or len(drawn) < 2]
    if len(drawn) >= 2:
        drawn.sort(key=lambda row: figures.position(str(row["horizon"])) or 0)
        title = f"How much happens in the fullest places: {drawn[0]['outcome_label']}"
        drawn = [row for row in drawn if row["outcome"] == drawn[0]["outcome"]]
        table = parts.estimates_table(
            drawn, identity="concentration-table", caption=title, by=("horizon",),
            stamp=material.tag,
        )  # fmt: skip
        alt = "Share of all events in the fullest places against the number of places, from "
        alt += "nought; the table that follows holds the same figures."
        spec = charts.concentration(drawn)
        found.append(Figure("concentration", title, alt, spec=spec, data=table, stamp=material.tag))
    if others:
        found.append(_said("Also: " if found else "", others))
    return found


def _said(start: str, rows: Sequence[Row]) -> Paragraph:
    spans: list[Span] = [Text(start)] if start else []
    for index, row in enumerate(rows):
        words = parts.label(row, "estimand")
        words = words if index == 0 and not start else words[:1].lower() + words[1:]
        outcome = f" ({row['outcome_label']})"
        spans += [Text("; ") if index else Text(""), Name(words + outcome), Text(": "), *alone(row)]
    return Paragraph((*spans, Text(".")))


def _single_points(rows: Sequence[Row], spots: set[str]) -> list[Block]:
    """Hot spots whose events hang on one point: one sentence."""
    flagged = [
        row
        for row in rows
        if row["estimand"] == "single_point_share"
        and isinstance(row["estimate"], float)
        and row["estimate"] >= HALF
        and (not spots or str(row["horizon"]).partition("=")[2] in spots)
    ]
    flagged.sort(key=lambda row: (-float(str(row["estimate"])), str(row["horizon"])))
    if not flagged:
        return []
    spans: list[Span] = [
        Text("Hanging on one point: ", strong=True),
        Text("in these hot spots half of the events or more stand at a single point: "),
    ]
    for index, row in enumerate(flagged):
        spans += [Text(", " if index else ""), Name(parts.label(row, "horizon")), Text(" ("),
                  *alone(row), Text(")")]  # fmt: skip
    return [Paragraph((*spans, Text(".")))]


def _ranks(material: Material, rows: Sequence[Row]) -> list[Block]:
    befores = {str(row["horizon"]): row for row in rows if row["estimand"] == "rank_before"}
    afters = {str(row["horizon"]): row for row in rows if row["estimand"] == "rank_after"}
    pairs = [
        (parts.label(befores[key], "horizon"), befores[key], afters[key])
        for key in befores
        if key in afters
        and befores[key]["status"] == "estimated" == afters[key]["status"]
    ]  # fmt: skip
    pairs.sort(key=lambda pair: (float(str(pair[1]["estimate"])), pair[0]))
    found: list[Block] = []
    if len(pairs) >= 2:
        title = "Rank of the hot spots before (hollow) and after patrols began (filled)"
        both = [row for _, before, after in pairs for row in (before, after)]
        table = parts.pivot(
            both, identity="ranks-table", caption=title, corner="Hot spot",
            down=lambda row: parts.label(row, "horizon"),
            across=lambda row: "before" if row["estimand"] == "rank_before" else "after",
            columns=["before", "after"], stamp=material.tag, cell=alone,
        )  # fmt: skip
        alt = "One line for each hot spot from its rank before to its rank after patrols began; "
        alt += "the table that follows holds the same figures."
        reason = pairs[0][1]["reason"]
        note: Spans = (Name(str(reason)),) if reason else ()
        found.append(
            Figure(
                "ranks", title, alt, spec=charts.ranks(pairs), data=table, stamp=material.tag,
                note=note,
            )
        )  # fmt: skip
    kept = [
        row for row in rows if row["estimand"] in ("rank_correlation", "share_still_among_hottest")
    ]
    if kept:
        found.append(_said("", kept))
    return found
