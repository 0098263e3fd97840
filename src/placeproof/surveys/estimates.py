"""The survey strand as one table of estimates."""

import json
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from placeproof.calendar import LOCAL_ZONE
from placeproof.surveys import board
from placeproof.surveys.belief import belief_beside_recorded
from placeproof.surveys.designs import Design, designs
from placeproof.surveys.eligible import judged, unreviewed
from placeproof.surveys.levels import Row, contrasts, levels
from placeproof.surveys.measures import CONFIDENCE_ITEMS
from placeproof.surveys.scales import cronbach_alpha, scale_mean
from placeproof.tables import estimate

QUESTIONS = {
    "RQ4": "Public awareness of the patrols",
    "RQ5": "Perceived effectiveness of the patrols",
    "RQ6": "Feelings of safety",
    "RQ7": "Confidence in the police",
    "RQ8": "How answers vary by demography",
    "RQ9": "How answers vary by hours of use",
}
"""Questions that the survey speaks to."""


def estimates(
    response: pl.DataFrame | None,
    *,
    hotspot: pl.DataFrame | None,
    consent: pl.DataFrame | None,
    withdrawal: pl.DataFrame | None,
    response_flag: pl.DataFrame | None,
    recorded: pl.DataFrame | None,
    recorded_label: str,
    headline_order: Sequence[str],
    people_target: int,
    areas_target: int,
    per_area_target: int,
    min_items: int,
    min_people_per_area: int,
    level: float,
) -> pl.DataFrame:
    """
    Everything that the survey says: the target board, levels, contrasts, belief beside record.

    One wave inside hot spots gives levels, contrasts between groups and associations, never an
    effect of the patrols; each row says so.

    Parameters
    ----------
    response : table `response`, or None
        None or empty: one row `not_supplied` for each question.
    hotspot : table `hotspot`, or None
        The areas of the study. None: the areas that responses name, and the board says so by
        having none to miss.
    consent, withdrawal, response_flag : tables of those names, or None
        See `eligible.judged` for what counts.
    recorded : DataFrame or None
        `hotspot_id`, `events`: recorded events by area, to stand beside what people believe.
    recorded_label : str
        Which recorded events, in words.
    headline_order : sequence of str
        Populations (resident, business, user) in the order in which one of them carries the
        headline: the first that has answers. Among its people those met by fieldworkers go first.
    people_target, areas_target, per_area_target : int
        People in all, areas, and planned people per area.
    min_items : int
        Items of the confidence scale that a person must have answered.
    min_people_per_area : int
        Areas with fewer answers are left out when areas are ranked.
    level : float
        Coverage of the intervals.

    Returns
    -------
    table `estimate`
    """
    if response is None or response.is_empty():
        return estimate.rows(_nothing("No survey responses were supplied."))
    judgement = judged(
        response, consent=consent, withdrawal=withdrawal, response_flag=response_flag
    )
    area_ids = _areas(hotspot, judgement)
    people = _people(judgement, area_ids, min_items)
    rows = board.accounting(
        judgement, unreviewed=unreviewed(response_flag), area_ids=area_ids
    ) + board.targets(
        people,
        area_ids=area_ids,
        people_target=people_target,
        areas_target=areas_target,
        per_area_target=per_area_target,
    )
    if people.is_empty():
        return estimate.rows(rows + _nothing("No response that counts names an area."))
    apart = designs(people)
    first = _headline(apart, headline_order)
    for design in apart:
        rows += levels(design, level=level, headline=design is first)
        rows += contrasts(design, level=level)
        rows.append(_alpha(design))
        if recorded is not None and not recorded.is_empty():
            rows += belief_beside_recorded(
                design,
                recorded,
                recorded_label=recorded_label,
                min_people=min_people_per_area,
            )
    return estimate.rows(_dated(rows, people))


def _areas(hotspot: pl.DataFrame | None, judgement: pl.DataFrame) -> list[str]:
    source = judgement if hotspot is None or hotspot.is_empty() else hotspot
    return source["hotspot_id"].drop_nulls().unique().sort().to_list()


def _people(judgement: pl.DataFrame, area_ids: Sequence[str], min_items: int) -> pl.DataFrame:
    people = judgement.filter(
        pl.col("step") == "eligible", pl.col("hotspot_id").is_in(list(area_ids))
    )
    score = scale_mean(people, columns=CONFIDENCE_ITEMS, min_items=min_items, reversed_items={})
    return people.with_columns(score.alias("confidence_scale"))


def _headline(apart: Sequence[Design], order: Sequence[str]) -> Design | None:
    # Designs come with fieldworkers before volunteers.
    for population in order:
        for design in apart:
            if design.population == population:
                return design
    return None


def _alpha(design: Design) -> Row:
    alpha, complete = cronbach_alpha(design.people, columns=CONFIDENCE_ITEMS, reversed_items={})
    identified = bool(np.isfinite(alpha))
    return {
        "question": "RQ7",
        "outcome": "confidence_scale",
        "outcome_label": "Confidence in the police, mean of the items: 1 least, 5 most",
        "population": design.label,
        "estimand": "cronbach_alpha",
        "method": "cronbach_alpha_complete_cases",
        "estimate": alpha if identified else None,
        "n": complete,
        "unit": "reliability",
        "status": "estimated" if identified else "not_identified",
        "reason": "Unweighted, among people who answered every item."
        if identified
        else "Too few people answered every item, or nobody differs.",
        "feeds": "response consent response_flag",
    }


def _dated(rows: list[Row], people: pl.DataFrame) -> list[Row]:
    """In the diagnostics: what a finding is called never depends on the data."""
    days = people["completed_at"].dt.convert_time_zone(LOCAL_ZONE).dt.date()
    when = {"answered_from": _iso(days.min()), "answered_to": _iso(days.max())}
    return [
        row
        | {
            "diagnostics": json.dumps(
                json.loads(str(row.get("diagnostics", "{}"))) | when, sort_keys=True
            )
        }
        for row in rows
    ]


def _iso(day: object) -> str | None:
    return day.isoformat() if isinstance(day, date) else None


def _nothing(reason: str) -> list[Row]:
    return [
        {
            "question": question,
            "outcome": "survey",
            "outcome_label": label,
            "estimand": "share",
            "method": "linearised_cluster_by_area",
            "role": "headline",
            "unit": "share",
            "status": "not_supplied",
            "reason": reason,
            "feeds": "response",
        }
        for question, label in QUESTIONS.items()
    ]
