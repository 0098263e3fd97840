"""What can be identified here: which cohorts before against after, and what stands for them."""

import json
from collections.abc import Sequence
from datetime import date

from placeproof.report import dose_chart, figures
from placeproof.report.document import (
    Block,
    Bullets,
    Day,
    Figure,
    Name,
    Paragraph,
    Span,
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
    doses = [row for row in rows if row["estimand"] == "dose_rate_ratio"]
    if any(row["status"] == "estimated" for row in doses):
        items.append((Text(_DOSE),))
    elif doses:
        items.append((Text("Dose: "), Name(_small(doses[0]["reason"]))))
    return [Paragraph((Text(_TURNS),)), Bullets(tuple(items))]


def _small(reason: object) -> str:
    words = str(reason or "not identified.")
    return words[:1].lower() + words[1:]


_DOSE = (
    "Dose: more against fewer minutes of patrol in the same place. It bears a change with planned "
    "minutes only as far as nothing else that moved the counts moved the plan; with delivered "
    "minutes it is an association."
)
_DAYS_BY_LOT = (
    "Tasked days against others, where chance allotted them: they bear what a day with a patrol "
    "changes against a day without one in the same place. What lasts through both is in neither."
)
_DAYS = (
    "Tasked days against others: an association only, because people chose the days; and whatever "
    "lasts from one day to the next is in neither."
)


def lasting(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show the effect by horizon since the start, and whether it wears off.

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
        A table and a sentence; nothing where no effect is identified.
    """
    found = [row for row in rows if row["estimand"] == "horizon_rate_ratio"]
    found.sort(key=lambda row: _HORIZONS.index(str(row["horizon"]).partition("=")[2]))
    told = [row for row in found if row["status"] == "estimated"]
    if not told:
        return []
    body = tuple(
        (
            (Text(f"The first {str(row['horizon']).partition('=')[2]}"),),
            with_interval(row),
            figure(row, "minimum_detectable_effect"),
        )
        for row in told
    )
    head = ("Since the first patrols", "Change", "Smallest detectable")
    untold = tuple(
        Text(
            f" The first {str(row['horizon']).partition('=')[2]} cannot be told from these counts."
        )
        for row in found
        if row["status"] != "estimated"
    )
    table = Table(
        f"{key}-horizons", "How long it lasts", head, body, frozenset({1, 2}),
        note=(*level_note(told), *untold), stamp=material.tag, widths=(0.44, 0.34, 0.22),
    )  # fmt: skip
    return [table, *_wears_off(rows)]


_HORIZONS = ("day", "week", "month", "quarter", "year")


def _wears_off(rows: Sequence[Row]) -> list[Block]:
    trend = [row for row in rows if row["estimand"] == "effect_change_per_year"]
    life = [row for row in rows if row["estimand"] == "effect_half_life"]
    if not trend or trend[0]["status"] != "estimated":
        return []
    said: list[Span] = [
        Text("Whether it wears off: ", strong=True),
        Text("from year to year after the start the rate against expectation changes by "),
        *with_interval(trend[0]),
    ]
    if life and life[0]["status"] == "estimated":
        said += [Text("; half of the effect is gone after "), *with_interval(life[0])]
        return [Paragraph((*said, Text(" weeks.")))]
    return [Paragraph((*said, Text(". "), Name(str(life[0]["reason"]) if life else "")))]


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
    starts = [0, sum(_by_chance(row) for row in estimated)]
    kinds = (_BY_CHANCE, _BY_PEOPLE)
    groups = tuple(
        (start, (Text(words),))
        for start, words, end in zip(starts, kinds, (starts[1], len(body)), strict=True)
        if end > start
    )
    head = ("Compared", "Change", "p", "Place-days")
    told: list[Spans] = [level_note(estimated), (Text(_DAY_NOTE),)]
    if any(not _by_chance(row) for row in estimated):
        told.append((Text(_ASSOCIATION, strong=True),))
    note = tuple(span for spans in told for span in spans)
    table = Table(
        f"{key}-days", "Days with a tasked patrol against days without one", head, body,
        frozenset({1, 2, 3}), note=note, stamp=material.tag, widths=(0.46, 0.3, 0.11, 0.13),
        groups=groups,
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


def minutes(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show how counts change with the minutes of patrol: the slope, and groups of alike dose.

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
        A table, and a figure of the groups; nothing where no dose stands beside the counts.
    """
    slopes = [row for row in rows if row["estimand"] == "dose_rate_ratio"]
    told = [row for row in slopes if row["status"] == "estimated"]
    if not told:
        return []
    told.sort(key=lambda row: (_SLOPES.index(_slope_of(row)), str(row["method"])))
    step = json.loads(str(told[0]["diagnostics"] or "{}")).get("minutes_a_day_step")
    body = tuple(
        ((Text(_SLOPE_WORDS[_slope_of(row)]),), with_interval(row), figure(row, "n_places"),
         figure(row, "n"))
        for row in told
    )  # fmt: skip
    untold = [row for row in slopes if row["status"] != "estimated"]
    note = (
        *level_note(told),
        Text(" Planned minutes are the exposure. Whoever decided where patrols stay for longer "
             "knew the places: the other rows are associations."),
        *(Name(f" {row['reason']}") for row in untold),
    )  # fmt: skip
    words = f"{step:g} patrol minutes a day" if isinstance(step, int | float) else "step of dose"
    table = Table(
        f"{key}-dose", f"Change for every {words}", ("By", "Change", "Places", "Place-periods"),
        body, frozenset({1, 2, 3}), note=note, stamp=material.tag, widths=(0.5, 0.26, 0.1, 0.14),
        named_head=True,
    )  # fmt: skip
    return [table, *_by_group(material, key, rows)]


_SLOPE_WORDS = {
    "planned": "Planned minutes; before patrols and in comparison places none",
    "planned, patrolled time": "Planned minutes, patrolled time alone",
    "delivered": "Delivered minutes as measured",
    "delivered, corrected": "Delivered minutes, corrected for their error",
}
_SLOPES = tuple(_SLOPE_WORDS)


def _slope_of(row: Row) -> str:
    name = str(row["horizon"]).partition("=")[2]
    return f"{name}, corrected" if str(row["method"]).endswith("_calibrated") else name


def _by_group(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    groups = [
        row
        for row in rows
        if row["estimand"] == "dose_group_rate_ratio" and row["status"] == "estimated"
        and row["lower"] is not None
    ]  # fmt: skip
    if len(groups) < 2:
        return []
    groups.sort(key=lambda row: figures.position(str(row["horizon"])) or 0)
    title = f"By planned minutes a day, against none: {groups[0]['outcome_label']}"
    alt = (
        "Change in place-periods of alike planned dose against those without any, with intervals; "
        "the dashed line is the slope of the dose. A dose that works leads away from no change as "
        "it grows; a step that stays flat says that any amount does the same."
    )
    lines = tuple(
        ((Name(_between(row)),), *(with_interval(row),), figure(row, "n_places")) for row in groups
    )
    table = Table(
        f"{key}-dose-groups-table", title, ("Planned", "Change", "Places"), lines,
        frozenset({1, 2}), note=level_note(groups), stamp=material.tag, widths=(0.5, 0.34, 0.16),
    )  # fmt: skip
    slope = [
        row
        for row in rows
        if row["estimand"] == "dose_rate_ratio" and row["horizon"] == "dose=planned"
        and row["status"] == "estimated" and row["outcome"] == groups[0]["outcome"]
    ]  # fmt: skip
    spec = dose_chart.response(
        groups, slope[0] if slope else None, axis="Change, per cent", along="Planned minutes a day"
    )
    return [Figure(f"{key}-dose-groups", title, alt, spec=spec, data=table, stamp=material.tag)]


def _between(row: Row) -> str:
    more = json.loads(str(row["diagnostics"] or "{}"))
    low, high = (round(more[f"{end}_minutes_a_day"], 1) for end in ("least", "most"))
    return f"{low:g} minutes a day" if low == high else f"{low:g} to {high:g} minutes a day"


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


_BY_CHANCE, _BY_PEOPLE = "Days allotted by chance", "Days that people chose: an association"


def _words(row: Row) -> str:
    horizon = str(row["horizon"])
    if row["method"] == _RANDOMISATION:
        return "Randomisation inference"
    if row["estimand"] == _SUMMED:
        whole = horizon.startswith("days=0")
        return "The day and the days after it together" if whole else "The days after it alone"
    if horizon.startswith("washout"):
        return "Without untasked days soon after a patrol"
    if row["hours"] != "all":
        return "Night-time hours" if str(row["hours"]).startswith("nte") else "The other hours"
    return "Within places and months"


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
