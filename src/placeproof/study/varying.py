"""What if: the effect without the periods around each event, and under each set of night hours."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from placeproof import calendar, effects
from placeproof.study.counting import count_in_hours, night_hours
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work, described
from placeproof.tables import estimate

MONTHS_AROUND = 1
"""Months left out before and after the month of an event that has no last day (decision 16)."""

_SPOTS = ("hotspot", "comparison")
_RATIO = {
    "population": "treated hot spots",
    "estimand": "rate_ratio",
    "method": "poisson_imputation_jackknife",
    "role": "robustness",
    "unit": "ratio",
    "status": "not_identified",
}


def leave_events_out(work: Work) -> None:
    """
    Estimate the headline effects again without the periods around each registered event.

    Parameters
    ----------
    work : Work
        The run; estimates are added: for each headline outcome and event the ratio and how far it
        moved, or why there is none.
    """
    own = " shock" if work.inputs.get("shock") is not None else ""
    windows = {
        event["shock_id"]: around(event["starts_on"], event["ends_on"])
        for event in work.shocks().iter_rows(named=True)
    }
    leave_out_around(work, windows, feeds=own)


def leave_out_around(work: Work, windows: Mapping[str, tuple[date, date]], *, feeds: str) -> None:
    """
    Estimate the headline effects again without the periods that touch each window.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    windows : mapping of str to (date, date)
        What to call each variant, first and last day of what is left out.
    feeds : str
        Canonical tables that say so, with a blank before them, or "".
    """
    if work.panel is None or not work.lock.outcomes_visible:
        return
    planned = {
        name: replace(outcome, feeds=outcome.feeds + feeds)
        for name, outcome in planned_outcomes(work).items()
        if name in work.headline_outcomes()
    }
    counted = work.panel.filter(
        pl.col("outcome").is_in(list(planned)), pl.col("kind").is_in(_SPOTS), hours="all"
    )
    if counted.is_empty():
        return
    kept = for_estimation(work, counted)
    left_out, untouched = {}, {}
    for event, window in windows.items():
        gone = _starts_within(kept, window)
        if gone:
            left_out[event] = gone
        else:
            # The periods that chose or matched places are not in the headline to begin with.
            inside = _starts_within(counted, window)
            untouched[event] = ALREADY if inside else OUTSIDE
    work.add(
        effects.without_periods(kept, outcomes=planned, left_out=left_out, level=work.plan.level)
    )
    rows = [
        dict(described(work, name)) | _RATIO
        | {"question": outcome.question, "horizon": f"without={event}", "reason": reason,
           "feeds": outcome.feeds}
        for name, outcome in planned.items()
        for event, reason in untouched.items()
    ]  # fmt: skip
    work.add(estimate.rows(rows))


OUTSIDE = "Outside the data."
ALREADY = "Already left out of the headline."


def around(starts_on: date, ends_on: date | None) -> tuple[date, date]:
    """
    Say which days an event covers.

    Parameters
    ----------
    starts_on : datetime.date
        First day of the event.
    ends_on : datetime.date or None
        Last day; None: a change that lasts, or a moment.

    Returns
    -------
    (date, date)
        First and last day. Of an event without a last day, its month and `MONTHS_AROUND` months
        on either side: to leave out all that follows would leave no effect to estimate.
    """
    if ends_on is not None:
        return starts_on, ends_on
    months = pl.Series([starts_on]).dt.month_start()
    first = months.dt.offset_by(f"-{MONTHS_AROUND}mo").item()
    return first, months.dt.offset_by(f"{MONTHS_AROUND + 1}mo").item() - timedelta(days=1)


def _starts_within(counted: pl.DataFrame, window: tuple[date, date]) -> list[date]:
    """First days of the periods that have a day in the window."""
    touched = (pl.col("period_end") >= window[0]) & (pl.col("period_start") <= window[1])
    return counted.filter(touched)["period_start"].unique().sort().to_list()


def list_night_hours(work: Work) -> None:
    """
    Count the headline outcomes under every registered set of night hours, and estimate under each.

    Parameters
    ----------
    work : Work
        The run; estimates are added: events and effects in and outside the hours. Patrol minutes
        stand with delivery, and what the plan pins is estimated elsewhere. Where no record has a
        time of day, one row says so.
    """
    names = work.headline_outcomes()
    if work.panel is None or not work.lock.outcomes_visible or not names:
        return
    selected = work.selected
    timed = [name for name in names if night_hours(work, work.plan.nte, selected[name]) is not None]
    if not timed:
        work.add(_without_times(work, names[0]))
        return
    planned = {name: planned_outcomes(work)[name] for name in timed}
    for preset in calendar.NTE_PRESETS:
        counted = _counted(work, preset, timed)
        work.add(_tallies(work, preset, counted))
        if preset != work.plan.nte:
            work.add(
                effects.by_hours(
                    for_estimation(work, counted),
                    outcomes=planned,
                    nte=preset,
                    level=work.plan.level,
                )
            )


def _counted(work: Work, preset: str, names: list[str]) -> pl.DataFrame:
    """The panel of hot spots and comparison places with its hours split by one preset."""
    split = pl.col("hours").is_in(["nte", "other"])
    chosen = work.panel.filter(  # type: ignore[union-attr]
        split, pl.col("outcome").is_in(names), pl.col("kind").is_in(_SPOTS)
    )
    if preset == work.plan.nte:
        return chosen
    made = [count_in_hours(work, name, _hours(work, preset, name), like=chosen) for name in names]
    return pl.concat(made)


def _hours(work: Work, preset: str, name: str) -> pl.DataFrame:
    return night_hours(work, preset, work.selected[name])  # type: ignore[return-value]


def _tallies(work: Work, preset: str, counted: pl.DataFrame) -> pl.DataFrame:
    """How many events of each outcome fell into the hours, and how many into the others."""
    pinned = preset == work.plan.nte
    told = {"hours": calendar.NTE_PRESETS[preset].label, "pinned": pinned}
    sums = (
        counted.filter(kind="hotspot", group="treated")
        .drop_nulls("count")
        .group_by("outcome", "hours")
        .agg(
            pl.col("count").sum(),
            pl.len(),
            places=pl.col("place_id").n_unique(),
            first=pl.col("period_start").min(),
            last=pl.col("period_end").max(),
        )
    )
    return estimate.rows(
        [
            dict(described(work, row["outcome"]))
            | {
                "question": "RQ9",
                "population": "treated hot spots",
                "hours": f"{row['hours']}:{preset}",
                "window_start": row["first"],
                "window_end": row["last"],
                "estimand": "count",
                "method": "count",
                "role": "description" if pinned else "robustness",
                "estimate": row["count"],
                "n": row["len"],
                "n_places": row["places"],
                "n_events": row["count"],
                "unit": "events",
                "diagnostics": json.dumps(told, sort_keys=True),
            }
            for row in sums.iter_rows(named=True)
        ]
    )


def _without_times(work: Work, name: str) -> pl.DataFrame:
    reason = (
        "The records carry no time of day: events in night-time hours cannot be told from the "
        "others, under any of the registered sets of hours."
    )
    row = _RATIO | {"question": "RQ9", "hours": "nte", "estimand": "ratio_of_rate_ratios"}
    return estimate.rows([dict(described(work, name)) | row | {"reason": reason}])
