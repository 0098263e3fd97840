"""The effect in whole small areas beside the effect in the hot spots, one small table."""

from collections.abc import Sequence

from placeproof.report.document import Block, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import figure

POPULATION = "areas with treated hot spots"

_NOTE = (
    " An area (LSOA) that holds a hot spot is far larger than it, so that an effect of the patrols "
    "is thinned out in it; but every event with an area code counts, with or without a point, and "
    "nobody drew its outline around events. Areas near hot spots take no part."
)


def blocks(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> list[Block]:
    """
    Show the headline estimate by LSOA and month beside the one in the hot spots.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1, RQ2 or RQ3.
    rows : sequence of findings
        The findings of that question.
    headlines : sequence of findings
        Its headline effects in the hot spots.

    Returns
    -------
    list of Block
        One table, or a sentence that says why there is none; nothing where no areas were counted.
    """
    body: list[tuple[Spans, ...]] = []
    refused: dict[str, str] = {}
    for headline in headlines:
        found = [row for row in rows if _of_areas(row, headline)]
        for row in found:
            if row["status"] != "estimated":
                refused[str(headline["outcome_label"])] = str(row["reason"])
                continue
            body += [_line(headline, "hot spots"), _line(row, "areas that hold them")]
    if not body:
        return [
            Paragraph((Text("By LSOA: ", strong=True), Name(f"{label}: {why}")), "note")
            for label, why in refused.items()
        ]
    head = ("Outcome and where", "Change", "Smallest detectable", "Places", "Events")
    return [
        Table(
            f"{key}-areas", "The same effect by LSOA and month", head, tuple(body),
            frozenset({1, 2, 3, 4}), note=(*level_note(headlines), Text(_NOTE)),
            stamp=material.tag, widths=(0.44, 0.2, 0.16, 0.1, 0.1),
        )
    ]  # fmt: skip


def _of_areas(row: Row, headline: Row) -> bool:
    same = all(row[name] == headline[name] for name in ("outcome", "hours", "subgroup", "method"))
    return (
        same
        and row["population"] == POPULATION
        and row["estimand"] == "rate_ratio"
        and row["horizon"] == "all"
        and row["role"] == "robustness"
    )


def _line(row: Row, where: str) -> tuple[Spans, ...]:
    return (
        (Name(f"{row['outcome_label']}, {where}"),),
        with_interval(row),
        figure(row, "minimum_detectable_effect"),
        figure(row, "n_places"),
        figure(row, "n_events"),
    )
