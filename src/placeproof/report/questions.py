"""The findings, question by question."""

from collections.abc import Callable, Sequence

from placeproof.report import findings as parts
from placeproof.report.document import Block, Bullets, Folded, Name, Paragraph, Section, Text
from placeproof.report.material import Material, Row
from placeproof.report.numbers import is_change
from placeproof.report.spans import sentence

_LONGEST_SERIES = 60

_STATUS = {
    "answered": "Answered",
    "partly": "Partly answered",
    "not answerable": "Not answerable",
}


def section(material: Material) -> Section:
    """Findings by question: answer, grade, the authors' words, figures and tables."""
    children = tuple(_question(material, answer) for answer in material.answers)
    lead = Paragraph(
        (
            Text(
                "Each question is answered, partly answered or not answerable, with the reason. "
                "Every figure links to the finding it comes from."
            ),
        )
    )
    return Section("findings", (Text("Findings by question"),), (lead,), children, kind="questions")


def status_words(status: object) -> str:
    """The status of an answer as a reader sees it."""
    return _STATUS[str(status)]


def _question(material: Material, answer: Row) -> Section:
    key = str(answer["question"])
    rows = material.of(key)
    short, *further = str(answer["summary"]).split("\n\n")
    blocks: list[Block] = [
        Paragraph(sentence(short, material.by_id), style="lead"),
        *(Paragraph(sentence(words, material.by_id)) for words in further),
        Paragraph(
            (
                Text(f"{status_words(answer['status'])}. ", strong=True),
                *sentence(str(answer["because"]), material.by_id),
            )
        ),
        *_grade(material, answer),
        *material.authored(key),
    ]
    for part in _PARTS:
        blocks += part(material, key, rows)
    if not rows:
        blocks += _carried(material, key, answer)
    if answer["next_step"]:
        blocks.append(
            Paragraph(
                (
                    Text("What would move this answer on: ", strong=True),
                    *sentence(str(answer["next_step"]), material.by_id),
                )
            )
        )
    title = (Name(key), Text(". "), Name(str(answer["title"])))
    return Section(key, title, tuple(blocks))


def _grade(material: Material, answer: Row) -> list[Block]:
    reasons = material.reasons(answer)
    words = Paragraph(
        (Text("Confidence: ", strong=True), Text(f"{answer['confidence']}", strong=True))
    )
    if not reasons:
        return [words]
    return [words, Bullets(tuple(sentence(reason, material.by_id) for reason in reasons))]


def _carried(material: Material, key: str, answer: Row) -> list[Block]:
    """The findings of other questions on which an answer rests, as those of RQ8 and RQ9 do."""
    carried = [material.by_id[each] for each in material.ids(answer) if each in material.by_id]
    blocks: list[Block] = []
    for index, unit in enumerate(dict.fromkeys(str(row["unit"]) for row in carried)):
        same = [row for row in carried if row["unit"] == unit]
        blocks += parts.interval_block(
            same,
            identity=f"{key}-carried-{index}",
            title="Findings that carry this answer",
            alt="One line for each finding with its interval; the table that follows holds the "
            "same figures.",
            by=parts.differing(same, "outcome", "population", "subgroup", "hours", "method"),
            stamp=material.stamp,
        )
    return blocks


Part = Callable[[Material, str, Sequence[Row]], list[Block]]


