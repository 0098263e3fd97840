"""What ready-made tables state, and how it is put beside what pings measure."""

from collections.abc import Collection
from datetime import time

import polars as pl

from placeproof.calendar import LOCAL_ZONE, operating_day
from placeproof.patrols.additional import TaskedBy
from placeproof.patrols.dose import STAYS, Reckoning, dose_of_stays, stays_of_visits
from placeproof.patrols.hours import Clock, Clocks
from placeproof.patrols.stretches import union
from placeproof.tables import Dose

_KINDS = ("visit", "dwell", "hours")
"""Where two kinds state as much of a place and day, the first counts."""
_PINGS = "pings"
_BY = ["hotspot_id", "delivered_by", "operating_day"]


def dose_of_delivered(
    delivered: pl.DataFrame,
    *,
    hotspots: pl.DataFrame | None,
    clocks: Clocks,
    tasking: pl.DataFrame | None,
    tasked_by: TaskedBy,
) -> pl.DataFrame:
    """
    Take the dose that ready-made tables state, each deliverer for itself.

    Statements with a start and an end are split over the hours; visits that overlap are joined.
    Minutes without times are added to the whole day, and then nothing is said of its hours. Where a
    deliverer states a place and day in more than one kind, the kind with most minutes counts, as
    in `stated_minutes`: they speak of the same presence.

    Parameters
    ----------
    delivered : table `delivered`
        Where a row has times, they count, not its minutes.
    hotspots : table `hotspot`, or None
        For areas.
    clocks : Clocks
        Covering all days that are stated.
    tasking : table `tasking`, or None
    tasked_by : {"place", "unit"}
        As for `Reckoning`.

    Returns
    -------
    table `dose`
        Source delivered. Days that nobody wrote down have no row. Person-minutes are minutes by
        officers, null where a statement of the day names none.
    """
    said = _counted(delivered, clocks.common)
    parts = [pl.DataFrame(schema={name: c.dtype for name, c in Dose.columns().items()})]
    for by in said["delivered_by"].unique().sort():
        own = said.filter(pl.col("delivered_by") == by)
        found = dose_of_stays(
            _stays(own),
            untimed=_untimed(own),
            known=_days_of(own).with_columns(delivered_by=pl.lit(by)),
            hotspots=hotspots,
            clocks=clocks,
            tasking=tasking,
            tasked_by=tasked_by,
            officers=None,
            source="delivered",
            persons_from=("stated", "stated"),
        )
        parts.append(found)
    return Dose.validate(pl.concat(parts), cast=True)


def reconciled_dose(
    visit: pl.DataFrame,
    delivered: pl.DataFrame,
    *,
    by: Reckoning,
    without_gps: Collection[str],
) -> pl.DataFrame:
    """
    Put measured and stated presence together by a rule that can be read.

    Where any device reported on a day, pings say what was there; elsewhere the statements do.
    Statements of those who carry no GPS come on top everywhere: with times, presence is joined, so
    that nobody counts twice in patrol-minutes; without times their minutes are added as though
    nobody else had been there, which is the most that it can be.

    Parameters
    ----------
    visit : table `visit`
    delivered : table `delivered`
    by : Reckoning
        Its clocks cover all that is stated, too.
    without_gps : collection of str
        Those in `delivered_by` whose presence pings cannot show.

    Returns
    -------
    table `dose`
        Source reconciled; `delivered_by` names who is in a row, null for pings alone.
    """
    measured = by.place_days
    said = _counted(delivered, by.clocks.common)
    partner = pl.col("delivered_by").is_in(sorted(without_gps))
    shown = measured.rename({"place_id": "hotspot_id"})
    here = ["hotspot_id", "operating_day"]
    instead = said.filter(~partner).join(shown, on=here, how="anti")
    kept = pl.concat(
        [said.filter(partner), _until_pings_speak(instead, shown).select(said.columns)]
    )
    stays = pl.concat([stays_of_visits(visit, vehicle=by.vehicle), _stays(kept)])
    found = dose_of_stays(
        stays,
        untimed=_untimed(kept),
        known=_who_is_in(measured, kept),
        hotspots=by.hotspots,
        clocks=by.clocks,
        tasking=by.tasking,
        tasked_by=by.tasked_by,
        officers=by.officers,
        source="reconciled",
        persons_from=("devices", "devices and statements"),
    )
    return Dose.validate(found.with_columns(persons_from=_counted_by()), cast=True)


def reconciliation(
    measured: pl.DataFrame, stated: pl.DataFrame, *, without_gps: Collection[str]
) -> pl.DataFrame:
    """
    Hold stated minutes against measured ones, place by place and day by day.

    Parameters
    ----------
    measured, stated : table `dose`
        Sources pings and delivered.
    without_gps : collection of str
        Deliverers whose presence pings cannot show: they are not compared.

    Returns
    -------
    DataFrame
        `hotspot_id`, `operating_day`, `measured_minutes`, `stated_minutes`, `found_in` (both,
        pings, delivered), sorted. Only days between the first and last statement on which pings
        reported, and only where at least one source found presence.
    """
    whole = pl.col("hours") == "all"
    told = (
        stated.filter(whole, ~pl.col("delivered_by").is_in(sorted(without_gps)))
        .group_by("hotspot_id", "operating_day", maintain_order=True)
        .agg(stated_minutes=pl.col("patrol_minutes").sum())
    )
    first, last = told["operating_day"].min(), told["operating_day"].max()
    compared = (
        measured.filter(whole, pl.col("operating_day").is_between(first, last))
        .select("hotspot_id", "operating_day", measured_minutes="patrol_minutes")
        .join(told, on=["hotspot_id", "operating_day"], how="left")
    )
    was_measured = pl.col("measured_minutes") > 0
    was_stated = pl.col("stated_minutes").fill_null(0.0) > 0
    return (
        compared.filter(was_measured | was_stated)
        .with_columns(
            found_in=pl.when(was_measured & was_stated)
            .then(pl.lit("both"))
            .when(was_measured)
            .then(pl.lit("pings"))
            .otherwise(pl.lit("delivered"))
        )
        .sort("hotspot_id", "operating_day")
    )


