"""Findings to the answers of RQ1 to RQ10."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from placeproof.answers import health, impact, perceptions, variation
from placeproof.answers.doubts import Circumstances, Event
from placeproof.answers.reading import QUESTIONS, identities
from placeproof.answers.reply import Reply, Study
from placeproof.definitions import questions as titles
from placeproof.tables import Answer

DOSE_FEEDS: tuple[str, ...] = ("ping", "visit", "delivered", "patrol_log")
"""Feeds that say what was delivered."""
NEAR_DAYS = 62
"""Two months: an event that begins this close to the first patrols, before or after, is near."""


def answer_all(
    findings: pl.DataFrame,
    *,
    supplied: Mapping[str, bool],
    exploratory: bool,
    retrospective: bool,
    plausible_effect: float,
    few_places_below: int,
    shocks: pl.DataFrame | None,
    first_start: date | None,
) -> pl.DataFrame:
    """
    Answer every research question, each with its status, reason and confidence.

    Parameters
    ----------
    findings : table `finding`
        Released findings. Not modified.
    supplied : mapping
        Canonical table to whether the study has it; an absent one counts as not supplied.
    exploratory : bool
        Whether the plan is not locked and every number is stamped.
    retrospective : bool
        Whether outcomes were already public when the plan was locked.
    plausible_effect : float
        Largest change, as a share (0.2 for 20 per cent), that there is reason to expect.
    few_places_below : int
        First number of treated places, or survey areas, that is not few.
    shocks : table `shock` or None
        Changes that move counts without moving crime. One that begins within two months of the
        first patrols lowers the grade of the effects that it touches.
    first_start : datetime.date or None
        First day of patrols anywhere; None: not known, so that nothing is near it.

    Returns
    -------
    table `answer`
        Ten rows, RQ1 to RQ10. Numbers stand in the texts only as {finding_id:field}.

    Raises
    ------
    ValueError
        If `plausible_effect` is not a share above 0.
    """
    if not 0 < plausible_effect < 1:
        raise ValueError("plausible_effect is a share above 0 and below 1")
    about = Circumstances(
        exploratory=exploratory,
        retrospective=retrospective,
        plausible_effect=plausible_effect,
        few_places_below=few_places_below,
        dose_known=any(supplied.get(feed, False) for feed in DOSE_FEEDS),
        near_start=_near(shocks, first_start),
    )
    study = Study(list(findings.iter_rows(named=True)), dict(supplied), about)
    rows = [_row(question, _reply(study, question)) for question in QUESTIONS]
    schema = {name: column.dtype for name, column in Answer.columns().items()}
    return Answer.validate(pl.DataFrame(rows, schema=schema), cast=True)


def _near(shocks: pl.DataFrame | None, first_start: date | None) -> tuple[Event, ...]:
    if shocks is None or first_start is None:
        return ()
    return tuple(
        Event(
            shock_id=row["shock_id"],
            name=row["name"],
            reopening=row["kind"] == "reopening",
            outcomes=frozenset(str(row["outcomes"]).split()),
        )
        for row in shocks.sort("starts_on", "shock_id").iter_rows(named=True)
        if abs((row["starts_on"] - first_start).days) <= NEAR_DAYS
    )


def _reply(study: Study, question: str) -> Reply:
    headlines = (row for row in study.of(question) if row["role"] == "headline")
    if any(row.get("exploratory") for row in headlines):
        study = replace(study, about=replace(study.about, deviated=True))
    if question in ("RQ1", "RQ2", "RQ3"):
        return impact.reply(study, question)
    if question == "RQ8":
        return variation.by_demography(study)
    if question == "RQ9":
        return variation.by_hours(study)
    if question == "RQ10":
        return health.reply(study)
    return perceptions.reply(study, question)


def _row(question: str, reply: Reply) -> dict[str, object]:
    return {
        "question": question,
        "title": titles.QUESTIONS[question],
        "status": reply.status,
        "because": reply.because,
        "summary": reply.summary,
        "confidence": reply.grade.confidence,
        "grade_reasons": json.dumps(list(reply.grade.reasons), ensure_ascii=False),
        "finding_ids": identities(reply.rows),
        "next_step": reply.next_step,
    }
