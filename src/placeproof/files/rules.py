"""Rules that rows of mapped feeds must meet beyond the type of each cell."""

from collections.abc import Collection
from datetime import date

import polars as pl

from placeproof import calendar
from placeproof.files.cells import header
from placeproof.files.feed import FeedSpec, Surroundings, notice, stacked
from placeproof.files.quarantine import FAULT_SCHEMA, faults, personal
from placeproof.tables import TABLES

EARLIEST = date(1990, 1, 1)
"""Before this no row of a study happened: 01/01/1900 and its like stand for "not known"."""

SPANS = (
    ("occurred_from", "occurred_to"),
    ("window_from", "window_to"),
    ("started_at", "ended_at"),
    ("interval_from", "interval_to"),
    ("starts_at", "ends_at"),
    ("starts_on", "ends_on"),
    ("valid_from", "valid_to"),
    ("selection_from", "selection_to"),
    ("assaulted_at", "arrived_at"),
)
"""Pairs of columns of which the second is never before the first."""

HAPPENED: dict[str, tuple[str, ...]] = {
    "admission": ("month",),
    "consent": ("at",),
    "crime": ("month", "occurred_from", "occurred_to", "recorded_at"),
    "delivered": ("operating_day", "started_at", "ended_at"),
    "ed_assault": ("month", "arrived_at", "assaulted_at"),
    "incident": ("month", "reported_at"),
    "patrol_log": ("started_at", "ended_at"),
    "response": ("completed_at",),
    "session": ("held_at",),
    "stop_search": ("month", "at"),
    "tally": ("interval_from", "interval_to"),
    "visit": ("arrived_at", "left_at"),
    "withdrawal": ("at",),
}
"""Columns of things that have happened: never after the cut-off, never before `EARLIEST`."""


