"""What tasking and logs say of a place: when presence is additional, and how many officers."""

from typing import Literal

import polars as pl

TaskedBy = Literal["place", "unit"]


def tasked_windows(
    tasking: pl.DataFrame, stays: pl.DataFrame, *, tasked_by: TaskedBy
) -> pl.DataFrame:
    """
    List the stretches in which presence is additional.

    Parameters
    ----------
    tasking : table `tasking`
        Cancelled windows make nothing additional.
    stays : DataFrame
        `hotspot_id`, `unit_id`, `starts_at`, `ends_at`: who was there.
    tasked_by : {"place", "unit"}
        Whether anybody's presence in a window counts, or that of the unit asked for alone. A
        window that names no unit is met by anybody.

    Returns
    -------
    DataFrame
        `hotspot_id`, `starts_at`, `ends_at`; they may overlap.
    """
    held = tasking.filter(~pl.col("cancelled"), pl.col("window_to") > pl.col("window_from")).select(
        "hotspot_id", "unit_id", starts_at="window_from", ends_at="window_to"
    )
    if tasked_by == "unit":
        anybody = held.filter(pl.col("unit_id").is_null())
        held = pl.concat([anybody, _by_the_unit_asked(held, stays)])
    return held.drop("unit_id")


def _by_the_unit_asked(windows: pl.DataFrame, stays: pl.DataFrame) -> pl.DataFrame:
    """Parts of windows in which the unit asked for was there: joined by day, to keep pairs few."""
    key = ["hotspot_id", "unit_id", "day"]
    came = _on_each_day(stays.select("hotspot_id", "unit_id", "starts_at", "ends_at"))
    pairs = _on_each_day(windows.drop_nulls("unit_id")).join(came, on=key, suffix="_stay")
    return (
        pairs.select(
            "hotspot_id",
            "unit_id",
            starts_at=pl.max_horizontal("starts_at", "starts_at_stay"),
            ends_at=pl.min_horizontal("ends_at", "ends_at_stay"),
        )
        .filter(pl.col("ends_at") > pl.col("starts_at"))
        .unique(maintain_order=True)
    )


def _on_each_day(spans: pl.DataFrame) -> pl.DataFrame:
    dates = pl.date_ranges(pl.col("starts_at").dt.date(), pl.col("ends_at").dt.date())
    return spans.with_columns(day=dates).explode("day")


def stated_officers(
    *, patrol_log: pl.DataFrame | None, tasking: pl.DataFrame | None
) -> pl.DataFrame:
    """
    List the officers that logs and tasks state, for person-minutes of crews with one device.

    A log is a claim and a task a wish: they count only while pings show somebody in the place.

    Parameters
    ----------
    patrol_log : table `patrol_log`, or None
        Rows with an end and officers count.
    tasking : table `tasking`, or None
        Rows that were not cancelled and name officers count.

    Returns
    -------
    DataFrame
        `hotspot_id`, `starts_at`, `ends_at`, `officers`. Where a log and a task of a place
        overlap, both are in it: give one of the two to count one of them.
    """
    moment = pl.Datetime("us", "UTC")
    parts = [
        pl.DataFrame(
            schema={
                "hotspot_id": pl.String(),
                "starts_at": moment,
                "ends_at": moment,
                "officers": pl.Float64(),
            }
        )
    ]
    if patrol_log is not None:
        parts.append(_stated(patrol_log, "started_at", "ended_at"))
    if tasking is not None:
        parts.append(_stated(tasking.filter(~pl.col("cancelled")), "window_from", "window_to"))
    return pl.concat(parts).sort("hotspot_id", "starts_at", "ends_at", "officers")


def _stated(table: pl.DataFrame, starts: str, ends: str) -> pl.DataFrame:
    return table.filter(pl.col("officers") > 0, pl.col(ends) > pl.col(starts)).select(
        "hotspot_id", starts_at=starts, ends_at=ends, officers=pl.col("officers").cast(pl.Float64)
    )
