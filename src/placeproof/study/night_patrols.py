"""What patrols in night-time hours did to the other hours."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from placeproof import calendar, panel
from placeproof.calendar.beside import beside_nights
from placeproof.effects.dose.place_days import DayRules, place_days, tasked_day_rows
from placeproof.effects.first_set import SPOTS
from placeproof.effects.grid import Grid, grid
from placeproof.effects.night_patrols import CORE, REST, band_rows, first_tasked_rows, without_bands
from placeproof.effects.rows import PlannedOutcome, Row
from placeproof.errors import StudyError
from placeproof.study.counting import night_hours, supplied_months
from placeproof.study.dosing import allotted_by_lot, headlines
from placeproof.study.estimating import for_estimation
from placeproof.study.work import Work, described
from placeproof.tables import estimate

NOT_BY_NIGHT = "No task lies in night-time hours: what patrols at night did cannot be said."
NOT_TASKED = "Nobody says at what hours patrols were asked for."


def follow_night_patrols(work: Work) -> None:
    """
    Estimate what became of the other hours where patrols went out at night.

    Parameters
    ----------
    work : Work
        The run; estimates are added for each headline outcome with times of day: the effect in
        the hours just before and after the nights and in the rest, places first tasked at night
        against others, and nights with a tasked patrol against nights without one in the same
        place and month; or why there are none.
    """
    if work.panel is None or not work.lock.outcomes_visible:
        return
    tasking = work.inputs.get("tasking")
    for name, outcome in headlines(work).items():
        events = work.selected[name]
        nights = night_hours(work, work.plan.nte, events)
        if nights is None or nights.is_empty():
            continue
        tables = _bands(work, name, nights)
        said = {"outcome": name, "planned": outcome, "nte": work.plan.nte}
        level = work.plan.level
        work.add(estimate.rows(band_rows(tables, **said, level=level)))  # type: ignore[arg-type]
        if tasking is None or tasking.is_empty():
            work.add(_without(work, name, outcome, NOT_TASKED, status="not_supplied"))
            continue
        asked = _asked_for(tasking, nights)
        kinds = {CORE: tables[CORE], "other": _grid(work, name, "other")}
        first = _first_tasked(work, asked)
        known = replace(outcome, feeds=_feeds(outcome))
        made = first_tasked_rows(kinds, first, **said | {"planned": known}, level=level)  # type: ignore[arg-type]
        work.add(estimate.rows(made))
        try:
            work.add(_nights_compared(work, name, outcome, nights, asked))
        except StudyError as error:
            work.add(_without(work, name, outcome, error.message, status="not_identified"))


def _feeds(outcome: PlannedOutcome) -> str:
    return " ".join(dict.fromkeys(f"{outcome.feeds} tasking".split()))


def _grid(work: Work, name: str, hours: str) -> Grid:
    counted = for_estimation(work, work.panel.filter(pl.col("outcome") == name))  # type: ignore[union-attr]
    made = grid(counted, outcome=name, hours=hours, kinds=SPOTS)
    assert made is not None
    return made


def _bands(work: Work, name: str, nights: pl.DataFrame) -> dict[str, Grid]:
    """Counts of an outcome in night-time hours, beside them, and in the rest of the other hours."""
    beside = beside_nights(nights, hours=work.plan.night_patrols.hours_around_nights)
    spots = work.places.filter(pl.col("kind").is_in(SPOTS))  # type: ignore[union-attr]
    like = work.panel.filter(pl.col("outcome") == name)  # type: ignore[union-attr]
    events = work.selected[name].filter(pl.col("place_id").is_in(spots["place_id"].implode()))
    made = {CORE: _grid(work, name, CORE)}
    for side in ("before", "after"):
        counted = panel.build(
            events, spots, outcome_id=name, period_kind=work.plan.period,  # type: ignore[arg-type]
            first=like["period_start"].min(), last=like["period_end"].max(),  # type: ignore[arg-type]
            supplied_months=supplied_months(work, name),
            nte_intervals=beside.filter(side=side),
        )  # fmt: skip
        table = grid(for_estimation(work, counted), outcome=name, hours=CORE, kinds=SPOTS)
        assert table is not None
        made[side] = table
    made[REST] = without_bands(_grid(work, name, "other"), [made["before"], made["after"]])
    return made


def _asked_for(tasking: pl.DataFrame, nights: pl.DataFrame) -> pl.DataFrame:
    """Each task with its operating day, and whether any of it lies in night-time hours."""
    tasks = tasking.select("hotspot_id", "window_from", "window_to")
    middle = pl.col("window_from") + (pl.col("window_to") - pl.col("window_from")) / 2
    last = pl.col("window_to") - pl.duration(microseconds=1)
    moments = tasks.select(pl.col("window_from"), middle=middle, last=last)
    inside = [calendar.in_nte(moments[name], nights) for name in moments.columns]
    at_night = inside[0] | inside[1] | inside[2]
    return tasks.select(
        place_id="hotspot_id",
        operating_day=calendar.operating_day(pl.col("window_from")),
        minutes=(pl.col("window_to") - pl.col("window_from")).dt.total_seconds() / 60,
        at_night=at_night,
    )


def _first_tasked(work: Work, asked: pl.DataFrame) -> dict[str, bool]:
    weeks = timedelta(weeks=work.plan.night_patrols.first_weeks)
    first = pl.col("operating_day").min().over("place_id")
    early = asked.filter(pl.col("operating_day") < first + weeks)
    kinds = early.group_by("place_id").agg(pl.col("at_night").any())
    return dict(kinds.iter_rows())


def _nights_compared(
    work: Work, name: str, outcome: PlannedOutcome, nights: pl.DataFrame, asked: pl.DataFrame
) -> pl.DataFrame:
    """Nights with a tasked patrol against nights without, in the same place and month."""
    days = asked["operating_day"]
    dusk = asked.filter("at_night")
    if dusk.is_empty():
        return _without(work, name, outcome, NOT_BY_NIGHT, status="not_identified")
    planned = pl.concat(
        [
            dusk.group_by("place_id", "operating_day").agg(pl.col("minutes").sum()),
            # The frame spans every day of which tasking speaks, whatever the hours.
            pl.DataFrame(
                {
                    "place_id": [dusk["place_id"][0]] * 2,
                    "operating_day": [days.min(), days.max()],
                    "minutes": [0.0, 0.0],
                },
                schema=dusk.select("place_id", "operating_day", "minutes").schema,
            ),
        ]
    ).group_by("place_id", "operating_day").agg(pl.col("minutes").sum())  # fmt: skip
    lots = allotted_by_lot(work.inputs.get("tasking"))  # type: ignore[arg-type]
    rules = DayRules(0, 0, "week", 0, work.plan.level)
    rows: list[Row] = []
    for hours, horizon, counted in _by_day(work, name, nights, planned):
        base = dict(described(work, name)) | {
            "question": "RQ9",
            "feeds": _feeds(outcome),
            "hours": f"{hours}:{work.plan.nte}",
            "horizon": horizon,
            "window_start": counted["period_start"].min(),
            "window_end": counted["period_end"].max(),
        }
        at_risk = place_days(counted, by_lot=lots, lag_days=0).filter(
            pl.col("day").is_in(nights["operating_day"].unique().implode())
        )
        rows += tasked_day_rows(at_risk, base, rules=rules, lags=False)
    named = {"estimand": "tasked_night_rate_ratio", "role": "robustness"}
    return estimate.rows([row | named for row in rows])


def _by_day(
    work: Work, name: str, nights: pl.DataFrame, planned: pl.DataFrame
) -> list[tuple[str, str, pl.DataFrame]]:
    """Hours, day after the night, and the counts of each place and night in them."""
    beside = beside_nights(nights, hours=work.plan.night_patrols.hours_around_nights)
    own = _counted(work, name, planned, nights)
    before, same, following = (
        _counted(work, name, planned, beside.filter(side=side, next_day=later)).filter(hours=CORE)
        for side, later in (("before", False), ("after", False), ("after", True))
    )
    other = own.filter(hours="other")
    after = same.with_columns(count=pl.col("count") + _next(following)["count"])
    return [
        (CORE, "day=0", own.filter(hours=CORE)),
        ("before", "day=0", before),
        ("after", "day=0", after),
        ("other", "day=0", other),
        ("other", "day=1", _next(other)),
    ]


def _next(counted: pl.DataFrame) -> pl.DataFrame:
    """The counts of the next day, in the row of the day itself."""
    ordered = counted.sort("place_id", "period_start")
    return ordered.with_columns(count=pl.col("count").shift(-1).over("place_id"))


def _counted(work: Work, name: str, planned: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    spots = work.places.filter(pl.col("kind") == "hotspot")  # type: ignore[union-attr]
    events = work.selected[name].filter(pl.col("place_id").is_in(spots["place_id"].implode()))
    first, last = planned["operating_day"].min(), planned["operating_day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    made = panel.build(
        events,
        spots,
        outcome_id=name,
        period_kind="day",
        first=max(first, work.plan.analysis_from),
        last=min(last, work.plan.analysis_to, work.study.cut_off),
        supplied_months=supplied_months(work, name),
        nte_intervals=intervals,
        planned=planned,
    )
    return made.sort("place_id", "period_start")


def _without(
    work: Work, name: str, outcome: PlannedOutcome, reason: str, *, status: str
) -> pl.DataFrame:
    row = dict(described(work, name)) | {
        "question": "RQ9",
        "population": "treated hot spots",
        "hours": f"other:{work.plan.nte}",
        "estimand": "tasked_night_rate_ratio",
        "method": "poisson_within_place_months_jackknife",
        "role": "robustness",
        "unit": "ratio",
        "status": status,
        "reason": reason,
        "feeds": _feeds(outcome),
    }
    return estimate.rows([row])
