"""Events and places to counts: a full grid in which zero, a count and not supplied differ."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import polars as pl

from placeproof import calendar
from placeproof.errors import IdentificationError, SettingsError
from placeproof.panel.minutes import minutes_per_period
from placeproof.tables import Panel

PeriodKind = Literal["day", "week", "month"]

_NO_NTE = pl.DataFrame(
    schema={
        "operating_day": pl.Date,
        "starts_at": pl.Datetime("us", "UTC"),
        "ends_at": pl.Datetime("us", "UTC"),
    }
)
_INSTANT = pl.Datetime("us", "UTC")


def build(
    events: pl.DataFrame,
    places: pl.DataFrame,
    *,
    outcome_id: str,
    period_kind: PeriodKind,
    first: date,
    last: date,
    supplied_months: Sequence[date],
    nte_intervals: pl.DataFrame | None,
    planned: pl.DataFrame | None = None,
    delivered: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    Count the events of one outcome in every place and period.

    An event with times counts on its operating days, in fractions where the time is uncertain; an
    event of which only the month is known counts in months alone, and under all hours alone.

    Parameters
    ----------
    events : DataFrame
        One row per event: `place_id` (null: in no place), `month`, and optionally
        `occurred_from`, `occurred_to` (UTC; null: only the month is known) and `weight` (absent:
        1). Not modified.
    places : table `place`
        Every place that is to be counted, empty ones too.
    outcome_id : str
        Outcome, by the id of its definition.
    period_kind : "day", "week" or "month"
        Weeks begin on Monday; days are operating days.
    first, last : date
        Only whole periods inside these days are counted.
    supplied_months : sequence of date
        First days of the months for which the source sent events. A period that touches another
        month has null counts, never 0.
    nte_intervals : DataFrame or None
        From `calendar.nte_intervals`; adds rows with hours `nte` and `other`. None, or no event
        with times: hours `all` only.
    planned, delivered : DataFrame or None
        `place_id`, `operating_day`, `minutes`. Within the days that a frame spans, a hot spot that
        it does not name had 0 minutes; other places, and periods not wholly spanned, have null.

    Returns
    -------
    table `panel`
        Full grid, sorted by place, period and hours.

    Raises
    ------
    IdentificationError
        If days or weeks are wanted and no event has a time.
    SettingsError
        If no whole period lies between `first` and `last`, or there are no places.
    """
    grid = _grid(places, period_kind=period_kind, first=first, last=last)
    parts = pieces(events, period_kind=period_kind, nte_intervals=nte_intervals)
    hours = ["all"]
    if nte_intervals is not None and parts["hours"].is_not_null().any():
        hours += ["nte", "other"]
    counted = _counted(parts, hours, period_kind)
    days = _supplied(grid, supplied_months)
    panel = (
        grid.join(pl.DataFrame({"hours": hours}), how="cross")
        .join(counted, on=["place_id", "period_start", "hours"], how="left")
        .join(days, on="period_start", how="left")
        .with_columns(
            count=pl.when("_supplied").then(pl.col("count").fill_null(0.0)),
            outcome=pl.lit(outcome_id),
            period_kind=pl.lit(period_kind),
        )
        .with_columns(**exposure(period_kind))
    )
    panel = minutes_per_period(panel, planned, column="planned_minutes")
    panel = minutes_per_period(panel, delivered, column="delivered_minutes")
    return Panel.validate(panel.select(Panel.column_names()), cast=True).sort(
        "place_id", "period_start", "hours"
    )


