"""The target board: what became of every response, and whether people and areas are enough."""

import json
from collections.abc import Sequence

import polars as pl

from placeproof.surveys.designs import designs
from placeproof.surveys.eligible import STEPS
from placeproof.surveys.linearised import effective_n

Row = dict[str, object]

_WORDS = {
    "withdrawn": "Responses withdrawn by the person",
    "no_consent": "Responses without a recorded consent to this use",
    "excluded": "Responses that a person decided to leave out",
    "repeated": "Exact repeats of a response",
    "conflicting": "Responses that share an identifier but differ",
    "eligible": "Responses that count",
}


def accounting(
    judged: pl.DataFrame, *, unreviewed: pl.Series, area_ids: Sequence[str]
) -> list[Row]:
    """
    Count what became of every response received; the steps sum to the number received.

    Parameters
    ----------
    judged : table `response` and `step`
        As `eligible.judged` gives it.
    unreviewed : Series of str
        Responses with a flag that nobody has reviewed.
    area_ids : sequence of str
        Hot spots of the study.

    Returns
    -------
    list of rows for table `estimate`
    """
    eligible = judged.filter(pl.col("step") == "eligible")
    counts = {step: judged.filter(pl.col("step") == step).height for step in STEPS}
    named = pl.col("hotspot_id").is_in(list(area_ids))
    rows = [
        _count("survey_responses_received", "Responses received", judged.height),
        *(
            _count(f"survey_responses_{step}", _WORDS[step], count)
            for step, count in counts.items()
        ),
        _count(
            "survey_responses_unreviewed",
            "Responses that count although a flag on them was not reviewed",
            eligible.filter(pl.col("response_id").is_in(unreviewed.to_list())).height,
        ),
        _count(
            "survey_responses_without_area",
            "Responses that count, name no hot spot of the study and stand in no estimate",
            eligible.filter(~named.fill_null(False)).height,
        ),
    ]
    return rows


def targets(
    people: pl.DataFrame,
    *,
    area_ids: Sequence[str],
    people_target: int,
    areas_target: int,
    per_area_target: int,
) -> list[Row]:
    """
    Hold the eligible responses against the targets for people and areas.

    Parameters
    ----------
    people : table `response` and `confidence_scale`
        Eligible people who name a hot spot of the study.
    area_ids : sequence of str
        Hot spots of the study.
    people_target, areas_target : int
        People in all, and areas that must each reach `per_area_target`.
    per_area_target : int
        Planned people per area.

    Returns
    -------
    list of rows for table `estimate`
        People in all; by population and way of reaching them, with the effective number where base
        weights exist; by area; and the number of areas that reach the plan, the others named.
    """
    by_area = dict(people.group_by("hotspot_id").len().iter_rows())
    reached = {area: by_area.get(area, 0) for area in sorted(set(area_ids))}
    short = [area for area, count in reached.items() if count < per_area_target]
    total = _count("survey_people", "People whose answers count", people.height)
    total["n_places"] = sum(count > 0 for count in reached.values())
    total["diagnostics"] = json.dumps(
        {"met": people.height >= people_target, "target": people_target}, sort_keys=True
    )
    areas = [
        _count(
            "survey_people",
            "People whose answers count",
            count,
            subgroup=f"hotspot={area}",
            n_places=1,
            diagnostics=json.dumps(
                {"met": count >= per_area_target, "target": per_area_target}, sort_keys=True
            ),
        )
        for area, count in reached.items()
    ]
    return [
        total,
        *_by_design(people),
        *areas,
        _gate(reached, short, areas_target, per_area_target),
    ]


def _by_design(people: pl.DataFrame) -> list[Row]:
    rows = []
    for design in designs(people):
        areas = len(set(design.areas.tolist()))
        row = _count(
            "survey_people",
            "People whose answers count",
            design.people.height,
            population=design.label,
            n_places=areas,
            diagnostics=json.dumps(
                {"modes": design.modes, "weighting": design.weighting}, sort_keys=True
            ),
        )
        rows.append(row)
        worth = effective_n(design.weights)
        if design.weighting == "weighted" and worth == worth:
            rows.append(
                row
                | {
                    "outcome": "survey_effective_people",
                    "outcome_label": "People that the weighted answers are worth, after Kish",
                    "estimate": worth,
                    "estimand": "effective_n",
                }
            )
    return rows


def _gate(reached: dict[str, int], short: list[str], areas_target: int, planned: int) -> Row:
    covered = len(reached) - len(short)
    met = covered >= areas_target
    # Names only: a small count beside a name would escape the rule on small cells.
    reason = f"{covered} of {areas_target} areas that the plan asks for have at least {planned}."
    if short:
        reason += " Short of it: " + ", ".join(short) + "."
    if len(reached) < areas_target:
        reason += f" The register holds only {len(reached)} areas."
    return {
        "question": "data",
        "outcome": "survey_areas_covered",
        "outcome_label": "Areas with at least the planned number of people",
        "estimand": "count",
        "method": "count",
        "estimate": float(covered),
        "n": sum(reached.values()),
        "n_places": covered,
        "unit": "areas",
        "reason": reason,
        "diagnostics": json.dumps(
            {"met": met, "per_area_target": planned, "short": short, "target": areas_target},
            sort_keys=True,
        ),
        "feeds": "response consent response_flag hotspot",
    }


def _count(outcome: str, label: str, count: int, **further: object) -> Row:
    return {
        "question": "data",
        "outcome": outcome,
        "outcome_label": label,
        "population": "all who answered",
        "estimand": "count",
        "method": "count",
        "estimate": float(count),
        "n": count,
        "unit": "people" if outcome == "survey_people" else "responses",
        "feeds": "response consent response_flag",
        **further,
    }
