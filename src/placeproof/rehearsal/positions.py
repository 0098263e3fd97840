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
from placeproof.rehearsal.patrols import CARS, TARGET_MINUTES, Patrols
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
    radios: np.ndarray,
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
    radios : array of str
        Pseudonyms: one per hot spot, then those of cars, then that of the relief patrol.
    size : Size
        How long positions were kept, and how often devices report.
    rng : Generator
        Source of randomness.
    """
    first = np.datetime64(tracked_from(size))
    tracked = patrols.day >= first
    came = patrols.attended & tracked
    seen = np.flatnonzero(came & patrols.radio_on)
    radio_parts, handheld_parts = [], []
    for trip in np.flatnonzero(came).tolist():
        spot = hotspots[patrols.spot[trip]]
        station = city.stations[city.place_town[spot.place]]
        pace_s = _WALKING_S if patrols.on_foot[trip] else _DRIVING_S
        path = _path(spot.versions[-1][2], station, float(patrols.dwell_s[trip]), pace_s, rng)
        who, arrived = int(patrols.spot[trip]), patrols.arrived[trip]
        if patrols.radio_on[trip]:
            radio_parts.append(_report(path, who, arrived, size.ping_interval_s, rng))
        if patrols.second_device[trip]:
            interval_s = 2 * size.ping_interval_s // 3
            handheld_parts.append(_report(path, who, arrived, interval_s, rng))
    for trip in np.flatnonzero(tracked & ~patrols.attended & patrols.radio_on).tolist():
        station = city.stations[city.place_town[hotspots[patrols.spot[trip]].place]]
        window_from = patrols.window_from[trip].astype("datetime64[s]")
        radio_parts.append(_waiting(station, int(patrols.spot[trip]), window_from, rng))
    for _ in range(size.tracked_days // 4):
        radio_parts.append(_left_on(city, first, size, len(hotspots), rng))
    beside = _background(city, hotspots, patrols, first, size, rng)
    radio_parts += [part for part, _ in beside]
    radio = _frame(radio_parts, radios, rng)
    handheld = _frame(handheld_parts, _handheld_names(len(hotspots), rng), rng)
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
        "visits_on_foot": int(patrols.on_foot[seen].sum()),
        "patrols_with_silent_radio": int((came & ~patrols.radio_on).sum()),
        "background_visits": len(beside),
        "background_minutes": round(sum(minutes for _, minutes in beside), 2),
        "control_days": int((patrols.control_day >= first).sum()),
    }


_WALKING_S, _DRIVING_S = 90, 18
"""Seconds from one corner of a place to another."""


def _background(
    city: City,
    hotspots: Sequence[Hotspot],
    patrols: Patrols,
    first: np.datetime64,
    size: Size,
    rng: np.random.Generator,
) -> list[tuple[tuple[np.ndarray, ...], float]]:
    """Presence that nobody asked for, with its minutes: cars passing, patrols on control days."""
    found = []
    trips: list[tuple[int, np.datetime64, int, float, int]] = []
    for day in range(size.tracked_days):
        for _ in range(int(rng.poisson(5))):
            car = len(hotspots) + int(rng.integers(0, CARS))
            start = first + np.timedelta64(day, "D")
            trips.append(
                (int(rng.integers(0, len(hotspots))), start, car, rng.uniform(60, 300), _DRIVING_S)
            )
    relief = len(hotspots) + CARS
    control = np.flatnonzero(patrols.control_day >= first)
    for index in control[rng.random(len(control)) < 0.12].tolist():
        minutes = rng.uniform(8, 20)
        spot, day_of = int(patrols.control_spot[index]), patrols.control_day[index]
        trips.append((spot, day_of, relief, 60 * minutes, _WALKING_S))
    for spot, day_of, who, dwell_s, pace_s in trips:
        place = hotspots[spot]
        station = city.stations[city.place_town[place.place]]
        path = _path(place.versions[-1][2], station, dwell_s, pace_s, rng)
        second = int(rng.integers(8 * 3_600, 23 * 3_600))
        arrived = day_of.astype("datetime64[s]") + np.timedelta64(second, "s")
        part = _report(path, who, arrived, size.ping_interval_s, rng)
        found.append((part, dwell_s / 60))
    return found


def _waiting(
    station: np.ndarray, who: int, window_from: np.datetime64, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    # Nobody came: the radio reports from the station throughout the window, now and then.
    seconds = np.arange(0, 7_200, 120) + rng.integers(-5, 6, 60)
    count = len(seconds)
    return (
        np.full(count, who),
        window_from + seconds.astype("timedelta64[s]"),
        station[0] + rng.normal(0, 6, count),
        station[1] + rng.normal(0, 6, count),
        np.round(rng.gamma(8, 1.5, count), 1),
        np.zeros(count),
    )


def _handheld_names(places: int, rng: np.random.Generator) -> np.ndarray:
    # Pseudonyms, so that a device says nothing of its place.
    return np.char.add("H", (rng.permutation(9_000)[:places] + 1_000).astype(str))


def _path(
    outline: shapely.Polygon,
    station: np.ndarray,
    dwell_s: float,
    pace_s: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Way points (seconds from arrival, metres): station, gate, around inside, gate, station."""
    gate = np.array(
        shapely.line_interpolate_point(outline.exterior, rng.random(), normalized=True).coords[0]
    )
    middle = np.array(outline.centroid.coords[0])
    inner = shapely.affinity.scale(outline, 0.75, 0.75)
    corners = np.array(inner.exterior.coords)[:-1]
    legs = max(2, int(dwell_s // pace_s))
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
    who: int,
    arrived: np.datetime64,
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
    leg = np.clip(np.searchsorted(at, seconds, side="right") - 1, 0, len(at) - 2)
    pace = np.hypot(*np.diff(way, axis=0).T) / np.maximum(np.diff(at), 1e-9)
    return (
        np.full(len(seconds), who),
        arrived + seconds.astype(int).astype("timedelta64[s]"),
        east + rng.normal(0, 0.45, len(seconds)) * accuracy,
        north + rng.normal(0, 0.45, len(seconds)) * accuracy,
        accuracy,
        np.round(pace[leg] + rng.normal(0, 0.2, len(seconds)), 1).clip(0),
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
    parts: list[tuple[np.ndarray, ...]], names: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    n = len(columns[0])
    jump = rng.random(n) < 0.0004
    longitude, latitude = degrees(columns[2] + 3_000 * jump, columns[3])
    frame = pl.DataFrame(
        {
            "device": names[columns[0]],
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
