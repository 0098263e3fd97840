"""The hours just before and just after each night."""

import polars as pl

from placeproof.calendar.days import DAY_STARTS, LOCAL_ZONE

_INSTANT = pl.Datetime("us", "UTC")


def beside_nights(intervals: pl.DataFrame, *, hours: float) -> pl.DataFrame:
    """
    List the stretches of time beside each stretch of night-time economy hours.

    Parameters
    ----------
    intervals : DataFrame
        As `nte_intervals` makes them. Not modified.
    hours : float
        How long before and after, at most: a stretch ends where another night begins, and what
        lies between two nights belongs to the first one where both would reach it. Nothing before
        06:00 of the night's own day counts as before it.

    Returns
    -------
    DataFrame
        `operating_day` (of the night), `side` ("before" or "after"), `next_day` (whether it lies
        on the operating day after the night's), `starts_at`, `ends_at` (UTC, end exclusive).
        Sorted and disjoint; a stretch never crosses 06:00 local.
    """
    reach = pl.duration(seconds=round(hours * 3600))
    nights = intervals.sort("starts_at").with_columns(
        opens=_six(pl.col("operating_day")),
        closes=_six(pl.col("operating_day").dt.offset_by("1d")),
        earlier=pl.col("ends_at").shift(1),
        later=pl.col("starts_at").shift(-1),
    )
    before = nights.select(
        "operating_day",
        side=pl.lit("before"),
        next_day=pl.lit(value=False),
        starts_at=pl.max_horizontal(
            pl.col("starts_at") - reach, "opens", pl.col("earlier") + reach
        ),
        ends_at="starts_at",
    )
    ends = pl.min_horizontal(pl.col("ends_at") + reach, "later")
    after = [
        nights.select(
            "operating_day",
            side=pl.lit("after"),
            next_day=pl.lit(value=next_day),
            starts_at=pl.max_horizontal("ends_at", "closes") if next_day else pl.col("ends_at"),
            ends_at=ends if next_day else pl.min_horizontal(ends, "closes"),
        )
        for next_day in (False, True)
    ]
    return (
        pl.concat([before, *after])
        .with_columns(pl.col("starts_at", "ends_at").cast(_INSTANT))
        .filter(pl.col("starts_at") < pl.col("ends_at"))
        .sort("starts_at")
    )


def _six(day: pl.Expr) -> pl.Expr:
    local = day.dt.combine(DAY_STARTS).dt.replace_time_zone(LOCAL_ZONE)
    return local.dt.convert_time_zone("UTC")
