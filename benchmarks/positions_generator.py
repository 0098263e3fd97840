"""Invented positions and hot spots for the benchmark of visits: ours, dirty on purpose.

Devices go from place to place, stay in hot spots for a quarter of an hour or so, and report every
ten seconds with GPS noise. One row in a hundred is a repeat, one in two hundred has jumped, some
have no position, some arrive late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from placeproof import geometry
from placeproof.tables import Hotspot

WEST, SOUTH, WIDE, HIGH = 430_000.0, 280_000.0, 60_000.0, 50_000.0
START_S = 1_714_521_600
INTERVAL_S = 10
MISSING = -(2**31)
ROWS_A_GROUP = 1 << 20


@dataclass(frozen=True)
class Positions:
    """A piece of the positions, in order of time but for what arrives late."""

    device: np.ndarray
    at: np.ndarray
    longitude_e7: np.ndarray
    latitude_e7: np.ndarray


def hotspots(count: int, *, seed: int) -> pl.DataFrame:
    """Hand-drawn shapes of about 200 m; every tenth overlaps its neighbour, every seventh has a
    hole, every fifth was re-drawn. The first 40 are the same whatever the count."""
    rng = np.random.default_rng(seed)
    rows = []
    x, y = (np.array([WEST, SOUTH]) + rng.random((count, 2)) * np.array([WIDE, HIGH])).T
    for number in range(count):
        if number % 10 == 9:
            x[number], y[number] = x[number - 1] + 90, y[number - 1] + 60
        corners = 5 + number % 8
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        radius = 100 + 40 * np.sin(3.7 * number + np.arange(corners))
        ring = np.column_stack(
            [x[number] + radius * np.cos(angle), y[number] + radius * np.sin(angle)]
        )
        shape = shapely.Polygon(ring)
        if number % 7 == 3:
            shape = shape.difference(shapely.box(*(ring.mean(0) - 15), *(ring.mean(0) + 15)))
        redrawn = number % 5 == 4
        rows.append(_row(number, 1, shape, date(2021, 7, 1), date(2024, 5, 1) if redrawn else None))
        if redrawn:
            moved = shapely.affinity.translate(shape, 15, 5)
            rows.append(_row(number, 2, moved, date(2024, 5, 2), None))
    schema = {name: column.dtype for name, column in Hotspot.columns().items()}
    full = [{name: row.get(name) for name in schema} for row in rows]
    return Hotspot.validate(pl.DataFrame(full, schema=schema), cast=True)


def positions(
    rows: int, places: pl.DataFrame, *, devices: int, seed: int, share_in_places: float = 0.30
) -> Iterator[Positions]:
    """Pieces of about two million rows in order of time."""
    rng = np.random.default_rng(seed)
    first = places.filter(pl.col("version") == 1).head(40)
    centres = first.select("centre_easting_m", "centre_northing_m").to_numpy()
    walks = [_walk(rows // devices, centres, share_in_places, rng) for _ in range(devices)]
    step = max(2_000_000 // devices, 1)
    for begin in range(0, rows // devices, step):
        yield _piece(walks, begin, min(begin + step, rows // devices), rng)


def write_packed(pieces: Iterator[Positions], path: Path, *, by_device: bool) -> int:
    """Our layout: integers, DELTA_BINARY_PACKED, not compressed."""
    schema = pa.schema(
        [
            pa.field("device", pa.int32(), nullable=False),
            pa.field("at", pa.int64(), nullable=False),
            pa.field("longitude_e7", pa.int32(), nullable=False),
            pa.field("latitude_e7", pa.int32(), nullable=False),
        ]
    )
    written = 0
    with pq.ParquetWriter(
        path,
        schema,
        compression="none",
        use_dictionary=False,
        column_encoding=dict.fromkeys(schema.names, "DELTA_BINARY_PACKED"),
        write_statistics=False,
    ) as writer:
        for piece in pieces:
            order = slice(None)
            if by_device:
                order = np.lexsort((piece.at, piece.device))
            columns = [getattr(piece, name)[order] for name in schema.names]
            table = pa.Table.from_arrays([pa.array(c) for c in columns], schema=schema)
            writer.write_table(table, row_group_size=ROWS_A_GROUP)
            written += table.num_rows
    return written


def write_plain(pieces: Iterator[Positions], path: Path) -> None:
    """As an export comes: names, timestamps and floating point, zstd, rows shuffled."""
    rng = np.random.default_rng(1)
    writer = None
    for piece in pieces:
        order = rng.permutation(len(piece.at))
        missing = piece.longitude_e7[order] == MISSING
        frame = pl.DataFrame(
            {
                "device": piece.device[order],
                "at": pl.Series(piece.at[order] * 1_000_000).cast(pl.Datetime("us", "UTC")),
                "longitude_deg": piece.longitude_e7[order] / 1e7,
                "latitude_deg": piece.latitude_e7[order] / 1e7,
            }
        ).with_columns(
            pl.when(~pl.Series(missing)).then(name).alias(name)
            for name in ("longitude_deg", "latitude_deg")
        )
        table = frame.to_arrow()
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=ROWS_A_GROUP)
    if writer is not None:
        writer.close()


def _row(
    number: int, version: int, shape: shapely.Geometry, first: date, last: date | None
) -> dict[str, object]:
    return {
        "hotspot_id": f"H{number:04d}",
        "version": version,
        "name": f"Place {number}",
        "kind": "other",
        "valid_from": first,
        "valid_to": last,
        "geometry": shapely.to_wkb(shape),
        "area_m2": shape.area,
        "centre_easting_m": shape.centroid.x,
        "centre_northing_m": shape.centroid.y,
        "source_sha256": "0" * 64,
        "source_row": number + 2,
    }


def _walk(
    rows: int, centres: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turning points of one device: when, east, north. It stays in a place, then wanders off."""
    legs = rows * INTERVAL_S // 1200 + 20
    stay = rng.gamma(4, 200, legs)
    away = rng.gamma(3, 200 * 4 / 3 * (1 / share - 1), legs)
    spot = rng.integers(0, len(centres), legs)
    inside = centres[spot] + rng.normal(0, 30, (legs, 2))
    leaving = inside + rng.normal(0, 30, (legs, 2))
    beyond = inside + rng.normal(0, 3000, (legs, 2))
    east, north = np.stack([inside, leaving, beyond], axis=1).reshape(-1, 2).T
    length = np.stack([stay, away / 2, away / 2], axis=1).ravel()
    when = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    return when, east, north


