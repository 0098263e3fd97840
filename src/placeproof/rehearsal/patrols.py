"""Patrols of the rehearsal: what was asked, what was done, what GPS saw, what logs claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely
import shapely.affinity

from placeproof.rehearsal.choices import LAST_DAY, Size
from placeproof.rehearsal.city import City
from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import degrees, write_csv, write_xlsx

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

PING_SECTIONS = """
# Positions of radios: local time. Kept for the last weeks of the study only.
[data.radios]
contract = "ping"
files = ["patrols/radios_*.csv.gz"]
time_format = "%d/%m/%Y %H:%M:%S"
time_zone = "Europe/London"
crs = "EPSG:4326"
[data.radios.columns]
device_id = "ISSI"
at = "Fix Time"
longitude_deg = "Lon"
latitude_deg = "Lat"
accuracy_m = "HDOP m"
speed_m_s = "Speed"

# Positions of hand-held devices: UTC.
[data.handhelds]
contract = "ping"
files = ["patrols/handhelds.parquet"]
time_zone = "UTC"
crs = "EPSG:4326"
[data.handhelds.columns]
device_id = "device"
at = "utc"
longitude_deg = "x"
latitude_deg = "y"
accuracy_m = "accuracy"
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


def tracked_from(size: Size) -> date:
    """
    First operating day whose positions were kept.

    Parameters
    ----------
    size : Size
        Of the rehearsal.
    """
    return LAST_DAY - timedelta(size.tracked_days - 1)


