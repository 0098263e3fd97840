"""A hot spot's week: what was asked for and what was delivered."""

from collections.abc import Sequence

import polars as pl

from placeproof.calendar import LOCAL_ZONE, operating_day, period_start

WINDOWS = {
    "hotspot_id": pl.String,
    "week": pl.Date,
    "operating_day": pl.Date,
    "weekday": pl.Int8,
    "starts": pl.String,
    "ends": pl.String,
    "target_minutes": pl.Float64,
    "minutes": pl.Float64,
    "state": pl.String,
    "reason": pl.String,
    "in_a_row": pl.Int64,
}
"""One row per hot spot, operating day and window of local hours; weeks begin on Monday."""

SOURCES = ("reconciled", "pings", "delivered")
"""Which source of presence a sheet speaks of, the first that there is."""

_STATES = ("missed", "not_known", "cancelled", "short", "kept")
"""From the least to the most; of several tasks in the same window the most counts."""

_MINUTES = ("patrol_minutes", "person_minutes", "visible_minutes")


def windows(attendance: pl.DataFrame) -> pl.DataFrame:
    """
    Say of each window whether it was kept, too short, missed, cancelled or not known.

    Several tasks in the same window count once, by the best of them. `in_a_row` counts how often
    the same weekday and hours were missed one after the other; windows that were cancelled or of
    which nothing is known neither count nor end such a row.

    Parameters
    ----------
    attendance : table `attendance`

    Returns
    -------
    DataFrame
        `WINDOWS`, sorted by hot spot, day and hours. `starts` and `ends` are local time.
    """
    local_from = pl.col("window_from").dt.convert_time_zone(LOCAL_ZONE)
    local_to = pl.col("window_to").dt.convert_time_zone(LOCAL_ZONE)
    slot = ["hotspot_id", "weekday", "starts", "ends"]
    state = (
        pl.when(pl.col("level_3"))
        .then(pl.lit("kept"))
        .when(pl.col("level_1"))
        .then(pl.lit("short"))
        .when(pl.col("cancelled"))
        .then(pl.lit("cancelled"))
        .when(~pl.col("observed") | pl.col("level_1").is_null())
        .then(pl.lit("not_known"))
        .otherwise(pl.lit("missed"))
    )
    rank = pl.col("state").replace_strict(list(_STATES), range(len(_STATES)), return_dtype=pl.Int8)
    once = (
        attendance.with_columns(
            week=period_start(pl.col("operating_day"), kind="week"),
            weekday=pl.col("operating_day").dt.weekday(),
            starts=local_from.dt.strftime("%H:%M"),
            ends=local_to.dt.strftime("%H:%M"),
            minutes="minutes_in_window",
            state=state,
        )
        .with_columns(rank=rank)
        .sort("task_id")
        .sort(
            *slot,
            "operating_day",
            -pl.col("rank"),
            -pl.col("minutes"),
            nulls_last=True,
            maintain_order=True,
        )
        .unique([*slot, "operating_day"], keep="first", maintain_order=True)
    )
    known = pl.col("state").is_in(["kept", "short", "missed"])
    missed = (pl.col("state") == "missed").cast(pl.Int64)
    # Rows of misses are told apart by how many kept windows went before them.
    kept_before = (known & (pl.col("state") != "missed")).cum_sum().over(slot)
    return (
        once.sort(*slot, "operating_day")
        .with_columns(row=kept_before)
        .with_columns(in_a_row=missed.cum_sum().over([*slot, "row"]) * missed)
        .select(pl.col(name).cast(kind) for name, kind in WINDOWS.items())
        .sort("hotspot_id", "operating_day", "starts", "ends")
    )


def main_attendance(attendance: pl.DataFrame) -> pl.DataFrame:
    """
    Keep each task once, because sources are never added up.

    Parameters
    ----------
    attendance : table `attendance`
        One row per task and source of presence.

    Returns
    -------
    table `attendance`
        For each hot spot and week the rows of the first of pings, visits, dwell and hours that
        observed any window of that week; where none did, of the first that there is.
    """
    order = {"pings": 0, "visits": 1, "dwell": 2, "hours": 3}
    rank = pl.col("source").replace_strict(order, default=9, return_dtype=pl.Int8)
    week = period_start(pl.col("operating_day"), kind="week")
    # A source that saw nothing of the week comes after every one that did.
    blind = (~pl.col("observed").fill_null(value=False)).cast(pl.Int8)
    seen = attendance.with_columns(week=week, rank=rank).with_columns(
        choice=blind.min().over("hotspot_id", "week", "source") * 10 + pl.col("rank")
    )
    first = pl.col("choice") == pl.col("choice").min().over("hotspot_id", "week")
    return seen.filter(first).select(attendance.columns)


def main_dose(dose: pl.DataFrame) -> pl.DataFrame:
    """
    Keep one source of presence for each hot spot, because sources are never added up.

    Parameters
    ----------
    dose : table `dose`

    Returns
    -------
    table `dose`
        For each hot spot the rows of the first source of `SOURCES` that it has; of several who
        deliver it, the one with the most days, then the first by name.
    """
    order = {name: index for index, name in enumerate(SOURCES)}
    whose = ["hotspot_id", "source", "by"]
    # Reconciled rows are one source, whoever stood behind each of them.
    told = dose.with_columns(by=pl.when(pl.col("source") != "reconciled").then("delivered_by"))
    best = (
        told.group_by(whose)
        .agg(days=pl.col("operating_day").n_unique())
        .with_columns(order=pl.col("source").replace_strict(order, return_dtype=pl.Int8))
        .sort("hotspot_id", "order", -pl.col("days").cast(pl.Int64), "by")
        .unique("hotspot_id", keep="first", maintain_order=True)
        .select(whose)
    )
    kept = told.join(best, on=whose, how="semi", nulls_equal=True, maintain_order="left")
    return kept.select(dose.columns)


