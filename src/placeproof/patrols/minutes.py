"""Patrol-minutes by place and operating day: asked for, measured, and stated ready-made."""

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.hours import clocks
from placeproof.patrols.stretches import moments, union


def occupied(visit: pl.DataFrame, *, add_interval: bool) -> pl.DataFrame:
    """
    Say when somebody was in each place: visits of several devices at once count once.

    Parameters
    ----------
    visit : table `visit`
    add_interval : bool
        Whether each visit lasts `dwell_s`, which adds what pings do not show, or `seen_s`, from
        below. It lasts from arrival, so that a presence begins when a ping says so and its
        operating day is one with pings.

    Returns
    -------
    DataFrame
        `place_id`, `starts_at`, `ends_at` (UTC), sorted; disjoint within a place.
    """
    lasted_s = pl.col("dwell_s" if add_interval else "seen_s")
    return union(
        visit.select(
            place_id="hotspot_id",
            starts_at="arrived_at",
            ends_at=pl.col("arrived_at")
            + pl.duration(microseconds=(lasted_s * 1e6).round().cast(pl.Int64)),
        )
    )


def observed_days(pings: pl.DataFrame) -> pl.Series:
    """
    List the operating days on which any device reported at all.

    On other days presence is not known; it is not zero.

    Parameters
    ----------
    pings : table `ping`

    Returns
    -------
    Series of Date, sorted
    """
    return (
        pings.select(operating_day(pl.col("at")).alias("operating_day"))["operating_day"]
        .unique()
        .sort()
    )


def device_days(pings: pl.DataFrame) -> pl.DataFrame:
    """
    List the operating days on which each device reported.

    Parameters
    ----------
    pings : table `ping`

    Returns
    -------
    DataFrame
        `device_id`, `operating_day`, once each, sorted. It never leaves the run.
    """
    return (
        pings.select("device_id", operating_day=operating_day(pl.col("at")))
        .unique()
        .sort("device_id", "operating_day")
    )


def delivered_minutes(
    visit: pl.DataFrame,
    *,
    hotspots: pl.DataFrame,
    observed_days: pl.Series,
    add_interval: bool,
) -> pl.DataFrame:
    """
    Minutes in which somebody was in each place on each operating day, as visits measure them.

    Two officers together for ten minutes are ten patrol-minutes: devices are not added up.

    Parameters
    ----------
    visit : table `visit`
    hotspots : table `hotspot`
        Places to report; one that nobody visited on an observed day has 0.
    observed_days : Series of Date
        Operating days on which the source reported at all; other days have no row.
    add_interval : bool
        As for `occupied`.

    Returns
    -------
    DataFrame
        `place_id`, `operating_day`, `minutes`, sorted. A presence that crosses 06:00 is split
        there.
    """
    counted = _by_day(occupied(visit, add_interval=add_interval), observed_days)
    return (
        place_days(hotspots, observed_days)
        .join(counted, on=["place_id", "operating_day"], how="left")
        .with_columns(pl.col("minutes").fill_null(0.0))
        .sort("place_id", "operating_day")
    )


def _by_day(presence: pl.DataFrame, days: pl.Series) -> pl.DataFrame:
    """Minutes of disjoint stretches by place and operating day, between the first and last day."""
    if days.is_empty():
        return pl.DataFrame(
            schema={"place_id": pl.String, "operating_day": pl.Date, "minutes": pl.Float64}
        )
    first, last = days.sort()[0], days.sort()[-1]
    clock = clocks(first, last, presets=(), bands=False, events=None).common
    stretch, cell, spent = clock.cut(moments(presence["starts_at"]), moments(presence["ends_at"]))
    return (
        pl.DataFrame(
            {"place_id": presence["place_id"][stretch], "day": clock.day[cell], "us": spent}
        )
        .group_by("place_id", operating_day=pl.lit(clock.first) + pl.duration(days="day"))
        .agg(minutes=pl.col("us").sum() / 6e7)
    )


