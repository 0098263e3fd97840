"""RQ1 to RQ3: what happened to crime, harm and anti-social behaviour."""

from collections.abc import Sequence

from placeproof.answers import wording
from placeproof.answers.doubts import PUBLISHED_CATEGORY, TREND_ADJUSTED, unmatched
from placeproof.answers.grading import Grade, effect_grade
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

_FEED = {"RQ1": "crime", "RQ2": "crime", "RQ3": "incident"}
_WORDS = {"crime": "crime records", "incident": "records of anti-social behaviour"}
_RECORDED = frozenset({"crime", "incident"})
_MOST_DEFINITIONS = 8
_NOT_SERIOUS = ", none of which is a registered definition of serious violence."
_NO_CONCLUSION = "Checks on the comparison failed: no conclusion should rest on these figures."


def reply(study: Study, question: str) -> Reply:
    """
    Answer a question of impact from its headline effect.

    Parameters
    ----------
    study : Study
        Findings and what was supplied.
    question : str
        RQ1, RQ2 or RQ3.

    Returns
    -------
    Reply
        Answered only by a comparison over time with an interval and a registered definition.
    """
    rows = study.of(question)
    headlines = [row for row in rows if row["role"] == "headline" and is_effect(row)]
    headlines = [row for row in headlines if is_everyone(row) and not is_ring(row)]
    estimated = [row for row in headlines if is_estimated(row)]
    if not estimated:
        return _without_effect(study, question, rows, headlines)
    grades = [effect_grade(row, study.rows, study.about) for row in estimated]
    status, because = _status(estimated, question, unmatched(study.rows))
    ring_rows = [
        row for row in rows
        if is_ring(row) and is_effect(row) and row["outcome"] == estimated[0]["outcome"]
        and row["hours"] == "all" and row["subgroup"] == "all" and is_estimated(row)
        and row["method"] == estimated[0]["method"]
    ]  # fmt: skip
    others = _definitions(rows, estimated) if question == "RQ1" else []
    weakest = min(range(len(grades)), key=lambda index: _rank(grades[index]))
    told = [wording.effect(row) + wording.adjusted(_adjusted(rows, row)) for row in estimated]
    weighed = _harm(rows)
    told += [wording.effect(row) for row in weighed if is_estimated(row)]
    told += [f"Harm is not known: {reasons([row])}" for row in weighed if not is_estimated(row)]
    if grades[weakest].confidence == "none":
        told.append(_NO_CONCLUSION)
    summary = wording.paragraphs(
        " ".join(told),
        wording.rings(ring_rows),
        wording.definitions(others),
    )
    return Reply(
        status,
        because,
        summary,
        grades[weakest],
        [*estimated, *(row for row in weighed if is_estimated(row)), *ring_rows, *others],
        _next_step(study, estimated),
    )


def _rank(grade: Grade) -> int:
    return ("none", "low", "moderate", "high").index(grade.confidence)


def _definitions(rows: Sequence[Row], headlines: Sequence[Row]) -> list[Row]:
    first = headlines[0]
    shown = {row["outcome"] for row in headlines}
    others = [
        row for row in rows
        if row["role"] == "beside" and is_effect(row) and is_everyone(row) and is_estimated(row)
        and row["method"] == first["method"] and row["population"] == first["population"]
        and row["outcome"] not in shown
    ]  # fmt: skip
    return others[:_MOST_DEFINITIONS]


def _harm(rows: Sequence[Row]) -> list[Row]:
    """Harm of what the question asks about, one row for each outcome and edition of the index."""
    return [
        row for row in rows
        if row["estimand"] == "harm_rate_ratio" and row["method"] != TREND_ADJUSTED
        and row["status"] != "masked"
    ]  # fmt: skip


def _adjusted(rows: Sequence[Row], headline: Row) -> Row | None:
    for row in rows:
        if (
            row["method"] == TREND_ADJUSTED
            and row["outcome"] == headline["outcome"]
            and row["population"] == headline["population"]
            and is_effect(row)
            and is_everyone(row)
        ):
            return row
    return None


def _status(headlines: Sequence[Row], question: str, alone: Row | None) -> tuple[str, str]:
    if any(direction(row) == "unknown" for row in headlines):
        told = reasons(headlines) or "The estimate has no interval."
        return "partly", f"There is an estimate, and no interval to say how sure it is. {told}"
    if any(str(row["outcome"]).startswith(PUBLISHED_CATEGORY) for row in headlines):
        return (
            "partly",
            "Published records bear it only by month, at snapped points and in published "
            "categories" + (_NOT_SERIOUS if question == "RQ1" else "."),
        )
    if alone is not None:
        return (
            "partly",
            "Patrolled places are compared with places that patrols reached later, because no "
            f"other place could be matched: {alone['reason']}",
        )
    return (
        "answered",
        "Patrolled places are compared over time with places that were not patrolled.",
    )


def _without_effect(
    study: Study, question: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> Reply:
    feed = _FEED[question]
    if not study.has(feed):
        return unanswerable(f"No {_WORDS[feed]} were supplied.", f"Supply {_WORDS[feed]}.")
    if any(row["status"] == "masked" for row in (headlines or rows)):
        return unanswerable(
            "Outcomes after the start stay masked until the plan is locked.", "Lock the plan."
        )
    told = reasons(headlines) or reasons(_barred(rows)[:1])
    if not headlines and not study.has("hotspot"):
        told = "No hot spots were supplied, so nothing says where patrols went."
    told = told or "No effect could be estimated from the records that were supplied."
    levels = [
        row for row in rows if is_estimated(row) and is_everyone(row) and feeds(row) & _RECORDED
    ]  # fmt: skip
    before_after = [row for row in levels if row["role"] == "not_impact"]
    if not levels:
        return unanswerable(told, "Supply what the reason names.")
    summary = f"No effect can be stated. {told}"
    if before_after:
        summary += (
            " Before against after alone is not impact: "
            f"{before_after[0]['outcome_label']}, {wording.placeholder(before_after[0], 'full')}."
        )
    grade = Grade("none", (told,))
    return Reply("partly", told, summary, grade, before_after[:1], "Supply what the reason names.")


def _barred(rows: Sequence[Row]) -> list[Row]:
    """Headlines that the recovery certificate took out of their place."""
    return [
        row
        for row in rows
        if str(row["reason"] or "").startswith("Barred from the headline")
        and is_effect(row) and is_everyone(row) and not is_ring(row)
    ]  # fmt: skip


def _next_step(study: Study, headlines: Sequence[Row]) -> str | None:
    if any(str(row["outcome"]).startswith(PUBLISHED_CATEGORY) for row in headlines):
        return (
            "Supply the force's own crime records: with times, exact places, and the domestic and "
            "public-place markers that the registered definitions need."
        )
    if study.about.exploratory:
        return "Lock the plan before outcomes are seen."
    if any(direction(row) in ("none", "unknown") for row in headlines):
        return "More months or more places would lower the smallest detectable change."
    if not study.about.dose_known:
        return "Supply position reports or ready-made visits, so that the dose is known."
    return None
