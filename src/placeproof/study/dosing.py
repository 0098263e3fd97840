"""What can be identified here, by tasked days, by dose, and for how long."""

from dataclasses import replace
from datetime import date

import polars as pl

from placeproof import panel
from placeproof.calendar import operating_day
from placeproof.effects import PlannedOutcome
from placeproof.effects.dose import (
    DayRules,
    DoseRules,
    dose_response,
    identified_cohorts,
    lasting,
    lot_rows,
    place_days,
    tasked_day_rows,
)
from placeproof.effects.rows import Row
from placeproof.errors import StudyError
from placeproof.panel.minutes import minutes_per_period
from placeproof.study.counting import night_hours, supplied_months
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work, described
from placeproof.tables import estimate

NO_TASKING = "No tasking was supplied: days with a patrol cannot be told from days without one."


def say_what_is_identified(work: Work) -> None:
    """
    Say of each cohort whether a comparison of before and after can speak of it.

    Parameters
    ----------
    work : Work
        The run; estimates are added. While the plan is not locked, nothing is counted.
    """
    planned = headlines(work)
    if work.panel is None or not work.lock.outcomes_visible or not planned:
        return
    work.add(identified_cohorts(for_estimation(work, work.panel), outcomes=planned))


def compare_tasked_days(work: Work) -> None:
    """
    Compare days with a tasked patrol with days without one, in the same places.

    Parameters
    ----------
    work : Work
        The run; estimates are added: within places and their months, by hours, over the days after
        a patrol, and by randomisation inference where tasking says that chance allotted the days.
        While the plan is not locked, nothing is counted.
    """
    if work.places is None or not work.lock.outcomes_visible:
        return
    minutes, tasking = work.tables.get("planned_minutes"), work.inputs.get("tasking")
    for name, outcome in headlines(work).items():
        if minutes is None or tasking is None or minutes.is_empty():
            work.add(_without(work, name, outcome, NO_TASKING, status="not_supplied"))
            continue
        try:
            counted = _by_day(work, name, minutes)
        except StudyError as error:
            work.add(_without(work, name, outcome, error.message, status="not_identified"))
            continue
        work.add(_tasked_days(work, name, outcome, counted, allotted_by_lot(tasking)))


def follow_horizons(work: Work) -> None:
    """
    Estimate the headline effects by horizon since the start, their trend and their half-life.

    Parameters
    ----------
    work : Work
        The run; estimates are added. While the plan is not locked, nothing is estimated.
    """
    planned = headlines(work)
    if work.panel is None or not work.lock.outcomes_visible or not planned:
        return
    kept = for_estimation(work, work.panel)
    work.add(lasting(kept, outcomes=planned, level=work.plan.level))


def follow_dose(work: Work) -> None:
    """
    Estimate how the headline outcomes change with the minutes of patrol.

    Parameters
    ----------
    work : Work
        The run; estimates are added: by planned and by delivered minutes, the latter with and
        without the error of their measurement. While the plan is not locked, nothing is estimated.
    """
    planned = headlines(work)
    if work.panel is None or not work.lock.outcomes_visible or not planned:
        return
    named = {
        name: replace(said, feeds=" ".join(dict.fromkeys(f"{said.feeds} tasking ping".split())))
        for name, said in planned.items()
    }
    dose = work.plan.dose
    rules = DoseRules(
        step_minutes=dose.step_minutes, groups=dose.dose_groups, level=work.plan.level
    )
    kept = for_estimation(work, work.panel)
    work.add(dose_response(kept, outcomes=named, errors=_errors(work, kept), rules=rules))


def _errors(work: Work, kept: pl.DataFrame) -> pl.DataFrame | None:
    """The variance of the error of delivered minutes by place and period, where it is known."""
    dose = work.tables.get("dose")
    if dose is None:
        return None
    days = dose.filter(source="pings", hours="all").drop_nulls("patrol_minutes_sd")
    if days.is_empty():
        return None
    cells = kept.select("place_id", "kind", "period_start", "period_end").unique()
    minutes = days.select(
        "operating_day", place_id="hotspot_id", minutes=pl.col("patrol_minutes_sd") ** 2
    )
    return minutes_per_period(cells, minutes, column="variance")


