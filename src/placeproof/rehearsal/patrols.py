"""Patrols of the rehearsal: what was asked, what was done, what GPS saw, what logs claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.choices import LAST_DAY
from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_csv, write_xlsx

REASONS = ("No officers", "Priority incident", "Event elsewhere", "Weather")
TARGET_MINUTES = 15.0
PHANTOM_SHARE = 0.12
WARDEN_PLACES = 6

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
unit_id = "Unit"
officers = "Officers"
activity = "Activity"
cancelled = "State"
cancel_reason = "Reason"
[data.tasking.values.cancelled]
"Cancelled" = "true"
"Planned" = "false"
[data.tasking.constants]
randomised = false
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

LOG_SECTION = """
# What officers wrote down. A log is a claim: some were written for patrols that never were.
[data.logs]
contract = "patrol_log"
files = ["patrols/patrol_logs.xlsx"]
sheet = "Logs"
time_zone = "Europe/London"
[data.logs.columns]
log_id = "Log ID"
hotspot_id = "Hot Spot"
unit_id = "Unit"
started_at = "Start"
ended_at = "End"
activity = "Activity"
officers = "Officers"
engagements = "Engagements"
stops = "Stops"
searches = "Searches"
arrests = "Arrests"
asb_powers = "ASB Powers"
observations = "Notes"
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


def plan_patrols(hotspots: Sequence[Hotspot], rng: np.random.Generator) -> Patrols:
    """
    Task every hot spot once a day, twice on Fridays and Saturdays, and say what came of it.

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    rng : Generator
        Source of randomness.
    """
    spots, days, hours = [], [], []
    for index, spot in enumerate(hotspots):
        for n in range((LAST_DAY - spot.first_treated).days + 1):
            day = spot.first_treated + timedelta(n)
            late = (14, 22) if day.isoweekday() in (5, 6) else ((10, 14, 18)[day.toordinal() % 3],)
            for hour in late:
                spots.append(index)
                days.append(day)
                hours.append(hour)
    n = len(spots)
    on_day = np.array(days, dtype="datetime64[D]")
    start = on_day.astype("datetime64[m]") + np.array(hours).astype("timedelta64[h]")
    cancelled = rng.random(n) < 0.08
    attended = ~cancelled & (rng.random(n) < 0.86)
    dwell = np.clip(rng.normal(17.5, 5.0, n), 4, 38) * 60
    into = rng.uniform(60, 115 * 60 - dwell)
    return Patrols(
        spot=np.array(spots),
        day=on_day,
        window_from=start,
        window_to=start + np.timedelta64(120, "m"),
        cancelled=cancelled,
        attended=attended,
        reason=pick(rng, [0.5, 0.3, 0.12, 0.08], n),
        arrived=start.astype("datetime64[s]") + into.astype(int).astype("timedelta64[s]"),
        dwell_s=np.round(dwell),
        second_device=rng.random(n) < 0.35,
    )


def write_tasking(folder: Path, hotspots: Sequence[Hotspot], patrols: Patrols) -> dict[str, Any]:
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
            "Officers": np.full(len(order), 2),
            "Activity": np.full(len(order), "High-visibility foot patrol"),
            "State": np.where(patrols.cancelled, "Cancelled", "Planned"),
            "Reason": np.array(REASONS)[patrols.reason],
        }
    )[order]
    rows = rows.with_columns(
        pl.when(pl.col("State") == "Cancelled").then("Reason").alias("Reason")
    ).select(pl.format("T{}", pl.int_range(1, len(order) + 1)).alias("Task No"), pl.all())
    write_xlsx(folder / "patrols" / "tasking.xlsx", {"Tasks": rows})
    done = patrols.attended
    enough = done & (patrols.dwell_s >= TARGET_MINUTES * 60)
    return {
        "tasks": len(order),
        "cancelled": int(patrols.cancelled.sum()),
        "attended": int(done.sum()),
        "attended_15_minutes": int(enough.sum()),
        "true_minutes": round(float(patrols.dwell_s[done].sum() / 60), 2),
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


def write_logs(
    folder: Path, hotspots: Sequence[Hotspot], patrols: Patrols, rng: np.random.Generator
) -> dict[str, Any]:
    """
    Write the logs: most are of patrols that were, one in eight of patrols that never were.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places.
    patrols : Patrols
        What was done.
    rng : Generator
        Source of randomness.
    """
    n = len(patrols.spot)
    honest = patrols.attended & (rng.random(n) < 0.80)
    absent = np.flatnonzero(~patrols.attended)
    wanted = round(honest.sum() * PHANTOM_SHARE / (1 - PHANTOM_SHARE))
    phantom = np.zeros(n, dtype=bool)
    phantom[rng.permutation(absent)[:wanted]] = True
    chosen = np.flatnonzero(honest | phantom)
    chosen = chosen[np.lexsort((patrols.spot[chosen], patrols.arrived[chosen]))]
    m = len(chosen)
    slip = rng.integers(-3, 4, m).astype("timedelta64[m]")
    start = patrols.arrived[chosen].astype("datetime64[m]") + slip
    end = start + np.maximum(patrols.dwell_s[chosen] // 60, 5).astype(int).astype("timedelta64[m]")
    ids = np.array([spot.hotspot_id for spot in hotspots])
    blank = rng.random(m) < 0.1
    rows = pl.DataFrame(
        {
            "Log ID": [f"L{i:06d}" for i in range(1, m + 1)],
            "Hot Spot": ids[patrols.spot[chosen]],
            "Unit": np.array([f"U{i:02d}" for i in range(len(ids))])[patrols.spot[chosen]],
            "Start": start.astype("datetime64[us]"),
            "End": end.astype("datetime64[us]"),
            "Activity": np.array(["Foot patrol", "Foot patrol and visit", "Vehicle patrol"])[
                pick(rng, [0.7, 0.2, 0.1], m)
            ],
            "Officers": np.where(rng.random(m) < 0.85, 2, 1),
            "Engagements": rng.poisson(2.2, m),
            "Stops": rng.poisson(0.25, m),
            "Searches": rng.poisson(0.10, m),
            "Arrests": rng.poisson(0.03, m),
            "ASB Powers": rng.poisson(0.06, m),
            "Notes": np.array(
                ["", "All quiet.", "Spoke with door staff.", "Youths moved on.", "Litter reported."]
            )[pick(rng, [0.5, 0.2, 0.1, 0.1, 0.1], m)],
        }
    ).with_columns(
        pl.when(pl.Series(~blank)).then(pl.col("Engagements", "Stops", "Searches")),
        pl.col("Notes").replace({"": None}),
    )
    write_xlsx(folder / "patrols" / "patrol_logs.xlsx", {"Logs": rows})
    false = phantom[chosen]
    return {
        "logs": m,
        "phantom_share": round(float(false.mean()), 4),
        "phantom": rows.filter(pl.Series(false))["Log ID"].to_list(),
    }
