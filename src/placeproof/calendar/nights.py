"""Hours of the night-time economy, and events of which only a window of time is known."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from placeproof.calendar.days import DAY_STARTS, LOCAL_ZONE, each_day
from placeproof.errors import InputError, SettingsError

_INSTANT = pl.Datetime("us", "UTC")

_INTERVALS: dict[str, pl.DataType | type[pl.DataType]] = {
    "operating_day": pl.Date,
    "starts_at": _INSTANT,
    "ends_at": _INSTANT,
}

_WEEKEND_NIGHTS = frozenset({5, 6})

_EVERY_NIGHT = frozenset(range(1, 8))

_CORE_LABEL = "Friday and Saturday nights 20:00–05:00, and eves of bank holidays"


@dataclass(frozen=True)
class NteHours:
    """
    Hours that count as night-time economy, written in local time of an operating day.

    Attributes
    ----------
    id, label : str
        Name in `plan.toml`, and in words.
    weekdays : frozenset of int
        ISO weekdays (Monday 1, Sunday 7) of the operating days that count.
    starts, ends : datetime.time
        Local times. Times before 06:00 fall on the calendar day after the operating day; an end
        of 06:00 is the end of the operating day.
    bank_holiday_eves : bool
        Whether operating days before a bank holiday in England count too, whatever weekday.
    """

    id: str
    label: str
    weekdays: frozenset[int]
    starts: time
    ends: time
    bank_holiday_eves: bool


NTE_PRESETS: dict[str, NteHours] = {
    preset.id: preset
    for preset in (
        NteHours("nte-core", _CORE_LABEL, _WEEKEND_NIGHTS, time(20), time(5), True),
        NteHours("nte-wide", "Every night 18:00–06:00", _EVERY_NIGHT, time(18), time(6), True),
        NteHours("nte-late", "Every night 00:00–06:00", _EVERY_NIGHT, time(0), time(6), True),
        NteHours("nte-peak", "Every night 23:00–03:00", _EVERY_NIGHT, time(23), time(3), True),
    )
}
"""Registered sets of hours; none is agreed on, so the plan pins one and the rest stand beside."""


def bank_holiday_eves(first: date, last: date) -> frozenset[date]:
    """
    Find the operating days whose next day is a bank holiday in England.

    Parameters
    ----------
    first, last : datetime.date
        First and last operating day to consider.

    Returns
    -------
    frozenset of datetime.date
        Eves. A holiday that falls on a weekend counts by its substitute weekday only, as in the
        official list.
    """
    import holidays

    years = range(first.year, (last + timedelta(days=1)).year + 1)
    official = {
        day
        for day in holidays.country_holidays("GB", subdiv="ENG", years=years)
        if day.isoweekday() <= 5
    }
    eves = (day - timedelta(days=1) for day in official)
    return frozenset(eve for eve in eves if first <= eve <= last)


def nte_intervals(
    preset: NteHours,
    *,
    first: date,
    last: date,
    events: pl.DataFrame | None,
    hotspot_id: str | None = None,
) -> pl.DataFrame:
    """
    List the stretches of time that count as night-time economy.

    Parameters
    ----------
    preset : NteHours
        Which hours on which operating days.
    first, last : datetime.date
        First and last operating day. Times outside are in no interval, so cover all the data.
    events : table `event`, or None
        Its rows with `nte` true add their own hours. Rows of one hot spot count for that hot spot
        only.
    hotspot_id : str, optional
        Hot spot for which its own events count as well; None: those of the whole area only.

    Returns
    -------
    DataFrame
        One row per stretch: `operating_day`, `starts_at`, `ends_at` (UTC, end exclusive). Sorted,
        disjoint; a stretch never crosses 06:00 local.

    Raises
    ------
    InputError
        If an event ends before it starts.
    SettingsError
        If `last` is before `first`, or the preset names no hours.
    """
    if last < first:
        raise SettingsError(
            f"Night-time economy hours were asked for from {first} to {last}, which is backwards.",
            mend="give the earlier day first.",
        )
    eves = bank_holiday_eves(first, last) if preset.bank_holiday_eves else frozenset()
    stretches = [
        _stretch(day, preset)
        for day in each_day(first, last)
        if day.isoweekday() in preset.weekdays or day in eves
    ]
    for starts_at, ends_at in _event_times(events, hotspot_id):
        stretches += _cut_by_operating_day(starts_at, ends_at, first, last)
    return pl.DataFrame(_merged(stretches), schema=_INTERVALS, orient="row")


def in_nte(at: pl.Series, intervals: pl.DataFrame) -> pl.Series:
    """
    Say of each moment whether it lies in one of the intervals.

    Parameters
    ----------
    at : Series of Datetime in UTC
        Moments; null stays null.
    intervals : DataFrame
        As `nte_intervals` makes them, covering all of `at`. Start included, end not.

    Returns
    -------
    Series of Boolean
        As long as `at`, named `nte`.
    """
    inside = pl.Series(_inside(_microseconds(at), intervals))
    return pl.select(pl.when(at.is_not_null()).then(inside).alias("nte")).to_series()


def aoristic(occurred: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """
    Spread each event over the operating days and hours in which it can have happened.

    Every real second of the window is taken as equally likely; on the night of a clock change
    that is 11 or 13 hours of seconds between 20:00 and 08:00.

    Parameters
    ----------
    occurred : DataFrame
        One row per event: `event_row` (unique), `occurred_from`, `occurred_to` (UTC). Rows with
        either time null cannot be placed and are left out: the caller counts them.
    intervals : DataFrame
        As `nte_intervals` makes them, covering all the windows.

    Returns
    -------
    DataFrame
        One row per event, operating day and hours: `event_row`, `operating_day`, `hours` ("nte"
        or "other"), `fraction`. The fractions of an event sum to 1; an exact time has one row.
        Sorted by event, operating day and hours.

    Raises
    ------
    InputError
        If a window ends before it starts.

    Examples
    --------
    Friday 20:00 to Saturday 06:00 under nte-core: 9 of 10 hours are "nte", 1 is "other".
    """
    placed = occurred.drop_nulls(["occurred_from", "occurred_to"])
    _refuse_backwards(placed, "occurred_from", "occurred_to", named="event_row")
    starts = _microseconds(placed["occurred_from"])
    ends = _microseconds(placed["occurred_to"])
    days, edges, is_nte = _segments(starts, ends, intervals)

    event, segment = _overlapped(starts, ends, edges)
    overlap = np.minimum(ends[event], edges[segment + 1]) - np.maximum(
        starts[event], edges[segment]
    )
    exact = starts == ends
    overlap[exact[event]] = 1  # one segment each, whatever its length
    return (
        pl.DataFrame(
            {
                "event_row": placed["event_row"].gather(event),
                "operating_day": days[segment],
                "hours": np.where(is_nte[segment], "nte", "other"),
                "overlap": overlap,
                "window": np.where(exact, 1, ends - starts)[event],
            },
            schema_overrides={"operating_day": pl.Int32},
        )
        .group_by("event_row", "operating_day", "hours")
        .agg(fraction=pl.col("overlap").sum() / pl.col("window").first())
        .with_columns(pl.col("operating_day").cast(pl.Date))
        .sort("event_row", "operating_day", "hours")
    )


def _stretch(day: date, preset: NteHours) -> tuple[date, datetime, datetime]:
    opens, closes = _moment(day, DAY_STARTS), _moment(day + timedelta(days=1), DAY_STARTS)
    starts_at = opens if preset.starts == DAY_STARTS else _in_day(day, preset.starts, fold=0)
    ends_at = closes if preset.ends == DAY_STARTS else _in_day(day, preset.ends, fold=1)
    if starts_at >= ends_at:
        raise SettingsError(
            f'Night-time economy hours "{preset.id}" start at {preset.starts:%H:%M} and end at '
            f"{preset.ends:%H:%M}: no time is left within an operating day (06:00 to 05:59).",
            mend="give a start and an end in the order in which the operating day meets them.",
        )
    return day, starts_at, ends_at


def _in_day(day: date, at: time, *, fold: int) -> datetime:
    on = day if at >= DAY_STARTS else day + timedelta(days=1)
    return _moment(on, at, fold=fold)


def _moment(day: date, at: time, *, fold: int = 0) -> datetime:
    # A start means the first instance of a repeated hour, an end the last: both hours are inside.
    local = datetime.combine(day, at.replace(fold=fold), tzinfo=ZoneInfo(LOCAL_ZONE))
    moment = local.astimezone(UTC)
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None, fold=0):
        # A time that the clocks skipped: London jumps from 01:00 to 02:00, so 02:00 is that moment.
        return datetime.combine(day, time(2), tzinfo=local.tzinfo).astimezone(UTC)
    return moment


def _event_times(
    events: pl.DataFrame | None, hotspot_id: str | None
) -> list[tuple[datetime, datetime]]:
    if events is None or events.is_empty():
        return []
    _refuse_backwards(events, "starts_at", "ends_at", named="event_id")
    here = pl.col("hotspot_id").is_null()
    if hotspot_id is not None:
        here |= pl.col("hotspot_id") == hotspot_id
    counted = events.filter(pl.col("nte") & here)
    return list(counted.select("starts_at", "ends_at").iter_rows())


def _cut_by_operating_day(
    starts_at: datetime, ends_at: datetime, first: date, last: date
) -> list[tuple[date, datetime, datetime]]:
    zone = ZoneInfo(LOCAL_ZONE)
    from_day = max(starts_at.astimezone(zone).date() - timedelta(days=1), first)
    to_day = min(ends_at.astimezone(zone).date(), last)
    pieces = []
    for day in each_day(from_day, to_day):
        opens, closes = _moment(day, DAY_STARTS), _moment(day + timedelta(days=1), DAY_STARTS)
        piece = (day, max(starts_at, opens), min(ends_at, closes))
        if piece[1] < piece[2]:
            pieces.append(piece)
    return pieces


def _merged(
    stretches: list[tuple[date, datetime, datetime]],
) -> list[tuple[date, datetime, datetime]]:
    merged: list[tuple[date, datetime, datetime]] = []
    for day, starts_at, ends_at in sorted(stretches):
        if merged and merged[-1][0] == day and starts_at <= merged[-1][2]:
            merged[-1] = (day, merged[-1][1], max(ends_at, merged[-1][2]))
        else:
            merged.append((day, starts_at, ends_at))
    return merged


def _microseconds(at: pl.Series) -> np.ndarray:
    return at.cast(_INSTANT).to_physical().fill_null(0).to_numpy()


def _inside(moments: np.ndarray, intervals: pl.DataFrame) -> np.ndarray:
    ordered = intervals.sort("starts_at")
    if ordered.is_empty():
        return np.zeros(len(moments), dtype=bool)
    before = np.searchsorted(_microseconds(ordered["starts_at"]), moments, side="right") - 1
    ends = _microseconds(ordered["ends_at"])
    return (before >= 0) & (moments < ends[np.maximum(before, 0)])


def _refuse_backwards(table: pl.DataFrame, starts: str, ends: str, *, named: str) -> None:
    backwards = table.filter(pl.col(ends) < pl.col(starts))
    if not backwards.is_empty():
        raise InputError(
            f"{backwards.height} events end before they start; the first is {named} "
            f"{backwards[named][0]}.",
            mend=f"swap or correct {starts} and {ends} of these rows.",
        )


def _segments(
    starts: np.ndarray, ends: np.ndarray, intervals: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut time at every 06:00 and interval edge: day (days since 1970) and hours of each piece."""
    if not len(starts):
        return np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, bool)
    low, high = int(starts.min()), int(ends.max())
    around = pl.Series([low, high]).cast(_INSTANT).dt.date()
    first, last = around[0] - timedelta(days=1), around[1] + timedelta(days=1)
    at_six = pl.date_range(first, last).dt.combine(DAY_STARTS).dt.replace_time_zone(LOCAL_ZONE)
    day_edges = _microseconds(pl.select(at_six.dt.convert_time_zone("UTC")).to_series())
    nte_edges = np.concatenate(
        [_microseconds(intervals["starts_at"]), _microseconds(intervals["ends_at"])]
    )
    nte_edges = nte_edges[(nte_edges > day_edges[0]) & (nte_edges < day_edges[-1])]
    edges = np.unique(np.concatenate([day_edges, nte_edges]))
    pieces = edges[:-1]
    first_day = (first - date(1970, 1, 1)).days
    days = first_day + np.searchsorted(day_edges, pieces, side="right") - 1
    return days.astype(np.int32), edges, _inside(pieces, intervals)


def _overlapped(
    starts: np.ndarray, ends: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pair each event with every segment that its window touches."""
    from_segment = np.searchsorted(edges, starts, side="right") - 1
    to_segment = np.searchsorted(edges, np.maximum(ends - 1, starts), side="right") - 1
    touched = to_segment - from_segment + 1
    event = np.repeat(np.arange(len(starts)), touched)
    within = np.arange(len(event)) - np.repeat(np.cumsum(touched) - touched, touched)
    return event, from_segment[event] + within