def write_pings(
    folder: Path,
    city: City,
    hotspots: Sequence[Hotspot],
    patrols: Patrols,
    size: Size,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """
    Write the positions of radios and hand-held devices, with the dirt that positions have.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    city : City
        The ground.
    hotspots : sequence of Hotspot
        The patrolled places.
    patrols : Patrols
        What was done.
    size : Size
        How long positions were kept, and how often devices report.
    rng : Generator
        Source of randomness.
    """
    first = np.datetime64(tracked_from(size))
    seen = np.flatnonzero(patrols.attended & (patrols.day >= first))
    radios, handhelds = [], []
    for trip in seen.tolist():
        spot = hotspots[patrols.spot[trip]]
        station = city.stations[city.place_town[spot.place]]
        path = _path(spot.versions[-1][2], station, float(patrols.dwell_s[trip]), rng)
        radios.append(_report(path, patrols, trip, size.ping_interval_s, rng))
        if patrols.second_device[trip]:
            handhelds.append(_report(path, patrols, trip, 2 * size.ping_interval_s // 3, rng))
    for _ in range(size.tracked_days // 4):
        radios.append(_left_on(city, first, size, len(hotspots), rng))
    radio, handheld = _frame(radios, "R", rng), _frame(handhelds, "H", rng)
    months = radio["at"].dt.strftime("%Y-%m")
    for (month,), rows in radio.with_columns(_m=months).partition_by("_m", as_dict=True).items():
        local = rows.select(
            pl.col("device").alias("ISSI"),
            pl.col("at").dt.strftime("%d/%m/%Y %H:%M:%S").alias("Fix Time"),
            pl.col("x").alias("Lon"),
            pl.col("y").alias("Lat"),
            pl.col("accuracy").alias("HDOP m"),
            pl.col("speed").alias("Speed"),
        )
        write_csv(folder / "patrols" / f"radios_{month}.csv.gz", local)
    _in_utc(handheld).write_parquet(folder / "patrols" / "handhelds.parquet")
    enough = patrols.dwell_s[seen] >= TARGET_MINUTES * 60
    tracked = patrols.day >= first
    return {
        "pings": radio.height + handheld.height,
        "tracked_from": str(tracked_from(size)),
        "tasks": int(tracked.sum()),
        "cancelled": int((tracked & patrols.cancelled).sum()),
        "visits": len(seen),
        "visits_15_minutes": int(enough.sum()),
        "true_minutes": round(float(patrols.dwell_s[seen].sum() / 60), 2),
        "true_minutes_by_hotspot": {
            spot.hotspot_id: round(
                float(patrols.dwell_s[seen[patrols.spot[seen] == i]].sum() / 60), 2
            )
            for i, spot in enumerate(hotspots)
        },
        "visits_with_second_device": int(patrols.second_device[seen].sum()),
    }


def _path(
    outline: shapely.Polygon, station: np.ndarray, dwell_s: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Way points (seconds from arrival, metres): station, gate, a walk inside, gate, station."""
    gate = np.array(
        shapely.line_interpolate_point(outline.exterior, rng.random(), normalized=True).coords[0]
    )
    middle = np.array(outline.centroid.coords[0])
    inner = shapely.affinity.scale(outline, 0.75, 0.75)
    corners = np.array(inner.exterior.coords)[:-1]
    legs = max(2, int(dwell_s // 90))
    stops = corners[rng.integers(0, len(corners), legs)] * 0.85 + 0.15 * middle
    walk = np.vstack([gate, stops, gate])
    step = np.hypot(*np.diff(walk, axis=0).T)
    inside = np.concatenate([[0], np.cumsum(step)]) / step.sum() * dwell_s
    bend = (station + gate) / 2 + rng.normal(0, 120, 2)
    way = np.vstack([station, bend, walk, bend, station])
    reach = np.hypot(*np.diff(way, axis=0).T) / 7.0
    before = np.array([-reach[0] - reach[1], -reach[1]])
    after = dwell_s + np.array([reach[-2], reach[-2] + reach[-1]])
    return np.concatenate([before, inside, after]), way


def _report(
    path: tuple[np.ndarray, np.ndarray],
    patrols: Patrols,
    trip: int,
    interval_s: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    at, way = path
    count = int((at[-1] - at[0]) // interval_s)
    seconds = at[0] + rng.uniform(0, interval_s) + np.arange(count) * interval_s
    seconds = np.round(seconds + rng.integers(-2, 3, count))[rng.random(count) > 0.04]
    east = np.interp(seconds, at, way[:, 0])
    north = np.interp(seconds, at, way[:, 1])
    accuracy = np.round(rng.gamma(6, 1.0, len(seconds)) + 2, 1)
    moving = (seconds < at[2]) | (seconds > at[-3])
    return (
        np.full(len(seconds), patrols.spot[trip]),
        patrols.arrived[trip] + seconds.astype(int).astype("timedelta64[s]"),
        east + rng.normal(0, 0.45, len(seconds)) * accuracy,
        north + rng.normal(0, 0.45, len(seconds)) * accuracy,
        accuracy,
        np.round(np.where(moving, 7.0, 1.1) + rng.normal(0, 0.2, len(seconds)), 1).clip(0),
    )


def _left_on(
    city: City, first: np.datetime64, size: Size, devices: int, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    # A radio left switched on in the station for four hours at dawn, when nobody patrols.
    count = 240
    start = first + rng.integers(0, size.tracked_days).astype("timedelta64[D]")
    seconds = 6 * 3_600 + np.arange(count) * 60
    station = city.stations[rng.integers(0, len(city.stations))]
    return (
        np.full(count, rng.integers(0, devices)),
        start.astype("datetime64[s]") + seconds.astype("timedelta64[s]"),
        station[0] + rng.normal(0, 6, count),
        station[1] + rng.normal(0, 6, count),
        np.round(rng.gamma(8, 1.5, count), 1),
        np.zeros(count),
    )


def _frame(
    parts: list[tuple[np.ndarray, ...]], letter: str, rng: np.random.Generator
) -> pl.DataFrame:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    n = len(columns[0])
    jump = rng.random(n) < 0.0004
    longitude, latitude = degrees(columns[2] + 3_000 * jump, columns[3])
    # Pseudonyms, so that a device says nothing of its place.
    pseudonym = rng.permutation(9_000)[: int(columns[0].max()) + 1] + 1_000
    frame = pl.DataFrame(
        {
            "device": np.char.add(letter, pseudonym[columns[0]].astype(str)),
            "at": columns[1].astype("datetime64[us]"),
            "x": longitude,
            "y": latitude,
            "accuracy": columns[4],
            "speed": columns[5],
        }
    ).sort("at", "device")
    repeats = frame.filter(pl.Series(rng.random(n) < 0.005))
    return pl.concat([frame, repeats]).sort("at", "device", "x", "y")


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    zone = pl.col("at").dt.replace_time_zone(
        "Europe/London", ambiguous="earliest", non_existent="null"
    )
    return frame.select(
        "device", zone.dt.convert_time_zone("UTC").alias("utc"), "x", "y", "accuracy"
    )


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
