"""Rows about minutes and visits: asked for, measured by pings, stated ready-made."""

import json

import polars as pl

from placeproof.calendar import in_nte, operating_day
from placeproof.patrols.minutes import by_hours, occupied, place_days
from placeproof.patrols.rows import (
    BELOW,
    Row,
    base_row,
    months_and_all,
    places,
    share_of,
    total_of,
    window_of,
)
from placeproof.patrols.stretches import moments, stretches

_ADDED = "One ping interval was added to each visit for time that pings do not show."


def planned_rows(tasking: pl.DataFrame, nte: pl.DataFrame | None, nte_id: str) -> list[Row]:
    """
    Minutes that tasking asked for, cancelled windows included, and the share cancelled.

    Parameters
    ----------
    tasking : table `tasking`
    nte : DataFrame or None
        Intervals of the night-time economy: a target is split as its window is.
    nte_id : str
        Which preset.

    Returns
    -------
    list of rows for table `estimate`
    """
    counted = tasking.select(
        place_id="hotspot_id",
        operating_day=operating_day(pl.col("window_from")),
        minutes="target_minutes",
        nte_minutes=pl.Series(_planned_in_nte(tasking, nte), dtype=pl.Float64),
        cancelled="cancelled",
    )
    base = base_row(
        "planned_minutes",
        "Patrol-minutes asked for",
        "minutes",
        "tasking_including_cancelled",
        "minutes",
        "tasking",
    ) | window_of(counted["operating_day"])
    cancelled = base_row(
        "window_cancelled", "Tasked windows cancelled", "share", "count", "share", "tasking"
    )
    rows = _minutes_rows(counted, base, nte_id if nte is not None else None)
    for key, part in months_and_all(counted):
        rows.append(
            cancelled | key | share_of(part["cancelled"]) | window_of(part["operating_day"])
        )
    return rows


def presence_rows(
    seen: pl.DataFrame,
    hotspots: pl.DataFrame,
    days: pl.Series,
    nte: pl.DataFrame | None,
    nte_id: str,
) -> list[Row]:
    """
    Minutes in which somebody was in a hot spot: with one ping interval a visit, and raw.

    Parameters
    ----------
    seen : table `visit`
    hotspots : table `hotspot`
    days : Series of Date
        Operating days on which any device reported.
    nte : DataFrame or None
    nte_id : str

    Returns
    -------
    list of rows for table `estimate`
        A hot spot that nobody visited has 0; a month without any ping has no row. `n` is the
        number of place-days: places whose outline held, on days on which any device reported.
    """
    interval_s = _ping_interval_s(seen)
    shared = {
        "ping_interval_s": interval_s,
        "days_observed": len(days),
        "includes_background_presence": True,
    }
    rows = []
    for method, add, reason in (
        ("pings_occupied_with_interval", True, _ADDED),
        ("pings_occupied_raw", False, BELOW),
    ):
        base = base_row(
            "delivered_minutes",
            "Minutes in which somebody was in the hot spot, tasked or not",
            "minutes",
            method,
            "minutes",
            "ping hotspot",
        ) | {"reason": reason, "diagnostics": json.dumps(shared, sort_keys=True)}
        whole = _place_days(seen, hotspots, days, nte, add_interval=add)
        if add or nte is None:
            rows += _minutes_rows(
                whole, base | window_of(days), nte_id if nte is not None else None
            )
        else:
            rows += [
                base | key | window_of(days) | total_of(part, "minutes")
                for key, part in months_and_all(whole)
            ]
    return rows


def visit_rows(seen: pl.DataFrame, *, longest_gap_s: float, shortest_dwell_s: float) -> list[Row]:
    """
    Number of visits, how long they were, and device-minutes, where devices are added up.

    Parameters
    ----------
    seen : table `visit`
    longest_gap_s, shortest_dwell_s : float
        The rules by which visits were made; reported with them.

    Returns
    -------
    list of rows for table `estimate`
    """
    interval_s = _ping_interval_s(seen)
    rules = {
        "longest_gap_s": longest_gap_s,
        "ping_interval_s": interval_s,
        "shortest_dwell_s": shortest_dwell_s,
    }
    said = BELOW
    if interval_s is not None and 0 < shortest_dwell_s <= interval_s:
        said += " The shortest dwell is not above the ping interval: it drops visits by chance."
    if interval_s is not None and longest_gap_s < 1.5 * interval_s:
        said += " The longest gap is below 1.5 ping intervals: one lost ping cuts a visit."
    shared = {"diagnostics": json.dumps(rules, sort_keys=True), "reason": said} | window_of(
        seen.select(operating_day(pl.col("arrived_at")))["arrived_at"]
    )
    total = base_row(
        "visits", "Visits of a device to a hot spot", "count", "pings", "visits", "ping"
    )
    rows = [total | shared | {"estimate": float(seen.height), "n": seen.height}]
    lengthened = seen.select("dwell_s")
    for at_least in (5, 10, 15):
        label = f"Visits of at least {at_least} minutes"
        base = base_row(f"visits_{at_least}_minutes", label, "share", "pings", "share", "ping")
        for method, length in (
            ("pings_with_interval", lengthened["dwell_s"]),
            ("pings_raw", seen["seen_s"]),
        ):
            rows.append(base | shared | {"method": method} | share_of(length >= 60 * at_least))
    devices = base_row(
        "device_minutes",
        "Minutes of all devices together, two at once counted twice",
        "minutes",
        "pings_with_interval",
        "minutes",
        "ping",
    )
    minutes = float(lengthened["dwell_s"].sum()) / 60
    return [*rows, devices | shared | {"estimate": minutes, "n": seen.height}]


