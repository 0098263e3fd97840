"""Whether tasked windows were attended, and for how long; and whether logs agree with visits."""

from datetime import timedelta

import numpy as np
import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.stretches import moments, stretches


def attended(
    tasking: pl.DataFrame, occupied: pl.DataFrame, *, observed_days: pl.Series
) -> pl.DataFrame:
    """
    Hold each tasked window against the time in which somebody was in the place.

    Parameters
    ----------
    tasking : table `tasking`
        Cancelled windows stay in: the plan is the denominator.
    occupied : DataFrame
        `place_id`, `starts_at`, `ends_at`, disjoint within a place (`minutes.occupied`).
    observed_days : Series of Date
        Operating days on which the source reported at all.

    Returns
    -------
    table `tasking` and five columns, sorted by window, place and task
        `operating_day`; `observed` (whether the source reported that day); `minutes_in_window`;
        `in_window` (level 1: somebody was there at some moment of the window); `long_enough`
        (level 2: at least `target_minutes` in the window). The last three are null where not
        observed.
    """
    parts = [
        _one_place(tasks, occupied.filter(pl.col("place_id") == place))
        for (place,), tasks in sorted(tasking.group_by("hotspot_id"), key=lambda part: part[0])
    ]
    seen = pl.col("operating_day").is_in(observed_days.to_list())
    held = pl.concat(parts) if parts else _one_place(tasking, occupied.clear())
    return (
        held.with_columns(operating_day=operating_day(pl.col("window_from")))
        .with_columns(observed=seen)
        .with_columns(
            pl.when("observed").then(name).alias(name)
            for name in ("minutes_in_window", "in_window", "long_enough")
        )
        .sort("window_from", "hotspot_id", "task_id")
    )


def matched(
    patrol_log: pl.DataFrame, visit: pl.DataFrame, *, tolerance_s: float, observed_days: pl.Series
) -> pl.DataFrame:
    """
    Say of each log whether anybody was seen in its place at its time.

    A log without a visit may be a phantom, or a patrol whose device was off: it is not proof of
    either. Units are not compared, so a log can be borne out by another unit's visit.

    Parameters
    ----------
    patrol_log : table `patrol_log`
        A log without an end is held against its start.
    visit : table `visit`
    tolerance_s : float
        How far apart log and visit may be in time.
    observed_days : Series of Date
        Operating days on which the source reported at all.

    Returns
    -------
    table `patrol_log` and `operating_day`, `observed`, `matched`
        `matched` is null where the source did not report on that day. Sorted by start and log.
    """
    slack = timedelta(seconds=tolerance_s)
    presence = visit.select(
        place_id="hotspot_id",
        starts_at=pl.col("arrived_at") - slack,
        ends_at=pl.col("left_at") + slack,
    )
    parts = []
    for (place,), logs in sorted(patrol_log.group_by("hotspot_id"), key=lambda part: part[0]):
        there = presence.filter(pl.col("place_id") == place)
        first, last = _claimed(logs)
        # Not disjoint: of what began before the end of the log, does any reach its start?
        begun = np.searchsorted(np.sort(moments(there["starts_at"])), last, side="right")
        over = np.searchsorted(np.sort(moments(there["ends_at"])), first, side="left")
        parts.append(logs.with_columns(matched=pl.Series(begun > over, dtype=pl.Boolean)))
    held = pl.concat(parts) if parts else patrol_log.with_columns(matched=pl.lit(None, pl.Boolean))
    return (
        held.with_columns(operating_day=operating_day(pl.col("started_at")))
        .with_columns(observed=pl.col("operating_day").is_in(observed_days.to_list()))
        .with_columns(matched=pl.when("observed").then("matched"))
        .sort("started_at", "log_id")
    )


def _one_place(tasks: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    present = stretches(there["starts_at"], there["ends_at"])
    first, last = moments(tasks["window_from"]), moments(tasks["window_to"])
    minutes = present.seconds_within(first, last) / 60
    # A target of no minutes is met by being there.
    in_window = present.touched(first, last)
    enough = in_window & (minutes >= tasks["target_minutes"].to_numpy())
    return tasks.with_columns(
        minutes_in_window=pl.Series(minutes, dtype=pl.Float64),
        in_window=pl.Series(in_window, dtype=pl.Boolean),
        long_enough=pl.Series(enough, dtype=pl.Boolean),
    )


def _claimed(logs: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    ended = pl.max_horizontal("started_at", pl.col("ended_at").fill_null(pl.col("started_at")))
    return moments(logs["started_at"]), moments(logs.select(ended.alias("at"))["at"])
