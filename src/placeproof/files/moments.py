"""Times and days in the words of a source: in which form they stand, and what they are in UTC."""

import re
from dataclasses import dataclass

import polars as pl

from placeproof import calendar
from placeproof.errors import InputError

_ISO = (
    r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?$"
)
_NUMERIC = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$"
_SERIAL = r"^\d{5}(?:\.\d+)?$"
_EXCEL_EPOCH_DAYS = 25569  # days from 30 December 1899, Excel's day 0, to 1 January 1970
_TIME_OF_DAY = re.compile(r"%[HIMSTRXcsp]")


@dataclass(frozen=True)
class Form:
    """
    How a column writes its times.

    Parameters
    ----------
    pattern : str
        "iso", "day first", "month first" or a `strptime` pattern.
    serial : bool
        Whether bare numbers are days of Excel.
    evidence : str
        The value that left no doubt; "" where nothing had to be found out.
    """

    pattern: str
    serial: bool = False
    evidence: str = ""


def form(texts: pl.Series, *, asked: str | None, setting: str, where: str, serial: bool) -> Form:
    """
    Find the form of a column of times, or ask for it.

    ISO 8601 is always understood. Day and month are told apart only where a number above 12 leaves
    one reading, in the whole column.

    Parameters
    ----------
    texts : Series of text
        The column.
    asked : str or None
        Pattern that the user set.
    setting : str
        Name of that setting, for messages.
    where : str
        File and column, for messages.
    serial : bool
        Whether the file is a workbook, in which bare numbers are days.

    Raises
    ------
    InputError
        If the order of day and month is open, or no value has a known form.
    """
    if asked is not None:
        return Form(asked, serial)
    known = texts.drop_nulls()
    numeric = known.filter(known.str.contains(_NUMERIC))
    if numeric.is_empty():
        if known.is_empty() or known.str.contains(_ISO).any():
            return Form("iso", serial)
        if serial and known.str.contains(_SERIAL).any():
            return Form("iso", serial)
        raise InputError(
            f"{where}: no value has a form that is known.",
            mend=f'Set {setting} for this feed in study.toml, as "%d/%m/%Y %H:%M".',
        )
    first = numeric.str.extract(_NUMERIC, 1).cast(pl.Int64)
    second = numeric.str.extract(_NUMERIC, 2).cast(pl.Int64)
    day_first, month_first = (first > 12).any(), (second > 12).any()
    if day_first and not month_first:
        return Form("day first", serial, numeric.filter(first > 12)[0])
    if month_first and not day_first:
        return Form("month first", serial, numeric.filter(second > 12)[0])
    why = (
        "some values put the day first and some the month"
        if day_first
        else ("every value can be read with the day first and with the month first")
    )
    raise InputError(
        f"{where}: {why}.",
        mend=f'Set {setting} for this feed in study.toml, as "%d/%m/%Y %H:%M".',
    )


def local(column: pl.Expr, written: Form) -> tuple[pl.Expr, pl.Expr]:
    """
    Read texts as wall-clock times.

    Parameters
    ----------
    column : expression of text
        Times in the words of the source.
    written : Form
        How they are written.

    Returns
    -------
    at : expression of Datetime
        Wall-clock time; UTC where the text carries an offset. Null: no time, or none that exists.
    zoned : expression of bool
        Whether the text carried an offset.
    """
    iso, zoned = _iso(column)
    readings = [iso]
    if written.pattern in ("day first", "month first"):
        readings.append(_numeric(column, day_first=written.pattern == "day first"))
    elif written.pattern != "iso":
        readings.append(_by_pattern(column, written.pattern))
    if written.serial:
        readings.append(_of_excel(column))
    return pl.coalesce(readings), zoned


def days_only(column: pl.Expr, written: Form) -> pl.Expr:
    """
    Whether a text names a day and no time of day.

    Parameters
    ----------
    column : expression of text
        Times in the words of the source.
    written : Form
        How they are written.
    """
    iso = column.str.contains(_ISO) & column.str.extract(_ISO, 2).is_null()
    if written.pattern in ("day first", "month first"):
        return iso | (column.str.contains(_NUMERIC) & column.str.extract(_NUMERIC, 4).is_null())
    if written.pattern != "iso" and not _TIME_OF_DAY.search(written.pattern):
        return iso | ~column.str.contains(_ISO)
    return iso


