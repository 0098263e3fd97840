"""Delivery as one table of estimates: what was asked for, what was done, where and when."""

import polars as pl

from placeproof.patrols.attendance import log_rows, window_rows
from placeproof.patrols.compliance import attended, matched
from placeproof.patrols.delivery import (
    coverage_rows,
    planned_rows,
    presence_rows,
    reconciled_rows,
    stated_rows,
    visit_rows,
)
from placeproof.patrols.minutes import observed_days, occupied, stated_minutes
from placeproof.patrols.rows import Row, finished, missing
from placeproof.patrols.visits import ready_made_visits, visits
from placeproof.tables import Visit, estimate


def estimates(
    *,
    pings: pl.DataFrame | None,
    hotspots: pl.DataFrame | None,
    tasking: pl.DataFrame | None,
    delivered: pl.DataFrame | None,
    patrol_log: pl.DataFrame | None,
    nte: pl.DataFrame | None,
    nte_id: str,
    longest_gap_s: float,
    shortest_dwell_s: float,
    log_tolerance_s: float,
) -> pl.DataFrame:
    """
    Everything that is said about delivery, before any impact.

    Rows are by place, month and band of hours; no unit, officer or device is described.

    Parameters
    ----------
    pings : table `ping`, or None
    hotspots : table `hotspot`, or None
        Without it pings cannot be placed.
    tasking : table `tasking`, or None
        The denominator of compliance.
    delivered : table `delivered`, or None
        Ready-made statements: kept apart from what pings measure, and reconciled with it.
    patrol_log : table `patrol_log`, or None
    nte : DataFrame or None
        Intervals as `calendar.nte_intervals` makes them, covering all the data; None: no split.
    nte_id : str
        Which preset they are.
    longest_gap_s, shortest_dwell_s : float
        As for `visits.visits`.
    log_tolerance_s : float
        How far apart in time a log and a visit may be and still match.

    Returns
    -------
    table `estimate`
        Question delivery. A table that was not supplied gives a row `not_supplied` that says what
        it would have shown.
    """
    pings, hotspots, tasking, delivered, patrol_log = (
        None if table is None or table.is_empty() else table
        for table in (pings, hotspots, tasking, delivered, patrol_log)
    )
    rows: list[Row] = []
    seen: pl.DataFrame | None = None
    days = pl.Series("operating_day", [], dtype=pl.Date)
    if pings is None or hotspots is None:
        rows.append(missing("delivered_minutes", "Patrol-minutes measured by pings", "ping"))
    else:
        seen = visits(
            pings, hotspots, longest_gap_s=longest_gap_s, shortest_dwell_s=shortest_dwell_s
        )
        days = observed_days(pings)
        rows += presence_rows(seen, hotspots, days, nte, nte_id)
        rows += visit_rows(seen, longest_gap_s=longest_gap_s, shortest_dwell_s=shortest_dwell_s)
        rows += coverage_rows(pings)
    rows += _stated(delivered, seen, days)
    if seen is None and delivered is not None:
        seen = _timed(delivered)
        if seen is not None:
            days = delivered["operating_day"].unique().sort()
    rows += _windows(tasking, seen, days, nte, nte_id)
    rows += _logs(patrol_log, seen, days, log_tolerance_s)
    return estimate.rows(finished(rows))


def _stated(
    delivered: pl.DataFrame | None, seen: pl.DataFrame | None, days: pl.Series
) -> list[Row]:
    if delivered is None:
        return [missing("stated_minutes", "Patrol-minutes as stated ready-made", "delivered")]
    rows = stated_rows(delivered)
    if seen is not None:
        rows += reconciled_rows(stated_minutes(delivered), seen, days)
    return rows


def _timed(delivered: pl.DataFrame) -> pl.DataFrame | None:
    ready = ready_made_visits(delivered)
    return None if ready.is_empty() else ready


def _windows(
    tasking: pl.DataFrame | None,
    seen: pl.DataFrame | None,
    days: pl.Series,
    nte: pl.DataFrame | None,
    nte_id: str,
) -> list[Row]:
    if tasking is None:
        return [
            missing("planned_minutes", "Patrol-minutes asked for", "tasking"),
            missing("window_attended", "Tasked windows in which somebody was there", "tasking"),
        ]
    rows = planned_rows(tasking, nte, nte_id)
    if seen is None:
        rows.append(
            missing(
                "window_attended", "Tasked windows in which somebody was there", "ping or delivered"
            )
        )
        return rows
    from_pings = _from_pings(seen)
    held = attended(tasking, occupied(seen, add_interval=from_pings), observed_days=days)
    rows += window_rows(held, nte, nte_id, source="ping" if from_pings else "delivered")
    if from_pings:
        raw = attended(tasking, occupied(seen, add_interval=False), observed_days=days)
        rows += window_rows(raw, nte, nte_id, source="ping", raw=True)
    return rows


def _logs(
    patrol_log: pl.DataFrame | None, seen: pl.DataFrame | None, days: pl.Series, tolerance_s: float
) -> list[Row]:
    if patrol_log is None or seen is None:
        lacking = "patrol_log" if patrol_log is None else "ping or delivered"
        return [missing("log_matched", "Logs that a visit bears out", lacking)]
    held = matched(
        patrol_log,
        seen.select(Visit.column_names()),
        tolerance_s=tolerance_s,
        observed_days=days,
    )
    return log_rows(
        held, tolerance_s=tolerance_s, source="ping" if _from_pings(seen) else "delivered"
    )


def _from_pings(seen: pl.DataFrame) -> bool:
    # No visit at all can only come from pings: ready-made visits are passed on when there are some.
    return seen.is_empty() or bool((seen["source"] == "pings").any())