def order_of_time(spec: FeedSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """
    Rows whose end is before their start, as faults.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Typed rows.
    """
    made = []
    for start, end in SPANS:
        if start in rows.columns and end in rows.columns:
            hidden = personal(spec.contract, start) or personal(spec.contract, end)
            made.append(
                faults(
                    rows,
                    pl.col(end) < pl.col(start),
                    rule="end-before-start",
                    column=header(spec, end),
                    found=None if hidden else _shown(end),
                    expected=f'not before column "{header(spec, start)}"'
                    if hidden
                    else pl.concat_str(pl.lit("not before "), _shown(start)),
                    mend="Correct one of the two in the source, or in corrections/.",
                )
            )
    return stacked(made, FAULT_SCHEMA)


def order_of_study(spec: FeedSpec, rows: pl.DataFrame, surroundings: Surroundings) -> pl.DataFrame:
    """
    Rows of things that cannot have happened yet, or happened impossibly long ago, as faults.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Typed rows.
    surroundings : Surroundings
        Cut-off of the study.
    """
    made = []
    for name in HAPPENED.get(spec.contract, ()):
        shown = None if personal(spec.contract, name) else _shown(name)
        day = _local_day(name, rows.schema[name])
        column = header(spec, name)
        made.append(
            faults(
                rows,
                day > surroundings.cut_off,
                rule="future-date",
                column=column,
                found=shown,
                expected=f"not after the cut-off, {surroundings.cut_off}",
                mend="Correct the date; or move cut_off in study.toml if the data go further.",
            )
        )
        made.append(
            faults(
                rows,
                day < EARLIEST,
                rule="wrong-date",
                column=column,
                found=shown,
                expected=f"not before {EARLIEST}: such dates stand for not known",
                mend="Blank it in the source, or correct it in corrections/.",
            )
        )
    # A month that was worked out of a wrong moment would name the same fault twice.
    found = stacked(made, FAULT_SCHEMA)
    others = found.filter(pl.col("column") != "month")
    doubled = ["file", "source_row", "rule"]
    return pl.concat(
        [others, found.filter(pl.col("column") == "month").join(others, on=doubled, how="anti")]
    )


COUNTED_OVER_TIME = ("crime", "incident", "ed_assault", "admission")
"""Tables whose counts are compared over time: a late start leaves a hole in them."""


def coverage(
    spec: FeedSpec, rows: pl.DataFrame, surroundings: Surroundings
) -> list[dict[str, object]]:
    """
    Say where the rows of a feed begin late, and which months between have none.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Rows that were kept.
    surroundings : Surroundings
        First day and cut-off of the study.
    """
    columns = HAPPENED.get(spec.contract, ())
    name = next((name for name in columns if rows[name].null_count() < rows.height), None)
    if name is None:
        return []
    days = (
        rows.select(_local_day(name, rows.schema[name]).alias("day"))["day"].drop_nulls().unique()
    )
    months = days.dt.month_start().unique().sort()
    first, last = min(days.to_list()), max(days.to_list())
    said = []
    if months[0] > surroundings.start:
        text = (
            f"Rows of feed {spec.name} begin on {first}, the study on {surroundings.start}: "
            "what lies between is not supplied, which is not 0."
        )
        counted = spec.contract in COUNTED_OVER_TIME
        mend = "Ask for the earlier months, or let the study start later." if counted else ""
        severity = "warning" if counted else "note"
        said.append(notice(spec.name, "starts-late", severity, text, mend=mend))
    if spec.contract in ("crime", "incident"):
        span = pl.date_range(months[0], months[-1], "1mo", eager=True)
        if missing := sorted(set(span) - set(months)):
            listed = ", ".join(f"{month:%Y-%m}" for month in missing)
            text = f"Feed {spec.name} has no row in {listed}: taken as not supplied, not as 0."
            said.append(notice(spec.name, "months-not-supplied", "warning", text))
    if last < surroundings.start:
        text = f"No row of feed {spec.name} lies in the study: the last is of {last}."
        said.append(notice(spec.name, "no-overlap", "error", text, mend="Check start and files."))
    return said


def filled(
    spec: FeedSpec, rows: pl.DataFrame, given: Collection[str]
) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    """
    Columns that follow from others: month, operating day, the end of an exact time, status.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Typed rows.
    given : collection of str
        Columns that the source gives.

    Returns
    -------
    rows : DataFrame
        With those columns where the source gives none.
    said : list of notices
        What was taken for granted.
    """
    said = []
    if "occurred_to" in rows.columns:
        rows = rows.with_columns(pl.coalesce("occurred_to", "occurred_from").alias("occurred_to"))
    for made, source in (("month", _MONTH_OF.get(spec.contract)), ("operating_day", "started_at")):
        if made in rows.columns and source in rows.columns:
            at = _local_day(source, rows.schema[source]).dt.month_start()
            day = calendar.operating_day(pl.col(source)) if made == "operating_day" else at
            rows = rows.with_columns(pl.coalesce(made, day).alias(made))
    for name, value in (("status", "recorded"), ("qualifier", "unknown"), ("zone", "unknown")):
        told = name in given or name in spec.constants
        if name in TABLES[spec.contract].column_names() and not told:
            rows = rows.with_columns(pl.lit(value).alias(name))
            text = f'No column of feed {spec.name} gives {name}: every row is taken as "{value}".'
            mend = f"Map {name} in [data.{spec.name}.columns] if the source has it."
            said.append(notice(spec.name, "taken-for-granted", "note", text, mend=mend))
    return rows, said


_MONTH_OF = {
    "crime": "occurred_from",
    "ed_assault": "arrived_at",
    "incident": "reported_at",
    "stop_search": "at",
}

DERIVED: dict[str, tuple[str, ...]] = {
    "crime": ("month", "status", "location_quality"),
    "delivered": ("operating_day",),
    "ed_assault": ("month",),
    "incident": ("month", "status", "qualifier", "location_quality"),
    "place_feature": ("location_quality",),
    "response": ("zone",),
    "stop_search": ("month", "location_quality"),
}
"""Columns that are never null and that a source need not give."""


def _local_day(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Date:
        return pl.col(name)
    return pl.col(name).dt.convert_time_zone(calendar.LOCAL_ZONE).dt.date()


def _shown(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.slice(0, 19)
