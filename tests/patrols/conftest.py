"""Invented pings, hot spots, tasks and logs for the patrol room."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import shapely

from placeproof import geometry
from placeproof.patrols.crossings import CrossingRules
from placeproof.tables import Delivered, Hotspot, PatrolLog, Ping, Tasking
from placeproof.tables.contract import Table

LINEAGE = {"source_sha256": "0" * 64, "source_row": 2}
START = datetime(2024, 5, 3, 20, tzinfo=UTC)
"""Friday, 21:00 local: inside nte-core."""
EAST, NORTH = 458_500.0, 304_500.0
"""South-west corner of H01, in Leicester."""
CROSSING_RULES = CrossingRules(
    longest_gap_s=180,
    shortest_dwell_s=0,
    exit_after_s=120,
    fastest_m_s=60,
    foot_fastest_m_s=2.5,
    default_accuracy_m=None,
    worst_accuracy_m=50,
    smallest_presence=0.5,
    usual_stay_s=300,
    error_lasts_s=5,
    still_after_s=3600,
    still_within_m=30,
)
"""No accuracy is supposed where none is given."""


def filled(table: type[Table], rows: list[dict[str, object]]) -> pl.DataFrame:
    """A frame that meets the contract, absent columns null."""
    schema = {name: column.dtype for name, column in table.columns().items()}
    full = [{name: row.get(name) for name in schema} | LINEAGE for row in rows]
    return table.validate(pl.DataFrame(full, schema=schema), cast=True)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def hotspot(name: str, west: float, south: float, side: float = 200.0, **further: object) -> dict:
    outline = shapely.box(EAST + west, NORTH + south, EAST + west + side, NORTH + south + side)
    return {
        "hotspot_id": name,
        "version": 1,
        "name": name,
        "kind": "nte",
        "valid_from": date(2021, 7, 1),
        "geometry": shapely.to_wkb(outline),
        "area_m2": side**2,
        "centre_easting_m": outline.centroid.x,
        "centre_northing_m": outline.centroid.y,
        **further,
    }


def hotspots(*rows: dict) -> pl.DataFrame:
    return filled(Hotspot, list(rows or [hotspot("H01", 0, 0)]))


def pings(*rows: tuple[str, float, float, float]) -> pl.DataFrame:
    """Rows of (device, minute, metres east, metres north) from the corner of H01."""
    if not rows:
        return filled(Ping, [])
    longitude, latitude = geometry.to_degrees(
        [EAST + row[2] for row in rows], [NORTH + row[3] for row in rows]
    )
    return filled(
        Ping,
        [
            {"device_id": row[0], "at": at(row[1]), "longitude_deg": x, "latitude_deg": y}
            for row, x, y in zip(rows, longitude, latitude, strict=True)
        ],
    )


def task(number: int, first: float, last: float, target: float, **further: object) -> dict:
    return {
        "task_id": f"t{number}",
        "hotspot_id": "H01",
        "window_from": at(first),
        "window_to": at(last),
        "target_minutes": target,
        "cancelled": False,
        **further,
    }


def tasking(*rows: dict) -> pl.DataFrame:
    return filled(Tasking, list(rows))


def logs(*rows: tuple[str, float, float | None]) -> pl.DataFrame:
    return filled(
        PatrolLog,
        [
            {
                "log_id": f"l{number}",
                "hotspot_id": place,
                "unit_id": "unit-secret",
                "started_at": at(first),
                "ended_at": None if last is None else at(last),
            }
            for number, (place, first, last) in enumerate(rows)
        ],
    )


def delivered(*rows: dict) -> pl.DataFrame:
    return filled(
        Delivered,
        [
            {
                "hotspot_id": "H01",
                "operating_day": START.date(),
                "minutes": 30.0,
                "kind": "hours",
                "delivered_by": "force",
            }
            | row
            for row in rows
        ],
    )
