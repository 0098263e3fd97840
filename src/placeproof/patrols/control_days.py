"""Presence on days that chance left without patrol: where tasking was allotted at random."""

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.dose_rows import Measure, measure_rows, nothing, row_of
from placeproof.patrols.rows import Row


def control_day_rows(dose: pl.DataFrame, tasking: pl.DataFrame) -> list[Row]:
    """
    Presence on days that chance left without patrol, beside days that it allotted.

    Parameters
    ----------
    dose : table `dose`
        Source pings; rows of all hours are used.
    tasking : table `tasking`
        Rows with `randomised` true name the places and the days of the programme. A place-day with
        such a row was allotted, cancelled or not; one without any task is a control day.

    Returns
    -------
    list of rows for table `estimate`
        `not_identified` where nothing was allotted at random.
    """
    chance = tasking.filter(pl.col("randomised").fill_null(value=False))
    rows = [
        Measure(
            f"{kind}_day_{what}", f"{label}, days {words}", estimand, "randomised_tasking", unit,
            "tasking ping hotspot", value, pl.col("kind") == kind,
        )
        for kind, words in (("control", "left without patrol by chance"),
                            ("allotted", "allotted to patrol by chance"))
        for what, label, estimand, unit, value in (
            ("minutes", "Patrol-minutes of a place and day", "mean", "minutes per place and day",
             pl.col("patrol_minutes").mean()),
            ("visited", "Place-days on which somebody was there", "share", "share",
             (pl.col("patrol_minutes") > 0).mean()),
        )
    ]  # fmt: skip
    if chance.is_empty():
        return [
            row_of(measure, "hot spots") | nothing("No tasking was allotted at random.")
            for measure in rows
            if measure.outcome == "control_day_minutes"
        ]
    return measure_rows(_kinds_of_days(dose, tasking, chance), rows, nte_id=None,
                        population="hot spots")  # fmt: skip


def _kinds_of_days(dose: pl.DataFrame, tasking: pl.DataFrame, chance: pl.DataFrame) -> pl.DataFrame:
    here = ["hotspot_id", "operating_day"]
    day = operating_day(pl.col("window_from"))
    allotted = chance.select("hotspot_id", operating_day=day).unique()
    tasked = tasking.select("hotspot_id", operating_day=day).unique()
    within = pl.col("operating_day").is_between(
        allotted["operating_day"].min(),
        allotted["operating_day"].max(),
    )
    places = dose.filter(
        pl.col("hours") == "all",
        within,
        pl.col("hotspot_id").is_in(allotted["hotspot_id"].to_list()),
    )
    return pl.concat(
        [
            places.join(allotted, on=here, how="semi").with_columns(kind=pl.lit("allotted")),
            places.join(tasked, on=here, how="anti").with_columns(kind=pl.lit("control")),
        ]
    )