def weekly_delivery(
    window: pl.DataFrame | None,
    attendance: pl.DataFrame | None,
    dose: pl.DataFrame | None,
    visits: pl.DataFrame | None,
    *,
    weeks: Sequence[object],
    hotspot_ids: Sequence[str],
) -> pl.DataFrame:
    """
    Put what was asked for beside what was delivered, week by week.

    Parameters
    ----------
    window : DataFrame or None
        As `windows` makes it.
    attendance : table `attendance`, or None
    dose : table `dose`, or None
        Of one source for each hot spot (`main_dose`), with hours "all".
    visits : table `visit`, or None
        Only hot spot, arrival and length are read.
    weeks : sequence of date
        Mondays.
    hotspot_ids : sequence of str

    Returns
    -------
    DataFrame
        One row per hot spot and week. A figure is null where its source says nothing of that week:
        windows where no window of any hot spot is on record, minutes where no day is.
    """
    grid = pl.DataFrame({"hotspot_id": list(hotspot_ids)}, schema={"hotspot_id": pl.String}).join(
        pl.DataFrame({"week": list(weeks)}, schema={"week": pl.Date}), how="cross"
    )
    keys = ["hotspot_id", "week"]
    made = grid
    for part in (
        _asked(window, grid),
        _levels(attendance),
        _presence(dose),
        _lengths(visits),
    ):
        made = made.join(part, on=keys, how="left")
    # Where days are on record but no visit is, there was none.
    seen = pl.col("days").is_not_null() & pl.col("visits_counted").is_null()
    return (
        made.with_columns(
            visits=pl.when(seen).then(0).otherwise(pl.col("visits_counted")).cast(pl.Int64)
        )
        .drop("visits_counted")
        .sort(keys)
    )


def _asked(window: pl.DataFrame | None, grid: pl.DataFrame) -> pl.DataFrame:
    names = ("asked", "kept", "short", "missed", "cancelled", "not_known")
    if window is None:
        return grid.clear().with_columns(pl.lit(None, dtype=pl.Int64).alias(n) for n in names)
    keys = ["hotspot_id", "week"]
    counted = window.group_by(keys).agg(
        asked=pl.len().cast(pl.Int64),
        **{
            name: (pl.col("state") == name).sum().cast(pl.Int64)
            for name in names
            if name != "asked"
        },
    )
    # A week in which others were tasked and this place was not: nothing was asked for.
    on_record = grid.join(window.select("week").unique(), on="week", how="semi")
    return on_record.join(counted, on=keys, how="left").with_columns(
        pl.col(list(names)).fill_null(0)
    )


def _levels(attendance: pl.DataFrame | None) -> pl.DataFrame:
    keys = {"hotspot_id": pl.String, "week": pl.Date}
    levels = [f"level_{n}" for n in range(1, 6)]
    if attendance is None:
        return pl.DataFrame(
            schema=keys
            | dict.fromkeys([*levels, *(f"{n}_of" for n in levels)], pl.Int64)
            | {"minutes_asked": pl.Float64, "minutes_in_windows": pl.Float64}
        )
    at = attendance.with_columns(week=period_start(pl.col("operating_day"), kind="week"))
    given = pl.col("minutes_in_window").is_not_null()
    return at.group_by("hotspot_id", "week").agg(
        *(
            pl.when(pl.col(n).is_not_null().any()).then(pl.col(n).sum()).cast(pl.Int64).alias(n)
            for n in levels
        ),
        *(pl.col(n).is_not_null().sum().cast(pl.Int64).alias(f"{n}_of") for n in levels),
        minutes_asked=pl.col("target_minutes").sum(),
        minutes_in_windows=pl.when(given.any()).then(pl.col("minutes_in_window").sum()),
    )


def _presence(dose: pl.DataFrame | None) -> pl.DataFrame:
    columns = dict.fromkeys([*_MINUTES, "longest_gap_minutes"], pl.Float64)
    if dose is None:
        return pl.DataFrame(
            schema={"hotspot_id": pl.String, "week": pl.Date, **columns, "days": pl.Int64}
        )
    at = dose.with_columns(week=period_start(pl.col("operating_day"), kind="week"))
    return at.group_by("hotspot_id", "week").agg(
        *(
            pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)
            for name in _MINUTES
        ),
        pl.col("longest_gap_minutes").max(),
        days=pl.col("operating_day").n_unique().cast(pl.Int64),
    )


def _lengths(visits: pl.DataFrame | None) -> pl.DataFrame:
    if visits is None:
        return pl.DataFrame(
            schema={
                "hotspot_id": pl.String,
                "week": pl.Date,
                "visits_counted": pl.Int64,
                "median_visit_minutes": pl.Float64,
            }
        )
    at = visits.with_columns(week=period_start(operating_day(pl.col("arrived_at")), kind="week"))
    return at.group_by("hotspot_id", "week").agg(
        visits_counted=pl.len().cast(pl.Int64),
        median_visit_minutes=pl.col("dwell_s").median() / 60,
    )
