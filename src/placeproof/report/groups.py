"""The effect by group of victims: a forest of groups, the figures behind it, and who is missing."""

import json
from collections.abc import Sequence

from placeproof.report import charts
from placeproof.report.document import Block, Figure, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import alone, level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import figure, number
from placeproof.report.words import capital, month_of

VARIABLES = {
    "victim_age_band": "Age of the victim",
    "victim_sex": "Sex of the victim",
    "victim_ethnicity": "Ethnic group of the victim",
}
_NOT_RECORDED = "not recorded"


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show the effect in each group of victims, and which groups differ from the others.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ8.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        For each headline outcome a figure and a table; why an outcome has neither; and how often
        victims are not described, month by month.
    """
    split = [row for row in rows if _variable(row) in VARIABLES and _category(row)]
    wanted = [row for row in split if row["hours"] == "all" and row["horizon"] == "all"]
    outcomes = list(dict.fromkeys(str(row["outcome"]) for row in wanted))
    order = [
        name
        for question in ("RQ1", "RQ2", "RQ3")
        for name in sorted(material.headline_outcomes(question))
    ]
    outcomes.sort(key=lambda name: order.index(name) if name in order else len(order))
    found: list[Block] = []
    for index, outcome in enumerate(outcomes):
        same = [row for row in wanted if row["outcome"] == outcome]
        found += _outcome(material, key, same, index)
    found += _absent(rows)
    return [*found, *_missing(material, key, outcomes)] if outcomes else found


def _variable(row: Row) -> str:
    return str(row["subgroup"]).partition("=")[0]


def _category(row: Row) -> str:
    return str(row["subgroup"]).partition("=")[2]


def _short(category: str) -> str:
    """A group's name without what follows its first word for it; the table says it in full."""
    return capital(category.partition(",")[0].replace(" ethnic groups", ""))


def stands(row: Row) -> bool:
    """Whether a contrast stands after correction for the number of contrasts (Holm)."""
    held = json.loads(str(row["diagnostics"] or "{}")).get("p_value_holm")
    return isinstance(held, int | float) and held < 0.05


def _outcome(material: Material, key: str, rows: Sequence[Row], index: int) -> list[Block]:
    order = list(VARIABLES)
    effects = [row for row in rows if row["estimand"] == "rate_ratio"]
    effects.sort(
        key=lambda row: (
            order.index(_variable(row)),
            _category(row) == _NOT_RECORDED,
            _category(row),
        )
    )
    contrasts = {
        str(row["subgroup"]): row for row in rows if row["estimand"] == "ratio_of_rate_ratios"
    }
    label = str(effects[0]["outcome_label"]) if effects else ""
    drawn = [row for row in effects if row["status"] == "estimated"]
    table = _table(material, f"{key}-victims-{index}", label, effects, contrasts)
    if len(drawn) < 2:
        return [table] if effects else []
    flagged = {name for name, row in contrasts.items() if stands(row)}
    spec = charts.groups(
        [
            (
                VARIABLES[_variable(row)],
                f"{_short(_category(row))} *" if str(row["subgroup"]) in flagged
                else _short(_category(row)),
                row,
            )
            for row in drawn
        ],
        axis="Change against what was to be expected, per cent",
        whole=False,
    )  # fmt: skip
    said = (
        "A star: the group differs from the others after correction for the number of contrasts."
        if flagged
        else "No group differs from the others after correction for the number of contrasts."
    )
    drawing = Figure(
        f"{key}-victims-{index}-figure",
        f"Change in the hot spots by group of victims: {label}",
        "One line for each group of victims with its interval, gathered by age, sex and ethnic "
        "group; a broken line marks no change, an arrow an interval that goes on beyond. " + said,
        spec=spec, data=table, printed_data=True, stamp=material.tag, note=(Text(said),),
    )  # fmt: skip
    return [drawing]


