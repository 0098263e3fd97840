"""Harm beside counts: one small table, each edition of the index in its own line."""

from collections.abc import Sequence

from placeproof.report.document import Block, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import figure, number

RATIO, PREVENTED = "harm_rate_ratio", "harm_prevented"
_ADJUSTED = "poisson_imputation_trend_adjusted"
_NOTE = (
    " Each crime weighs what the index gives its offence; offences that police work finds are left "
    "out. Less than expected: harm expected without patrols minus harm recorded, in the unit of "
    "the index; below nought there was more. Harm rests on few grave crimes, so that it shows only "
    "larger changes than counts do."
)


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show the change in harm with its trend adjustment, its size and what it could have shown.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1 or RQ2.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        One table, or why there is none; nothing where the question has nothing on harm.
    """
    ratios = [row for row in rows if row["estimand"] == RATIO and row["method"] != _ADJUSTED]
    shown = [row for row in ratios if row["status"] == "estimated"]
    found: list[Block] = []
    if shown:
        head = ("Harm and edition", "Change in harm", "Adjusted for earlier trend",
                "Less than expected", "Smallest detectable")  # fmt: skip
        found.append(
            Table(
                f"{key}-harm", "Harm in the hot spots", head,
                tuple(_line(rows, row) for row in shown), frozenset({1, 2, 3, 4}),
                note=(*level_note(shown), Text(_NOTE), *_limits(shown)), stamp=material.tag,
                widths=(0.36, 0.18, 0.18, 0.16, 0.12),
            )
        )  # fmt: skip
    found += [
        Paragraph(
            (Text("Harm: ", strong=True), Name(f"{row['outcome_label']}: {row['reason']}")), "note"
        )
        for row in ratios
        if row["status"] != "estimated" and row["reason"]
    ]
    return found


def _line(rows: Sequence[Row], ratio: Row) -> tuple[Spans, ...]:
    def beside(estimand: str, method: str) -> Row | None:
        for row in rows:
            same = all(row[name] == ratio[name] for name in ("outcome", "definition_edition"))
            if same and row["estimand"] == estimand and row["method"] == method:
                return row
        return None

    adjusted = beside(RATIO, _ADJUSTED)
    prevented = beside(PREVENTED, str(ratio["method"]))
    return (
        (Name(str(ratio["outcome_label"])),),
        with_interval(ratio),
        with_interval(adjusted) if adjusted else (),
        (number(prevented), *((Text(" "), Name(_unit(prevented))))) if prevented else (),
        figure(ratio, "minimum_detectable_effect"),
    )


def _unit(row: Row) -> str:
    return str(row["unit"]).removeprefix("harm ")


def _limits(rows: Sequence[Row]) -> Spans:
    told = dict.fromkeys(
        f" {row['outcome_label']}: {row['reason']}" for row in rows if row["reason"]
    )
    return tuple(Name(words) for words in told)
