"""RQ8 and RQ9: which groups and hours differ; the rest in the annex."""

import json
from collections.abc import Sequence

from placeproof.report import findings as parts
from placeproof.report import groups, night_patrols, nights
from placeproof.report.document import Block, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import alone, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.perceptions import interviews
from placeproof.report.spans import figure
from placeproof.report.words import capital, hours_words, subgroup_words

MOST = 15
"""The most contrasts in a table of the body; the annex holds them all."""

FEWEST = 5
"""Where fewer survive the correction, the clearest ones are shown up to this number."""


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show contrasts between hours or victims in records, and between groups in what people said.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ8 or RQ9.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        Tables of what differs.
    """
    return [
        *_hours(material, key, [row for row in rows if row["role"] != "robustness"]),
        *(nights.blocks(material, key, rows) if key == "RQ9" else []),
        *(night_patrols.blocks(material, key, rows) if key == "RQ9" else []),
        *(groups.blocks(material, key, rows) if key == "RQ8" else []),
        *_people(material, key, rows),
        *interviews(material, key, rows),
    ]


def _hours(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [
        row
        for row in rows
        if row["subgroup"] == "all" and row["horizon"] == "all"
        and (
            (row["estimand"] == "rate_ratio" and row["hours"] != "all")
            or row["estimand"] == "ratio_of_rate_ratios"
        )
    ]  # fmt: skip
    if not chosen:
        return []
    contrast = "night-time hours against other hours"

    def across(row: Row) -> str:
        return contrast if row["estimand"] == "ratio_of_rate_ratios" else hours_words(row["hours"])

    firsts = {row["outcome"] for row in chosen if row["role"] == "headline"}
    chosen.sort(key=lambda row: (row["outcome"] not in firsts, str(row["outcome_label"])))
    hours = sorted({across(row) for row in chosen} - {contrast}, key=_last_other)
    return [
        parts.pivot(
            chosen,
            identity=f"{key}-hours",
            caption="Change in the hot spots by hours",
            corner="Outcome",
            down=lambda row: str(row["outcome_label"]),
            across=across,
            columns=[*hours, contrast],
            stamp=material.tag,
            note=(
                *parts.level_note(chosen),
                Text(" The last column is the change in one divided by the change in the other."),
            ),
        )
    ]


def _last_other(words: str) -> tuple[bool, str]:
    return (words.startswith("other"), words)


def survives(row: Row) -> bool:
    """Whether a contrast stands after correction for the number of contrasts (Holm)."""
    held = json.loads(str(row["diagnostics"] or "{}")).get("p_value_holm")
    return isinstance(held, int | float) and held < 0.05


def _people(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    contrasts = [
        row
        for row in rows
        if str(row["estimand"]).startswith("difference") and row["status"] == "estimated"
    ]
    if not contrasts:
        return []
    met = [row for row in contrasts if "volunteer" not in str(row["population"])] or contrasts
    standing = sorted((row for row in met if survives(row)), key=_clearest)
    words: Spans
    if standing:
        words = (
            Text(
                "These contrasts stand after correction for the number of contrasts (Holm), the "
                "clearest first. People met by fieldworkers; volunteers are in the annex."
            ),
        )
        chosen = standing[:MOST]
    else:
        words = (
            Text(
                "No contrast stands after correction for the number of contrasts (Holm). The "
                "clearest are shown so that nobody takes the rest for larger."
            ),
        )
        chosen = sorted(met, key=_clearest)[:FEWEST]
    levels = {
        _key(row): row for row in rows if row["estimand"] in ("share", "mean") and row["subgroup"]
    }
    body = tuple(
        (
            (Name(str(row["outcome_label"])),),
            (Name(capital(str(row["population"]).partition(", ")[0])),),
            (Name(capital(subgroup_words(row["subgroup"]))),),
            alone(levels[_key(row)]) if _key(row) in levels else (),
            with_interval(row),
            figure(row, "n"),
        )
        for row in chosen
    )
    head = ("Item", "Population", "Group", "In the group", "Against the others", "Based on")
    table = Table(
        f"{key}-contrasts", "Groups that differ in what they said", head, body,
        frozenset({3, 4, 5}), note=parts.level_note(chosen), stamp=material.tag,
    )  # fmt: skip
    return [Paragraph(words), table]


def _key(row: Row) -> tuple[str, ...]:
    unit = "share" if row["unit"] == "share" else "mean"
    return (*(str(row[name]) for name in ("outcome", "population", "subgroup", "hours")), unit)


def _clearest(row: Row) -> float:
    """How many standard errors a contrast lies from nought, the most first."""
    estimate, low, high = row["estimate"], row["lower"], row["upper"]
    if not isinstance(estimate, float) or not isinstance(low, float) or not isinstance(high, float):
        return 0.0
    return -abs(estimate) / (high - low) if high > low else 0.0
