"""Visits the slow and obvious way: one ping, one outline, one comparison at a time; and in SQL.

The rules are those of `docs/decisions/0010`, written a second and a third time without the code
that is tested: whole ten-millionths of a degree, a boundary is inside, versions hold on operating
days, a silence longer than the gap ends a visit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import shapely

from placeproof import geometry

LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))

Found = tuple[Any, str, int, int]
"""Device, hot spot, first and last microsecond."""


@dataclass(frozen=True)
class Outline:
    """A version of a hot spot: its shape in degrees × 1e7, and its operating days."""

    hotspot_id: str
    shape: Any
    valid_from: date | None
    valid_to: date | None

    def holds(self, at: int) -> bool:
        """Whether the operating day of a moment is one of this version's."""
        local = (EPOCH + timedelta(microseconds=at)).astimezone(LONDON).replace(tzinfo=None)
        day = (local - timedelta(hours=6)).date()
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)

    def contains(self, x: int, y: int) -> bool:
        """Whether a position is inside or on the boundary."""
        west, south, east, north = self.shape.bounds
        if not (west <= x <= east and south <= y <= north):
            return False
        return bool(self.shape.intersects(shapely.Point(x, y)))


def outlines_of(hotspots: pl.DataFrame) -> list[Outline]:
    """Each outline with no edge above 250 m, in degrees, rounded; vertex by vertex."""

    def projected(metres: np.ndarray) -> np.ndarray:
        rounded = []
        for east, north in metres:
            longitude, latitude = geometry.to_degrees([east], [north])
            rounded.append((round(longitude[0] * 1e7), round(latitude[0] * 1e7)))
        return np.array(rounded, dtype=float)

    return [
        Outline(
            row["hotspot_id"],
            shapely.transform(
                shapely.segmentize(shapely.from_wkb(row["geometry"]), 250.0), projected
            ),
            row["valid_from"],
            row["valid_to"],
        )
        for row in hotspots.iter_rows(named=True)
    ]


def slow_visits(
    pings: Iterable[tuple[Any, int, int | None, int | None]],
    outlines: Sequence[Outline],
    *,
    longest_gap_us: int,
) -> list[Found]:
    """Pings are device, microsecond, longitude and latitude × 1e7 (None: not known)."""
    moments: dict[tuple[Any, str], set[int]] = {}
    for device, at, x, y in pings:
        if x is None or y is None:
            continue
        for outline in outlines:
            if outline.contains(x, y) and outline.holds(at):
                moments.setdefault((device, outline.hotspot_id), set()).add(at)
    found = []
    for (device, hotspot), times in moments.items():
        run: list[int] = []
        for at in sorted(times):
            if run and at - run[-1] > longest_gap_us:
                found.append((device, hotspot, run[0], run[-1]))
                run = []
            run.append(at)
        found.append((device, hotspot, run[0], run[-1]))
    return sorted(found)


VISITS_SQL = """
with placed as (
    select distinct device, hotspot, tick
    from pings join outlines
      on x >= west and x <= east and y >= south and y <= north
    where st_intersects(shape, st_point(x, y)) and tick >= from_tick and tick < until_tick
),
spaced as (
    select *, tick - lag(tick) over (partition by device, hotspot order by tick) as silence
    from placed
),
numbered as (
    select *, sum(case when silence is null or silence > {gap} then 1 else 0 end)
        over (partition by device, hotspot order by tick) as visit
    from spaced
)
select device, hotspot, min(tick) as first, max(tick) as last
from numbered group by device, hotspot, visit order by all
"""
"""Ticks are microseconds in the tests; x and y are degrees × 1e7."""


def duckdb_connection() -> Any:
    """A database in memory with the spatial extension of the installed wheel."""
    import duckdb
    import duckdb_extension_spatial

    folder = f"{duckdb_extension_spatial.__path__[0]}/extensions"
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    (extension,) = sorted(_files(folder, "spatial.duckdb_extension"))
    connection.execute(f"load '{extension}'")
    return connection


def duckdb_outlines(connection: Any, outlines: Sequence[Outline]) -> None:
    """Fill table `outlines`: shapes in degrees × 1e7, and the microseconds they hold."""
    connection.execute(
        "create or replace table outlines "
        "(hotspot varchar, shape geometry, from_tick bigint, until_tick bigint, "
        "west int, south int, east int, north int)"
    )
    for outline in outlines:
        connection.execute(
            "insert into outlines values (?, st_geomfromwkb(?), ?, ?, ?, ?, ?, ?)",
            [
                outline.hotspot_id,
                shapely.to_wkb(outline.shape),
                _six(outline.valid_from, 0, unknown=-(2**62)),
                _six(outline.valid_to, 1, unknown=2**62),
                *(int(bound) for bound in outline.shape.bounds),
            ],
        )


def duckdb_visits(connection: Any, *, longest_gap_us: int) -> list[Found]:
    """Visits of table `pings` (device, tick, x, y) in table `outlines`, by one query."""
    rows: list[Found] = connection.execute(VISITS_SQL.format(gap=longest_gap_us)).fetchall()
    return sorted(rows)


def _six(day: date | None, later: int, *, unknown: int) -> int:
    """06:00 local of a day, or of the day after it, in microseconds."""
    if day is None:
        return unknown
    local = datetime.combine(day + timedelta(days=later), time(6), tzinfo=LONDON)
    return int((local - EPOCH) / timedelta(microseconds=1))


def _files(folder: str, name: str) -> list[str]:
    from pathlib import Path

    return [str(path) for path in Path(folder).rglob(name)]
