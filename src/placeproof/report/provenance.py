"""Every finding with what it rests on: what findings share is said once."""

import json
from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from placeproof.report import findings as parts
from placeproof.report.document import (
    Block,
    Day,
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
from placeproof.report.figures import position
from placeproof.report.material import Material, Row
from placeproof.report.numbers import whole
from placeproof.report.spans import figure, number
from placeproof.report.words import (
    ROLE_WORDS,
    capital,
    horizon_words,
    hours_words,
    method_words,
    subgroup_words,
)


def section(material: Material) -> Section:
    """Every finding by question, and the bases that they rest on."""
    groups: dict[str, list[Row]] = {}
    for row in material.rows:
        groups.setdefault(str(row["question"]), []).append(row)
    for rows in groups.values():
        rows.sort(key=_in_reading_order)
    bases = _bases(groups)
    blocks: list[Block] = [
        Paragraph(
            (
                Text(
                    "Every finding, with what it rests on. On paper those that the printed pages "
                    "speak of; the page for the screen holds all. Code version, seed and plan "
                    "stand in the record of the run."
                ),
            )
        )
    ]
    if bases:
        blocks.append(_bases_table(material, bases))
    sections = tuple(
        Section(
            f"all-{question}",
            (Text("Findings: "), Name(_QUESTIONS.get(question, question))),
            (Folded("Open the findings", (_provenance_table(material, question, rows, bases),)),),
        )
        for question, rows in groups.items()
    )
    title = (Text("All findings and their provenance"),)
    return Section("provenance", title, tuple(blocks), sections)


_QUESTIONS = {"data": "the data", "places": "the places", "delivery": "delivery"}
Basis = tuple[str, str]


def _basis(row: Row) -> Basis:
    return (str(row["feeds"]), str(row["inputs"]))


def _bases(groups: Mapping[str, list[Row]]) -> dict[Basis, int]:
    """What findings rest on, numbered from one in the order of reading."""
    found: dict[Basis, int] = {}
    for rows in groups.values():
        for row in rows:
            found.setdefault(_basis(row), len(found) + 1)
    return found


def _bases_table(material: Material, bases: Mapping[Basis, int]) -> Table:
    """Each set of files and tables once, with rows kept and quarantined."""
    kept = _rows_by_feed(material.contents.receipts)
    files = file_numbers(material.contents.receipts)
    rows: list[tuple[Spans, ...]] = []
    for (feeds, inputs), index in bases.items():
        hashes = [str(each) for each in json.loads(inputs)]
        known = ranges([files[each] for each in hashes if each in files])
        unknown = [each[:8] for each in hashes if each not in files]
        listed: list[Span] = [Recorded(known, "files")] if known else []
        if unknown:
            words = " ".join(unknown[:3]) + ("…" if len(unknown) > 3 else "")
            listed.append(Name(f" {words}", code=True))
        rows.append(
            (
                (Recorded(str(index), "basis"),),
                _tables_used(feeds, kept),
                tuple(listed) or (Text("no file"),),
            )
        )
    head = ("Basis", "Tables, with rows kept and in quarantine", "Files, by number")
    return Table("bases", "What findings rest on", head, tuple(rows), widths=(0.1, 0.55, 0.35))


def _tables_used(feeds: str, kept: Mapping[str, tuple[int, int]]) -> Spans:
    spans: list[Span] = []
    for feed in feeds.split():
        spans += [*([Text("; ")] if spans else []), Name(feed.replace("_", " "))]
        if feed in kept:
            used, quarantined = kept[feed]
            spans += [
                Text(" ("), Recorded(whole(used), "files"), Text(", "),
                Recorded(whole(quarantined), "files"), Text(")"),
            ]  # fmt: skip
    return tuple(spans)


_WITHIN = (
    "outcome_label",
    "definition_edition",
    "population",
    "estimand",
    "unit",
    "method",
    "role",
)


def _in_reading_order(row: Row) -> tuple[object, ...]:
    at = position(str(row["horizon"]))
    keys = (str(row[key]) for key in (*_WITHIN, "feeds", "inputs", "window_start", "window_end"))
    last = (str(row["subgroup"]), str(row["hours"]), at if at is not None else 0)
    return (*keys, *last, str(row["horizon"]))


def _provenance_table(
    material: Material, question: str, rows: list[Row], bases: Mapping[Basis, int]
) -> Table:
    groups: list[tuple[int, Spans]] = []
    body: list[tuple[Spans, ...]] = []
    for same in _runs(rows):
        reasons = dict.fromkeys(str(row["reason"]) for row in same if row["reason"])
        shared = tuple(reasons) if len(reasons) <= 2 else ()
        groups.append((len(body), _shared(same[0], shared, bases)))
        body += [_entry(row, said=not shared) for row in same]
    return Table(
        f"provenance-{question}",
        f"Findings: {_QUESTIONS.get(question, question)}",
        ("Finding", "Value", "Based on", "Hash of the value"),
        tuple(body),
        numeric=frozenset({2}),
        anchors=tuple(f"f-{row['finding_id']}" for row in rows),
        stamp=material.tag,
        widths=(0.34, 0.4, 0.11, 0.15),
        groups=tuple(groups),
    )


def _runs(rows: list[Row]) -> Iterable[list[Row]]:
    """Neighbours that share everything but group, hours and horizon."""
    last: tuple[object, ...] | None = None
    run: list[Row] = []
    for row in rows:
        key = tuple(
            row[name] for name in (*_WITHIN, "feeds", "inputs", "window_start", "window_end")
        )
        if key != last and run:
            yield run
            run = []
        run.append(row)
        last = key
    if run:
        yield run


def _shared(row: Row, reasons: tuple[str, ...], bases: Mapping[Basis, int]) -> Spans:
    spans: list[Span] = [
        Name(parts.label(row, "outcome", "population", "estimand")),
        Text("; "),
        Name(method_words(row)),
        Text(f" ({ROLE_WORDS[str(row['role'])]}); basis "),
        Recorded(str(bases[_basis(row)]), "basis"),
    ]
    if row["definition_edition"]:
        spans += [Text("; "), Name(str(row["definition_edition"]), code=True)]
    first, last = row["window_start"], row["window_end"]
    if isinstance(first, date) and isinstance(last, date):
        spans += [Text("; "), Day(first), Text(" to "), Day(last)]
    for reason in reasons:
        spans += [Text(". "), Name(reason.rstrip("."))]
    return tuple(spans)


def _entry(row: Row, *, said: bool) -> tuple[Spans, ...]:
    differing = [
        words(row[name])
        for name, words in (
            ("subgroup", subgroup_words), ("hours", hours_words), ("horizon", horizon_words)
        )
        if row[name] != "all"
    ]  # fmt: skip
    what = capital(", ".join(differing)) or "Overall"
    value: Spans = (number(row, "full"),)
    if said and row["reason"]:
        value = (*value, Text(": "), Name(str(row["reason"])))
    return (
        (Name(what),),
        value,
        figure(row, "n"),
        (Name(str(row["value_id"])[:12], code=True),),
    )


def file_numbers(receipts: pl.DataFrame) -> dict[str, int]:
    """The number of each file in the table of files, by its SHA-256."""
    if not receipts.height:
        return {}
    hashes = receipts.sort("feed", "path")["sha256"].to_list()
    return {str(digest): index for index, digest in reversed(list(enumerate(hashes, 1)))}


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in short: "1-3, 7"."""
    found: list[list[int]] = []
    for each in sorted(set(numbers)):
        if found and each == found[-1][1] + 1:
            found[-1][1] = each
        else:
            found.append([each, each])
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in found)


def _rows_by_feed(receipts: pl.DataFrame) -> dict[str, tuple[int, int]]:
    if not receipts.height:
        return {}
    key = "table" if "table" in receipts.columns else "feed"
    sums = receipts.group_by(key).agg(pl.col("rows_kept").sum(), pl.col("rows_quarantined").sum())
    return {
        str(row[key]): (row["rows_kept"], row["rows_quarantined"])
        for row in sums.iter_rows(named=True)
    }
