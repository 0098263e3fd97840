"""Where every event went: into the panel, or why not."""

import json

import polars as pl

from placeproof import calendar
from placeproof.panel.build import PeriodKind, complete, pieces
from placeproof.tables import estimate


def reconcile(
    events: pl.DataFrame,
    panel: pl.DataFrame,
    *,
    outcome_label: str,
    population: str,
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
    population : str
        Which panel, for example "hot spots, rings and comparison places by month": two panels of
        one outcome differ by it.
    feeds : str
        Canonical tables behind the events.

    Returns
    -------
    table `estimate`
        Question `data`, estimand `count`, one row for each fate (horizon): `in the panel`,
        `without a location`, `outside all places`, `outside the window`, `in months not supplied`,
        `without a time` and `all`. The first six add up to the last.
    """
    kinds = panel["period_kind"].unique().to_list()
    kind: PeriodKind = "month" if kinds in ([], ["month"]) else "week" if "week" in kinds else "day"
    fates = _fates(events, panel, period_kind=kind)
    total = float(complete(events)["weight"].sum())
    difference = total - sum(fates.values())
    base = {
        "question": "data",
        "outcome": panel["outcome"].first() or "none",
        "outcome_label": outcome_label,
        "population": population,
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
    numbered = complete(events)
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
    parts = pieces(numbered, period_kind=period_kind, nte_intervals=None).join(where, on="event")
    days = panel.filter(pl.col("hours") == "all").select("place_id", "period_start", "count")
    parts = parts.with_columns(
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
        parts.select(fate=fate, amount="amount")
        .drop_nulls("fate")
        .group_by("fate")
        .agg(pl.col("amount").sum())
        .iter_rows()
    )
    uncounted = numbered.join(parts.select("event").unique(), on="event", how="anti")
    return {
        # Read from the panel itself, so that the sum checks it and does not repeat it.
        "in the panel": float(days["count"].sum()),
        "without a location": lost.get("without a location", 0.0),
        "outside all places": lost.get("outside all places", 0.0),
        "outside the window": lost.get("outside the window", 0.0),
        "in months not supplied": lost.get("in months not supplied", 0.0),
        "without a time": float(uncounted["weight"].sum()),
    }
