"""Runs of positions: gathered, sorted by bucket, device and time, and written to their bucket."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof import calendar
from placeproof.files import packed
from placeproof.files.position_pieces import Piece
from placeproof.files.position_text import compiled

ROWS_PER_FILE = 16_000_000
ROWS_PER_GROUP = 1_000_000
LONGEST_USUAL_S = 3600
"""Longer silences are breaks, not intervals between positions."""
_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Sorted:
    """A run in the order in which it is written; `bounds` are where each bucket begins and ends."""

    device: NDArray[np.int32]
    at_us: NDArray[np.int64]
    longitude_e7: NDArray[np.int32]
    latitude_e7: NDArray[np.int32]
    accuracy_dm: NDArray[np.int32]
    speed_cm_s: NDArray[np.int32]
    bounds: NDArray[np.int64]


class Run:
    """Positions held in memory until there are enough to be worth writing."""

    def __init__(self, most: int) -> None:
        self.most, self.rows = most, 0
        self._parts: list[tuple[NDArray[Any], ...]] = []

    @property
    def full(self) -> bool:
        return self.rows >= self.most

    def add(self, piece: Piece, device: NDArray[np.int32]) -> None:
        """Hold the positions of a piece, with the devices of the folder."""
        self.rows += len(device)
        self._parts.append(
            (
                device,
                piece.at_us,
                piece.longitude_e7,
                piece.latitude_e7,
                piece.accuracy_dm,
                piece.speed_cm_s,
            )
        )

    def taken(self, names: list[str]) -> Sorted:
        """What is held, sorted; nothing is held afterwards."""
        device, at = (np.concatenate([part[place] for part in self._parts]) for place in (0, 1))
        buckets = np.array([packed.bucket_of(name) for name in names], dtype=np.int64)
        ranked = np.argsort(buckets, kind="stable")
        rank = np.empty(len(names), np.int32)
        rank[ranked] = np.arange(len(names), dtype=np.int32)
        order, starts = _order(device, at, rank)
        columns = [device[order], at[order]]
        del device, at
        for place in range(2, 6):
            columns.append(np.concatenate([part[place] for part in self._parts])[order])
        self._parts, self.rows = [], 0
        edges = np.searchsorted(buckets[ranked], np.arange(packed.BUCKETS + 1), side="left")
        who, when, x, y, accuracy, speed = columns
        return Sorted(who, when, x, y, accuracy, speed, starts[edges])


@compiled
def _order(device: Any, at: Any, rank: Any) -> tuple[Any, Any]:
    """Rows by rank of device and time; exports are nearly sorted, so counting does most of it."""
    devices = rank.shape[0]
    starts = np.zeros(devices + 1, np.int64)
    for row in range(device.shape[0]):
        starts[rank[device[row]] + 1] += 1
    for place in range(devices):
        starts[place + 1] += starts[place]
    filled = starts[:-1].copy()
    order = np.empty(device.shape[0], np.int64)
    for row in range(device.shape[0]):
        place = rank[device[row]]
        order[filled[place]] = row
        filled[place] += 1
    for place in range(devices):
        mine = order[starts[place] : starts[place + 1]]
        for step in range(1, mine.shape[0]):
            if at[mine[step]] < at[mine[step - 1]]:
                again = np.argsort(at[mine], kind="mergesort")
                order[starts[place] : starts[place + 1]] = mine[again]
                break
    return order, starts


@compiled
def _seen(device: Any, at: Any, gaps: Any) -> tuple[Any, Any, Any]:
    """Device, hour and positions of each hour in which a device reported; gaps are counted."""
    size = device.shape[0]
    who = np.empty(size, np.int32)
    hour = np.empty(size, np.int64)
    count = np.empty(size, np.int64)
    found = -1
    for row in range(size):
        now = at[row] // 3_600_000_000
        same = row > 0 and device[row] == device[row - 1]
        if same:
            gap = (at[row] - at[row - 1]) // 1_000_000
            if at[row] > at[row - 1] and gap < gaps.shape[0]:
                gaps[gap] += 1
        if same and now == hour[found]:
            count[found] += 1
        else:
            found += 1
            who[found], hour[found], count[found] = device[row], now, 1
    return who[: found + 1].copy(), hour[: found + 1].copy(), count[: found + 1].copy()


class Writers:
    """One file at a time in each bucket; a run becomes a row group in each."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.first_us, self.last_us = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        self.with_accuracy = self.with_speed = False
        self._gaps = np.zeros(LONGEST_USUAL_S, np.int64)
        self._seen: list[pl.DataFrame] = []
        self._open: dict[int, Any] = {}
        self._parts: list[dict[str, Any]] = []
        self._numbers = [0] * packed.BUCKETS
        self._ticks = 1

    def __enter__(self) -> "Writers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for bucket in list(self._open):
            if kind is None:
                self._close(bucket)
            else:
                part = self._open.pop(bucket)
                with suppress(OSError):  # the disk is full: the first failure is told
                    part["writer"].close()

    def write(self, run: Sorted) -> None:
        """Add a run to the files of its buckets."""
        self.first_us = min(self.first_us, int(run.at_us.min()))
        self.last_us = max(self.last_us, int(run.at_us.max()))
        self._note(run)
        needed = _ticks(run.at_us)
        extras = (bool((run.accuracy_dm >= 0).any()), bool((run.speed_cm_s >= 0).any()))
        news = extras[0] > self.with_accuracy or extras[1] > self.with_speed
        if needed > self._ticks or news:
            for bucket in list(self._open):
                self._close(bucket)
        self._ticks = max(needed, self._ticks)
        self.with_accuracy |= extras[0]
        self.with_speed |= extras[1]
        for bucket in range(packed.BUCKETS):
            start, end = int(run.bounds[bucket]), int(run.bounds[bucket + 1])
            if end > start:
                self._write(bucket, self._table(run, start, end))

    def _note(self, run: Sorted) -> None:
        who, hour, count = _seen(run.device, run.at_us, self._gaps)
        moment = pl.from_epoch(pl.col("hour") * 3600, time_unit="s").dt.replace_time_zone("UTC")
        days = (
            pl.DataFrame({"device": who, "hour": hour, "pings": count})
            .with_columns(operating_day=calendar.operating_day(moment))
            .group_by("device", "operating_day")
            .agg(pl.col("pings").sum())
        )
        self._seen.append(days)
        if len(self._seen) > 50:
            self._seen = [self.coverage()]

    def coverage(self) -> pl.DataFrame:
        """Positions of each device on each operating day."""
        return (
            pl.concat(self._seen)
            .group_by("device", "operating_day")
            .agg(pl.col("pings").sum())
            .sort("device", "operating_day")
        )

    def median_interval_s(self) -> float | None:
        """The usual time between two positions of a device, to the second; None: not known."""
        total = int(self._gaps.sum())
        if not total:
            return None
        return float(np.searchsorted(np.cumsum(self._gaps), (total + 1) // 2))

    def files(self) -> list[dict[str, Any]]:
        """What was written."""
        return sorted(self._parts, key=lambda part: str(part["path"]))

    def _table(self, run: Sorted, start: int, end: int) -> Any:
        import pyarrow as pa

        step = 1_000_000 // self._ticks
        at = run.at_us[start:end]
        columns = {
            "device": run.device[start:end],
            "at": at if step == 1 else at // step,
            "longitude_e7": run.longitude_e7[start:end],
            "latitude_e7": run.latitude_e7[start:end],
        }
        made = {name: pa.array(values) for name, values in columns.items()}
        for name, there in zip(packed.EXTRAS, (self.with_accuracy, self.with_speed), strict=True):
            if there:
                values = getattr(run, name)[start:end]
                made[name] = pa.array(values, mask=values < 0)
        fields = [
            pa.field(name, column.type, nullable=name in packed.EXTRAS)
            for name, column in made.items()
        ]
        return pa.table(list(made.values()), schema=pa.schema(fields))

    def _write(self, bucket: int, table: Any) -> None:
        import pyarrow.parquet as pq

        part = self._open.get(bucket)
        if part is None:
            name = f"bucket={bucket:03d}/part-{self._numbers[bucket]:05d}.parquet"
            self._numbers[bucket] += 1
            path = self.place / name
            path.parent.mkdir(exist_ok=True)
            metadata = {packed.TICKS: str(self._ticks), "placeproof.packed": str(packed.SCHEMA)}
            writer = pq.ParquetWriter(
                path,
                table.schema.with_metadata(metadata),
                compression="none",
                use_dictionary=False,
                write_statistics=["device", "at"],
                column_encoding=dict.fromkeys(table.column_names, "DELTA_BINARY_PACKED"),
                write_page_checksum=True,
                store_schema=False,
            )
            part = {"writer": writer, "path": name, "rows": 0, "groups": 0, "ticks": self._ticks}
            self._open[bucket] = part
        part["writer"].write_table(table, row_group_size=ROWS_PER_GROUP)
        part["rows"] += table.num_rows
        part["groups"] += 1
        if part["rows"] >= ROWS_PER_FILE:
            self._close(bucket)

    def _close(self, bucket: int) -> None:
        part = self._open.pop(bucket)
        part["writer"].close()
        path = self.place / part["path"]
        self._parts.append(
            {
                "path": part["path"],
                "bucket": bucket,
                "rows": part["rows"],
                "bytes": path.stat().st_size,
                packed.TICKS: part["ticks"],
            }
        )


def _ticks(at_us: NDArray[np.int64]) -> int:
    """The coarsest unit of time that is exact."""
    if not (at_us % 1_000_000).any():
        return 1
    return 1000 if not (at_us % 1000).any() else 1_000_000
