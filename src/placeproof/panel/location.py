"""Events without a location: how many, and whether that changes."""

import json

import polars as pl

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