def place_days(hotspots: pl.DataFrame, days: pl.Series) -> pl.DataFrame:
    """
    List the places and days of which presence is known.

    Parameters
    ----------
    hotspots : table `hotspot`
    days : Series of Date
        Operating days on which the source reported at all.

    Returns
    -------
    DataFrame
        `place_id`, `operating_day`: days on which some version of the outline held. Sorted.
    """
    held = pl.col("operating_day").is_between(
        "valid_from", pl.col("valid_to").fill_null(pl.col("operating_day"))
    )
    return (
        hotspots.select("valid_from", "valid_to", place_id="hotspot_id")
        .join(pl.DataFrame({"operating_day": days}, schema={"operating_day": pl.Date}), how="cross")
        .filter(held)
        .select("place_id", "operating_day")
        .unique()
        .sort("place_id", "operating_day")
    )


def stated_minutes(delivered: pl.DataFrame) -> pl.DataFrame:
    """
    Minutes that ready-made tables state for each place and operating day.

    Several statements of one kind by one deliverer are added; where a deliverer states the same
    place and day in more than one kind (visits and hours), the largest counts, because they speak
    of the same presence. Deliverers are added.

    Parameters
    ----------
    delivered : table `delivered`

    Returns
    -------
    DataFrame
        `place_id`, `operating_day`, `minutes`, sorted. Days without a statement have no row: a day
        that nobody wrote down is not zero.
    """
    place_day = ["hotspot_id", "operating_day"]
    return (
        delivered.sort(*place_day, "delivered_by", "kind", "minutes")
        .group_by(*place_day, "delivered_by", "kind", maintain_order=True)
        .agg(pl.col("minutes").sum())
        .group_by(*place_day, "delivered_by", maintain_order=True)
        .agg(pl.col("minutes").max())
        .group_by(place_day, maintain_order=True)
        .agg(pl.col("minutes").sum())
        .rename({"hotspot_id": "place_id"})
        .sort("place_id", "operating_day")
    )


def planned_minutes(tasking: pl.DataFrame, *, include_cancelled: bool) -> pl.DataFrame:
    """
    Minutes that tasking asked for in each place on each operating day.

    Parameters
    ----------
    tasking : table `tasking`
    include_cancelled : bool
        Whether windows that were cancelled later stay in: they do in the exposure for intention to
        treat, because cancelling answers to events.

    Returns
    -------
    DataFrame
        `place_id`, `operating_day` (that of the start of the window), `minutes`, sorted. Days
        without a task have no row.
    """
    kept = tasking if include_cancelled else tasking.filter(~pl.col("cancelled"))
    return (
        kept.sort("hotspot_id", "window_from", "target_minutes")
        .group_by(
            place_id="hotspot_id",
            operating_day=operating_day(pl.col("window_from")),
            maintain_order=True,
        )
        .agg(minutes=pl.col("target_minutes").sum())
        .sort("place_id", "operating_day")
    )


def panel_dose(dose: pl.DataFrame, *, source: str, hours: str) -> pl.DataFrame:
    """
    Take the dose of each place and operating day, for a panel of places and periods.

    Parameters
    ----------
    dose : table `dose`
        Of one study; several deliverers of a source are not added, so name a source that has one
        row per place and day: pings or reconciled.
    source : str
        Which source.
    hours : str
        Which hours, as all or nte:nte-core.

    Returns
    -------
    DataFrame
        `place_id`, `operating_day` and the measures of table `dose`, one row each, sorted. Days of
        which the source says nothing have no row.

    Raises
    ------
    ValueError
        If a place and day has several rows.
    """
    kept = dose.filter(pl.col("source") == source, pl.col("hours") == hours).rename(
        {"hotspot_id": "place_id"}
    )
    if kept.select("place_id", "operating_day").is_duplicated().any():
        raise ValueError(f"source {source} has several rows for a place and day")
    words = ("hours", "source", "delivered_by", "persons_from")
    return kept.drop(words).sort("place_id", "operating_day")
