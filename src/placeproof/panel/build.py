"""Events and places to counts: a full grid in which zero, a count and not supplied differ."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import polars as pl

from placeproof import calendar
from placeproof.errors import IdentificationError, SettingsError
from placeproof.panel.minutes import minutes_per_period
from placeproof.tables import Panel, estimate

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
    pieces = _pieces(events, period_kind=period_kind, nte_intervals=nte_intervals)
    hours = ["all"]
    if nte_intervals is not None and pieces["hours"].is_not_null().any():
        hours += ["nte", "other"]
    counted = _counted(pieces, hours, period_kind)
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
        .with_columns(**_exposure(period_kind))
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


def _pieces(
    events: pl.DataFrame, *, period_kind: PeriodKind, nte_intervals: pl.DataFrame | None
) -> pl.DataFrame:
    """Cut events into `event`, `place_id`, `day`, `hours` (null: unknown) and `amount`."""
    full = _complete(events)
    timed = pl.col("occurred_from").is_not_null() & pl.col("occurred_to").is_not_null()
    with_time, month_only = full.filter(timed), full.filter(~timed)
    if period_kind != "month" and with_time.is_empty() and len(full):
        raise IdentificationError(
            f"none of {len(full)} events has a time, so they cannot be counted by {period_kind}.",
            mend='Set period = "month" in plan.toml, or supply an export with times.',
        )
    intervals = _NO_NTE if nte_intervals is None else nte_intervals
    fractions = _fractions(with_time, intervals)
    pieces = with_time.select("event", "place_id", "weight").join(
        fractions, left_on="event", right_on="event_row"
    )
    shape = {"event": pl.col("event"), "place_id": pl.col("place_id")}
    parts = [
        pieces.select(
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


def _complete(events: pl.DataFrame) -> pl.DataFrame:
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


def _counted(pieces: pl.DataFrame, hours: list[str], period_kind: PeriodKind) -> pl.DataFrame:
    placed = pieces.drop_nulls("place_id").with_columns(
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


def _exposure(period_kind: PeriodKind) -> dict[str, pl.Expr]:
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


def reconcile(
    events: pl.DataFrame,
    panel: pl.DataFrame,
    *,
    outcome_label: str,
    feeds: str,
) -> pl.DataFrame:
    """
    Account for every event that went into a panel of one outcome.

    Parameters
    ----------
    events : DataFrame
        As given to `build`; with `easting_m` and `lsoa_code` where the source has them, so that
        events without a location are told from events outside all places. Not modified.
    panel : table `panel`
        What `build` made of them.
    outcome_label : str
        The outcome in words.
    feeds : str
        Canonical tables behind the events.

    Returns
    -------
    table `estimate`
        Question `data`, estimand `count`, one row for each fate (horizon): `in the panel`,
        `without a location`, `outside all places`, `outside the window`, `in months not supplied`,
        `without a time` and `all`. The first six add up to the last.
    """
    kind = panel["period_kind"].first() or "month"
    fates = _fates(events, panel, period_kind=kind)
    total = float(_complete(events)["weight"].sum())
    difference = total - sum(fates.values())
    base = {
        "question": "data",
        "outcome": panel["outcome"].first() or "none",
        "outcome_label": outcome_label,
        "population": "events",
        "estimand": "count",
        "method": "reconciliation",
        "unit": "events",
        "window_start": panel["period_start"].min(),
        "window_end": panel["period_end"].max(),
        "n": len(events),
        "n_places": panel["place_id"].n_unique(),
        "feeds": feeds,
        "diagnostics": json.dumps({"unaccounted": round(difference, 6) + 0.0}, sort_keys=True),
    }
    return estimate.rows(
        [
            base | {"horizon": fate, "estimate": amount}
            for fate, amount in [*fates.items(), ("all", total)]
        ]
    )


def _fates(
    events: pl.DataFrame, panel: pl.DataFrame, *, period_kind: PeriodKind
) -> dict[str, float]:
    numbered = _complete(events)
    located = pl.any_horizontal(
        [
            pl.col(name).is_not_null()
            for name in ("place_id", "easting_m", "lsoa_code")
            if name in events.columns
        ]
    )
    where = events.select(located=located).with_columns(
        event=pl.int_range(pl.len(), dtype=pl.UInt32)
    )
    pieces = _pieces(numbered, period_kind=period_kind, nte_intervals=None).join(where, on="event")
    days = panel.filter(pl.col("hours") == "all").select("place_id", "period_start", "count")
    pieces = pieces.with_columns(
        period_start=calendar.period_start(pl.col("day"), kind=period_kind)
    ).join(days.with_columns(_cell=True), on=["place_id", "period_start"], how="left")
    places = pl.col("place_id").is_in(panel["place_id"].unique().implode())
    fate = (
        pl.when(~pl.col("located"))
        .then(pl.lit("without a location"))
        .when(pl.col("place_id").is_null() | ~places)
        .then(pl.lit("outside all places"))
        .when(pl.col("_cell").is_null())
        .then(pl.lit("outside the window"))
        .when(pl.col("count").is_null())
        .then(pl.lit("in months not supplied"))
    )
    lost = dict(
        pieces.select(fate=fate, amount="amount")
        .drop_nulls("fate")
        .group_by("fate")
        .agg(pl.col("amount").sum())
        .iter_rows()
    )
    timeless = float(numbered["weight"].sum()) - float(pieces["amount"].sum())
    return {
        # Read from the panel itself, so that the sum checks it and does not repeat it.
        "in the panel": float(days["count"].sum()),
        "without a location": lost.get("without a location", 0.0),
        "outside all places": lost.get("outside all places", 0.0),
        "outside the window": lost.get("outside the window", 0.0),
        "in months not supplied": lost.get("in months not supplied", 0.0),
        "without a time": timeless if abs(timeless) > 1e-6 else 0.0,
    }


def roll(panel: pl.DataFrame, *, to: PeriodKind) -> pl.DataFrame:
    """
    Add a panel of days up to weeks or months.

    Parameters
    ----------
    panel : table `panel`
        Of period kind `day`. Not modified.
    to : "week" or "month"
        Longer period; only those that the days cover wholly come out.

    Returns
    -------
    table `panel`
        Counts and minutes are sums; null where any of the days has null. Sorted as `build` does.

    Raises
    ------
    SettingsError
        If the panel is not one of days: weeks do not fit into months.
    """
    if set(panel["period_kind"]) - {"day"} or to == "day":
        raise SettingsError(
            "only a panel of days can be added up, to weeks or to months.",
            mend="Build the panel by day first.",
        )
    day = pl.col("period_start")
    keys = ["place_id", "outcome", "hours"]
    amounts = ("count", "planned_minutes", "delivered_minutes")
    rolled = (
        panel.with_columns(
            _start=calendar.period_start(day, kind=to), _end=calendar.period_end(day, kind=to)
        )
        .sort(*keys, "period_start")
        .group_by(*keys, "_start", "_end", maintain_order=True)
        .agg(
            pl.col("kind", "group", "target_id", "first_treated").first(),
            *(
                pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
                for name in amounts
            ),
            _days=pl.len(),
        )
        .filter(pl.col("_days") == (pl.col("_end") - pl.col("_start")).dt.total_days() + 1)
        .with_columns(period_start="_start", period_end="_end", period_kind=pl.lit(to))
        .with_columns(**_exposure(to))
    )
    return Panel.validate(rolled.select(Panel.column_names()), cast=True).sort(
        "outcome", "place_id", "period_start", "hours"
    )