def _effects(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [
        row
        for row in rows
        if row["role"] in ("headline", "beside")
        and _overall(row)
        and not _is_ring(row)
        and (is_change(row) or row["role"] == "headline")
        and row["estimand"] not in ("event_study_rate_ratio",)
    ]
    first = material.headline_outcomes(key)
    chosen.sort(
        key=lambda row: (
            row["outcome"] not in first,
            str(row["outcome_label"]),
            row["role"] != "headline",
        )
    )
    found: list[Block] = []
    for unit in dict.fromkeys(str(row["unit"]) for row in chosen):
        same = [row for row in chosen if row["unit"] == unit]
        by = parts.differing(same, "outcome", "population", "method", "estimand")
        if "outcome" not in by:
            by = ("outcome", *by)
        found += parts.interval_block(
            same,
            identity=f"{key}-effects-{parts.plain(unit).replace(' ', '-')}",
            title="Headline and the estimates that stand beside it",
            alt="Estimates with their intervals, one line for each outcome and method; the table "
            "that follows holds the same figures.",
            by=by,
            stamp=material.stamp,
        )
    return found


def _event_study(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    found: list[Block] = []
    studied = [row for row in rows if row["estimand"] == "event_study_rate_ratio"]
    first = material.headline_outcomes(key)
    chosen = [row for row in studied if row["outcome"] in first] or studied[:_LONGEST_SERIES]
    for step in ("month", "quarter", "week", "year"):
        if any(str(row["horizon"]).startswith(f"{step}=") for row in chosen):
            chosen = [row for row in chosen if str(row["horizon"]).startswith(f"{step}=")]
            break
    chosen = [row for row in chosen if not _is_ring(row)]
    for index, outcome in enumerate(dict.fromkeys(str(row["outcome"]) for row in chosen)):
        same = [row for row in chosen if row["outcome"] == outcome]
        found += parts.series_block(
            same,
            identity=f"{key}-event-study-{index}",
            title=f"Before and after the start of patrols: {same[0]['outcome_label']}",
            alt="Change in each period before and after the first patrols, with intervals. "
            "Periods before the start should lie around no change.",
            along="Periods since the first patrols",
            joined=False,
            stamp=material.stamp,
        )
    slopes = [row for row in rows if row["estimand"] == "pre_trend_slope"]
    if slopes:
        found.append(
            parts.estimates_table(
                slopes,
                identity=f"{key}-pre-trend",
                caption="Trend before the start of patrols",
                by=("outcome", "method"),
                stamp=material.stamp,
            )
        )
    return found


def _rings(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    first = material.headline_outcomes(key)
    chosen = [
        row
        for row in rows
        if _is_ring(row) and _overall(row) and (row["outcome"] in first or not first)
    ]
    wdd = [
        row
        for row in rows
        if row["estimand"] == "weighted_displacement_difference"
        and (row["outcome"] in first or not first)
    ]
    found: list[Block] = []
    changes = [row for row in chosen if is_change(row)]
    found += parts.interval_block(
        changes,
        identity=f"{key}-rings",
        title="Around the hot spots: moved away, or spread of the effect",
        alt="Change in the rings around the hot spots, with intervals. Above no change speaks for "
        "crime that moved, below for an effect that spread.",
        by=("population", *parts.differing(changes, "outcome", "method")),
        stamp=material.stamp,
    )
    others = [row for row in chosen if not is_change(row) and row not in wdd] + wdd
    if others:
        found.append(
            parts.estimates_table(
                others,
                identity=f"{key}-displacement",
                caption="Displacement",
                by=("estimand", "outcome", "population", "method"),
                stamp=material.stamp,
            )
        )
    return found


def _hours(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [row for row in rows if row["hours"] != "all" and row["subgroup"] == "all"]
    return _by_outcome(material, key, chosen, "hours", "By hours of the day")


def _subgroups(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [row for row in rows if row["subgroup"] != "all"]
    return _by_outcome(material, key, chosen, "subgroup", "By group")


def _by_outcome(
    material: Material, key: str, rows: Sequence[Row], column: str, title: str
) -> list[Block]:
    chosen = [row for row in rows if row["horizon"] == "all" and row["role"] != "not_impact"]
    first = material.headline_outcomes(key)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(chosen, key=lambda row: row["outcome"] not in first):
        kind = (str(row["outcome_label"]), str(row["estimand"]), str(row["unit"]))
        groups.setdefault(kind, []).append(row)
    blocks: list[Block] = []
    others_of_it: list[Block] = []
    for index, ((outcome, estimand, _), same) in enumerate(groups.items()):
        others = [name for name in ("population", "method", "hours", "subgroup") if name != column]
        extra = [name for name in parts.differing(same, column, *others) if name != column]
        words = f"{title}: {outcome}, {parts.plain(estimand)}"
        by, identity = (column, *extra), f"{key}-{column}-{index}"
        if index > 0:
            table = parts.estimates_table(
                same, identity=identity, caption=words, by=by, stamp=material.stamp
            )
            others_of_it.append(table)
            continue
        blocks += parts.interval_block(
            same,
            identity=identity,
            title=words,
            alt="One line for each group or band of hours, with its interval; the table that "
            "follows holds the same figures.",
            by=by,
            stamp=material.stamp,
        )
    if others_of_it:
        folded = f"{title}: the other outcomes"
        blocks.append(Folded(folded, tuple(others_of_it), printed=False))
    return blocks


def _levels(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [
        row
        for row in rows
        if (row["role"] == "description" and _overall(row) and not _is_ring(row))
        or (row["role"] in ("headline", "beside") and _overall(row) and _is_level(row))
    ]
    chosen = [row for row in chosen if row["role"] == "description" or not is_change(row)]
    chosen = [row for row in chosen if row["estimand"] != "pre_trend_slope"]
    if key in ("RQ1", "RQ2", "RQ3"):
        chosen = [row for row in chosen if row["role"] == "description"]
    blocks: list[Block] = []
    units = dict.fromkeys((str(row["estimand"]), str(row["unit"])) for row in chosen)
    for index, (estimand, unit) in enumerate(units):
        same = [row for row in chosen if (row["estimand"], row["unit"]) == (estimand, unit)]
        blocks += parts.interval_block(
            same,
            identity=f"{key}-levels-{index}",
            title=f"Levels: {parts.plain(estimand)}",
            alt="Levels with their intervals, one line for each item and population; the table "
            "that follows holds the same figures.",
            by=parts.differing(same, "outcome", "population", "method"),
            stamp=material.stamp,
        )
    return blocks


def _along_time(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [
        row
        for row in rows
        if row["horizon"] != "all"
        and row["estimand"] != "event_study_rate_ratio"
        and row["subgroup"] == "all"
        and row["hours"] == "all"
    ]
    blocks: list[Block] = []
    kinds = dict.fromkeys((str(row["outcome_label"]), str(row["estimand"])) for row in chosen)
    for index, (outcome, estimand) in enumerate(kinds):
        same = [
            row for row in chosen if (row["outcome_label"], row["estimand"]) == (outcome, estimand)
        ]
        blocks += parts.series_block(
            same,
            identity=f"{key}-along-{index}",
            title=f"{outcome}, {parts.plain(estimand)}",
            alt="The same quantity along its horizon; the table that follows holds the figures.",
            along="",
            joined=True,
            stamp=material.stamp,
        )
    if len(blocks) > 2:
        return [*blocks[:1], Folded("Other series", tuple(blocks[1:]), printed=False)]
    return blocks


def _not_impact(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    chosen = [row for row in rows if row["role"] == "not_impact"]
    if not chosen:
        return []
    table = parts.estimates_table(
        chosen,
        identity=f"{key}-not-impact",
        caption="Before against after alone: not impact",
        by=("outcome", *parts.differing(chosen, "population", "hours", "method")),
        stamp=material.stamp,
    )
    return [Folded("Before and after alone (not impact)", (parts.not_impact_note(), table))]


def _overall(row: Row) -> bool:
    return row["horizon"] == "all" and row["subgroup"] == "all" and row["hours"] == "all"


def _is_level(row: Row) -> bool:
    return row["estimand"] in ("share", "mean", "count", "people", "sessions")


def _is_ring(row: Row) -> bool:
    return str(row["population"]).startswith("ring")


_PARTS: tuple[Part, ...] = (
    _effects,
    _event_study,
    _rings,
    _levels,
    _hours,
    _subgroups,
    _along_time,
    _not_impact,
)
