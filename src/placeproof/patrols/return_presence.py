"""The lines of the funder's return that speak of presence: time, visits, windows."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.return_lines import month_of, rows_of

_MINUTES = (
    ("patrol_minutes", "Time with somebody there"),
    ("person_minutes", "Time of all officers together"),
    ("visible_minutes", "Time on foot and outside premises"),
)

_SOURCE_WORDS = {
    "pings": "measured by positions",
    "delivered": "stated",
    "reconciled": "measured, completed by statements",
}


def presence(
    dose: pl.DataFrame | None, months: pl.DataFrame, first: date, last: date
) -> Iterable[pl.DataFrame]:
    """
    Minutes by source: sources are never added up.

    Parameters
    ----------
    dose : table `dose`, or None
    months : DataFrame
    first, last : date

    Yields
    ------
    DataFrame
        `RETURNED`.
    """
    if dose is None or dose.is_empty():
        for measure, label in _MINUTES[:1]:
            yield rows_of(months, None, group="presence", measure=measure, label=label, unit="min")
        return
    daily = dose.filter(pl.col("hours") == "all", pl.col("operating_day").is_between(first, last))
    # Reconciled rows are one source, whoever stood behind each of them.
    told = daily.with_columns(by=pl.when(pl.col("source") != "reconciled").then("delivered_by"))
    for (source, by), part in sorted(told.group_by("source", "by"), key=lambda item: str(item[0])):
        words = _SOURCE_WORDS[str(source)] + (f" by {by}" if by else "")
        for measure, label in _MINUTES:
            if part[measure].null_count() == part.height:
                continue
            counted = (
                part.group_by(month=month_of(pl.col("operating_day")))
                .agg(
                    value=pl.when(pl.col(measure).is_not_null().any()).then(pl.col(measure).sum()),
                    days=pl.col("operating_day").filter(pl.col(measure).is_not_null()).n_unique(),
                )
                .with_columns(note=_days_known(months, first, last))
                .select("month", "value", "note")
            )
            yield rows_of(
                months,
                counted,
                group="presence",
                measure=measure,
                label=label,
                part=words,
                unit="min",
            )


def _days_known(months: pl.DataFrame, first: date, last: date) -> pl.Expr:
    """What a month lacks, from its `days` on record; empty where it lacks none."""
    spans = dict(
        months.select(
            "period_start",
            (
                pl.min_horizontal(pl.col("period_end"), pl.lit(last))
                - pl.max_horizontal(pl.col("period_start"), pl.lit(first))
            ).dt.total_days()
            + 1,
        ).iter_rows()
    )
    of = pl.col("month").replace_strict(spans, return_dtype=pl.Int64, default=0)
    return (
        pl.when(pl.col("days") < of)
        .then(pl.format("{} of {} days", "days", of))
        .otherwise(pl.lit(""))
    )


def patrols(
    visits: pl.DataFrame | None,
    dose: pl.DataFrame | None,
    months: pl.DataFrame,
    target_minutes: float,
    first: date,
    last: date,
) -> Iterable[pl.DataFrame]:
    """
    Visits, and those that were long enough, by source.

    Parameters
    ----------
    visits : table `visit`, or None
    dose : table `dose`, or None
        Says in which months none means none.
    months : DataFrame
    target_minutes : float
    first, last : date
        Days of the return.

    Yields
    ------
    DataFrame
        `RETURNED`.
    """
    long = f"Visits of {target_minutes:g} minutes or more"
    if visits is None or visits.is_empty():
        yield rows_of(months, None, group="patrols", measure="visits", label="Visits")
        return
    at = visits.with_columns(month=month_of(operating_day(pl.col("arrived_at"))))
    for (source,), part in sorted(at.group_by("source"), key=lambda item: str(item[0])):
        known = None
        if dose is not None:
            own = dose.filter(pl.col("source") == source)
            known = (
                own.filter(pl.col("operating_day").is_between(first, last))
                .group_by(month=month_of(pl.col("operating_day")))
                .agg(days=pl.col("operating_day").n_unique())
                .select("month", note=_days_known(months, first, last))
            )
        words = _SOURCE_WORDS[str(source)]
        for measure, label, kept in (
            ("visits", "Visits", part),
            ("visits_long_enough", long, part.filter(pl.col("dwell_s") >= 60 * target_minutes)),
        ):
            seen = part.select("month").unique()
            counted = seen.join(kept.group_by("month").agg(value=pl.len()), on="month", how="left")
            if known is not None:
                counted = known.join(counted, on="month", how="full", coalesce=True)
            yield rows_of(
                months,
                counted.with_columns(pl.col("value").fill_null(0)),
                group="patrols",
                measure=measure,
                label=label,
                part=words,
                known=known,
            )


def windows(attendance: pl.DataFrame | None, months: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """
    Windows asked for and attended.

    Parameters
    ----------
    attendance : table `attendance`, or None
    months : DataFrame

    Yields
    ------
    DataFrame
        `RETURNED`.
    """
    counted = dict.fromkeys(("asked", "attended"), None)
    if attendance is not None and attendance.height:
        at = attendance.with_columns(month=month_of(pl.col("operating_day")))
        silent = pl.col("level_1").is_null().sum()
        counted = {
            "asked": at.group_by("month").agg(value=pl.len()),
            "attended": at.group_by("month").agg(
                value=pl.when(pl.col("level_1").is_not_null().any()).then(pl.col("level_1").sum()),
                note=pl.when(silent > 0)
                .then(pl.format("not known for {} windows", silent))
                .otherwise(pl.lit("")),
            ),
        }
    for measure, label in (
        ("asked", "Windows asked for, cancelled ones included"),
        ("attended", "Windows in which somebody was there"),
    ):
        yield rows_of(
            months, counted[measure], group="windows", measure=f"windows_{measure}", label=label
        )
