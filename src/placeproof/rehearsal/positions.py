"""Positions of the rehearsal's devices: routes, walks inside, and the dirt that positions have."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely
import shapely.affinity

from placeproof.rehearsal.choices import LAST_DAY, Size
from placeproof.rehearsal.city import City
from placeproof.rehearsal.patrols import TARGET_MINUTES, Patrols
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import degrees, write_csv

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
