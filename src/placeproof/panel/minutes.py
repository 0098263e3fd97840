"""Planned and delivered minutes beside the counts."""

import polars as pl


def minutes_per_period(
    panel: pl.DataFrame, minutes: pl.DataFrame | None, *, column: str
) -> pl.DataFrame:
    """
    Put the minutes of each place and period beside its counts.

    Parameters
    ----------
    panel : DataFrame
        `place_id`, `kind`, `period_start`, `period_end`. Not modified.
    minutes : DataFrame or None
        One row per place and operating day, or several: `place_id`, `operating_day`, `minutes`.
    column : str
        Name of the column to add.

    Returns
    -------
    DataFrame
        The same rows. Null where nothing was supplied: no frame, a period not wholly between the
        first and the last day of the frame, or a place that is no hot spot and is never named.
    """
    if minutes is None or minutes.is_empty():
        return panel.with_columns(pl.lit(None, dtype=pl.Float64).alias(column))
    first, last = minutes["operating_day"].min(), minutes["operating_day"].max()
    named = pl.col("place_id").is_in(minutes["place_id"].drop_nulls().unique().implode())
    periods = panel.select("period_start", "period_end").unique().sort("period_start")
    summed = (
        minutes.drop_nulls(["place_id", "operating_day"])
        .sort("operating_day")
        .join_asof(
            periods,
            left_on="operating_day",
            right_on="period_start",
            strategy="backward",
            coalesce=False,
        )
        .filter(pl.col("operating_day") <= pl.col("period_end"))
        .sort("place_id", "operating_day", "minutes")
        .group_by("place_id", "period_start", maintain_order=True)
        .agg(_minutes=pl.col("minutes").cast(pl.Float64).sum())
    )
    spanned = (pl.col("period_start") >= first) & (pl.col("period_end") <= last)
    return (
        panel.join(summed, on=["place_id", "period_start"], how="left")
        .with_columns(
            pl.when(spanned & (named | (pl.col("kind") == "hotspot")))
            .then(pl.col("_minutes").fill_null(0.0))
            .alias(column)
        )
        .drop("_minutes")
    )
