"""RQ10: attendances and admissions for violence."""

from collections.abc import Sequence

from placeproof.answers import wording
from placeproof.answers.doubts import frame_limits, unmatched
from placeproof.answers.grading import Grade, effect_grade, lowered
from placeproof.answers.reading import (
    Row,
    direction,
    feeds,
    is_effect,
    is_estimated,
    is_everyone,
    is_ring,
)
from placeproof.answers.reply import Reply, Study, reasons, unanswerable

_ADMISSIONS = (
    "Admissions are recorded by residence or hospital, never by place of assault, and are "
    "descriptive."
)


def reply(study: Study) -> Reply:
    """
    Answer the question of hospital attendances and admissions.

    Parameters
    ----------
    study : Study
        Findings and what was supplied.

    Returns
    -------
    Reply
        Answered where attendances located in hot spots bear an effect and admissions stand
        beside it; partly where only levels can be given.
    """
    rows = study.of("RQ10")
    attendances = [row for row in rows if "ed_assault" in feeds(row)]
    admissions = [row for row in rows if "admission" in feeds(row)]
    known = [row for row in (*attendances, *admissions) if is_estimated(row)]
    if not known:
        return _nothing(study, rows)
    effects = [
        row for row in attendances
        if is_effect(row) and is_estimated(row) and row["role"] in ("headline", "beside")
        and is_everyone(row) and not is_ring(row)
    ]  # fmt: skip
    effects.sort(key=lambda row: row["role"] != "headline")
    levels = [row for row in known if row["role"] == "description" and is_everyone(row)]
    levels = sorted(levels, key=lambda row: row["estimand"] != "count")[:4]
    bounds = _bounds(attendances)
    because = _because(study, attendances, admissions, effects)
    if effects:
        grade = effect_grade(effects[0], study.rows, study.about)
        summary = wording.effect(effects[0]) + _bounded(bounds)
    else:
        why = "Levels over time without a comparison: low, and no effect."
        grade = lowered("low", why, frame_limits(study.about))
        summary = "No effect can be stated; levels over time are shown."
    if levels:
        summary += f" {wording.levels(levels)}"
    whole = bool(effects) and direction(effects[0]) != "unknown"
    alone = unmatched(study.rows) if effects else None
    if alone is not None:
        because += f" No other place could be matched: {alone['reason']}"
    whole = (
        whole and alone is None and bool(bounds) and any(is_estimated(row) for row in admissions)
    )
    return Reply(
        "answered" if whole else "partly",
        because,
        summary,
        Grade(grade.confidence, grade.reasons),
        [*effects[:1], *bounds, *levels],
        None if whole else "Supply both attendances with places and times, and admissions.",
    )


def _bounds(rows: Sequence[Row]) -> list[Row]:
    """The effect if attendances without a place lay as the others do, and the moderate bounds."""
    named = {str(row["horizon"]): row for row in rows if is_estimated(row)}
    wanted = [f"unlocated={side}" for side in ("proportional", "fewer", "more")]
    return [named[name] for name in wanted if name in named]


def _bounded(bounds: Sequence[Row]) -> str:
    if len(bounds) < 3:
        return ""
    middle, fewer, more = (wording.placeholder(row, "full") for row in bounds)
    return (
        f" If attendances without a place lie as the others do: {middle}; if more of them lie "
        f"outside patrolled places, {fewer}; if more lie inside, {more}."
    )


def _because(
    study: Study, attendances: Sequence[Row], admissions: Sequence[Row], effects: Sequence[Row]
) -> str:
    told = []
    if not attendances or not study.has("ed_assault"):
        told.append(_absent(study, "ed_assault", "Attendances"))
    elif not effects:
        told.append(
            "Attendances bear no effect here: "
            + (reasons([row for row in attendances if is_effect(row)]) or "levels only.")
        )
    else:
        told.append("Attendances located in the hot spots are compared over time.")
    if not admissions or not study.has("admission"):
        told.append(_absent(study, "admission", "Admissions"))
    elif not any(is_estimated(row) for row in admissions):
        told.append("Admissions are suppressed.")
    else:
        told.append(_ADMISSIONS)
    return " ".join(told)


def _absent(study: Study, feed: str, words: str) -> str:
    if study.has(feed):
        return f"{words} were supplied, but nothing could be made of them."
    return f"{words} were not supplied."


def _nothing(study: Study, rows: Sequence[Row]) -> Reply:
    if not study.has("ed_assault", "admission"):
        return unanswerable(
            "Neither attendances nor admissions were supplied.",
            "Supply emergency-department assaults and admissions.",
        )
    if any(row["status"] == "suppressed" for row in rows):
        return unanswerable(
            "Every count is below what may be released.", "Supply longer periods or larger areas."
        )
    told = reasons(rows) or "Nothing could be made of the records that were supplied."
    return unanswerable(told, "Supply what the reason names.")
