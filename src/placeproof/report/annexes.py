"""The annexes: all methods, all findings, data quality, definitions, provenance."""

import json
from collections.abc import Iterable, Mapping

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
from placeproof.report.spans import number, recorded


def section(material: Material) -> Section:
    """Everything that a reader may want to check."""
    return Section(
        "annexes",
        (Text("Annexes"),),
        (),
        (
            _methods(material),
            _quality(material),
            _definitions(material),
            _record(material),
            _provenance(material),
        ),
        kind="annexes",
    )


def _methods(material: Material) -> Section:
    blocks: list[Block] = []
    chosen = [
        row
        for row in material.rows
        if row["question"] in _OF_IMPACT
        and row["role"] in _COMPARED
        and row["horizon"] == "all"
        and row["subgroup"] == "all"
    ]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in chosen:
        groups.setdefault((str(row["question"]), str(row["outcome_label"])), []).append(row)
    for index, ((question, outcome), rows) in enumerate(groups.items()):
        by = ("method", *parts.differing(rows, "estimand", "population", "hours", "subgroup"))
        table = parts.estimates_table(
            rows,
            identity=f"methods-{index}",
            caption=f"{question}: {outcome}",
            by=by,
            stamp=material.stamp,
        )
        blocks.append(table)
    if not blocks:
        blocks.append(Paragraph((Text("No estimate of an effect was released in this run."),)))
    return Section("all-methods", (Text("All methods"),), tuple(blocks))


_OF_IMPACT = ("RQ1", "RQ2", "RQ3", "data")
_COMPARED = ("headline", "beside", "robustness", "negative_control", "placebo", "not_impact")


def _quality(material: Material) -> Section:
    contents = material.contents
    blocks: list[Block] = []
    if contents.notices.height:
        blocks.append(
            recorded(
                contents.notices,
                identity="notices",
                caption="Notices",
                columns={
                    "feed": "Feed",
                    "severity": "Severity",
                    "message": "What was noticed",
                    "mend": "How to mend it",
                    "rows": "Rows",
                },
            )
        )
    if contents.quarantine.height:
        keys = [
            k
            for k in ("feed", "column", "rule", "expected", "mend")
            if k in contents.quarantine.columns
        ]
        reasons = contents.quarantine.group_by(keys).agg(pl.len().alias("rows")).sort(keys)
        blocks.append(
            recorded(
                reasons,
                identity="quarantine",
                caption="Rows in quarantine, by reason",
                columns={
                    "feed": "Feed",
                    "column": "Column",
                    "rule": "Rule",
                    "expected": "Expected",
                    "mend": "How to mend it",
                    "rows": "Rows",
                },
            )
        )
    if not blocks:
        blocks.append(Paragraph((Text("No notice, and no row in quarantine."),)))
    return Section("data-quality", (Text("Data quality"),), tuple(blocks))


def _definitions(material: Material) -> Section:
    editions = sorted(
        {
            (str(row["definition_edition"]), str(row["outcome_label"]))
            for row in material.rows
            if row["definition_edition"]
        }
    )
    if not editions:
        empty = Paragraph((Text("No registered definition was used in this run."),))
        return Section("definitions", (Text("Definitions"),), (empty,))
    rows = tuple(((Name(words),), (Name(edition, code=True),)) for edition, words in editions)
    head = ("Outcome", "Definition, edition and hash")
    table = Table("definition-editions", "Definitions that were used", head, rows)
    return Section("definitions", (Text("Definitions"),), (table,))


