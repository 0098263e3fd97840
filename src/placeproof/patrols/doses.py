"""The dose from every source that was supplied, and the rows about it: one call for a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.additional import TaskedBy
from placeproof.patrols.delivery import stated_rows
from placeproof.patrols.dose import Reckoning, dose_of_visits
from placeproof.patrols.dose_rows import (
    dose_rows,
    other_dose_rows,
    raw_rows,
    ring_rows,
)
from placeproof.patrols.hours import Clocks, clocks
from placeproof.patrols.minutes import delivered_minutes
from placeproof.patrols.reconcile import dose_of_delivered, reconciled_dose, reconciliation
from placeproof.patrols.reconcile_rows import reconciliation_rows
from placeproof.patrols.rows import Row, missing
from placeproof.patrols.visit_rows import (
    asked_for,
    device_coverage,
    intermittency,
    lengths_of_visits,
    ping_interval_s,
)
from placeproof.tables import Dose


@dataclass(frozen=True)
class DoseRules:
    """
    Choices that change what the dose is; every one is a line of the plan.

    Attributes
    ----------
    presets : tuple of str
        Sets of night-time hours to count by.
    nte_id : str
        The one that is pinned.
    bands : bool
        Whether to count by bands of four hours.
    longest_gap_s, shortest_dwell_s : float
        The rules by which visits were made; reported with them.
    made_by : {"order_free", "crossings"}
        Method of the visits.
    tasked_by : {"place", "unit"}
        Whose presence in a tasked window is additional.
    vehicle_devices : frozenset of str
        Devices that are vehicles: an officer's radio in one is not a second officer.
    without_gps : frozenset of str
        Deliverers whose presence pings cannot show.
    """

    presets: tuple[str, ...]
    nte_id: str
    bands: bool
    longest_gap_s: float
    shortest_dwell_s: float
    made_by: str
    tasked_by: TaskedBy
    vehicle_devices: frozenset[str]
    without_gps: frozenset[str]


@dataclass(frozen=True)
class Doses:
    """Table `dose` of every source, one after the other, and the rows about it."""

    dose: pl.DataFrame
    rows: list[Row]


def doses(
    *,
    visit: pl.DataFrame | None,
    device_days: pl.DataFrame | None,
    hotspots: pl.DataFrame | None,
    tasking: pl.DataFrame | None,
    delivered: pl.DataFrame | None,
    officers: pl.DataFrame | None,
    events: pl.DataFrame | None,
    ring_visits: Mapping[str, pl.DataFrame],
    rules: DoseRules,
) -> Doses:
    """
    Measure the dose from pings, take what is stated, reconcile the two, and say all of it.

    Parameters
    ----------
    visit : table `visit`, or None
        Made of pings, once for the whole run; None where there are no pings or no hot spots.
    device_days : DataFrame, or None
        As `minutes.device_days` gives it: on which days which device reported.
    hotspots : table `hotspot`, or None
    tasking : table `tasking`, or None
    delivered : table `delivered`, or None
    officers : DataFrame, or None
        As `additional.stated_officers` gives it.
    events : table `event`, or None
    ring_visits : mapping of str to table `visit`
        Ring, as "ring 0-100 m", to visits to it under the ids of its hot spots; may be empty.
    rules : DoseRules

    Returns
    -------
    Doses
        Rows of what was not supplied say so.
    """
    tasking, delivered, hotspots = (
        None if table is None or table.is_empty() else table
        for table in (tasking, delivered, hotspots)
    )
    if visit is None or device_days is None or hotspots is None or device_days.is_empty():
        visit = None
    rows = _not_supplied(visit, tasking, delivered)
    span = _span(device_days if visit is not None else None, tasking, delivered)
    if span is None:
        return Doses(_nothing(), rows)
    times = clocks(*span, presets=rules.presets, bands=rules.bands, events=events)
    if tasking is not None:
        rows += asked_for(tasking, clocks=times, nte_id=rules.nte_id)
    stated = _nothing()
    if delivered is not None:
        stated = dose_of_delivered(
            delivered, hotspots=hotspots, clocks=times, tasking=tasking, tasked_by=rules.tasked_by
        )
        rows += stated_rows(delivered) + other_dose_rows(stated, nte_id=rules.nte_id)
    if visit is None or hotspots is None or device_days is None:
        return Doses(stated, rows)
    observed = device_days["operating_day"].unique().sort()
    by = Reckoning(
        hotspots=hotspots,
        observed_days=observed,
        clocks=times,
        tasking=tasking,
        tasked_by=rules.tasked_by,
        officers=officers,
        vehicle_devices=rules.vehicle_devices,
    )
    measured = dose_of_visits(visit, by=by)
    rows += _rows_of_pings(measured, visit, by.place_days, times, rules)
    rows += raw_rows(
        delivered_minutes(visit, hotspots=hotspots, observed_days=observed, add_interval=False)
    )
    rows += device_coverage(device_days)
    for ring, seen in sorted(ring_visits.items()):
        rows += ring_rows(
            dose_of_visits(seen, by=by),
            nte_id=rules.nte_id,
            population=ring,
            made_by=rules.made_by,
        )
    both = _nothing()
    if delivered is not None:
        both = reconciled_dose(visit, delivered, by=by, without_gps=rules.without_gps)
        held = reconciliation(measured, stated, without_gps=rules.without_gps)
        rows += other_dose_rows(both, nte_id=rules.nte_id) + reconciliation_rows(held)
    return Doses(pl.concat([measured, stated, both]), rows)


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={name: column.dtype for name, column in Dose.columns().items()})


def _not_supplied(
    visit: pl.DataFrame | None, tasking: pl.DataFrame | None, delivered: pl.DataFrame | None
) -> list[Row]:
    rows = []
    if visit is None:
        rows.append(missing("delivered_minutes", "Patrol-minutes measured by pings", "ping"))
    if delivered is None:
        rows.append(missing("stated_minutes", "Patrol-minutes as stated ready-made", "delivered"))
    if tasking is None:
        rows.append(missing("planned_minutes", "Patrol-minutes asked for", "tasking"))
    return rows


def _span(
    device_days: pl.DataFrame | None,
    tasking: pl.DataFrame | None,
    delivered: pl.DataFrame | None,
) -> tuple[date, date] | None:
    """First and last operating day of which anything speaks."""
    days: list[pl.Series] = []
    if device_days is not None:
        days.append(device_days["operating_day"])
    if tasking is not None:
        days.append(tasking.select(operating_day(pl.col("window_from")))["window_from"])
    if delivered is not None:
        days.append(delivered["operating_day"])
        days += [
            delivered.select(operating_day(pl.col(name)))[name].drop_nulls()
            for name in ("started_at", "ended_at")
        ]
    spoken = [day for series in days for day in (series.min(), series.max()) if day is not None]
    return (min(spoken), max(spoken)) if spoken else None  # type: ignore[return-value]


def _rows_of_pings(
    dose: pl.DataFrame,
    visit: pl.DataFrame,
    known: pl.DataFrame,
    times: Clocks,
    rules: DoseRules,
) -> list[Row]:
    rows = dose_rows(
        dose, nte_id=rules.nte_id, ping_interval_s=ping_interval_s(visit), made_by=rules.made_by
    )
    rows += lengths_of_visits(
        visit,
        clocks=times,
        nte_id=rules.nte_id,
        longest_gap_s=rules.longest_gap_s,
        shortest_dwell_s=rules.shortest_dwell_s,
        made_by=rules.made_by,
    )
    return rows + intermittency(visit, known=known, clocks=times, nte_id=rules.nte_id)
