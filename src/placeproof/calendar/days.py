"""Operating days, clock changes and periods; an operating day runs from 06:00 to 05:59 local."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from placeproof.errors import SettingsError

LOCAL_ZONE = "Europe/London"

DAY_STARTS = time(6)

PeriodKind = Literal["day", "week", "month"]

_TRUNCATE: dict[str, str] = {"day": "1d", "week": "1w", "month": "1mo"}


def operating_day(at: pl.Expr) -> pl.Expr:
    """
    Give the operating day of a moment.

    Parameters
    ----------
    at : expression of Datetime in UTC
        Any moment; null stays null.

    Returns
    -------
    expression of Date
        The local calendar day on which the operating day began at 06:00.
    """
    local = at.dt.convert_time_zone(LOCAL_ZONE).dt.replace_time_zone(None)
    return local.dt.offset_by(f"-{DAY_STARTS.hour}h").dt.date()


def to_utc(local: pl.Expr, *, time_zone: str, ambiguous: str) -> pl.Expr:
    """
    Turn wall-clock times of a source into moments.

    Parameters
    ----------
    local : expression of Datetime without a time zone
        Times as the source's clocks showed them.
    time_zone : str
        Zone of those clocks, as "Europe/London" or "UTC".
    ambiguous : {"earliest", "latest", "null"}
        Which instance of an hour that the clocks repeat in October is meant.

    Returns
    -------
    expression of Datetime in UTC, to the microsecond
        Null where the local time never existed (the hour skipped in March).

    Raises
    ------
    SettingsError
        If the zone is unknown or `ambiguous` is none of the three.
    """
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f'time_zone = "{time_zone}" is no time zone.',
            mend='write a name such as "Europe/London" or "UTC".',
        ) from None
    if ambiguous not in ("earliest", "latest", "null"):
        raise SettingsError(
            f'ambiguous = "{ambiguous}" says nothing about the hour that repeats in October.',
            mend='write "earliest", "latest" or "null".',
        )
    placed = local.cast(pl.Datetime("us")).dt.replace_time_zone(
        time_zone,
        ambiguous=ambiguous,  # type: ignore[arg-type]
        non_existent="null",
    )
    return placed.dt.convert_time_zone("UTC")


def period_start(day: pl.Expr, *, kind: PeriodKind) -> pl.Expr:
    """
    Give the first day of the period in which a day lies.

    Parameters
    ----------
    day : expression of Date
    kind : {"day", "week", "month"}
        Weeks begin on Monday; any other kind raises SettingsError.
    """
    return day.dt.truncate(_TRUNCATE[_known_kind(kind)])


def period_end(day: pl.Expr, *, kind: PeriodKind) -> pl.Expr:
    """
    Give the last day of the period in which a day lies.

    Parameters
    ----------
    day : expression of Date
    kind : {"day", "week", "month"}
        Weeks end on Sunday; any other kind raises SettingsError.
    """
    return period_start(day, kind=kind).dt.offset_by(_TRUNCATE[kind]).dt.offset_by("-1d")


def periods(first: date, last: date, *, kind: PeriodKind) -> pl.DataFrame:
    """
    List the whole periods that lie between two days.

    Parameters
    ----------
    first, last : datetime.date
        Both included. Periods that stick out on either side are left out.
    kind : {"day", "week", "month"}

    Returns
    -------
    DataFrame
        One row per period: `period_start`, `period_end` (both included), sorted. No rows if
        no whole period fits.

    Raises
    ------
    SettingsError
        If `kind` is none of the three.
    """
    _known_kind(kind)
    days = pl.DataFrame({"day": list(each_day(first, last))}, schema={"day": pl.Date})
    return (
        days.select(
            period_start=period_start(pl.col("day"), kind=kind),
            period_end=period_end(pl.col("day"), kind=kind),
        )
        .unique()
        .filter(pl.col("period_start") >= first, pl.col("period_end") <= last)
        .sort("period_start")
    )


def each_day(first: date, last: date) -> Iterator[date]:
    """
    Go through the days between two days.

    Parameters
    ----------
    first, last : datetime.date
        Both included.

    Yields
    ------
    datetime.date
    """
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _known_kind(kind: str) -> str:
    if kind not in _TRUNCATE:
        raise SettingsError(
            f'period = "{kind}" is no kind of period.', mend='write "day", "week" or "month".'
        )
    return kind
