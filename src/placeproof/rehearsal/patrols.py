"""Patrols of the rehearsal: what was asked, what was done, what wardens report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.choices import LAST_DAY
from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.rhythm import DAYS
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_csv, write_xlsx

REASONS = ("No officers", "Priority incident", "Event elsewhere", "Weather")
MISSED_REASONS = ("Called to an incident", "Custody", "Short of officers", "Vehicle off the road")
TARGET_MINUTES = 15.0
RANDOMISED_COHORT = 4
"""In the places of this wave, chance decides each day whether patrols are asked for."""
WARDEN_PLACES = 6
CARS = 6
"""Response cars, whose radios pass through hot spots that nobody sent them to."""

TASKING_SECTION = """
# What was asked: the denominator of compliance, cancelled windows included. Excel dates, local.
[data.tasking]
contract = "tasking"
files = ["patrols/tasking.xlsx"]
sheet = "Tasks"
time_zone = "Europe/London"
[data.tasking.columns]
task_id = "Task No"
hotspot_id = "Hot Spot"
window_from = "Window Start"
window_to = "Window End"
target_minutes = "Minutes"
unit_id = "Radio"
officers = "Officers"
activity = "Activity"
randomised = "Allotted"
cancelled = "State"
cancel_reason = "Reason"
missed_reason = "Missed Because"
[data.tasking.values.cancelled]
"Cancelled" = "true"
"Planned" = "false"
[data.tasking.values.randomised]
"By lot" = "true"
"By the sergeant" = "false"
"""

DELIVERED_SECTION = """
# Hours that the town's wardens report: they carry no GPS.
[data.wardens]
contract = "delivered"
files = ["patrols/warden_hours.csv"]
date_format = "%d/%m/%Y"
[data.wardens.columns]
hotspot_id = "Place"
operating_day = "Shift Date"
minutes = "Minutes"
officers = "Wardens"
[data.wardens.constants]
kind = "hours"
delivered_by = "Northmere town wardens"
activity = "Wardens on foot"
"""


@dataclass(frozen=True)
class Patrols:
    """
    All patrols as arrays, one entry per task, times in local minutes.

    Parameters
    ----------
    spot : array
        Index of the hot spot.
    day : array
        Operating day, as datetime64[D].
    window_from, window_to : array
        datetime64[m].
    cancelled, attended : array
        Whether the task was called off; whether somebody came.
    reason : array
        Index in `REASONS` of a cancelled task.
    arrived : array
        datetime64[s], meaningful where attended.
    dwell_s : array
        Seconds inside, meaningful where attended.
    second_device : array
        Whether the second officer's device reported, too.
    on_foot : array
        Whether the place was walked; else it was driven through and around.
    radio_on : array
        Whether the unit's radio reported: of those who came, and of those who did not.
    missed_reason : array
        Index in `MISSED_REASONS` of a task that nobody kept; -1 where none was written down.
    randomised : array
        Whether chance allotted the day.
    control_spot, control_day : array
        Days on which chance asked for no patrol, one entry per place and day.
    """

    spot: np.ndarray
    day: np.ndarray
    window_from: np.ndarray
    window_to: np.ndarray
    cancelled: np.ndarray
    attended: np.ndarray
    reason: np.ndarray
    arrived: np.ndarray
    dwell_s: np.ndarray
    second_device: np.ndarray
    on_foot: np.ndarray
    radio_on: np.ndarray
    missed_reason: np.ndarray
    randomised: np.ndarray
    control_spot: np.ndarray
    control_day: np.ndarray


def plan_patrols(
    hotspots: Sequence[Hotspot], rng: np.random.Generator, *, lots_from: date | None = None
) -> Patrols:
    """
    Task every hot spot once a day, twice on Fridays and Saturdays, and say what came of it.

    In the last wave chance leaves out half of the days.

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    rng : Generator
        Source of randomness.
    lots_from : date or None
        From this day on, chance leaves out half of the days everywhere.
    """
    spot, on_day, hour, by_lot, control = _allotted(hotspots, rng, lots_from)
    n = len(spot)
    start = on_day.astype("datetime64[m]") + hour.astype("timedelta64[h]")
    cancelled = rng.random(n) < 0.08
    attended = ~cancelled & (rng.random(n) < 0.86)
    dwell = np.clip(rng.normal(17.5, 5.0, n), 4, 38) * 60
    into = rng.uniform(60, 115 * 60 - dwell)
    told = ~cancelled & ~attended & (rng.random(n) < 0.7)
    return Patrols(
        spot=spot,
        day=on_day,
        window_from=start,
        window_to=start + np.timedelta64(120, "m"),
        cancelled=cancelled,
        attended=attended,
        reason=pick(rng, [0.5, 0.3, 0.12, 0.08], n),
        arrived=start.astype("datetime64[s]") + into.astype(int).astype("timedelta64[s]"),
        dwell_s=np.round(dwell),
        second_device=rng.random(n) < 0.35,
        on_foot=rng.random(n) < 0.88,
        radio_on=rng.random(n) < 0.97,
        missed_reason=np.where(told, pick(rng, [0.5, 0.2, 0.2, 0.1], n), -1),
        randomised=by_lot,
        control_spot=control[0],
        control_day=control[1],
    )


def _allotted(
    hotspots: Sequence[Hotspot], rng: np.random.Generator, lots_from: date | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Place, day and hour of each task, and if chance set it; place and day of control days."""
    tasks: list[tuple[int, date, int, bool]] = []
    control: list[tuple[int, date]] = []
    for index, place in enumerate(hotspots):
        for n in range((LAST_DAY - place.first_treated).days + 1):
            day = place.first_treated + timedelta(n)
            by_lot = place.cohort == RANDOMISED_COHORT or (
                lots_from is not None and day >= lots_from
            )
            if by_lot and rng.random() < 0.5:
                control.append((index, day))
                continue
            late = (14, 22) if day.isoweekday() in (5, 6) else ((10, 14, 18)[day.toordinal() % 3],)
            tasks += [(index, day, hour, by_lot) for hour in late]
    return (
        np.array([index for index, _, _, _ in tasks]),
        np.array([day for _, day, _, _ in tasks], dtype="datetime64[D]"),
        np.array([hour for _, _, hour, _ in tasks]),
        np.array([by_lot for _, _, _, by_lot in tasks]),
        (
            np.array([index for index, _ in control], dtype=int),
            np.array([day for _, day in control], dtype="datetime64[D]"),
        ),
    )