def _table(
    material: Material,
    identity: str,
    label: str,
    effects: Sequence[Row],
    contrasts: dict[str, Row],
) -> Table:
    body: list[tuple[Spans, ...]] = []
    parts: list[tuple[int, Spans]] = []
    last = ""
    for row in effects:
        variable = _variable(row)
        if variable != last:
            parts.append((len(body), (Text(VARIABLES[variable]),)))
            last = variable
        contrast = contrasts.get(str(row["subgroup"]))
        star: Spans = (Text(" *", strong=True),) if contrast and stands(contrast) else ()
        told = row["status"] == "estimated"
        body.append(
            (
                (Name(capital(_category(row))), *star),
                with_interval(row) if told else _few(row),
                (*with_interval(contrast),) if contrast else (),
                figure(row, "minimum_detectable_effect"),
                figure(row, "n_events") if told else (),
            )
        )
    head = ("Group", "Change", "Against the others", "Smallest detectable", "Events")
    note = (
        *level_note(effects),
        Text(
            " Against the others: the change in the group divided by the change in all other "
            "recorded groups; of two groups one line says both. A star: differs after correction "
            "for the number of contrasts (Holm). Victims who are not recorded need not resemble "
            "the others."
        ),
    )
    return Table(
        identity, f"Change by group of victims: {label}", head, tuple(body),
        frozenset({1, 2, 3, 4}), note=note, stamp=material.tag,
        widths=(0.3, 0.22, 0.22, 0.14, 0.12), groups=tuple(parts),
    )  # fmt: skip


def _few(row: Row) -> Spans:
    reason = str(row["reason"] or "")
    return (Text("too few events"),) if reason.startswith("Fewer than") else alone(row)


def _absent(rows: Sequence[Row]) -> list[Block]:
    """Why an outcome, or a variable of it, is not split by its victims."""
    said: dict[str, list[str]] = {}
    for row in rows:
        named = str(row["subgroup"])
        if row["status"] == "not_supplied" and (named == "victims" or named in VARIABLES):
            said.setdefault(str(row["reason"]), []).append(str(row["outcome_label"]))
    return [
        Paragraph((Name(f"{', '.join(dict.fromkeys(labels))}: {reason}"),), "note")
        for reason, labels in said.items()
    ]


def _missing(material: Material, key: str, outcomes: Sequence[str]) -> list[Block]:
    shares = [row for row in material.of("data") if row["estimand"] == "unrecorded_victim_share"]
    found: list[Block] = []
    for index, outcome in enumerate(outcomes):
        mine = [row for row in shares if row["outcome"] == outcome]
        whole = [row for row in mine if row["horizon"] == "all" and row["status"] == "estimated"]
        if not whole:
            continue
        label = str(whole[0]["outcome_label"])
        whole.sort(key=lambda row: list(VARIABLES).index(_variable(row)))
        spans: Spans = (Text("No recorded group, "), Name(label), Text(": "))
        for place, row in enumerate(whole):
            joint = "; " if place else ""
            spans = (*spans, Text(f"{joint}{VARIABLES[_variable(row)].lower()} "), number(row))
        found.append(Paragraph((*spans, Text(". "), *_moves(whole))))
        if index:
            continue
        series = [
            (VARIABLES[_variable(row)], _months(mine, row))
            for row in whole
            if len(_months(mine, row)) >= 2
        ]
        if series:
            found.append(_monthly(material, key, label, series))
    return found


def _moves(whole: Sequence[Row]) -> Spans:
    moved = [row for row in whole if row["reason"]]
    words = (
        "The share moves from month to month, and counts by group move with it."
        if moved
        else "The share is much the same in every month."
    )
    return (Text(f"{words} A crime against a shop or the public has no person to describe."),)


def _months(mine: Sequence[Row], row: Row) -> list[Row]:
    return sorted(
        (
            other
            for other in mine
            if other["subgroup"] == row["subgroup"] and month_of(str(other["horizon"]))
        ),
        key=lambda other: str(other["horizon"]),
    )


def _monthly(
    material: Material, key: str, label: str, series: Sequence[tuple[str, Sequence[Row]]]
) -> Figure:
    title = f"Share of events whose victim is not described: {label}"
    by_month: dict[str, dict[str, Row]] = {}
    for words, rows in series:
        for row in rows:
            by_month.setdefault(str(row["horizon"]), {})[words] = row
    names = [words for words, _ in series]
    body = tuple(
        (
            (Text(f"{day:%B} {day.year}" if (day := month_of(month)) else month),),
            *(alone(found[name]) if name in found else () for name in names),
        )
        for month, found in sorted(by_month.items())
    )
    table = Table(
        f"{key}-unrecorded-table", title, ("Month", *names), body,
        frozenset(range(1, 1 + len(names))), stamp=material.tag,
    )  # fmt: skip
    return Figure(
        f"{key}-unrecorded", title,
        "Share of events in each month whose victim has no recorded age, sex or ethnic group. "
        "Where it changes, counts by group change with it.",
        spec=charts.monthly(series, axis="Per cent", kind=""), data=table, stamp=material.tag,
    )  # fmt: skip
