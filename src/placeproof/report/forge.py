"""Compared with what: the headline under other sets of comparison places, and its placebos."""

from collections.abc import Mapping, Sequence

from placeproof.report import charts, figures, strips
from placeproof.report.document import Block, Figure, Name, Number, Paragraph, Spans, Table, Text
from placeproof.report.findings import alone, estimates_table, pivot
from placeproof.report.material import Material, Row
from placeproof.report.numbers import shown
from placeproof.report.spans import number

SETS = {
    "tessellated": "Under other sets: tiles of shifted grids",
    "translated": "Under other sets: the hot spots' own outlines, moved",
}
LEFT_OUT = {
    "hotspot": "Without one hot spot at a time",
    "comparison": "Without one comparison place at a time",
}
IN_SPACE = "Placebo: places that never had patrols"
IN_TIME = "Placebo: patrols pretended to begin {} earlier"
EVERY_SET = "comparison places of all sets"
OVER_SETS = "average over the sets"

_NOTE = (
    "Each stroke is one estimate, the thick one the middle of its line. The long stroke in every "
    "line is the headline, the thin one no change. Sets and placebos share ground: they are no "
    "independent draws. Patrols pretended earlier use nothing from after the real start."
)


def blocks(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> list[Block]:
    """
    Show how much each headline hangs on its comparison places, and on any one place.

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
        A paragraph and a figure for each headline, or why there is none; nothing where the plan
        asked for no sets.
    """
    found: list[Block] = []
    for index, headline in enumerate(headlines):
        mine = [row for row in rows if all(row[name] == headline[name] for name in _SAME)]
        whole = {
            str(row["estimand"]): row
            for row in mine
            if row["horizon"] == "all" and row["status"] == "estimated"
        }
        refused = [
            row
            for row in mine
            if row["estimand"] == "median_rate_ratio" and row["status"] != "estimated"
        ]
        if "median_rate_ratio" in whole:
            found.append(_said(headline, mine, whole))
            found += _figure(material, f"{key}-sets-{index}", headline, mine)
        elif refused:
            lead = Text("No other comparison places: ", strong=True)
            reason = Name(str(refused[0]["reason"] or ""))
            found.append(Paragraph((lead, Name(f"{headline['outcome_label']}: "), reason), "note"))
    return found


_SAME = ("outcome", "population", "hours", "subgroup")


def _said(headline: Row, mine: Sequence[Row], whole: Mapping[str, Row]) -> Paragraph:
    quantiles = {
        str(row["horizon"]): row for row in mine if row["estimand"] == "quantile_rate_ratio"
    }
    low, high = quantiles.get("quantile=5"), quantiles.get("quantile=95")
    median = whole["median_rate_ratio"]
    spans: list[Spans] = [
        (Text("Compared with what? ", strong=True), Name(f"{headline['outcome_label']}: the ")),
        (Text("headline says "), number(headline), Text(". Under "), number(median, "n")),
        (Text(" other sets of comparison places, matched anew, the middle estimate is "),),
        (number(median),),
    ]  # fmt: skip
    if low and high:
        spans += [
            (Text("; nine sets in ten lie between "), number(low), Text(" and "), number(high)),
            (Text(_against_chance(headline, low, high)),),
        ]
    below = whole.get("share_of_sets_below_the_headline")
    side = whole.get("share_of_sets_on_the_headlines_side")
    if below and side:
        spans.append(
            (Text(". Of the sets "), number(below), Text(" lie below the headline, and "),
             number(side), Text(" on the same side of no change"))
        )  # fmt: skip
    placebo = whole.get("placebo_in_space_rate_ratio")
    if placebo and placebo["p_value"] is not None:
        spans.append(
            (Text(". Places that never had patrols, treated as if, show "), number(placebo),
             Text(" in the middle (p "), number(placebo, "p_value"), Text(")"))
        )  # fmt: skip
    most = _moves_most(headline, mine)
    if most:
        spans.append(
            (Text(". The one place on which it hangs most is "),
             Name(_place_words(most)), Text(": without it the headline would be "),
             number(most))
        )  # fmt: skip
    return Paragraph((*(span for group in spans for span in group), Text(".")))


def _against_chance(headline: Row, low: Row, high: Row) -> str:
    """How far sets differ, in words, held against how far chance reaches."""
    ends = [headline["lower"], headline["upper"], low["estimate"], high["estimate"]]
    if not all(isinstance(end, float) and end > 0 for end in ends):
        return ""
    lower, upper, least, most = (float(str(end)) for end in ends)
    share = (most / least - 1) / (upper / lower - 1)
    if share > 1:
        return ", further apart than the ends of the headline's own interval"
    if share > _HALF:
        return ", more than half as far apart as the ends of the headline's own interval"
    return ", well within the headline's own interval" if lower <= least and most <= upper else ""


_HALF = 0.5


def _place_words(row: Row) -> str:
    kind, _, place = str(row["horizon"]).partition("=")
    return f"the hot spot {place}" if kind == "hotspot" else f"the comparison place {place}"


def _moves_most(headline: Row, mine: Sequence[Row]) -> Row | None:
    at = headline["estimate"]
    one_out = [
        row
        for row in mine
        if row["estimand"] == "one_left_out_rate_ratio" and isinstance(row["estimate"], float)
    ]
    if not one_out or not isinstance(at, float) or at <= 0:
        return None
    return max(one_out, key=lambda row: abs(float(str(row["estimate"])) / at - 1))


def _figure(material: Material, identity: str, headline: Row, mine: Sequence[Row]) -> list[Block]:
    medians = {
        str(row["horizon"]): row
        for row in mine
        if row["estimand"] == "median_rate_ratio" and row["status"] == "estimated"
    }
    lines: list[strips.Strip] = [strips.Strip("Headline", shown(headline, "full"), (headline,))]
    for kind, words in SETS.items():
        part = _of(mine, "matched_set_rate_ratio", kind)
        middle = medians.get(kind)
        if part and middle:
            told = f"middle {shown(middle)}"
            lines.append(strips.Strip(words, told, part, middle))
    for kind, words in LEFT_OUT.items():
        part = _of(mine, "one_left_out_rate_ratio", kind)
        if part:
            least, most = min(part, key=_estimate), max(part, key=_estimate)
            lines.append(strips.Strip(words, f"{shown(least)} to {shown(most)}", part))
    space = _of(mine, "placebo_in_space_rate_ratio", "")
    whole = [row for row in space if row["horizon"] == "all"]
    if whole and len(space) > 1:
        told = f"middle {shown(whole[0])}"
        each = tuple(row for row in space if row["horizon"] != "all")
        lines.append(strips.Strip(IN_SPACE, told, each, whole[0]))
    for row in sorted(_of(mine, "placebo_in_time_rate_ratio", ""), key=_steps)[::-1]:
        steps = -_steps(row)
        unit = str(row["horizon"]).partition("=")[0] + ("s" if steps != 1 else "")
        words = IN_TIME.format(f"{steps} {unit}")
        lines.append(strips.Strip(words, shown(row, "full"), (row,)))
    if len(lines) < 2:
        return []
    title = f"What the headline hangs on: {headline['outcome_label']}"
    summed = [headline, *medians.values(), *_summary(mine)]
    table = estimates_table(
        summed, identity=f"{identity}-table", caption=title, by=("estimand", "horizon"),
        stamp=material.tag,
    )  # fmt: skip
    return [
        Figure(
            identity,
            title,
            "Strokes for the estimates under other sets of comparison places, without single "
            "places, and in places or times without patrols, under the headline with its interval. "
            "Placebos should lie around no change.",
            spec=strips.drawn(lines, axis="Change, per cent"),
            data=table,
            stamp=material.tag,
            note=(Text(_NOTE),),
        )
    ]


def _of(mine: Sequence[Row], estimand: str, kind: str) -> tuple[Row, ...]:
    return tuple(
        row
        for row in mine
        if row["estimand"] == estimand
        and row["status"] == "estimated"
        and str(row["horizon"]).startswith(f"{kind}=" if kind else "")
    )


def _summary(mine: Sequence[Row]) -> list[Row]:
    """What the figure says in numbers, short of one row for each stroke."""
    kept = [row for row in mine if row["estimand"] == "quantile_rate_ratio"]
    kept.sort(key=lambda row: float(str(row["estimate"] or 0.0)))
    for name in ("share_of_sets_below_the_headline", "share_of_sets_on_the_headlines_side"):
        kept += [row for row in mine if row["estimand"] == name]
    for kind in LEFT_OUT:
        part = _of(mine, "one_left_out_rate_ratio", kind)
        if part:
            kept += [min(part, key=_estimate), max(part, key=_estimate)]
    kept += [row for row in mine if row["estimand"] == "placebo_in_space_rate_ratio"
             and row["horizon"] == "all"]  # fmt: skip
    kept += sorted(
        (row for row in mine if row["estimand"] == "placebo_in_time_rate_ratio"), key=_steps
    )
    return kept


def _estimate(row: Row) -> float:
    return float(str(row["estimate"]))


def _steps(row: Row) -> int:
    return figures.position(str(row["horizon"])) or 0


def balance(material: Material, rows: Sequence[Row]) -> list[Block]:
    """
    Show how alike hot spots and comparison places are, before and after matching.

    Parameters
    ----------
    material : Material
        The contents.
    rows : sequence of findings
        The findings about places.

    Returns
    -------
    list of Block
        A figure of differences with its table, and the course of counts before patrols.
    """
    every = [row for row in rows if row["estimand"] == "standardised_difference"]
    chosen = [row for row in every if row["horizon"] in _STAGES]
    found: list[Block] = []
    if chosen:
        note: list[Text | Name | Number] = [
            Text("In standard deviations; nought is the same. Beyond the thin lines places differ "
                 "clearly.")
        ]  # fmt: skip
        far = [row for row in chosen if row["horizon"] == "after matching" and row["reason"]]
        note += [Text(" "), Name(str(far[0]["reason"]))] if far else []
        lacking = {str(row["reason"]): None for row in every if row["status"] == "not_supplied"}
        note += [Name(f" {reason}") for reason in lacking]
        title = "Hot spots against comparison places, before patrols"
        table = _balance_table(material, chosen, title, tuple(note))
        drawn = [row for row in chosen if isinstance(row["estimate"], float)]
        found.append(
            Figure(
                "balance",
                title,
                "One line for each feature: how far hot spots lie from all candidate places, from "
                "the comparison places, and from those of all other sets. The table holds the "
                "same figures.",
                spec=strips.differences(
                    [(str(r["outcome_label"]), str(r["horizon"]), r) for r in drawn],
                    stages=_STAGES, axis="Difference in standard deviations",
                ),
                data=table,
                stamp=material.tag,
                printed_data=True,
                note=tuple(note),
            )
            if drawn
            else table
        )  # fmt: skip
    return [*found, *_paths(material, rows)]


_STAGES = ("before matching", "after matching", OVER_SETS)


def _balance_table(material: Material, chosen: Sequence[Row], caption: str, note: Spans) -> Table:
    return pivot(
        chosen,
        identity="matching",
        caption=caption,
        corner="Feature",
        down=lambda row: str(row["outcome_label"]),
        across=lambda row: str(row["horizon"]),
        columns=list(_STAGES),
        stamp=material.tag,
        cell=alone,
        note=note,
        widths=(0.46, 0.18, 0.18, 0.18),
    )


def _paths(material: Material, rows: Sequence[Row]) -> list[Block]:
    drawn = [
        row for row in rows
        if row["estimand"] == "events_per_place" and row["status"] == "estimated"
    ]  # fmt: skip
    names = {
        "treated hot spots": "Hot spots",
        "comparison places": "Comparison places",
        EVERY_SET: "Places of all other sets",
    }
    series = [
        (words, [row for row in drawn if row["population"] == population])
        for population, words in names.items()
    ]
    series = [(words, part) for words, part in series if len(part) > 1]
    if len(series) < 2:
        return []
    first = drawn[0]
    title = f"The months before patrols: {first['outcome_label']}"
    table = estimates_table(
        drawn, identity="paths-table", caption=title, by=("population", "horizon"),
        stamp=material.tag,
    )  # fmt: skip
    return [
        Figure(
            "paths",
            title,
            "Events in an average place month by month before the first patrols, in hot spots and "
            "in comparison places. What counts is whether the lines move together, not whether "
            "they lie at one height.",
            spec=charts.monthly(series, axis=str(first["unit"]).capitalize(), kind=""),
            data=table,
            stamp=material.tag,
            note=(Text(_CHOSEN),),
        )
    ]


_CHOSEN = (
    "Hot spots were chosen on part of these months: what they rose there by luck falls back later, "
    "patrols or not."
)