def _piece(
    walks: list[tuple[np.ndarray, ...]], begin: int, end: int, rng: np.random.Generator
) -> Positions:
    tick = np.arange(begin, end) * INTERVAL_S
    parts = []
    for device, (when, east, north) in enumerate(walks):
        at = tick + device % INTERVAL_S
        x = np.interp(at, when, east) + rng.normal(0, 6, len(at))
        y = np.interp(at, when, north) + rng.normal(0, 6, len(at))
        parts.append((np.full(len(at), device, np.int32), at, x, y))
    device, at, x, y = (np.concatenate([part[k] for part in parts]) for k in range(4))
    jumped = rng.random(len(at)) < 0.005
    x[jumped] += rng.normal(0, 2000, int(jumped.sum()))
    x, y = np.clip(x, WEST - 9000, WEST + WIDE + 9000), np.clip(y, SOUTH - 9000, SOUTH + HIGH + 9e3)
    longitude, latitude = geometry.to_degrees(x, y)
    longitude_e7 = np.rint(longitude * 1e7).astype(np.int32)
    latitude_e7 = np.rint(latitude * 1e7).astype(np.int32)
    unknown = rng.random(len(at)) < 0.002
    longitude_e7[unknown] = MISSING
    latitude_e7[unknown] = MISSING
    again = np.flatnonzero(rng.random(len(at)) < 0.01)
    late = rng.random(len(at) + len(again)) < 0.01
    row = np.concatenate([np.arange(len(at)), again])
    arrives = at[row] + np.where(late, rng.uniform(0, 600, len(row)), 0)
    row = row[np.argsort(arrives, kind="stable")]
    return Positions(
        device[row], (START_S + at[row]).astype(np.int64), longitude_e7[row], latitude_e7[row]
    )
