"""Positions as engines read them: packed folders at full speed, any other export by its mapping."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.errors import InputError
from placeproof.files import packed
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.packed import Batch, Packed, Source
from placeproof.files.position_pieces import (
    Facts,
    e7,
    is_parquet,
    pieces,
    refuse_change,
    state,
)

_BYTES_PER_POSITION = {".gz": 8, ".parquet": 20}
_USUAL_BYTES = 55
_ROWS_A_PART = 500_000


@dataclass
class ExportReader:
    """
    Reads any export of positions, and counts what it had to leave out.

    Parameters
    ----------
    spec : FeedSpec
        How its columns map.
    surroundings : Surroundings
        Positions after the cut-off are left out.
    """

    spec: FeedSpec
    surroundings: Surroundings
    rows_in: int = 0
    rows_left_out: int = 0
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __call__(self, source: Source) -> Iterator[Batch]:
        """The positions of one export or packed file."""
        if source.devices:
            yield from packed.read(source)
            return
        for batch in self._batches(source):
            with self._lock:
                self.rows_in += batch.rows_in
                self.rows_left_out += batch.rows_left_out
            yield batch

    def _batches(self, source: Source) -> Iterator[Batch]:
        path = Path(source.path)
        shown = self.spec.shown(path)
        before = state(path, shown)
        if source.whole_bytes and before[0] != source.whole_bytes:
            refuse_change(path, shown, (source.whole_bytes, before[1]))
        metadata = None
        if is_parquet(self.spec, path):
            from placeproof.files import position_columns

            metadata = position_columns.footer(self.spec, path)
        if metadata is None:
            yield from self._of_pieces(source)
        else:
            yield from position_columns.batches(self.spec, source, self.surroundings, metadata)
            refuse_change(path, shown, before)

    def _of_pieces(self, source: Source) -> Iterator[Batch]:
        names: list[str] = []
        codes: dict[str, int] = {}
        path = Path(source.path)
        for piece in pieces(self.spec, path, self.surroundings, Facts(), source.groups):
            for name in piece.device_ids:
                if name not in codes:
                    codes[name] = len(names)
                    names.append(name)
            lookup = np.array([codes[name] for name in piece.device_ids], dtype=np.int32)
            yield Batch(
                device=lookup[piece.device],
                at=piece.at_us,
                longitude_e7=piece.longitude_e7,
                latitude_e7=piece.latitude_e7,
                ticks_per_second=1_000_000,
                device_ids=names,
                rows_in=piece.rows_in,
                rows_left_out=piece.rows_quarantined,
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


@dataclass(frozen=True)
class PackedReader:
    """
    Reads packed files up to a cut-off.

    Parameters
    ----------
    until_s : int or None
        Seconds since 1970 from which positions are left out; None: none are.
    """

    until_s: int | None = None

    def __call__(self, source: Source) -> Iterator[Batch]:
        """The positions of one packed file."""
        for batch in packed.read(source):
            if self.until_s is None:
                yield batch
                continue
            early = batch.at < self.until_s * batch.ticks_per_second
            if early.all():
                yield batch
            elif early.any():
                yield Batch(
                    device=batch.device[early],
                    at=batch.at[early],
                    longitude_e7=batch.longitude_e7[early],
                    latitude_e7=batch.latitude_e7[early],
                    ticks_per_second=batch.ticks_per_second,
                    device_ids=batch.device_ids,
                )


@dataclass(frozen=True)
class TableReader:
    """
    Reads packed files, and one table that is in memory.

    Parameters
    ----------
    packed_reader : PackedReader
        For the files.
    pings : table `ping`
        For the source that has no file.
    """

    packed_reader: PackedReader
    pings: pl.DataFrame

    def __call__(self, source: Source) -> Iterator[Batch]:
        """The positions of one packed file, or of the table."""
        if source.devices:
            yield from self.packed_reader(source)
            return
        names = self.pings["device_id"].unique().sort()
        codes = self.pings["device_id"].replace_strict(
            names, pl.int_range(len(names), dtype=pl.Int32, eager=True), return_dtype=pl.Int32
        )
        yield Batch(
            device=codes.to_numpy(),
            at=self.pings["at"].dt.epoch("us").to_numpy(),
            longitude_e7=e7(self.pings["longitude_deg"].to_numpy()),
            latitude_e7=e7(self.pings["latitude_deg"].to_numpy()),
            ticks_per_second=1_000_000,
            device_ids=names.to_list(),
        )


def export_source(path: Path) -> Source:
    """
    One export as a source; it does not say how many positions it holds, so that is an estimate.

    Parameters
    ----------
    path : Path
        The export.

    Raises
    ------
    InputError
        If it is not there.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}.", mend="Check the name."
        ) from None
    rows = size // _BYTES_PER_POSITION.get(path.suffix.lower(), _USUAL_BYTES) + 1
    return Source(str(path), rows, size, 1_000_000, -1, "")


def parts_of(source: Source, spec: FeedSpec | None) -> list[Source]:
    """
    An export as parts that can be read at the same time: of Parquet, some row groups each.

    Parameters
    ----------
    source : Source
        What `export_source` gave.
    spec : FeedSpec or None
        Its feed.

    Returns
    -------
    list of Source
        The source itself where it cannot be divided.
    """
    path = Path(source.path)
    if spec is None or not is_parquet(spec, path):
        return [source]
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except (OSError, ValueError, pa.ArrowException):
        return [source]  # its reader says what is wrong
    parts: list[Source] = []
    first = rows = 0
    for place in range(metadata.num_row_groups):
        rows += metadata.row_group(place).num_rows
        if rows >= _ROWS_A_PART or place + 1 == metadata.num_row_groups:
            size = source.bytes * rows // max(metadata.num_rows, 1)
            one = replace(source, rows=rows, bytes=size, whole_bytes=source.bytes)
            parts.append(replace(one, groups=(first, place + 1)))
            first, rows = place + 1, 0
    return parts or [source]


