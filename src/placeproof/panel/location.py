"""Events without a location: how many, whether that changes, and what they could do to a count."""

import json
from datetime import date

import polars as pl

from placeproof.errors import InputError
from placeproof.tables import estimate


def missing_location(
    events: pl.DataFrame,
    *,
    located_by: str,
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    feeds: str,
) -> pl.DataFrame:
    """
    Follow the share of events without a location from month to month.

    Parameters
    ----------
    events : DataFrame
        One row per event: `month` and the column `located_by`. Not modified.
    located_by : str
        Column that is null where the location is missing: `easting_m` or `lsoa_code`.
    outcome, outcome_label : str
        Which events, by id and in words.
    definition_edition : str or None
        Definition that was used.
    feeds : str
        Canonical tables behind the events.

    Returns
    -------
    table `estimate`
        Question `data`, estimand `missing_location_share`: one row per month with events (horizon
        "YYYY-MM") and one for all months; its reason says so if the share moved by more than
        one percentage point between months, because then counts by place move with it.
    """
    monthly = (
        events.group_by("month")
        .agg(n=pl.len(), missing=pl.col(located_by).null_count())
        .sort("month")
        .with_columns(share=pl.col("missing") / pl.col("n"))
    )
    base: dict[str, object] = {
        "question": "data",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "population": "events",
        "estimand": "missing_location_share",
        "method": "count",
        "unit": "share",
        "feeds": feeds,
    }
    if monthly.is_empty():
        nothing = {"status": "not_identified", "reason": "There are no events."}
        return estimate.rows([base | nothing])
    rows = [
        base
        | {
            "horizon": f"{row['month']:%Y-%m}",
            "estimate": row["share"],
            "n": row["n"],
            "n_events": float(row["n"]),
            "window_start": row["month"],
        }
        for row in monthly.to_dicts()
    ]
    return estimate.rows([*rows, base | _overall(monthly)])


def _overall(monthly: pl.DataFrame) -> dict[str, object]:
    shares = monthly["share"]
    low, high = float(shares.min()), float(shares.max())  # type: ignore[arg-type]
    total = int(monthly["n"].sum())
    moves = (
        f"The share of events without a location runs from {low:.1%} to {high:.1%} by month, so "
        "counts by place move with it even where crime does not."
        if high - low > 0.01
        else None
    )
    return {
        "horizon": "all",
        "estimate": float(monthly["missing"].sum()) / total,
        "n": total,
        "n_events": float(total),
        "window_start": monthly["month"].min(),
        "reason": moves,
        "diagnostics": json.dumps(
            {"highest_month": round(high, 6), "lowest_month": round(low, 6)}, sort_keys=True
        ),
    }


def count_bounds(counts: pl.DataFrame, events: pl.DataFrame, *, located_by: str) -> pl.DataFrame:
    """
    Bound the count of a group of places in each month by where unlocated events may belong.

    Parameters
    ----------
    counts : DataFrame
        One row per month: `month`, `count` located in the places (null: not supplied). Not
        modified.
    events : DataFrame
        All events of the outcome, wherever they lie: `month` and the column `located_by`.
    located_by : str
        Column that is null where the location is missing.

    Returns
    -------
    DataFrame
        One row per month, sorted: `month`, `unlocated`, `lowest` (no unlocated event lies in the
        places), `proportional` (as often as located ones do) and `highest` (all of them do).

    Raises
    ------
    InputError
        If a month has more events in the places than events with a location.
    """
    monthly = events.group_by("month").agg(
        total=pl.len(), unlocated=pl.col(located_by).null_count().cast(pl.Int64)
    )
    joined = (
        counts.select("month", lowest=pl.col("count").cast(pl.Float64))
        .join(monthly, on="month", how="left")
        .with_columns(pl.col("total", "unlocated").fill_null(0))
        .with_columns(located=pl.col("total") - pl.col("unlocated"))
        .sort("month")
    )
    excess = joined.filter(pl.col("lowest") > pl.col("located") + 1e-9)
    if len(excess):
        raise InputError(
            f"in {excess['month'][0]:%Y-%m} the places hold more events than have a location.",
            mend="Count bounds with all events of the same outcome that the counts were made of.",
        )
    share = pl.when(pl.col("located") > 0).then(pl.col("lowest") / pl.col("located"))
    return joined.select(
        "month",
        "unlocated",
        "lowest",
        proportional=pl.col("lowest") + share.fill_null(0.0) * pl.col("unlocated"),
        highest=pl.col("lowest") + pl.col("unlocated"),
    )


def ratio_bounds(
    treated: pl.DataFrame,
    *,
    start: date,
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    population: str,
    feeds: str,
    comparison: pl.DataFrame | None,
) -> pl.DataFrame:
    """
    Bound an after/before ratio of counts by where unlocated events may belong.

    Not an effect: it says how far missing locations alone could bend one.

    Parameters
    ----------
    treated : DataFrame
        From `count_bounds`, for the treated places. Not modified.
    start : date
        First day of patrols; its month is left out on both sides.
    outcome, outcome_label : str
        Which events, by id and in words.
    definition_edition : str or None
        Definition that was used.
    population : str
        Which places.
    feeds : str
        Canonical tables behind the events.
    comparison : DataFrame or None
        From `count_bounds`, for the comparison places: the ratio is then divided by theirs.

    Returns
    -------
    table `estimate`
        Question `data`, role `not_impact`: `rate_ratio` of monthly means with unlocated events in
        proportion, `lower` and `upper` with all of them on the side that moves it most. The
        interval is a bound, not a confidence interval: it has no level.
    """
    ours = _after_before(treated, start)
    theirs = None if comparison is None else _after_before(comparison, start)
    base: dict[str, object] = {
        "question": "data",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "population": population,
        "estimand": "rate_ratio",
        "method": "missing_location_bounds",
        "role": "not_impact",
        "unit": "ratio",
        "window_start": treated["month"].min(),
        "window_end": treated["month"].max(),
        "n": len(treated),
        "feeds": feeds,
    }
    if ours is None or (comparison is not None and theirs is None):
        reason = "A side of the comparison has no month with a count, or no event before the start."
        return estimate.rows([base | {"status": "not_identified", "reason": reason}])
    low, middle, high = ours
    if theirs is not None:
        # Both ends at once: an unlocated event can be here or there, but not the same one twice;
        # taking each end alone is wider than the truth allows, never narrower.
        low, middle, high = low / theirs[2], middle / theirs[1], high / theirs[0]
    return estimate.rows([base | {"estimate": middle, "lower": low, "upper": high}])


def _after_before(bounds: pl.DataFrame, start: date) -> tuple[float, float, float] | None:
    known = bounds.drop_nulls("lowest").filter(
        pl.col("month").dt.month_start() != start.replace(day=1)
    )
    before, after = known.filter(pl.col("month") < start), known.filter(pl.col("month") > start)
    if before.is_empty() or after.is_empty():
        return None
    means = {
        (side, column): float(frame[column].mean())  # type: ignore[arg-type]
        for side, frame in (("before", before), ("after", after))
        for column in ("lowest", "proportional", "highest")
    }
    if means["before", "lowest"] <= 0 or means["after", "lowest"] <= 0:
        return None
    return (
        means["after", "lowest"] / means["before", "highest"],
        means["after", "proportional"] / means["before", "proportional"],
        means["after", "highest"] / means["before", "lowest"],
    )
