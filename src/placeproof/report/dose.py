"""What can be identified here: which cohorts before against after, and what stands for them."""

from collections.abc import Sequence
from datetime import date

from placeproof.report.document import Block, Bullets, Day, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import figure, number

_TURNS = (
    "Where before and after cannot be compared, three other comparisons may stand, each with what "
    "it can bear:"
)
_LATER = (
    "Later cohorts bear what patrols changed in their own places, if these would have moved as "
    "their comparison places did; of the places that are not identified they say nothing."
)
_NO_COHORT = "Later cohorts: none is identified."


def identified(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Say which cohorts bear a comparison of before and after, and what the report turns to.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1, RQ2 or RQ3.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        A table of cohorts under RQ1, and wherever a cohort is not identified; then also what
        stands in its place.
    """
    cohorts = sorted(
        (row for row in rows if row["estimand"] == "untreated_periods"),
        key=lambda row: (str(row["outcome"]), str(row["subgroup"])),
    )
    cohorts = [row for row in cohorts if row["outcome"] == cohorts[0]["outcome"]]
    if not cohorts:
        return []
    lost = [row for row in cohorts if row["reason"] is not None]
    if not lost and key != "RQ1":
        return []
    ratios = {
        str(row["subgroup"]): row
        for row in rows
        if row["outcome"] == cohorts[0]["outcome"]
        and row["estimand"] == "rate_ratio"
        and row["population"] == cohorts[0]["population"]
        and row["method"] == "poisson_imputation_jackknife"
        and row["horizon"] == "all"
        and row["hours"] == "all"
    }
    table = _table(material, key, cohorts, ratios)
    return [table, *_turns(cohorts, ratios, lost)] if lost else [table]


def _table(material: Material, key: str, cohorts: Sequence[Row], ratios: dict[str, Row]) -> Table:
    body: list[tuple[Spans, ...]] = []
    for row in cohorts:
        lost = row["reason"] is not None
        said: Spans = (Text("Not identified. ", strong=True), Name(str(row["reason"])))
        ratio = ratios.get(str(row["subgroup"]))
        body.append(
            (
                (Day(_first(row)),),
                figure(row, "n_places"),
                (number(row),),
                said if lost else (Text("Identified"),),
                () if lost or ratio is None else with_interval(ratio),
            )
        )
    shown = [row for row in ratios.values() if str(row["subgroup"]).startswith("cohort=")]
    head = ("First patrols", "Places", "Without patrols", "Before against after", "Change")
    words = " Without patrols: time before the first patrols that serves as baseline."
    return Table(
        f"{key}-identified", "What can be identified here", head, tuple(body),
        frozenset({1, 2, 4}), note=(*level_note(shown), Text(words)), stamp=material.tag,
        widths=(0.16, 0.09, 0.14, 0.39, 0.22),
    )  # fmt: skip


def _first(row: Row) -> date:
    return date.fromisoformat(str(row["subgroup"]).partition("=")[2])


def _turns(cohorts: Sequence[Row], ratios: dict[str, Row], lost: Sequence[Row]) -> list[Block]:
    held = [row for row in cohorts if row not in lost and str(row["subgroup"]) in ratios]
    later: Spans = (Text(_LATER if held else _NO_COHORT),)
    return [Paragraph((Text(_TURNS),)), Bullets((later,))]