def in_utc(rows: pl.DataFrame, *, time_zone: str | None, where: str) -> pl.DataFrame:
    """
    Turn wall-clock times into UTC.

    Parameters
    ----------
    rows : DataFrame
        `at` (Datetime without zone) and `zoned` (it is UTC already).
    time_zone : str or None
        Zone of the clocks.
    where : str
        File and column, for messages.

    Returns
    -------
    DataFrame
        `at` (UTC; null where the time never existed) and `twice` (the hour that October repeats:
        the first of the two is taken).

    Raises
    ------
    InputError
        If times carry no zone and none is set.
    """
    naive = rows.filter(pl.col("at").is_not_null() & ~pl.col("zoned"))
    if time_zone is None and not naive.is_empty():
        raise InputError(
            f"{where}: times carry no time zone.",
            mend='Set time_zone for this feed in study.toml, as "Europe/London" or "UTC".',
        )
    zone = time_zone or "UTC"
    early = calendar.to_utc(pl.col("at"), time_zone=zone, ambiguous="earliest")
    late = calendar.to_utc(pl.col("at"), time_zone=zone, ambiguous="latest")
    already = pl.col("at").dt.replace_time_zone("UTC").dt.cast_time_unit("us")
    read = rows.select(
        pl.when(pl.col("zoned")).then(already).otherwise(early).alias("at"),
        ((early != late) & ~pl.col("zoned")).fill_null(False).alias("twice"),
    )
    return read


def _iso(column: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    parts = column.str.extract_groups(_ISO)
    day = parts.struct.field("1").str.to_date("%Y-%m-%d", strict=False)
    hour, minute, second = (
        parts.struct.field(place).cast(pl.Int64).fill_null(0) for place in ("2", "3", "4")
    )
    micro = parts.struct.field("5").str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    offset = parts.struct.field("6")
    ahead = (
        offset.str.slice(1, 2).cast(pl.Int64, strict=False) * 60
        + offset.str.slice(-2).cast(pl.Int64, strict=False)
    ) * pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    at = _put_together(day, hour, minute, second) + pl.duration(microseconds=micro)
    return at - pl.duration(minutes=ahead.fill_null(0)), offset.is_not_null()


def _numeric(column: pl.Expr, *, day_first: bool) -> pl.Expr:
    parts = column.str.extract_groups(_NUMERIC)
    one, two, year = (parts.struct.field(place) for place in ("1", "2", "3"))
    month, number = (two, one) if day_first else (one, two)
    text = pl.concat_str(year, month.str.zfill(2), number.str.zfill(2), separator="-")
    day = text.str.to_date("%Y-%m-%d", strict=False)
    clock = (parts.struct.field(place).cast(pl.Int64).fill_null(0) for place in ("4", "5", "6"))
    return _put_together(day, *clock)


def _put_together(day: pl.Expr, hour: pl.Expr, minute: pl.Expr, second: pl.Expr) -> pl.Expr:
    exists = (hour < 24) & (minute < 60) & (second < 60)
    clock = pl.duration(hours=hour, minutes=minute, seconds=second)
    return pl.when(exists).then(day.cast(pl.Datetime("us")) + clock)


def _by_pattern(column: pl.Expr, pattern: str) -> pl.Expr:
    if _TIME_OF_DAY.search(pattern):
        return column.str.to_datetime(pattern, strict=False, time_unit="us", ambiguous="null")
    return column.str.to_date(pattern, strict=False).cast(pl.Datetime("us"))


def _of_excel(column: pl.Expr) -> pl.Expr:
    days = pl.when(column.str.contains(_SERIAL)).then(column.cast(pl.Float64, strict=False))
    seconds = ((days - _EXCEL_EPOCH_DAYS) * 86_400).round().cast(pl.Int64)
    return pl.from_epoch(seconds, time_unit="s").cast(pl.Datetime("us"))
