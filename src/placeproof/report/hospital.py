"""RQ10: hospital attendances month by month, with what is missing shown as missing."""

from collections.abc import Sequence

from placeproof.report import attendances, charts
from placeproof.report import findings as parts
from placeproof.report.document import Block, Figure, Paragraph, Spans, Text
from placeproof.report.findings import with_interval
from placeproof.report.material import Material, Row
from placeproof.report.words import capital, month_of, subgroup_words

MOST_SITES = 4


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show attendances by month and site, and totals.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ10.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        Charts of levels, never of an effect.
    """
    shown = attendances.blocks(material, key, rows)
    rows = [row for row in rows if not attendances.takes(row)]
    monthly = [row for row in rows if month_of(str(row["horizon"])) and row["unit"] != "share"]
    found: list[Block] = []
    totals = [
        row for row in rows
        if row["horizon"] == "all" and row["status"] != "not_identified" and not _is_area(row)
    ]  # fmt: skip
    if totals:
        found.append(
            parts.pivot(
                totals,
                identity=f"{key}-totals",
                caption="In all months together",
                corner="What",
                down=lambda row: _named(row),
                across=lambda row: "over all months",
                columns=["over all months"],
                stamp=material.tag,
                cell=with_interval,
                widths=(0.72, 0.28),
            )
        )
    sites = [row for row in monthly if not _is_area(row)]
    kinds = dict.fromkeys((str(row["outcome_label"]), str(row["subgroup"])) for row in sites)
    for index, (label, subgroup) in enumerate(list(kinds)[:MOST_SITES]):
        same = [
            row for row in sites if (row["outcome_label"], row["subgroup"]) == (label, subgroup)
        ]
        found += _chart(material, f"{key}-months-{index}", same)
    if any(_is_area(row) for row in monthly):
        found.append(_areas(key))
    return [*shown, *found]


def _is_area(row: Row) -> bool:
    return str(row["subgroup"]).startswith("area=")


def _areas(key: str) -> Paragraph:
    words = (
        "Admissions are recorded by where people live, never by where the assault was; small "
        "numbers are suppressed at the source. By month and area they stand in the "
    )
    return parts.more(words, key)


def _named(row: Row) -> str:
    group = "" if row["subgroup"] == "all" else f", {subgroup_words(row['subgroup'])}"
    return f"{row['outcome_label']}{group}"


def _chart(material: Material, identity: str, rows: Sequence[Row]) -> list[Block]:
    if sum(row["status"] == "estimated" for row in rows) < 2:
        return []
    ordered = sorted(rows, key=lambda row: str(row["horizon"]))
    title = f"{capital(_named(ordered[0]))}, by month"
    table = parts.estimates_table(
        ordered, identity=f"{identity}-table", caption=title, by=("horizon",), stamp=material.tag
    )
    spec = charts.monthly(
        [(_named(ordered[0]), ordered)], axis=capital(str(ordered[0]["unit"])), kind=""
    )
    note: Spans = ()
    if any(row["status"] == "suppressed" for row in ordered):
        note = (Text("A cross at the foot marks a month whose number is suppressed."),)
    if any(row["status"] == "not_supplied" for row in ordered):
        note = (*note, Text(" A gap is a month that was not supplied."))
    alt = "Number of attendances in each month. Months that were not supplied are gaps, suppressed "
    alt += "ones are crosses at the foot; the table that follows holds the same figures."
    return [Figure(identity, title, alt, spec=spec, data=table, stamp=material.tag, note=note)]