def headlines(work: Work) -> dict[str, PlannedOutcome]:
    """
    Say of every headline outcome that could be counted what the plan says of it.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    dict of str to PlannedOutcome
        By the outcome's id.
    """
    named = set(work.headline_outcomes())
    return {name: said for name, said in planned_outcomes(work).items() if name in named}


def allotted_by_lot(tasking: pl.DataFrame) -> pl.DataFrame:
    """
    Find the spans of days in which chance alone set the days of a place.

    Parameters
    ----------
    tasking : table `tasking`
        Not modified.

    Returns
    -------
    DataFrame
        `place_id`, `first`, `last`: from the first to the last day allotted at random. Places with
        any other task in between have no row: which days chance left out there cannot be told.
    """
    days = tasking.select(
        place_id="hotspot_id",
        day=operating_day(pl.col("window_from")),
        lot=pl.col("randomised").fill_null(value=False),
    )
    spans = (
        days.filter("lot")
        .group_by("place_id")
        .agg(first=pl.col("day").min(), last=pl.col("day").max())
    )
    mixed = days.filter(~pl.col("lot")).join(spans, on="place_id")
    mixed = mixed.filter(pl.col("day").is_between("first", "last"))
    return spans.join(mixed, on="place_id", how="anti").sort("place_id")


def _by_day(work: Work, name: str, minutes: pl.DataFrame) -> pl.DataFrame:
    """Days of the hot spots, from the first to the last of which tasking speaks."""
    spots = work.places.filter(pl.col("kind") == "hotspot")  # type: ignore[union-attr]
    events = work.selected[name]
    first, last = minutes["operating_day"].min(), minutes["operating_day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return panel.build(
        events.filter(pl.col("place_id").is_in(spots["place_id"].implode())),
        spots,
        outcome_id=name,
        period_kind="day",
        first=max(first, work.plan.analysis_from),
        last=min(last, work.plan.analysis_to, work.study.cut_off),
        supplied_months=supplied_months(work, name),
        nte_intervals=night_hours(work, work.plan.nte, events),
        planned=minutes,
    )


def _tasked_days(
    work: Work, name: str, outcome: PlannedOutcome, counted: pl.DataFrame, by_lot: pl.DataFrame
) -> pl.DataFrame:
    dose = work.plan.dose
    rules = DayRules(
        lag_days=dose.lag_days,
        washout_days=dose.washout_days,
        lot_block=dose.lot_block,
        permutations=work.plan.permutations,
        level=work.plan.level,
    )
    rows: list[Row] = []
    longest = max(dose.lag_days, dose.washout_days)
    for (hours,), part in sorted(counted.partition_by("hours", as_dict=True).items()):
        days = place_days(part, by_lot=by_lot, lag_days=longest)
        base = _base(work, name, outcome) | {
            "hours": "all" if hours == "all" else f"{hours}:{work.plan.nte}",
            "window_start": part["period_start"].min(),
            "window_end": part["period_end"].max(),
        }
        rows += tasked_day_rows(days, base, rules=rules, lags=hours == "all")
        if hours == "all":
            rng = work.rng("dose", f"lots/{name}")
            rows += lot_rows(days, base, rules=rules, rng=rng)
    return estimate.rows(rows)


def _base(work: Work, name: str, outcome: PlannedOutcome) -> Row:
    feeds = " ".join(dict.fromkeys(f"{outcome.feeds} tasking".split()))
    return dict(described(work, name)) | {"question": outcome.question, "feeds": feeds}


def _without(
    work: Work, name: str, outcome: PlannedOutcome, reason: str, *, status: str
) -> pl.DataFrame:
    row = _base(work, name, outcome) | {
        "population": "treated hot spots",
        "estimand": "tasked_day_rate_ratio",
        "method": "poisson_within_place_months_jackknife",
        "role": "robustness",
        "unit": "ratio",
        "status": status,
        "reason": reason,
    }
    return estimate.rows([row])