def coverage_rows(pings: pl.DataFrame) -> list[Row]:
    """
    Share of device-days without a ping, between each device's first and last day.

    Parameters
    ----------
    pings : table `ping`

    Returns
    -------
    list of rows for table `estimate`
        One row. Off-duty days are in it, and pseudonyms that rotate shorten the span: it is a
        figure for spotting gaps, not a fault rate.
    """
    days = pings.select("device_id", day=operating_day(pl.col("at"))).unique()
    by_device = days.group_by("device_id").agg(
        seen=pl.len(), span=(pl.col("day").max() - pl.col("day").min()).dt.total_days() + 1
    )
    span, seen = int(by_device["span"].sum()), int(by_device["seen"].sum())
    row = base_row(
        "device_days_without_pings",
        "Days without a ping between a device's first and last",
        "share",
        "count",
        "share",
        "ping",
    )
    return [
        row
        | window_of(days["day"])
        | {
            "estimate": 1 - seen / span,
            "n": span,
            "reason": "Off-duty days are among them; pseudonyms that rotate shorten the span.",
        }
    ]


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
        counted = part.with_columns(place_id="hotspot_id", nte_minutes=pl.lit(None, pl.Float64))
        rows += _minutes_rows(counted, base | window_of(part["operating_day"]), None)
    return rows


def reconciled_rows(stated: pl.DataFrame, seen: pl.DataFrame, days: pl.Series) -> list[Row]:
    """
    Stated minutes over measured minutes, on places and days for which both sources speak.

    Parameters
    ----------
    stated : DataFrame
        `place_id`, `operating_day`, `minutes`.
    seen : table `visit`
    days : Series of Date
        Operating days on which any device reported.

    Returns
    -------
    list of rows for table `estimate`
        One row.
    """
    measured = (
        by_hours(occupied(seen, add_interval=True), None)
        .group_by("place_id", "operating_day")
        .agg(measured=pl.col("minutes").sum())
    )
    both = stated.filter(pl.col("operating_day").is_in(days.to_list())).join(
        measured, on=["place_id", "operating_day"], how="left"
    )
    row = base_row(
        "stated_over_measured",
        "Stated minutes for each minute that pings measure",
        "ratio",
        "place_days_in_both",
        "ratio",
        "delivered ping",
    ) | {"n": both.height, "n_places": both["place_id"].n_unique()}
    if not float(both["measured"].sum() or 0) > 0:
        return [
            row
            | {
                "status": "not_identified",
                "reason": "On no day that the statements speak of did pings measure any presence.",
            }
        ]
    ratio = float(both["minutes"].sum()) / float(both["measured"].sum())
    return [row | {"estimate": ratio} | window_of(both["operating_day"])]


def _place_days(
    seen: pl.DataFrame,
    hotspots: pl.DataFrame,
    days: pl.Series,
    nte: pl.DataFrame | None,
    *,
    add_interval: bool,
) -> pl.DataFrame:
    counted = (
        by_hours(occupied(seen, add_interval=add_interval), nte)
        .group_by("place_id", "operating_day")
        .agg(pl.col("minutes", "nte_minutes").sum())
    )
    grid = place_days(hotspots, days)
    return grid.join(counted, on=["place_id", "operating_day"], how="left").with_columns(
        pl.col("minutes", "nte_minutes").fill_null(0.0)
    )


def _planned_in_nte(tasking: pl.DataFrame, nte: pl.DataFrame | None) -> list[float | None]:
    if nte is None:
        return [None] * tasking.height
    first, last = moments(tasking["window_from"]), moments(tasking["window_to"])
    seconds = stretches(nte["starts_at"], nte["ends_at"]).seconds_within(first, last)
    split = tasking.select(
        span=(pl.col("window_to") - pl.col("window_from")).dt.total_microseconds() / 1e6,
        night=pl.Series(seconds, dtype=pl.Float64),
        point=in_nte(tasking["window_from"], nte).cast(pl.Float64),
        target="target_minutes",
    )
    # A window without length lies in the hours of its moment.
    part = pl.when(pl.col("span") > 0).then(pl.col("night") / pl.col("span")).otherwise("point")
    return split.select(part * pl.col("target")).to_series().to_list()


def _minutes_rows(counted: pl.DataFrame, base: Row, nte_id: str | None) -> list[Row]:
    """In all, by month, by place; each also by hours. By place and month for all hours."""
    rows = []
    for key, part in [*months_and_all(counted), *places(counted)]:
        rows.append(base | key | total_of(part, "minutes"))
        if nte_id is not None:
            night = part.with_columns(other_minutes=pl.col("minutes") - pl.col("nte_minutes"))
            rows.append(base | key | total_of(night, "nte_minutes") | {"hours": f"nte:{nte_id}"})
            rows.append(
                base | key | total_of(night, "other_minutes") | {"hours": f"other:{nte_id}"}
            )
    for key, part in places(counted):
        rows += [
            base | key | month | total_of(inner, "minutes")
            for month, inner in months_and_all(part)
            if month
        ]
    return rows


def _ping_interval_s(seen: pl.DataFrame) -> float | None:
    gaps = seen.filter(pl.col("source") == "pings").select(
        pl.col("seen_s").sum() / (pl.col("pings") - 1).sum()
    )
    value = gaps.item()
    return None if value is None or value != value else round(float(value), 3)