def _record(material: Material) -> Section:
    manifest = _flat(material.contents.manifest)
    rows: tuple[tuple[Spans, ...], ...] = tuple(
        ((Name(key),), (Recorded(value, "run"),)) for key, value in manifest
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(Table("run", "The run", ("What", "Value"), rows, widths=(0.35, 0.65)))
    if material.contents.receipts.height:
        blocks.append(_files(material.contents.receipts))
    blocks.append(
        Paragraph(
            (
                Text("Terms are explained in the project's glossary ("),
                Name("GLOSSARY.md", code=True),
                Text(")."),
            ),
            "note",
        )
    )
    return Section("record", (Text("Record of the run"),), tuple(blocks))


def _flat(manifest: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key in sorted(manifest):
        value = manifest[key]
        if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
            continue  # lists of files and the like have tables of their own
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}, ")
        else:
            words = (
                value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
            )
            found.append((name, words))
    return found


def _files(receipts: pl.DataFrame) -> Table:
    counts = [
        name
        for name in ("rows_in", "rows_kept", "rows_quarantined", "rows_superseded")
        if name in receipts.columns
    ]
    rows = tuple(
        (
            (Recorded(f"{index}", "files"), Text(". "), Name(str(row["path"]))),
            *((Recorded(whole(row[name] or 0), "files"),) for name in counts),
            (Name(str(row["sha256"])[:16], code=True),),
        )
        for index, row in enumerate(receipts.sort("feed", "path").iter_rows(named=True), 1)
    )
    heads = (name.replace("_", " ").capitalize() for name in counts)
    head = ("File", *heads, "SHA-256, first characters")
    return Table("files", "Files that were read", head, rows, frozenset(range(1, 1 + len(counts))))


def _provenance(material: Material) -> Section:
    kept = _rows_by_feed(material.contents.receipts)
    files = file_numbers(material.contents.receipts)
    groups: dict[str, list[Row]] = {}
    for row in material.rows:
        groups.setdefault(str(row["question"]), []).append(row)
    for rows in groups.values():
        rows.sort(key=_in_reading_order)
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
    for question, rows in groups.items():
        title = f"Findings: {question}"
        blocks.append(
            Folded(title, (_provenance_table(material, title, question, rows, kept, files),))
        )
    return Section("provenance", (Text("All findings and their provenance"),), tuple(blocks))


def _in_reading_order(row: Row) -> tuple[object, ...]:
    at = position(str(row["horizon"]))
    keys = ("outcome_label", "estimand", "method", "population", "subgroup", "hours")
    return (*(str(row[key]) for key in keys), at if at is not None else 0, str(row["horizon"]))


def _provenance_table(
    material: Material,
    title: str,
    question: str,
    rows: list[Row],
    kept: dict[str, tuple[int, int]],
    files: dict[str, int],
) -> Table:
    return Table(
        f"provenance-{question}",
        title,
        ("Finding", "Value", "Estimand and method", "Rests on"),
        tuple(_entry(row, kept, files) for row in rows),
        anchors=tuple(f"f-{row['finding_id']}" for row in rows),
        stamp=material.stamp,
        widths=(0.33, 0.19, 0.21, 0.27),
    )


def _entry(row: Row, kept: dict[str, tuple[int, int]], files: dict[str, int]) -> tuple[Spans, ...]:
    what = [Name(parts.label(row, "outcome", "population"))]
    for name, words in (("subgroup", parts.subgroup_words), ("hours", parts.hours_words)):
        if row[name] != "all":
            what.append(Name(f", {words(row[name])}"))
    if row["horizon"] != "all":
        what.append(Name(f", {row['horizon']}"))
    window: Spans = ()
    if row["window_start"] and row["window_end"]:
        window = (Text(", "), Day(row["window_start"]), Text(" to "), Day(row["window_end"]))  # type: ignore[arg-type]
    value: Spans = (number(row, "full"),)
    if row["status"] != "estimated" and row["reason"]:
        value = (*value, Text(": "), Name(str(row["reason"])))
    method: Spans = (
        Name(f"{parts.plain(row['estimand'])}; {parts.plain(row['method'])}"),
        Text(f" ({parts.ROLE_WORDS[str(row['role'])]})"),
    )
    return ((*what, *window), value, method, _rests_on(row, kept, files))


def _rests_on(row: Row, kept: dict[str, tuple[int, int]], files: dict[str, int]) -> Spans:
    spans: list[Span] = []
    if row["definition_edition"]:
        spans += [Name(str(row["definition_edition"]), code=True), Text("; ")]
    for feed in str(row["feeds"]).split():
        spans.append(Name(feed))
        if feed in kept:
            used, quarantined = kept[feed]
            spans += [
                Text(" ("), Recorded(whole(used), "files"), Text(" rows kept, "),
                Recorded(whole(quarantined), "files"), Text(" in quarantine)"),
            ]  # fmt: skip
        spans.append(Text("; "))
    if row["n"] is not None and row["status"] == "estimated":
        spans += [Text("based on "), number(row, "n"), Text("; ")]
    hashes = json.loads(str(row["inputs"]))
    spans.append(Text("files " if hashes else "no file"))
    spans.append(Recorded(ranges([files[each] for each in hashes if each in files]), "files"))
    unknown = [str(each)[:8] for each in hashes if each not in files]
    if unknown:
        spans.append(Name(" ".join(unknown[:3]) + ("…" if len(unknown) > 3 else ""), code=True))
    spans += [Text("; value "), Name(str(row["value_id"])[:12], code=True)]
    return tuple(spans)


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
