"""The course of counts before patrols, side by side for the kinds of place that are compared."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from placeproof.tables import estimate


def paths(
    means: pl.DataFrame,
    *,
    period_kind: str,
    until: date,
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    feeds: str,
) -> pl.DataFrame:
    """
    Write down how many events a place had on average in each month before patrols.

    Parameters
    ----------
    means : DataFrame
        One row per period and population: `population`, `period_start`, `places`, `events` (of
        all its places together; null: not supplied). Not modified.
    period_kind : str
        "day", "week" or "month": length of those periods.
    until : date
        First day of patrols anywhere: later periods are left out.
    outcome, outcome_label, definition_edition, feeds : str
        As columns of table `estimate`.

    Returns
    -------
    table `estimate`
        Question `places`, estimand `events_per_place`, horizon such as "2020-05": the average
        over the places, and over the periods that begin in the month. Months with a period that
        was not supplied are left out.
    """
    months = (
        means.filter(pl.col("period_start") < until)
        .group_by("population", month=pl.col("period_start").dt.month_start())
        .agg(
            pl.col("places").max(),
            pl.len(),
            events=pl.when(pl.col("events").null_count() == 0).then(pl.col("events").sum()),
        )
        .drop_nulls("events")
        .filter(pl.col("places") > 0)
        .sort("population", "month")
    )
    name: Mapping[str, object] = {
        "question": "places",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "estimand": "events_per_place",
        "method": "count",
        "unit": f"events per place and {period_kind}",
        "feeds": feeds,
    }
    return estimate.rows(
        [
            {
                **name,
                "population": row["population"],
                "horizon": f"{row['month']:%Y-%m}",
                "estimate": row["events"] / row["places"] / row["len"],
                "n_places": row["places"],
                "n_events": row["events"],
            }
            for row in months.iter_rows(named=True)
        ]
    )
