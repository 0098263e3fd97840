"""What came of it: effects estimated, health, survey and interviews described."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from placeproof import effects, interviews, surveys
from placeproof.definitions import outcomes
from placeproof.effects import health
from placeproof.study.counting import nights
from placeproof.study.placing import first_start
from placeproof.study.plan import Plan
from placeproof.study.work import Work, without_effect


def estimate_effects(work: Work) -> None:
    """
    Estimate the effect of the patrols on every outcome of the plan that could be counted.

    Parameters
    ----------
    work : Work
        The run; estimates are added. While the plan is not locked, every effect is masked.
    """
    planned = planned_outcomes(work)
    if not work.lock.outcomes_visible:
        masked = dict.fromkeys(planned, work.lock.stamp)
        work.add(without_effect(work, masked, status="masked"))
        return
    if work.panel is None:
        uncounted = dict.fromkeys(planned, _why_no_panel(work))
        work.add(without_effect(work, uncounted, status="not_supplied"))
        return
    work.add(
        effects.first_set(
            for_estimation(work, work.panel),
            outcomes=planned,
            level=work.plan.level,
            permutations=work.plan.permutations,
            rng=work.rng("effects", "permutations"),
            widths=work.plan.event_study_steps,
            leads=work.plan.event_study_leads,
            nte=work.plan.nte,
            bands=bands_of(work),
        )
    )


def planned_outcomes(work: Work) -> dict[str, effects.PlannedOutcome]:
    """
    Say of every outcome that could be counted what the plan says of it.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    dict of str to PlannedOutcome
        By the outcome's id, in the order of the plan.
    """
    return {
        outcome_id: effects.PlannedOutcome(
            question=work.question_of(outcome_id),
            label=outcomes()[outcome_id].label,
            edition=outcomes()[outcome_id].edition_tag,
            role=work.role_of(outcome_id),
            feeds=work.feeds_of(outcome_id),
        )
        for outcome_id in work.selected
        if outcome_id not in work.not_supplied
    }


def for_estimation(work: Work, panel: pl.DataFrame) -> pl.DataFrame:
    """
    Leave out the periods that may not serve as baseline.

    A period before the start of a place that chose hot spots or matched places would carry its
    luck into the baseline. Periods after the selection window serve every place that has not
    started yet.

    Parameters
    ----------
    work : Work
        The run.
    panel : table `panel`
        Counts of any outcome and hours. Not modified.

    Returns
    -------
    table `panel`
        The rows on which effects are estimated.
    """
    spare = work.baseline_periods
    return panel.filter(serves_as_baseline(work.plan, None if spare is None else sorted(spare)))


def serves_as_baseline(plan: Plan, spare: Sequence[date] | None) -> pl.Expr:
    """
    Say which periods neither chose hot spots nor matched places.

    Parameters
    ----------
    plan : Plan
        Its windows, and whether the baseline leaves such periods out at all.
    spare : sequence of date or None
        Starts of the periods of the history that took no part in matching; None: no places were
        matched, and the whole history serves.

    Returns
    -------
    polars.Expr
        Over `period_start` and `period_end`.
    """
    if plan.baseline == "all":
        return pl.lit(value=True)
    start, end = pl.col("period_start"), pl.col("period_end")
    chosen = (end >= plan.selection_from) & (start <= plan.selection_to)
    if spare is None:
        return ~chosen
    history = (start >= plan.history_from) & (end <= plan.history_to)
    return ~chosen & ~(history & ~start.is_in(spare))


def describe_health(work: Work) -> None:
    """
    Describe hospital attendances and admissions.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    """
    made = health.estimates(
        work.inputs.get("ed_assault"),
        work.inputs.get("admission"),
        nte=nights(work, work.plan.nte, first=work.study.start, last=work.study.cut_off),
        nte_id=work.plan.nte,
    )
    headline = {"question": "RQ10", "role": "headline"}
    if any(part.filter(**headline).height for part in work.estimates):
        # Located attendances say for themselves whether they bear an effect.
        made = made.filter(pl.col("role") != "headline")
    work.add(made)


def estimate_survey(work: Work) -> None:
    """
    Estimate what people noticed, think and feel.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    """
    get = work.inputs.get
    recorded, label = _recorded(work)
    made = surveys.estimates(
        get("response"),
        hotspot=get("hotspot"),
        consent=get("consent"),
        withdrawal=get("withdrawal"),
        response_flag=get("response_flag"),
        recorded=recorded,
        recorded_label=label,
        headline_order=work.plan.headline_order,
        people_target=work.plan.survey_people,
        areas_target=work.plan.survey_areas,
        per_area_target=work.plan.survey_people_per_area,
        min_items=work.plan.min_items,
        min_people_per_area=work.plan.min_people_per_area,
        level=work.plan.level,
    )
    # The panel is made here: what recorded events rest on is what it was counted from.
    feeds = pl.col("feeds").str.replace(r"\bpanel\b", work.feeds_of(work.plan.primary))
    work.add(made.with_columns(feeds))


def describe_interviews(work: Work) -> None:
    """
    Count the people heard, and who stands behind each code.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    """
    get = work.inputs.get
    work.add(
        interviews.estimates(
            session=get("session"),
            speaker=get("speaker"),
            turn=get("turn"),
            code=get("code"),
            coded_span=get("coded_span"),
            hotspot=get("hotspot"),
            consent=get("consent"),
            withdrawal=get("withdrawal"),
            people_target=work.plan.interview_people,
            areas_target=work.plan.interview_areas,
        )
    )


def bands_of(work: Work) -> dict[str, str]:
    """
    Say of every ring which band of distances it is.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    dict of str to str
        Place id to words such as "0-100 m".
    """
    if work.places is None:
        return {}
    rings = work.places.filter(pl.col("ring_outer_m").is_not_null())
    return {
        row["place_id"]: f"{row['ring_inner_m']:g}-{row['ring_outer_m']:g} m"
        for row in rings.iter_rows(named=True)
    }


def _why_no_panel(work: Work) -> str:
    if work.hotspots is None:
        return work.why_no_places or work.inputs.missing.get(
            "hotspot", "No hot spots were supplied."
        )
    return "No outcome could be counted in the hot spots."


def _recorded(work: Work) -> tuple[pl.DataFrame | None, str]:
    """Recorded events of the primary outcome by hot spot, to stand beside what people believe."""
    if work.panel is None or not work.lock.outcomes_visible or first_start(work) is None:
        return None, ""
    primary = work.plan.primary
    counted = work.panel.filter(outcome=primary, hours="all", kind="hotspot")
    if counted.is_empty():
        return None, ""
    totals = counted.group_by(hotspot_id="place_id").agg(events=pl.col("count").sum())
    return totals.sort("hotspot_id"), outcomes()[primary].label
