"""How much of each event falls into each period, before anybody asks where."""

import polars as pl

from placeproof import calendar
from placeproof.panel.build import PeriodKind, pieces


def amounts(events: pl.DataFrame, *, period_kind: PeriodKind) -> pl.DataFrame:
    """
    Say how much of each event falls into each period, as `build` counts it under hours `all`.

    Parameters
    ----------
    events : DataFrame
        One row per event, as `build` takes them; `place_id` may be absent. Not modified.
    period_kind : "day", "week" or "month"
        Length of the periods.

    Returns
    -------
    DataFrame
        `event` (number of the row in `events`), `period_start`, `amount`: fractions where the time
        is uncertain. Sorted by event and period. Events of which only the month is known have no
        row where days or weeks are wanted.

    Raises
    ------
    IdentificationError
        If days or weeks are wanted and no event has a time.
    """
    nowhere = events.with_columns(place_id=pl.lit(None, dtype=pl.String))
    start = calendar.period_start(pl.col("day"), kind=period_kind)
    return (
        pieces(nowhere, period_kind=period_kind, nte_intervals=None)
        .sort("event", "day", "hours")
        .select("event", "amount", period_start=start)
        .group_by("event", "period_start", maintain_order=True)
        .agg(pl.col("amount").sum())
        .sort("event", "period_start")
    )