def _counted(delivered: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """Statements of the kind that counts on their day; times as they are, or minutes of a day."""
    timed = pl.col("ended_at") > pl.col("started_at")
    said = delivered.select(
        "hotspot_id",
        "delivered_by",
        "kind",
        "unit_id",
        operating_day=pl.when(timed)
        .then(operating_day(pl.col("started_at")))
        .otherwise("operating_day"),
        starts_at=pl.when(timed).then("started_at"),
        ends_at=pl.when(timed).then("ended_at"),
        minutes=pl.when(timed).then(0.0).otherwise("minutes"),
        officers=pl.col("officers").cast(pl.Float64),
    ).filter(pl.col("operating_day").is_between(clock.first, clock.last))
    # Sums of minutes do not depend on the order in which rows were supplied.
    said = said.sort(*_BY, "kind", "starts_at", "ends_at", "minutes", "officers", "unit_id")
    spoken = union(
        said.drop_nulls("starts_at").select(
            "starts_at", "ends_at", place_id=pl.concat_str("hotspot_id", "delivered_by", "kind",
                                                           "operating_day", separator="\x1f"),
        )
    )  # fmt: skip
    span = (pl.col("ends_at") - pl.col("starts_at")).dt.total_microseconds() / 6e7
    joined = spoken.group_by("place_id", maintain_order=True).agg(joined=span.sum())
    most = (
        said.with_columns(
            place_id=pl.concat_str("hotspot_id", "delivered_by", "kind", "operating_day",
                                   separator="\x1f")
        )
        .group_by(*_BY, "kind", "place_id", maintain_order=True)
        .agg(pl.col("minutes").sum())
        .join(joined, on="place_id", how="left")
        .with_columns(total=pl.col("minutes") + pl.col("joined").fill_null(0.0))
        .sort(pl.col("total"), pl.col("kind").replace_strict(_KINDS, [0, -1, -2]))
        .group_by(_BY)
        .agg(pl.col("kind").last())
    )  # fmt: skip
    return said.join(most, on=[*_BY, "kind"], how="semi", maintain_order="left")


def _stays(said: pl.DataFrame) -> pl.DataFrame:
    return (
        said.drop_nulls("starts_at")
        .select(
            "hotspot_id",
            "starts_at",
            "ends_at",
            people="officers",
            vehicles=pl.lit(0.0),
            visible=pl.lit(None),
            variance_s2=pl.lit(None),
            unit_id="unit_id",
        )
        .cast(pl.Schema(STAYS))
    )


def _days_of(said: pl.DataFrame) -> pl.DataFrame:
    """Places and days that statements speak of, those into which their times reach among them."""
    reached = said.drop_nulls("ends_at").select(
        place_id="hotspot_id",
        operating_day=operating_day(pl.col("ends_at") - pl.duration(microseconds=1)),
    )
    named = said.select("operating_day", place_id="hotspot_id").select("place_id", "operating_day")
    return pl.concat([named, reached]).unique().sort("place_id", "operating_day")


def _until_pings_speak(said: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Presence that began on a day without pings ends where a day with pings begins."""
    six = (pl.col("operating_day") + pl.duration(days=1)).dt.combine(time(6))
    closes = six.dt.replace_time_zone(LOCAL_ZONE).dt.convert_time_zone("UTC")
    eve = shown.select("hotspot_id", pl.col("operating_day") - pl.duration(days=1), shown=True)
    return said.join(eve, on=["hotspot_id", "operating_day"], how="left").with_columns(
        ends_at=pl.when("shown").then(pl.min_horizontal("ends_at", closes)).otherwise("ends_at")
    )


def _untimed(said: pl.DataFrame) -> pl.DataFrame:
    """Minutes that are stated without times, by place and day."""
    people = (pl.col("minutes") * pl.col("officers")).sum()
    return (
        said.filter(pl.col("starts_at").is_null())
        .group_by("hotspot_id", "operating_day", maintain_order=True)
        .agg(
            untimed=pl.col("minutes").sum(),
            untimed_people=pl.when(pl.col("officers").is_not_null().all()).then(people),
        )
    )


def _who_is_in(measured: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Places and days of either source, and who stated what is in them beside pings."""
    by_deliverer = [
        _days_of(part).with_columns(said_by=pl.lit(by))
        for (by,), part in kept.group_by("delivered_by")
    ]
    pings = measured.with_columns(said_by=pl.lit(_PINGS))
    named = pl.concat([pings, *by_deliverer])
    rank = pl.col("said_by") != _PINGS
    return (
        named.sort("place_id", "operating_day", rank, "said_by")
        .group_by("place_id", "operating_day", maintain_order=True)
        .agg(delivered_by=pl.col("said_by").str.join("; "))
        .with_columns(delivered_by=pl.when(pl.col("delivered_by") != _PINGS).then("delivered_by"))
    )


def _counted_by() -> pl.Expr:
    """Pings alone: by devices. Statements alone: stated. Otherwise both."""
    label = pl.col("delivered_by")
    return (
        pl.when(pl.col("persons_from").is_null() | label.is_null())
        .then("persons_from")
        .when(label.str.starts_with(f"{_PINGS}; "))
        .then(pl.lit("devices and statements"))
        .otherwise(pl.lit("stated"))
    )
