"""Attendances by whether a place could be told, the effect in hot spots, and its bounds."""

from collections.abc import Sequence

from placeproof.report import charts
from placeproof.report import findings as parts
from placeproof.report.document import Block, Figure, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import figure

MATCHED = "matching_to_gazetteer"
OUTCOME = "ed_assaults_in_hot_spots"
_VARIANTS = {
    "unlocated=proportional": "Those without a place lie as those with one",
    "unlocated=more": "Moderate: more of them in patrolled places",
    "unlocated=fewer": "Moderate: fewer of them in patrolled places",
    "unlocated=highest": "All of them where they raise it most",
    "unlocated=lowest": "All of them where they lower it most",
}
_NOTE = (
    " An attendance has a place where the words of the patient name one of the study's places "
    "surely enough; nothing of those words is kept. Assaults in dwellings are left out. The bounds "
    "say what attendances without a place could do to the figure: the last two hold whatever is "
    "true of them."
)


def takes(row: Row) -> bool:
    """Whether a finding is shown here and not among the levels of hospitals."""
    return row["method"] == MATCHED or row["outcome"] == OUTCOME


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show where the assaults were by month, and the effect on those in hot spots with its bounds.

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
        Nothing where no attendance could be located.
    """
    mine = [row for row in rows if takes(row)]
    found: list[Block] = []
    shares = [row for row in mine if row["estimand"] == "share"]
    if shares:
        table = parts.estimates_table(
            shares, identity=f"{key}-located", caption="Where the assaults were",
            by=("outcome",), stamp=material.tag,
        )  # fmt: skip
        found += [table, *_months(material, key, mine)]
    return [*found, *_effect(material, key, mine)]


def _months(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    lines = []
    for outcome in ("ed_assaults_hot_spots", "ed_assaults_elsewhere"):
        same = [row for row in rows if row["outcome"] == outcome and row["estimand"] == "count"]
        if sum(row["status"] == "estimated" for row in same) >= 2:
            same.sort(key=lambda row: str(row["horizon"]))
            lines.append((str(same[0]["outcome_label"]), same))
    if not lines:
        return []
    title = "Attendances with a place, by month"
    every = [row for _, same in lines for row in same]
    table = parts.estimates_table(
        every, identity=f"{key}-located-months-table", caption=title, by=("outcome", "horizon"),
        stamp=material.tag,
    )  # fmt: skip
    spec = charts.monthly(lines, axis="People", kind="")
    alt = "Attendances in hot spots and at known places elsewhere in each month; a cross at the "
    alt += "foot marks a number that is suppressed. The table that follows holds the same figures."
    note: Spans = (Text("A cross at the foot marks a month whose number is suppressed."),)
    return [
        Figure(f"{key}-located-months", title, alt, spec=spec, data=table, stamp=material.tag,
               note=note)
    ]  # fmt: skip


def _effect(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    ratios = [row for row in rows if row["estimand"] == "rate_ratio"]
    main = [row for row in ratios if row["role"] == "headline"]
    if not main:
        return []
    if main[0]["status"] != "estimated":
        words = (Text("Effect on attendances: ", strong=True), Name(str(main[0]["reason"])))
        return [Paragraph(words, "note")]
    adjusted = [row for row in ratios if str(row["method"]).endswith("trend_adjusted")]
    by = {str(row["horizon"]): row for row in ratios if row["status"] == "estimated"}
    lines: list[tuple[str, Row]] = [("Attendances with a place", main[0])]
    lines += [("The same, adjusted for the earlier trend", row) for row in adjusted[:1]]
    lines += [(words, by[name]) for name, words in _VARIANTS.items() if name in by]
    body = tuple(
        ((Text(words),), with_interval(row), figure(row, "minimum_detectable_effect"))
        for words, row in lines
    )
    head = ("Attendances after assault in hot spots", "Change", "Smallest detectable")
    note = (*level_note(main), Text(_NOTE))
    return [
        Table(
            f"{key}-effect", "Effect on attendances, and what those without a place could do to it",
            head, body, frozenset({1, 2}), note=note, stamp=material.tag, widths=(0.5, 0.3, 0.2),
        )
    ]  # fmt: skip
