"""Text of cells to the types of a contract; what does not fit is a fault of its row."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from placeproof.errors import SettingsError
from placeproof.files import moments
from placeproof.files.feed import FeedSpec, notice, stacked
from placeproof.files.quarantine import FAULT_SCHEMA, faults, personal
from placeproof.tables import TABLES

LINEAGE = ("source_sha256", "source_row")
ENDS = ("occurred_to", "window_to", "ended_at", "interval_to", "ends_at", "left_at")
"""Columns that close a span: a day without a time of day means its last second."""

_TRUE = ("true", "yes", "y", "1", "t")
_FALSE = ("false", "no", "n", "0", "f")
_IN_CORRECTIONS = "Correct it in the source, or by a row in corrections/."


@dataclass(frozen=True)
class Typed:
    """Rows with the types of their contract, the faults found on the way, and what to say."""

    rows: pl.DataFrame
    broken: pl.DataFrame
    said: list[dict[str, object]]


def header(spec: FeedSpec, column: str) -> str:
    """
    The name by which the user knows a canonical column.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    column : str
        Canonical column.
    """
    return spec.columns.get(column, column)


def typed(spec: FeedSpec, texts: pl.DataFrame, *, where: str, serial: bool) -> Typed:
    """
    Give every mapped column the type of its contract.

    Parameters
    ----------
    spec : FeedSpec
        Mapping of values, constants, forms of times.
    texts : DataFrame
        `file`, `source_row` and canonical columns as text; `<column>_time` beside a column of
        days is its time of day.
    where : str
        The files, for messages.
    serial : bool
        Whether bare numbers in columns of times are days of Excel.

    Returns
    -------
    Typed
        All rows, in order, with every column of the contract but the lineage; null where the text
        did not fit.

    Raises
    ------
    InputError
        If the form or zone of times is open.
    SettingsError
        If a constant does not fit its column.
    """
    rows = texts.select("file", "source_row")
    broken, said = [], []
    for name, column in TABLES[spec.contract].columns().items():
        if name in LINEAGE:
            continue
        if name in spec.constants:
            rows = rows.with_columns(_constant(spec, name, column.dtype))
        elif name not in texts.columns:
            rows = rows.with_columns(pl.lit(None, dtype=column.dtype).alias(name))
        else:
            one = _column(spec, texts, name, where=where, serial=serial)
            rows = rows.with_columns(one.rows[name])
            broken.append(one.broken)
            said += one.said
    return Typed(rows, stacked(broken, FAULT_SCHEMA), said)


def numbers(spec: FeedSpec, texts: pl.DataFrame, name: str) -> Typed:
    """
    Read one column of numbers that the contract does not have (degrees, for example).

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    texts : DataFrame
        `file`, `source_row` and the column as text.
    name : str
        The column.
    """
    texts = texts.with_columns(_mapped({}, name))
    read = texts.select("file", "source_row", pl.col(name).cast(pl.Float64, strict=False))
    finite = read.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name))
    broken = _unread(spec, texts, finite, name, "text-in-number", "a number, as 454321.5")
    return Typed(finite, broken, [])


def _column(spec: FeedSpec, texts: pl.DataFrame, name: str, *, where: str, serial: bool) -> Typed:
    dtype = TABLES[spec.contract].columns()[name].dtype
    mapped = texts.with_columns(_mapped(spec.values.get(name, {}), name))
    if dtype == pl.Float64:
        return numbers(spec, mapped, name)
    if dtype == pl.Int64:
        read = numbers(spec, mapped, name)
        is_whole = pl.col(name) == pl.col(name).round()
        wholes = read.rows.with_columns(pl.when(is_whole).then(pl.col(name)).cast(pl.Int64))
        broken = _unread(spec, mapped, wholes, name, "text-in-number", "a whole number")
        return Typed(wholes, broken, [])
    if dtype == pl.Boolean:
        lower = pl.col(name).str.to_lowercase()
        flag = pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)
        flags = mapped.select("file", "source_row", flag.alias(name))
        expected = "true or false (yes, no, y, n, 1, 0)"
        return Typed(flags, _unread(spec, mapped, flags, name, "unknown-code", expected), [])
    if dtype == pl.Date:
        return _days(spec, mapped, name, where=where, serial=serial)
    if isinstance(dtype, pl.Datetime):
        return _instants(spec, mapped, name, where=where, serial=serial)
    return _words(spec, mapped, name)


def _mapped(values: Mapping[str, str], name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    blank = pl.when(text != "").then(text)
    if not values:
        return blank.alias(name)
    return blank.replace({str(old): str(new) for old, new in values.items()}).alias(name)


def _words(spec: FeedSpec, mapped: pl.DataFrame, name: str) -> Typed:
    metadata = TABLES[spec.contract].columns()[name].metadata or {}
    allowed = list(metadata.get("allowed") or ())
    if not allowed:
        return Typed(mapped.select("file", "source_row", name), _no_faults(), [])
    lower = pl.col(name).str.to_lowercase()
    exact = {value.lower(): value for value in allowed}
    known = lower.replace_strict(exact, default=None, return_dtype=pl.String)
    rows = mapped.select("file", "source_row", known.alias(name))
    expected = "one of " + ", ".join(allowed)
    broken = _unread(
        spec, mapped, rows, name, "unknown-code", expected, mend=_in_values(spec, name)
    )
    return Typed(rows, broken, [])


def _in_values(spec: FeedSpec, name: str) -> str:
    return f"Say what it means in [data.{spec.name}.values.{name}], or correct the row."


def _days(spec: FeedSpec, mapped: pl.DataFrame, name: str, *, where: str, serial: bool) -> Typed:
    months = pl.col(name) + pl.lit("-01")
    is_month = pl.col(name).str.contains(r"^\d{4}-\d{2}$")
    texts = mapped.with_columns(pl.when(is_month).then(months).otherwise(pl.col(name)).alias(name))
    read, written, said = _local(spec, texts, name, where=where, serial=serial)
    days = read.select("file", "source_row", pl.col("at").dt.date().alias(name))
    if name == "month":
        days = days.with_columns(pl.col(name).dt.month_start())
    expected = _like(written, "2021-05-31")
    return Typed(days, _unread(spec, texts, days, name, "wrong-date", expected), said)


def _instants(
    spec: FeedSpec, mapped: pl.DataFrame, name: str, *, where: str, serial: bool
) -> Typed:
    beside = f"{name}_time"
    if beside in mapped.columns:
        clock = pl.col(beside).str.strip_chars()
        both = pl.concat_str(pl.col(name), clock, separator=" ", ignore_nulls=True)
        mapped = mapped.with_columns(pl.when(pl.col(name).is_not_null()).then(both).alias(name))
    read, written, said = _local(spec, mapped, name, where=where, serial=serial)
    if name in ENDS:
        last = pl.col("at") + pl.duration(hours=23, minutes=59, seconds=59)
        read = read.with_columns(at=pl.when(pl.col("day")).then(last).otherwise(pl.col("at")))
    column = f'{where}, column "{header(spec, name)}"'
    utc = moments.in_utc(read.select("at", "zoned"), time_zone=spec.time_zone, where=column)
    rows = read.select("file", "source_row").with_columns(utc["at"].alias(name))
    wrong = _unread(
        spec,
        mapped,
        read.rename({"at": name}),
        name,
        "wrong-date",
        _like(written, "2021-05-31T20:10:00Z"),
    )
    gone = read["at"].is_not_null() & rows[name].is_null()
    never = faults(
        mapped.filter(gone),
        pl.lit(True),
        rule="no-such-hour",
        column=header(spec, name),
        found=None if personal(spec.contract, name) else pl.col(name),
        expected=f"a time that {spec.time_zone} clocks showed: this hour is skipped in March",
        mend=_IN_CORRECTIONS,
    )
    said += _said_of_times(spec, name, int(utc["twice"].sum()), int(read["day"].sum()))
    return Typed(rows, stacked([wrong, never], FAULT_SCHEMA), said)


def _local(
    spec: FeedSpec, mapped: pl.DataFrame, name: str, *, where: str, serial: bool
) -> tuple[pl.DataFrame, moments.Form, list[dict[str, object]]]:
    is_day = TABLES[spec.contract].columns()[name].dtype == pl.Date
    asked = (
        (spec.date_format or spec.time_format) if is_day else (spec.time_format or spec.date_format)
    )
    setting = "date_format" if is_day else "time_format"
    column = f'{where}, column "{header(spec, name)}"'
    written = moments.form(mapped[name], asked=asked, setting=setting, where=column, serial=serial)
    at, zoned = moments.local(pl.col(name), written)
    read = mapped.select(
        "file",
        "source_row",
        at.alias("at"),
        zoned.fill_null(False).alias("zoned"),
        moments.days_only(pl.col(name), written).fill_null(False).alias("day"),
    ).with_columns(pl.col("day") & pl.col("at").is_not_null())
    if not written.evidence:
        return read, written, []
    shown = "" if personal(spec.contract, name) else f' ("{written.evidence}")'
    order = written.pattern.replace(" ", " put ")
    text = f"{column}: read with the {order}, as one value leaves no other reading{shown}."
    mend = f"Set {setting} to confirm it."
    return read, written, [notice(spec.name, "date-form-detected", "note", text, mend=mend)]


def _said_of_times(spec: FeedSpec, name: str, twice: int, days: int) -> list[dict[str, object]]:
    said = []
    column = header(spec, name)
    if twice:
        text = (
            f'Column "{column}": {twice} times stand in the hour that October repeats; the first '
            "of the two hours (summer time) was taken."
        )
        said.append(notice(spec.name, "repeated-hour", "note", text, rows=twice))
    if days:
        end = "last second" if name in ENDS else "first second"
        text = f'Column "{column}": {days} values name a day without a time; its {end} was taken.'
        said.append(notice(spec.name, "day-without-time", "note", text, rows=days))
    return said


def _like(written: moments.Form, iso: str) -> str:
    return (
        f"a date that exists, as {iso}"
        if written.pattern == "iso"
        else (f"a date that exists, {written.pattern}")
    )


def _unread(
    spec: FeedSpec,
    texts: pl.DataFrame,
    read: pl.DataFrame,
    name: str,
    rule: str,
    expected: str,
    *,
    mend: str = _IN_CORRECTIONS,
) -> pl.DataFrame:
    """Cells that hold something of which nothing could be made."""
    lost = texts[name].is_not_null() & read[name].is_null()
    return faults(
        texts.filter(lost),
        pl.lit(True),
        rule=rule,
        column=header(spec, name),
        found=None if personal(spec.contract, name) else pl.col(name),
        expected=expected,
        mend=mend,
    )


def _no_faults() -> pl.DataFrame:
    return pl.DataFrame(schema=FAULT_SCHEMA)


def _constant(spec: FeedSpec, name: str, dtype: pl.DataType) -> pl.Expr:
    value = spec.constants[name]
    try:
        cell = pl.select(pl.lit(value).cast(dtype)).item()
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise SettingsError(
            f"[data.{spec.name}.constants] {name} = {value!r} does not fit the column: {error}",
            mend=f"Give a value of type {dtype}.",
        ) from None
    return pl.lit(cell, dtype=dtype).alias(name)
