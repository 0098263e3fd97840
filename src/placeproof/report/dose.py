"""What can be identified here: which cohorts before against after, and what stands for them."""

from collections.abc import Sequence
from datetime import date

from placeproof.report import figures
from placeproof.report.document import (
    Block,
    Bullets,
    Day,
    Figure,
    Name,
    Paragraph,
    Spans,
    Table,
    Text,
)
from placeproof.report.findings import estimates_table, level_note, with_interval
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
    return [table, *_turns(rows, cohorts, ratios, lost)] if lost else [table]


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


def _turns(
    rows: Sequence[Row], cohorts: Sequence[Row], ratios: dict[str, Row], lost: Sequence[Row]
) -> list[Block]:
    held = [row for row in cohorts if row not in lost and str(row["subgroup"]) in ratios]
    items: list[Spans] = [(Text(_LATER if held else _NO_COHORT),)]
    tasked = _tasked(rows)
    bears = [row for row in tasked if row["status"] == "estimated"]
    if any(_by_chance(row) for row in bears):
        items.append((Text(_DAYS_BY_LOT),))
    elif bears:
        items.append((Text(_DAYS),))
    elif tasked:
        items.append((Text("Tasked days against others: "), Name(_small(tasked[0]["reason"]))))
    return [Paragraph((Text(_TURNS),)), Bullets(tuple(items))]


def _small(reason: object) -> str:
    words = str(reason or "not identified.")
    return words[:1].lower() + words[1:]


_DAYS_BY_LOT = (
    "Tasked days against others, where chance allotted them: they bear what a day with a patrol "
    "changes against a day without one in the same place. What lasts through both is in neither."
)
_DAYS = (
    "Tasked days against others: an association only, because people chose the days; and whatever "
    "lasts from one day to the next is in neither."
)


def days(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show days with a tasked patrol against days without one, and what is left of it afterwards.

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
        A table, and a figure of the days after a patrol; nothing where no tasking was supplied.
    """
    chosen = _tasked(rows)
    estimated = [row for row in chosen if row["status"] == "estimated"]
    if not estimated:
        return []
    body = tuple(
        ((Text(_words(row)),), with_interval(row), _p_value(row), figure(row, "n"))
        for row in estimated
    )
    head = ("Compared", "Change", "p", "Place-days")
    told: list[Spans] = [level_note(estimated), (Text(_DAY_NOTE),)]
    if any(not _by_chance(row) for row in estimated):
        told.append((Text(_ASSOCIATION, strong=True),))
    note = tuple(span for spans in told for span in spans)
    table = Table(
        f"{key}-days", "Days with a tasked patrol against days without one", head, body,
        frozenset({1, 2, 3}), note=note, stamp=material.tag, widths=(0.52, 0.26, 0.1, 0.12),
    )  # fmt: skip
    return [table, *_left_over(material, key, rows)]


_DAY_NOTE = (
    " Compared are days of the same place and month, days of the week held, or, by the lots, of "
    "the same block of days. A day counts as tasked if a patrol was asked for, whether or not it "
    "came."
)
_ASSOCIATION = (
    " Days that people chose show an association: what made a day a day of patrol may have moved "
    "the counts as well."
)
_RANDOMISATION = "mantel_haenszel_randomisation_inference"


def _tasked(rows: Sequence[Row]) -> list[Row]:
    """Rows about tasked days, chance first, the lots before the regression."""
    found = [row for row in rows if row["estimand"] in ("tasked_day_rate_ratio", _SUMMED)]
    return sorted(found, key=lambda row: (not _by_chance(row), _order(row)))


_SUMMED = "summed_lag_rate_ratio"


def _order(row: Row) -> tuple[int, str, str]:
    first = ("all", "washout", "days").index(str(row["horizon"]).partition("=")[0])
    return (
        2 * first + (row["hours"] != "all") - (row["method"] == _RANDOMISATION),
        str(row["hours"]),
        str(row["horizon"]),
    )


def _by_chance(row: Row) -> bool:
    return row["subgroup"] == "days=by lot"


def _words(row: Row) -> str:
    kind = "Days allotted by chance" if _by_chance(row) else "Days that people chose"
    horizon = str(row["horizon"])
    if row["method"] == _RANDOMISATION:
        return f"{kind}: randomisation inference"
    if row["estimand"] == _SUMMED:
        whole = horizon.startswith("days=0")
        return (
            f"{kind}: the day and the days after it together"
            if whole
            else (f"{kind}: the days after it alone")
        )
    if horizon.startswith("washout"):
        return f"{kind}: without untasked days soon after a patrol"
    if row["hours"] != "all":
        night = str(row["hours"]).startswith("nte")
        return f"{kind}: {'night-time hours' if night else 'the other hours'}"
    return f"{kind}: within places and months"


def _p_value(row: Row) -> Spans:
    return figure(row, "p_value")


def _left_over(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    lags = [
        row
        for row in rows
        if row["estimand"] == "lag_rate_ratio" and row["status"] == "estimated"
        and row["lower"] is not None
    ]  # fmt: skip
    chance = [row for row in lags if _by_chance(row)]
    chosen = sorted(chance or lags, key=lambda row: figures.position(str(row["horizon"])) or 0)
    if len(chosen) < 3:
        return []
    title = f"What is left of a patrol on the days after it: {chosen[0]['outcome_label']}"
    table = estimates_table(
        chosen, identity=f"{key}-lags-table", caption=title, by=("horizon",), stamp=material.tag
    )
    spec = figures.event_study(
        chosen, axis="Change, per cent", along="Days since a patrol was asked for"
    )
    alt = (
        "Change on the day of a patrol and on each day after it, with intervals, patrols on the "
        "other days held. Where the line of no change is reached, nothing is left of it."
    )
    note = () if chance else (Text(_ASSOCIATION),)
    return [Figure(f"{key}-lags", title, alt, spec=spec, data=table, stamp=material.tag, note=note)]
