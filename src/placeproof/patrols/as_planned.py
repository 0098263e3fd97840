"""Whether it was done as planned, and what logs say: one call for a study, from every source."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.activities import Taxonomy, taxonomy, unmapped, with_classes
from placeproof.patrols.attendance import level_rows, presence_method
from placeproof.patrols.beside import control_rows, reason_rows
from placeproof.patrols.claims import (
    activity_rows,
    held_log_rows,
    interaction_rows,
    search_rows,
    unlogged_rows,
)
from placeproof.patrols.compliance import attendance, attendance_by_day
from placeproof.patrols.dividing import Night
from placeproof.patrols.interactions import ledger, searches_by_day, unplaced_searches
from placeproof.patrols.logs import held_logs, observations, unlogged
from placeproof.patrols.minutes import stated_minutes
from placeproof.patrols.rows import Row, missing
from placeproof.patrols.visits import ready_made_visits
from placeproof.tables import Attendance


@dataclass(frozen=True)
class PlannedRules:
    """
    Choices that change what compliance is; every one is a line of the plan.

    Parameters
    ----------
    target_minutes : float or None
        Minutes to hold every window against instead of its own.
    visible_share : float
        Share of the time that has to be on foot to be evidence of a visible patrol.
    log_tolerance_s : float
        How far apart in time a log and a window or visit may be and still match.
    logged_at_least_s : float
        Shorter presences need no log.
    activities : mapping
        The user's own lines: activity as logged to class.
    """

    target_minutes: float | None
    visible_share: float
    log_tolerance_s: float
    logged_at_least_s: float
    activities: Mapping[str, str]


@dataclass(frozen=True)
class AsPlanned:
    """
    Tables and rows about compliance and logs.

    Parameters
    ----------
    attendance : table `attendance`
        One row per task and source; pings first.
    logs : DataFrame
        As `logs.held_logs` gives it; empty without logs or visits.
    unmapped : DataFrame
        Activities that no class holds: `table`, `activity`, `rows`.
    observations : DataFrame
        As `logs.observations` gives it: personal, for `interviews`.
    rows : list of rows for table `estimate`
    """

    attendance: pl.DataFrame
    logs: pl.DataFrame
    unmapped: pl.DataFrame
    observations: pl.DataFrame
    rows: list[Row] = field(repr=False)


def as_planned(
    *,
    tasking: pl.DataFrame | None,
    visit: pl.DataFrame | None,
    observed_days: pl.Series,
    reported: pl.DataFrame | None,
    delivered: pl.DataFrame | None,
    patrol_log: pl.DataFrame | None,
    stop_search: pl.DataFrame | None,
    hotspots: pl.DataFrame | None,
    dose: pl.DataFrame | None,
    night: Night | None,
    rules: PlannedRules,
) -> AsPlanned:
    """
    Hold tasking and logs against every source of presence, each on its own.

    Parameters
    ----------
    tasking : table `tasking`, or None
    visit : table `visit`, or None
        Made of pings; None: there are no pings or no hot spots.
    observed_days : Series of Date
        Operating days on which any device reported; not used without `visit`.
    reported : DataFrame or None
        `device_id`, `from_at`, `to_at`: when devices reported anything, as `reported.reporting`
        gives it; not used without `visit`. None: only the days of all together are known.
    delivered : table `delivered`, or None
    patrol_log, stop_search, hotspots, dose : tables of those names, or None
    night : Night or None
    rules : PlannedRules

    Returns
    -------
    AsPlanned
        A table that was not supplied gives a row `not_supplied`.

    Raises
    ------
    SettingsError
        If a line of `activities` names a class that does not exist.
    """
    tasking, delivered, patrol_log, stop_search = (
        None if table is None or table.is_empty() else table
        for table in (tasking, delivered, patrol_log, stop_search)
    )
    classes = taxonomy(own=rules.activities)
    named = {
        name: with_classes(table, classes)
        for name, table in (("patrol_log", patrol_log), ("delivered", delivered))
        if table is not None
    }
    ready = None if delivered is None else ready_made_visits(delivered)
    if ready is not None and ready.is_empty():
        ready = None
    held, rows = _windows(tasking, visit, observed_days, ready, named, night, rules)
    if tasking is not None and dose is not None and not dose.is_empty():
        rows += control_rows(tasking, dose, source="pings" if visit is not None else "delivered")
    if visit is None or (reported is not None and reported.is_empty()):
        reported = None
    logs, more = _logs(patrol_log, visit, observed_days, reported, ready, night, rules)
    rows += more + _activities(named, classes)
    if patrol_log is not None:
        rows += interaction_rows(ledger(patrol_log), night=night, borne_out=logs)
        rows += _searches(patrol_log, stop_search, hotspots)
    return AsPlanned(
        attendance=held,
        logs=_EMPTY_LOGS if logs is None else logs,
        unmapped=_unmapped(named),
        observations=observations(patrol_log) if patrol_log is not None else pl.DataFrame(),
        rows=rows,
    )


_EMPTY_LOGS = pl.DataFrame(
    schema={
        "log_id": pl.String,
        "hotspot_id": pl.String,
        "started_at": pl.Datetime("us", "UTC"),
        "ended_at": pl.Datetime("us", "UTC"),
        "operating_day": pl.Date,
        "compared_by": pl.String,
        "status": pl.String,
    }
)


def _windows(
    tasking: pl.DataFrame | None,
    visit: pl.DataFrame | None,
    observed_days: pl.Series,
    ready: pl.DataFrame | None,
    named: Mapping[str, pl.DataFrame],
    night: Night | None,
    rules: PlannedRules,
) -> tuple[pl.DataFrame, list[Row]]:
    nothing = Attendance.create_empty()
    label = "Tasked windows in which somebody was there (level 1)"
    if tasking is None:
        return nothing, [missing("window_attended", label, "tasking")]
    logs, delivered = named.get("patrol_log"), named.get("delivered")
    parts: list[pl.DataFrame] = []
    rows: list[Row] = []
    sources: list[tuple[pl.DataFrame | None, pl.Series, pl.DataFrame | None]] = [
        (visit, observed_days, None)
    ]
    if delivered is not None and ready is not None:
        sources.append((ready, _days(ready), delivered))
    for seen, days, stated in sources:
        if seen is None:
            continue
        for add_interval in (True, False) if stated is None else (True,):
            held = attendance(
                tasking,
                seen,
                observed_days=days,
                add_interval=add_interval,
                target_minutes=rules.target_minutes,
                visible_share=rules.visible_share,
                log_tolerance_s=rules.log_tolerance_s,
                logs=logs,
                stated=stated,
            )
            method = presence_method(seen, add_interval=add_interval)
            rows += level_rows(held, night=night, method=method)
            parts += [held] if add_interval else []
    for kind, told in _untimed(delivered):
        held = attendance_by_day(
            tasking,
            stated_minutes(told),
            source=kind,
            target_minutes=rules.target_minutes,
            log_tolerance_s=rules.log_tolerance_s,
            logs=logs,
        )
        rows += level_rows(held, night=night, method=f"stated_{kind}")
        parts.append(held)
    if not parts:
        return nothing, [missing("window_attended", label, "ping or delivered")]
    return pl.concat(parts), rows + reason_rows(parts[0])


def _days(ready: pl.DataFrame) -> pl.Series:
    """Operating days of which a source of visits says anything."""
    return ready.select(operating_day(pl.col("arrived_at"))).to_series().unique().sort()


def _untimed(delivered: pl.DataFrame | None) -> list[tuple[str, pl.DataFrame]]:
    """Statements of minutes without times, by kind."""
    if delivered is None:
        return []
    told = delivered.filter(pl.col("started_at").is_null() | pl.col("ended_at").is_null())
    kinds = told.filter(pl.col("kind") != "visit").partition_by("kind", as_dict=True)
    return sorted((str(kind), part) for (kind,), part in kinds.items())


def _logs(
    patrol_log: pl.DataFrame | None,
    visit: pl.DataFrame | None,
    observed_days: pl.Series,
    reported: pl.DataFrame | None,
    ready: pl.DataFrame | None,
    night: Night | None,
    rules: PlannedRules,
) -> tuple[pl.DataFrame | None, list[Row]]:
    seen, source = visit, "ping"
    if seen is None and ready is not None:
        seen, source = ready, "delivered"
        observed_days = _days(ready)
    if patrol_log is None or seen is None:
        lacking = "patrol_log" if patrol_log is None else "ping or delivered"
        return None, [missing("log_matched", "Logs that a visit bears out", lacking)]
    held = held_logs(
        patrol_log,
        seen,
        tolerance_s=rules.log_tolerance_s,
        observed_days=observed_days,
        reported=reported,
        unit_of_device=None,
    )
    rows = held_log_rows(held, night=night, tolerance_s=rules.log_tolerance_s, source=source)
    shortest_s = rules.logged_at_least_s
    presence = unlogged(seen, patrol_log, tolerance_s=rules.log_tolerance_s, shortest_s=shortest_s)
    return held, rows + unlogged_rows(presence, shortest_s=shortest_s, source=source)


def _activities(named: Mapping[str, pl.DataFrame], classes: Taxonomy) -> list[Row]:
    logs = named.get("patrol_log")
    if logs is None:
        return [missing("activity", "What was done, as stated", "patrol_log")]
    return activity_rows(logs, classes, feed="patrol_log")


def _searches(
    patrol_log: pl.DataFrame, stop_search: pl.DataFrame | None, hotspots: pl.DataFrame | None
) -> list[Row]:
    if stop_search is None or hotspots is None:
        label = "Days of a place on which logs and the register give the same number of searches"
        lacking = "stop_search" if stop_search is None else "hotspot"
        return [missing("search_agreement", label, lacking)]
    found = searches_by_day(patrol_log, stop_search, hotspots)
    return search_rows(found, unplaced=unplaced_searches(stop_search))


def _unmapped(named: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    parts = [
        unmapped(table).select(pl.lit(name).alias("table"), "activity", "rows")
        for name, table in sorted(named.items())
    ]
    empty = pl.DataFrame(schema={"table": pl.String, "activity": pl.String, "rows": pl.Int64})
    return pl.concat([empty, *parts])