def build_many(
    events: Mapping[str, pl.DataFrame],
    places: pl.DataFrame,
    *,
    period_kind: PeriodKind,
    first: date,
    last: date,
    supplied_months: Mapping[str, Sequence[date]],
    nte_intervals: pl.DataFrame | None,
    planned: pl.DataFrame | None = None,
    delivered: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    Count several outcomes over the same places and periods.

    Parameters
    ----------
    events : mapping from outcome id to DataFrame
        As in `build`.
    places, period_kind, first, last, nte_intervals, planned, delivered
        As in `build`.
    supplied_months : mapping from outcome id to sequence of date
        As in `build`, for each outcome.

    Returns
    -------
    table `panel`
        Sorted by outcome, place, period and hours.
    """
    parts = [
        build(
            events[outcome_id],
            places,
            outcome_id=outcome_id,
            period_kind=period_kind,
            first=first,
            last=last,
            supplied_months=supplied_months[outcome_id],
            nte_intervals=nte_intervals,
            planned=planned,
            delivered=delivered,
        )
        for outcome_id in sorted(events)
    ]
    return pl.concat(parts) if parts else Panel.create_empty()


def _grid(
    places: pl.DataFrame, *, period_kind: PeriodKind, first: date, last: date
) -> pl.DataFrame:
    periods = calendar.periods(first, last, kind=period_kind)
    if periods.is_empty():
        raise SettingsError(
            f"no whole {period_kind} lies between {first} and {last}, so nothing can be counted.",
            mend="Set analysis_from and analysis_to in plan.toml further apart.",
        )
    if places.is_empty():
        raise SettingsError(
            "there is no place to count in.",
            mend="Supply hot spots, or areas for public data.",
        )
    columns = ["place_id", "kind", "group", "target_id", "first_treated"]
    return places.select(columns).join(periods, how="cross")


def pieces(
    events: pl.DataFrame, *, period_kind: PeriodKind, nte_intervals: pl.DataFrame | None
) -> pl.DataFrame:
    """Cut events into `event`, `place_id`, `day`, `hours` (null: unknown) and `amount`."""
    full = complete(events)
    timed = pl.col("occurred_from").is_not_null() & pl.col("occurred_to").is_not_null()
    with_time, month_only = full.filter(timed), full.filter(~timed)
    if period_kind != "month" and with_time.is_empty() and len(full):
        raise IdentificationError(
            f"none of {len(full)} events has a time, so they cannot be counted by {period_kind}.",
            mend='Set period = "month" in plan.toml, or supply an export with times.',
        )
    intervals = _NO_NTE if nte_intervals is None else nte_intervals
    fractions = _fractions(with_time, intervals)
    spread = with_time.select("event", "place_id", "weight").join(
        fractions, left_on="event", right_on="event_row"
    )
    shape = {"event": pl.col("event"), "place_id": pl.col("place_id")}
    parts = [
        spread.select(
            **shape,
            day=pl.col("operating_day"),
            hours=pl.col("hours").cast(pl.String),
            amount=pl.col("weight") * pl.col("fraction"),
        )
    ]
    if period_kind == "month":
        parts.append(
            month_only.select(
                **shape,
                day=pl.col("month"),
                hours=pl.lit(None, dtype=pl.String),
                amount=pl.col("weight"),
            )
        )
    return pl.concat(parts)


def _fractions(with_time: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    if with_time.is_empty():
        return pl.DataFrame(
            schema={
                "event_row": pl.UInt32,
                "operating_day": pl.Date,
                "hours": pl.String,
                "fraction": pl.Float64,
            }
        )
    occurred = with_time.select(pl.col("event").alias("event_row"), "occurred_from", "occurred_to")
    return calendar.aoristic(occurred, intervals).with_columns(pl.col("event_row").cast(pl.UInt32))


def complete(events: pl.DataFrame) -> pl.DataFrame:
    """Number the events and add the columns that public data lack."""
    absent = {
        "occurred_from": pl.lit(None, dtype=_INSTANT),
        "occurred_to": pl.lit(None, dtype=_INSTANT),
        "weight": pl.lit(1.0),
    }
    return events.with_columns(
        **{k: v for k, v in absent.items() if k not in events.columns}
    ).select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("event"),
        pl.col("place_id").cast(pl.String),
        pl.col("month").cast(pl.Date),
        pl.col("occurred_from").cast(_INSTANT),
        pl.col("occurred_to").cast(_INSTANT),
        pl.col("weight").cast(pl.Float64),
    )


def _counted(parts: pl.DataFrame, hours: list[str], period_kind: PeriodKind) -> pl.DataFrame:
    placed = parts.drop_nulls("place_id").with_columns(
        period_start=calendar.period_start(pl.col("day"), kind=period_kind)
    )
    keys = ["place_id", "period_start"]
    # Fractions are added in one order, so that sums are the same to the last bit in every run.
    total = (
        placed.sort(*keys, "event", "day", "hours")
        .group_by(keys, maintain_order=True)
        .agg(count=pl.col("amount").sum())
        .with_columns(hours=pl.lit("all"))
        .select(*keys, "hours", "count")
    )
    if hours == ["all"]:
        return total
    split = (
        placed.drop_nulls("hours")
        .sort(*keys, "hours", "event", "day")
        .group_by(*keys, "hours", maintain_order=True)
        .agg(count=pl.col("amount").sum())
    )
    return pl.concat([total, split])


def _supplied(grid: pl.DataFrame, supplied_months: Sequence[date]) -> pl.DataFrame:
    """Say of each period whether every month that it touches was supplied."""
    months = sorted({month.replace(day=1) for month in supplied_months})
    known = pl.Series("known", months, dtype=pl.Date).implode()
    periods = grid.select("period_start", "period_end").unique().sort("period_start")
    # No period is longer than a month, so its first and last day name every month it touches.
    return periods.select(
        "period_start",
        _supplied=pl.col("period_start").dt.month_start().is_in(known)
        & pl.col("period_end").dt.month_start().is_in(known),
    )


def exposure(period_kind: PeriodKind) -> dict[str, pl.Expr]:
    """Say of each period how it lies to the first day of patrols: `event_time` and `treated`."""
    start = pl.col("first_treated")
    first_period = calendar.period_start(start, kind=period_kind)
    here = pl.col("period_start")
    if period_kind == "month":
        periods = (here.dt.year() - first_period.dt.year()).cast(pl.Int64) * 12 + (
            here.dt.month().cast(pl.Int64) - first_period.dt.month().cast(pl.Int64)
        )
    else:
        periods = (here - first_period).dt.total_days() // (7 if period_kind == "week" else 1)
    treated = (
        pl.when(start.is_null() | (pl.col("period_end") < start))
        .then(pl.lit(False))
        .when(here >= start)
        .then(pl.lit(True))
    )
    return {"event_time": periods, "treated": treated}
