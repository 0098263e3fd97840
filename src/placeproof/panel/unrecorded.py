"""Events whose victim is not described: how many, and whether that changes."""

import json
from collections.abc import Mapping

import polars as pl

from placeproof.tables import estimate

MOVES = 0.05
"""Months further apart than this in the share are said to move the counts by group."""


def unrecorded_share(
    events: pl.DataFrame, *, group: str, words: str, described: Mapping[str, object]
) -> pl.DataFrame:
    """
    Follow the share of events whose victim has no group from month to month.

    Parameters
    ----------
    events : DataFrame
        One row per event: `month` and the column `group`, null where the victim has none. Not
        modified.
    group : str
        Which variable, as in subgroups: victim_sex.
    words : str
        The same for a reader: "sex of the victim".
    described : mapping
        `outcome`, `outcome_label`, `definition_edition` and `feeds`.

    Returns
    -------
    table `estimate`
        Question data, estimand `unrecorded_victim_share`, subgroup "VARIABLE=not recorded": one
        row per month with events (horizon "YYYY-MM") and one for all of them, whose reason says so
        where months lie more than `MOVES` apart.
    """
    base = {
        **described,
        "question": "data",
        "population": "events",
        "subgroup": f"{group}=not recorded",
        "estimand": "unrecorded_victim_share",
        "method": "count",
        "unit": "share",
    }
    monthly = (
        events.group_by("month")
        .agg(n=pl.len(), missing=pl.col(group).null_count())
        .sort("month")
        .with_columns(share=pl.col("missing") / pl.col("n"))
    )
    if monthly.is_empty():
        nothing = {"status": "not_identified", "reason": "There are no events."}
        return estimate.rows([base | nothing])
    rows = [
        base
        | {
            "horizon": f"{row['month']:%Y-%m}",
            "estimate": row["share"],
            "window_start": row["month"],
        }
        for row in monthly.iter_rows(named=True)
    ]
    shares = monthly["share"].to_list()
    low, high = min(shares), max(shares)
    moves = (
        f"The share of events without a recorded {words} runs from {low:.0%} to {high:.0%} by "
        "month, so counts by group move with it even where crime does not."
        if high - low > MOVES
        else None
    )
    whole = {
        "estimate": float(monthly["missing"].sum()) / float(monthly["n"].sum()),
        "n_events": float(monthly["n"].sum()),
        "window_start": monthly["month"].min(),
        "reason": moves,
        "diagnostics": json.dumps({"highest_month": high, "lowest_month": low}, sort_keys=True),
    }
    return estimate.rows([*rows, base | whole])
