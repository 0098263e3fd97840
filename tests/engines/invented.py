"""Invented positions as packed files, and readers of them that executors can import."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from placeproof.files import packed
from placeproof.patrols.outline_index import OutlineIndex

GAP_S = 90.0
WEST, SOUTH = -1.20, 52.60
SLOW_S = 0.3
LONG_S = 2.0
QUICK = "part-000.parquet"


def index() -> OutlineIndex:
    """Six hot spots of some 200 m, two of them overlapping, one with a hole."""
    boxes = [
        shapely.box(x, y, x + 0.003, y + 0.002)
        for x, y in (
            (-1.19, 52.61),
            (-1.188, 52.611),
            (-1.17, 52.63),
            (-1.15, 52.62),
            (-1.14, 52.65),
        )
    ]
    ring = shapely.box(-1.13, 52.61, -1.12, 52.62) - shapely.box(-1.127, 52.613, -1.123, 52.617)
    shapes = [*boxes, ring]
    ids = [f"H{number:02}" for number in range(1, 1 + len(shapes))]
    return OutlineIndex.of_degrees(ids, shapes, [None] * len(ids), [None] * len(ids))


def write(folder: Path, *, files: int, rows: int, seed: int = 1) -> list[packed.Source]:
    """Write walks of 40 devices, shuffled over files, with repeats; a row group is 50,000 rows."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"car-{number:03}" for number in rng.permutation(40)]
    devices = folder / packed.DEVICES
    pl.DataFrame({"device": range(40), "device_id": names}).write_parquet(devices)
    total = files * rows
    device = rng.integers(0, 40, total).astype(np.int32)
    at = 1_620_000_000 + rng.integers(0, total // 8, total) * 5
    leg = at // 600
    x = WEST + 0.09 * _noise(device, leg) + 0.004 * _noise(device, at)
    y = SOUTH + 0.06 * _noise(device, leg + 7) + 0.003 * _noise(device, at + 7)
    repeated = rng.integers(0, total, total // 20)
    device[: len(repeated)] = device[repeated]
    at[: len(repeated)], x[: len(repeated)] = at[repeated], x[repeated]
    y[: len(repeated)] = y[repeated]
    table = pa.table(
        {
            "device": device,
            "at": at.astype(np.int64),
            "longitude_e7": np.rint(x * 1e7).astype(np.int32),
            "latitude_e7": np.rint(y * 1e7).astype(np.int32),
        }
    )
    for number in range(files):
        path = folder / f"part-{number:03}.parquet"
        part = table.slice(number * rows, rows)
        pq.write_table(part, path, row_group_size=50_000, compression="none", use_dictionary=False)
    return sources_in(folder)


def write_export(path: Path, *, rows: int) -> None:
    """An export over the turn of a month, as text, whose last row has no position."""
    rng = np.random.default_rng(3)
    step = (np.arange(rows) * 60).astype("timedelta64[s]")
    pl.DataFrame(
        {
            "device_id": [f"R{n}" for n in rng.integers(0, 6, rows)],
            "timestamp": pl.Series(np.datetime64("2021-06-29T12:00:00", "ms") + step).dt.strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "longitude": -1.13 + rng.normal(0, 1e-3, rows).cumsum() % 0.01,
            "latitude": 52.63 + rng.normal(0, 5e-4, rows).cumsum() % 0.003,
        }
    ).write_csv(path)
    with path.open("a", encoding="utf-8") as file:
        file.write("R1,2021-06-29T12:00:00Z,,\n")


def write_outlines(path: Path) -> None:
    """Three squares that the export crosses."""
    squares = [shapely.box(x, 52.63, x + 0.003, 52.632) for x in (-1.13, -1.126, -1.122)]
    features = [
        {
            "type": "Feature",
            "properties": {"hotspot_id": f"H{number}"},
            "geometry": shapely.geometry.mapping(square),
        }
        for number, square in enumerate(squares)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    path.write_text(text, encoding="utf-8")


def sources_in(folder: Path) -> list[packed.Source]:
    """The sources that `write` wrote."""
    devices = str(folder / packed.DEVICES)
    return [
        packed.Source(
            str(path), pq.read_metadata(path).num_rows, path.stat().st_size, 1, -1, devices
        )
        for path in sorted(folder.glob("part-*.parquet"))
    ]


def read_slowly(source: packed.Source) -> Iterator[packed.Batch]:
    """As `packed.read`, slow enough that a test can break in."""
    for batch in packed.read(source):
        time.sleep(SLOW_S)
        yield batch


def read_at_length(source: packed.Source) -> Iterator[packed.Batch]:
    """As `packed.read`, so slow that workers are in mid-piece when somebody else has finished."""
    time.sleep(SLOW_S if source.path.endswith(QUICK) else LONG_S)
    yield from packed.read(source)


def read_wrongly(source: packed.Source) -> Iterator[packed.Batch]:
    """A fault of ours."""
    raise ZeroDivisionError(f"a fault of ours in {Path(source.path).name}")


def _noise(device: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The same number between 0 and 1 for the same device and step."""
    mixed = (device.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (
        step.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    )
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53
