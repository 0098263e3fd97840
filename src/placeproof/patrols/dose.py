"""How much presence each hot spot got on each operating day, by hours and by source."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.calendar import operating_day
from placeproof.patrols.additional import TaskedBy, tasked_windows
from placeproof.patrols.hours import Clock, Clocks
from placeproof.patrols.minutes import place_days
from placeproof.patrols.presence import Measured, Presence, Spans, measured
from placeproof.patrols.stretches import moments
from placeproof.tables import Dose

CELLS_AT_ONCE = 2_000_000
"""Bounds memory: arrays of places × days × hours are built for so many cells at a time."""

STAYS: dict[str, pl.DataType | type[pl.DataType]] = {
    "hotspot_id": pl.String,
    "starts_at": pl.Datetime("us", "UTC"),
    "ends_at": pl.Datetime("us", "UTC"),
    "people": pl.Float64,
    "vehicles": pl.Float64,
    "visible": pl.Float64,
    "variance_s2": pl.Float64,
    "unit_id": pl.String,
}
"""One row per stay, whatever the source: what `dose_of_stays` is made of."""


@dataclass(frozen=True)
class Reckoning:
    """
    What the presence of devices is reckoned by.

    Attributes
    ----------
    hotspots : table `hotspot`
        Places; one that nobody visited on an observed day has 0.
    observed_days : Series of Date
        Operating days on which the source reported at all; other days have no row, and what
        reaches into them past the last ping is left out.
    clocks : Clocks
        Hours to count by, covering the observed days.
    tasking : table `tasking`, or None
        Windows that were not cancelled make presence additional. Between the first and the last
        operating day of the table; outside them it is not known.
    tasked_by : {"place", "unit"}
        Whether anybody's presence in a window is additional, or that of the unit asked for alone
        (device and unit pseudonyms being the same). A window that names no unit is met by anybody.
    officers : DataFrame, or None
        As `stated_officers` gives it.
    vehicle_devices : collection of str
        Pseudonyms of devices that are vehicles.
    """

    hotspots: pl.DataFrame
    observed_days: pl.Series
    clocks: Clocks
    tasking: pl.DataFrame | None
    tasked_by: TaskedBy
    officers: pl.DataFrame | None
    vehicle_devices: Collection[str]

    @property
    def place_days(self) -> pl.DataFrame:
        """Places and days of which pings say something."""
        return place_days(self.hotspots, self.observed_days)

    @property
    def vehicle(self) -> pl.Expr:
        """Whether the device of a visit is a vehicle."""
        return pl.col("device_id").is_in(sorted(self.vehicle_devices))


def dose_of_visits(visit: pl.DataFrame, *, by: Reckoning) -> pl.DataFrame:
    """
    Measure the dose from visits made of pings.

    Somebody was there in a patrol-minute; devices are not added up. Person-minutes add devices up,
    so that a double crew of ten minutes is 20; a vehicle counts as one officer only while no other
    device is there for that officer, and officers that logs state count where they are more than
    the devices. Minutes that cross the edge of a day or of some hours are split exactly.

    Parameters
    ----------
    visit : table `visit`
        Presence lasts `dwell_s` from arrival.
    by : Reckoning

    Returns
    -------
    table `dose`
        Source pings; sorted by hot spot, day and hours.

    Raises
    ------
    ValueError
        If the clocks do not cover the observed days.
    """
    return dose_of_stays(
        stays_of_visits(visit, vehicle=by.vehicle),
        untimed=None,
        known=by.place_days,
        hotspots=by.hotspots,
        clocks=by.clocks,
        tasking=by.tasking,
        tasked_by=by.tasked_by,
        officers=by.officers,
        source="pings",
        persons_from=("devices", "devices and statements"),
    )


def stays_of_visits(visit: pl.DataFrame, *, vehicle: pl.Expr) -> pl.DataFrame:
    """
    Say when the device of each visit was present, and for how many officers it stands.

    Parameters
    ----------
    visit : table `visit`
    vehicle : expression of bool
        Whether the device is a vehicle.

    Returns
    -------
    DataFrame with the columns of `STAYS`
    """
    lasted = pl.duration(microseconds=(pl.col("dwell_s") * 1e6).round().cast(pl.Int64))
    return visit.select(
        "hotspot_id",
        starts_at="arrived_at",
        ends_at=pl.col("arrived_at") + lasted,
        people=pl.when(vehicle).then(0.0).otherwise(1.0),
        vehicles=vehicle.cast(pl.Float64),
        # A visit without length is as visible as it is long: not at all.
        visible=pl.when(pl.col("dwell_s") > 0)
        .then((pl.col("visible_s") / pl.col("dwell_s")).clip(0.0, 1.0))
        .otherwise(pl.col("visible_s") * 0.0),
        variance_s2=pl.col("dwell_sd_s") ** 2,
        unit_id="device_id",
    ).cast(pl.Schema(STAYS))


def dose_of_stays(
    stays: pl.DataFrame,
    *,
    untimed: pl.DataFrame | None,
    known: pl.DataFrame,
    hotspots: pl.DataFrame | None,
    clocks: Clocks,
    tasking: pl.DataFrame | None,
    tasked_by: TaskedBy,
    officers: pl.DataFrame | None,
    source: str,
    persons_from: tuple[str, str],
) -> pl.DataFrame:
    """
    Measure the dose from stays of whatever source.

    Parameters
    ----------
    stays : DataFrame with the columns of `STAYS`
    untimed : DataFrame, or None
        `hotspot_id`, `operating_day`, `untimed`, `untimed_people`: minutes without times, which are
        added to the whole day; then nothing is said of its hours.
    known : DataFrame
        `place_id`, `operating_day` of which the source says something; `delivered_by` if it has
        one. Only these have rows.
    hotspots : table `hotspot`, or None
        For areas.
    clocks : Clocks
    tasking : table `tasking`, or None
    tasked_by : {"place", "unit"}
    officers : DataFrame, or None
        As for `Reckoning`.
    source : str
        What table `dose` says of the source.
    persons_from : (str, str)
        What it says of officers that stays show alone, and together with statements.

    Returns
    -------
    table `dose`

    Raises
    ------
    ValueError
        If the clocks do not cover the known days.
    """
    given = known if "delivered_by" in known.columns else known.with_columns(delivered_by=_NOBODY)
    _covered(given, clocks.common)
    windows, task_days = None, _task_days(tasking)
    if tasking is not None:
        windows = tasked_windows(tasking, stays, tasked_by=tasked_by)
    parts = [pl.DataFrame(schema={name: c.dtype for name, c in Dose.columns().items()})]
    for places, clock in _batches(given["place_id"].unique().sort().to_list(), clocks):
        there = given.filter(pl.col("place_id").is_in(places)).sort("place_id", "operating_day")
        found = measured(
            _presence(stays, places),
            places=len(places),
            clock=clock,
            tasked=_spans(windows, places),
            officers=_spans(officers, places),
        )
        rows = _rows(found, there, places, clock)
        parts.append(
            rows.join(_areas(there, hotspots), on=_PLACE_DAY, how="left")
            .join(_NO_TIMES if untimed is None else untimed, on=_PLACE_DAY, how="left")
            .filter(pl.col("untimed").is_null() | (pl.col("hours") == "all"))
            .with_columns(
                source=pl.lit(source),
                _additional_known=_between(task_days),
                _error_known=pl.lit(stays["variance_s2"].is_not_null().any()),
                _persons_from=_who_was_counted(persons_from),
            )
            .select(_finished())
        )
    # Places with a clock of their own come last; a stable sort keeps days and hours in order.
    whole = pl.concat(parts).sort("hotspot_id", maintain_order=True)
    return Dose.validate(whole, cast=True)


_NOBODY = pl.lit(None, dtype=pl.String)
_PLACE_DAY = ["hotspot_id", "operating_day"]
_NO_TIMES = pl.DataFrame(
    schema={
        "hotspot_id": pl.String(),
        "operating_day": pl.Date(),
        "untimed": pl.Float64(),
        "untimed_people": pl.Float64(),
    }
)


def _covered(known: pl.DataFrame, clock: Clock) -> None:
    outside = known.filter(~pl.col("operating_day").is_between(clock.first, clock.last))
    if not outside.is_empty():
        day = outside["operating_day"][0]
        raise ValueError(f"the clocks cover {clock.first} to {clock.last}, but not {day!s}")


def _batches(places: Sequence[str], clocks: Clocks) -> Iterator[tuple[list[str], Clock]]:
    shared = [place for place in places if place not in clocks.own]
    cells = clocks.common.days * len(clocks.common.hours)
    at_once = max(1, CELLS_AT_ONCE // cells)
    for begin in range(0, len(shared), at_once):
        yield shared[begin : begin + at_once], clocks.common
    for place in places:
        if place in clocks.own:
            yield [place], clocks.own[place]


def _indexed(frame: pl.DataFrame, places: list[str]) -> pl.DataFrame:
    named = pl.DataFrame(
        {"hotspot_id": places, "place": np.arange(len(places))},
        schema_overrides={"place": pl.Int64},
    )
    return frame.join(named, on="hotspot_id", how="inner")


def _presence(stays: pl.DataFrame, places: list[str]) -> Presence:
    held = _indexed(stays, places)

    def numbers(name: str, null: float) -> NDArray[np.float64]:
        return held[name].fill_null(null).to_numpy()

    return Presence(
        place=held["place"].to_numpy(),
        starts=moments(held["starts_at"]),
        ends=moments(held["ends_at"]),
        people=numbers("people", np.nan),
        vehicles=numbers("vehicles", 0.0),
        visible=numbers("visible", np.nan),
        variance=numbers("variance_s2", np.inf),
    )


def _spans(frame: pl.DataFrame | None, places: list[str]) -> Spans:
    if frame is None or frame.is_empty():
        return Spans.none()
    held = _indexed(frame, places)
    return Spans(
        held["place"].to_numpy(),
        moments(held["starts_at"]),
        moments(held["ends_at"]),
        held["officers"].to_numpy() if "officers" in held.columns else np.ones(held.height),
    )


def _areas(known: pl.DataFrame, hotspots: pl.DataFrame | None) -> pl.DataFrame:
    """Area of the version that held on each day."""
    days = known.select("operating_day", hotspot_id="place_id").unique()
    if hotspots is None:
        return days.with_columns(area_m2=pl.lit(None, dtype=pl.Float64))
    versions = hotspots.select("hotspot_id", "area_m2", "valid_from", "valid_to")
    placed = days.sort("operating_day").join_asof(
        versions.sort("valid_from"),
        left_on="operating_day",
        right_on="valid_from",
        by="hotspot_id",
        strategy="backward",
        check_sortedness=False,
    )
    held = pl.col("operating_day") <= pl.col("valid_to").fill_null(pl.col("operating_day"))
    return placed.select("hotspot_id", "operating_day", area_m2=pl.when(held).then("area_m2"))


def _rows(found: Measured, known: pl.DataFrame, places: list[str], clock: Clock) -> pl.DataFrame:
    """One row per known place-day and hours, with what was measured in seconds."""
    placed = _indexed(known.rename({"place_id": "hotspot_id"}), places)
    day = placed["operating_day"].to_physical().to_numpy().astype(np.int64)
    day -= (clock.first - date(1970, 1, 1)).days
    place, hours = placed["place"].to_numpy(), len(clock.hours)
    base = placed.select("hotspot_id", "operating_day", "delivered_by")
    return base[np.repeat(np.arange(placed.height), hours)].with_columns(
        hours=pl.Series(clock.hours)[np.tile(np.arange(hours), placed.height)],
        minutes_in_hours=pl.Series(clock.lengths()[day].reshape(-1) / 6e7),
        **{name: pl.Series(values[place, day].reshape(-1)) for name, values in vars(found).items()},
    )


def _finished() -> list[pl.Expr]:
    """From what was measured to the columns of table `dose`: null where it is not known."""
    timed = pl.col("untimed").is_null()
    minutes = pl.col("patrol") / 60 + pl.col("untimed").fill_null(0.0)
    people = pl.col("person") / 60 + pl.when(timed).then(0.0).otherwise("untimed_people")
    people = pl.when(pl.col("people_unknown") == 0).then(people)
    visits = pl.col("visits").round().cast(pl.Int64)
    columns = {
        "patrol_minutes": minutes,
        "person_minutes": people,
        "persons_from": pl.when(people.is_not_null()).then("_persons_from"),
        "minutes_per_1000_m2": pl.when(pl.col("area_m2") > 0).then(
            minutes / (pl.col("area_m2") / 1000)
        ),
    }
    # What follows cannot be said of minutes without times.
    only_with_times = {
        "patrol_minutes_sd": pl.when("_error_known", pl.col("variance").is_finite()).then(
            pl.col("variance").sqrt() / 60
        ),
        "visible_minutes": pl.when(pl.col("visible_unknown") == 0).then(pl.col("visible") / 60),
        "additional_minutes": pl.when("_additional_known").then(pl.col("tasked") / 60),
        "background_minutes": pl.when("_additional_known").then(
            (pl.col("patrol") - pl.col("tasked")) / 60
        ),
        "visits": visits,
        "mean_visit_minutes": pl.when(visits > 0).then(pl.col("visit_seconds") / visits / 60),
        "longest_gap_minutes": (pl.col("longest_gap") / 60).fill_nan(None),
    }
    columns |= {name: pl.when(timed).then(value) for name, value in only_with_times.items()}
    return [columns.get(name, pl.col(name)).alias(name) for name in Dose.column_names()]


def _who_was_counted(persons_from: tuple[str, str]) -> pl.Expr:
    alone, together = persons_from
    more = pl.col("person") > pl.col("person_of_devices")
    return pl.when(more).then(pl.lit(together)).otherwise(pl.lit(alone))


def _task_days(tasking: pl.DataFrame | None) -> tuple[date, date] | None:
    """Days between which tasking speaks; cancelled windows speak, too."""
    if tasking is None or tasking.is_empty():
        return None
    days = tasking.select(day=operating_day(pl.col("window_from")))["day"]
    return days.min(), days.max()  # type: ignore[return-value]


def _between(days: tuple[date, date] | None) -> pl.Expr:
    return pl.lit(False) if days is None else pl.col("operating_day").is_between(*days)
