"""The annexes: all methods, all findings, data quality, definitions, provenance."""

import json
from collections.abc import Mapping

import polars as pl

from placeproof.report import findings as parts
from placeproof.report import impact, provenance
from placeproof.report.document import (
    Block,
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
from placeproof.report.spans import figure, recorded


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
            provenance.section(material),
        ),
        kind="annexes",
    )


def _methods(material: Material) -> Section:
    blocks: list[Block] = []
    for key in _OF_IMPACT:
        blocks += _methods_of(material, key)
    before_after = [row for row in material.rows if row["role"] == "not_impact"]
    before_after = [row for row in before_after if row["method"] == "before_after"]
    if before_after:
        by = ("outcome", *parts.differing(before_after, "population", "hours"))
        by = by if len({row["population"] for row in before_after}) > 1 else ("outcome",)
        blocks.append(
            parts.estimates_table(
                before_after, identity="not-impact",
                caption="Before against after alone: not impact", by=by, stamp=material.tag,
            )
        )  # fmt: skip
        blocks.append(parts.not_impact_note())
    if not blocks:
        blocks.append(Paragraph((Text("No estimate of an effect was released in this run."),)))
    return Section("all-methods", (Text("All methods"),), tuple(blocks))


_OF_IMPACT = ("RQ1", "RQ2", "RQ3")
_COLUMNS = {
    impact.HEADLINE: "headline method",
    impact.ADJUSTED: "adjusted for earlier trend",
    "poisson_two_way_fixed_effects": "two-way regression",
    "poisson_imputation_placebo_permutation": "placebo p",
    "events": "events prevented",
    "drift": "drift before patrols",
}


def _methods_of(material: Material, key: str) -> list[Block]:
    chosen = [
        row
        for row in material.of(key)
        if row["horizon"] == "all" and row["subgroup"] == "all" and row["hours"] == "all"
        and _column(row)
    ]  # fmt: skip
    if not chosen:
        return []
    first = material.headline_outcomes(key)
    chosen.sort(key=lambda row: (row["outcome"] not in first, str(row["outcome_label"])))
    note = (Text("Events prevented: below nought, events that came on top."),)
    return [
        parts.pivot(
            chosen,
            identity=f"methods-{key}",
            caption=f"{key}: every method, in the hot spots and around them",
            corner="Outcome and place",
            down=lambda row: parts.label(row, "outcome", "population"),
            across=_column,
            columns=list(_COLUMNS.values()),
            stamp=material.tag,
            cell=_method_cell,
            note=(*parts.level_note(chosen), Text(" "), *note),
        )
    ]


def _column(row: Row) -> str:
    if row["estimand"] == "rate_ratio":
        return _COLUMNS.get(str(row["method"]), "")
    special = {"events_prevented": "events", "pre_trend_slope": "drift"}
    return _COLUMNS.get(special.get(str(row["estimand"]), ""), "")


def _method_cell(row: Row) -> Spans:
    if row["method"] == "poisson_imputation_placebo_permutation":
        return figure(row, "p_value")
    if row["method"] == impact.ADJUSTED:
        return impact.adjusted_cell(row)
    return parts.with_interval(row)


def _quality(material: Material) -> Section:
    contents = material.contents
    blocks: list[Block] = []
    if contents.notices.height:
        notices = recorded(
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
            absent="",
        )
        words = "Warnings stand with the limitations; the page for the screen holds every notice."
        blocks.append(Paragraph((Text(words),)))
        blocks.append(Folded("All notices", (notices,), printed=False))
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