def until_s_of(cut_off: date) -> int:
    """
    The moment at which the day after the cut-off begins, London time, in seconds since 1970.

    Parameters
    ----------
    cut_off : datetime.date
        Last day.
    """
    from placeproof import calendar

    day = pl.DataFrame({"at": [cut_off + timedelta(days=1)]}).select(
        pl.col("at").cast(pl.Datetime("us"))
    )
    utc = day.select(
        calendar.to_utc(pl.col("at"), time_zone=calendar.LOCAL_ZONE, ambiguous="earliest")
    )
    return int(utc.to_series().dt.epoch("s").item())


def device_days(folders: Sequence[Packed], *, cut_off: date | None) -> pl.DataFrame:
    """
    On which operating days each device reported, without reading a position.

    Parameters
    ----------
    folders : sequence of Packed
        Packed folders; extracts may overlap.
    cut_off : datetime.date or None
        Later days are left out.

    Returns
    -------
    DataFrame
        `device_id`, `operating_day`, `pings` (in overlapping extracts those of the largest).
    """
    parts = [
        pl.read_parquet(one.folder / packed.COVERAGE)
        .join(pl.read_parquet(one.folder / packed.DEVICES), on="device")
        .select("device_id", "operating_day", "pings")
        for one in folders
    ]
    days = (
        pl.concat(parts)
        .group_by("device_id", "operating_day")
        .agg(pl.col("pings").max())
        .sort("device_id", "operating_day")
    )
    return days if cut_off is None else days.filter(pl.col("operating_day") <= cut_off)


def pings_by_device(
    folders: Sequence[Packed], *, most: int, until_s: int | None
) -> Iterator[pl.DataFrame]:
    """
    Packed positions as table ping, some devices at a time and all positions of each together.

    Parameters
    ----------
    folders : sequence of Packed
        Packed folders.
    most : int
        Positions at a time; a single device with more comes alone.
    until_s : int or None
        As for `PackedReader`.

    Yields
    ------
    DataFrame
        `device_id`, `at`, `longitude_deg`, `latitude_deg`, `accuracy_m`, `speed_m_s`.
    """
    counts: dict[str, int] = {}
    for one in folders:
        names = packed.device_ids(str(one.folder / packed.DEVICES))
        seen = pl.read_parquet(one.folder / packed.COVERAGE).group_by("device").agg(
            pl.col("pings").sum()
        )  # fmt: skip
        for device, pings in seen.iter_rows():
            counts[names[device]] = counts.get(names[device], 0) + pings
    for bucket in range(packed.BUCKETS):
        mine = sorted(name for name in counts if packed.bucket_of(name) == bucket)
        for group in _groups(mine, counts, most):
            yield _pings_of(folders, bucket, group, until_s)


def _groups(names: Sequence[str], counts: Mapping[str, int], most: int) -> Iterator[list[str]]:
    group: list[str] = []
    held = 0
    for name in names:
        if group and held + counts[name] > most:
            yield group
            group, held = [], 0
        group.append(name)
        held += counts[name]
    if group:
        yield group


def _pings_of(
    folders: Sequence[Packed], bucket: int, names: list[str], until_s: int | None
) -> pl.DataFrame:
    parts = [
        _of_source(source, names, until_s)
        for one in folders
        for source in one.sources
        if source.bucket == bucket
    ]
    return pl.concat(parts)


def _of_source(source: Source, names: list[str], until_s: int | None) -> pl.DataFrame:
    known = packed.device_ids(source.devices)
    wanted = set(names)
    codes = [code for code, name in enumerate(known) if name in wanted]
    there = [
        name
        for name in (*packed.COLUMNS, *packed.EXTRAS)
        if name in pl.read_parquet_schema(source.path)
    ]
    step = 1_000_000 // source.ticks_per_second
    parts = []
    for table in packed.tables(source, there):
        rows = pl.from_arrow(table)
        assert isinstance(rows, pl.DataFrame)
        mine = rows.filter(pl.col("device").is_in(codes))
        if until_s is not None:
            mine = mine.filter(pl.col("at") < until_s * source.ticks_per_second)
        parts.append(mine)
    found = pl.concat(parts)
    return found.select(
        pl.lit(pl.Series(known, dtype=pl.String)).gather(pl.col("device")).alias("device_id"),
        (pl.col("at") * step).cast(pl.Datetime("us", "UTC")).alias("at"),
        (pl.col("longitude_e7") / 1e7).alias("longitude_deg"),
        (pl.col("latitude_e7") / 1e7).alias("latitude_deg"),
        (_extra(found, "accuracy_dm") / 10).alias("accuracy_m"),
        (_extra(found, "speed_cm_s") / 100).alias("speed_m_s"),
    )


def _extra(found: pl.DataFrame, name: str) -> pl.Expr:
    there = name in found.columns
    return (pl.col(name) if there else pl.lit(None, dtype=pl.Int32)).cast(pl.Float64)