def tasked_days(hotspots: Sequence[Hotspot], patrols: Patrols) -> np.ndarray:
    """
    Tell for which days a patrol was asked, cancelled or not, shape (hot spots, days).

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    patrols : Patrols
        What was asked and done.
    """
    tasked = np.zeros((len(hotspots), len(DAYS)), dtype=bool)
    tasked[patrols.spot, (patrols.day - np.datetime64(DAYS[0])).astype(int)] = True
    return tasked


def radio_names(hotspots: Sequence[Hotspot], rng: np.random.Generator) -> np.ndarray:
    """
    Draw the pseudonyms of the radios: one per hot spot, then those of cars and relief patrols.

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    rng : Generator
        Source of randomness.

    Returns
    -------
    array of str
        They say nothing of the place.
    """
    numbers = rng.permutation(9_000)[: len(hotspots) + CARS + 1] + 1_000
    return np.char.add("R", numbers.astype(str))


def write_tasking(
    folder: Path, hotspots: Sequence[Hotspot], patrols: Patrols, radios: np.ndarray
) -> dict[str, Any]:
    """
    Write the tasking workbook.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places.
    patrols : Patrols
        What was asked and done.
    radios : array of str
        Pseudonym of the radio of each hot spot's unit.
    """
    ids = np.array([spot.hotspot_id for spot in hotspots])
    order = np.lexsort((patrols.spot, patrols.window_from))
    rows = pl.DataFrame(
        {
            "Hot Spot": ids[patrols.spot],
            "Window Start": patrols.window_from.astype("datetime64[us]"),
            "Window End": patrols.window_to.astype("datetime64[us]"),
            "Minutes": np.full(len(order), int(TARGET_MINUTES)),
            "Unit": np.array([f"U{i:02d}" for i in range(len(ids))])[patrols.spot],
            "Radio": radios[patrols.spot],
            "Officers": np.full(len(order), 2),
            "Activity": np.full(len(order), "High-visibility foot patrol"),
            "Allotted": np.where(patrols.randomised, "By lot", "By the sergeant"),
            "State": np.where(patrols.cancelled, "Cancelled", "Planned"),
            "Reason": np.array(REASONS)[patrols.reason],
            "Missed Because": np.array([*MISSED_REASONS, ""])[patrols.missed_reason],
        }
    )[order]
    rows = rows.with_columns(
        pl.when(pl.col("State") == "Cancelled").then("Reason").alias("Reason"),
        pl.col("Missed Because").replace({"": None}),
    ).select(pl.format("T{}", pl.int_range(1, len(order) + 1)).alias("Task No"), pl.all())
    write_xlsx(folder / "patrols" / "tasking.xlsx", {"Tasks": rows})
    done = patrols.attended
    enough = done & (patrols.dwell_s >= TARGET_MINUTES * 60)
    return {
        "tasks": len(order),
        "cancelled": int(patrols.cancelled.sum()),
        "attended": int(done.sum()),
        "attended_15_minutes": int(enough.sum()),
        "attended_15_minutes_on_foot": int((enough & patrols.on_foot).sum()),
        "true_minutes": round(float(patrols.dwell_s[done].sum() / 60), 2),
        "missed_with_reason": int((patrols.missed_reason >= 0).sum()),
        "randomised": int(patrols.randomised.sum()),
        "control_days": len(patrols.control_day),
    }


def write_delivered(
    folder: Path, hotspots: Sequence[Hotspot], rng: np.random.Generator
) -> dict[str, Any]:
    """
    Write the hours of the wardens, who carry no GPS, in six places of the first wave.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places.
    rng : Generator
        Source of randomness.
    """
    spots = [spot for spot in hotspots if spot.cohort == 1][:WARDEN_PLACES]
    start = date(2022, 1, 3)
    days = [start + timedelta(n) for n in range((LAST_DAY - start).days + 1)]
    rows = [
        {
            "Place": spot.hotspot_id,
            "Shift Date": day,
            "Minutes": int(rng.integers(2, 9)) * 15,
            "Wardens": 2,
        }
        for day in days
        for spot in spots
        if rng.random() < (0.6 if day.isoweekday() < 6 else 0.2)
    ]
    write_csv(folder / "patrols" / "warden_hours.csv", pl.DataFrame(rows))
    return {
        "rows": len(rows),
        "minutes": sum(int(row["Minutes"]) for row in rows),  # type: ignore[call-overload]
        "hotspots": [spot.hotspot_id for spot in spots],
    }
