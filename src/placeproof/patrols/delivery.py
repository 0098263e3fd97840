"""Rows about minutes as ready-made tables state them, kind by kind."""

import polars as pl

from placeproof.patrols.rows import (
    Row,
    base_row,
    months_and_all,
    places,
    total_of,
    window_of,
)


def stated_rows(delivered: pl.DataFrame) -> list[Row]:
    """
    Minutes that ready-made tables state, by kind of statement and deliverer.

    Parameters
    ----------
    delivered : table `delivered`

    Returns
    -------
    list of rows for table `estimate`
        Kinds and deliverers are never added to one another here.
    """
    rows = []
    for (kind, by), part in sorted(
        delivered.group_by("kind", "delivered_by"), key=lambda item: item[0]
    ):
        base = base_row(
            "delivered_minutes",
            "Patrol-minutes as stated ready-made",
            "minutes",
            f"stated_{kind}",
            "minutes",
            "delivered",
        ) | {"population": f"hot spots, stated by {by}", "reason": "Stated, not measured."}
        counted = part.with_columns(place_id="hotspot_id")
        rows += _minutes_rows(counted, base | window_of(part["operating_day"]))
    return rows


def _minutes_rows(counted: pl.DataFrame, base: Row) -> list[Row]:
    """In all, by month, by place, and by place and month."""
    rows = [
        base | key | total_of(part, "minutes")
        for key, part in [*months_and_all(counted), *places(counted)]
    ]
    for key, part in places(counted):
        rows += [
            base | key | month | total_of(inner, "minutes")
            for month, inner in months_and_all(part)
            if month
        ]
    return rows
