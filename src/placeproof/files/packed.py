"""Packed positions: a folder of small integers that reads as fast as the disk, whole or refused.

Nothing heavy is imported here, so that the executors of a cluster can read the files themselves.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placeproof.errors import InputError

SCHEMA = 1
BUCKETS = 32
"""Of every packed folder, so that all positions of a device lie in one bucket of each."""

FACTS, DEVICES, COVERAGE, QUARANTINE = (
    "packed.json",
    "devices.parquet",
    "coverage.parquet",
    "quarantine.parquet",
)
COLUMNS = ("device", "at", "longitude_e7", "latitude_e7")
EXTRAS = ("accuracy_dm", "speed_cm_s")
TICKS = "ticks_per_second"
ROWS_AT_A_TIME = 1_000_000
ROWS_A_BATCH = 1 << 18
"""Few enough to be decoded into memory that is used again and again: with a million at a time,
asking for fresh memory takes as long as decoding. Many enough that the raster stays in the cache
of the processor while they are judged."""
_AGAIN = "Pack the exports again; the exports themselves are not changed by packing."


@dataclass(frozen=True)
class Source:
    """
    One file of positions, as an engine hands it to one of its workers.

    Parameters
    ----------
    path : str
        The file.
    rows : int
        Positions in it; for a file that states none, an estimate from its size.
    bytes : int
        Its size.
    ticks_per_second : int
        Unit of its times.
    bucket : int
        Bucket of its devices; -1: any.
    devices : str
        File that names its devices; "": the positions name them.
    groups : tuple of int and int, optional
        The first row group and the one past the last, where a source is a part of a Parquet file.
    whole_bytes : int
        Size of the file of which it is a part; 0: it is none.
    """

    path: str
    rows: int
    bytes: int
    ticks_per_second: int
    bucket: int
    devices: str
    groups: tuple[int, int] | None = None
    whole_bytes: int = 0


@dataclass(frozen=True)
class Batch:
    """
    Some positions, in any order.

    Parameters
    ----------
    device : array of int32
        Which of `device_ids`.
    at : array of int64
        Ticks since 1970 UTC.
    longitude_e7, latitude_e7 : array of int32
        Degrees × 10,000,000, WGS84.
    ticks_per_second : int
        Unit of `at`.
    device_ids : sequence of str
        Devices of the source.
    rows_in, rows_left_out : int
        Rows of an export that were read for these positions, and those of them that are none.
        0 for packed files: packing has counted them.
    """

    device: NDArray[np.int32]
    at: NDArray[np.int64]
    longitude_e7: NDArray[np.int32]
    latitude_e7: NDArray[np.int32]
    ticks_per_second: int
    device_ids: Sequence[str]
    rows_in: int = 0
    rows_left_out: int = 0


@dataclass(frozen=True)
class Packed:
    """
    A whole packed folder.

    Parameters
    ----------
    folder : Path
        Where it lies.
    facts : dict
        What `packed.json` says.
    sources : tuple of Source
        Its files of positions.
    """

    folder: Path
    facts: dict[str, Any]
    sources: tuple[Source, ...]


def bucket_of(device_id: str) -> int:
    """
    The bucket of a device: the same on every machine and in every folder.

    Parameters
    ----------
    device_id : str
        Its pseudonym.
    """
    digest = hashlib.blake2b(device_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % BUCKETS


def is_packed(path: Path) -> bool:
    """
    Whether a path is a folder of packed positions (whole or not).

    Parameters
    ----------
    path : Path
        Any path.
    """
    return (path / FACTS).is_file() or (path.is_dir() and any(path.glob("bucket=*")))


def open_packed(folder: Path) -> Packed:
    """
    Open a packed folder, if it is whole.

    Parameters
    ----------
    folder : Path
        What `placeproof pack` wrote.

    Raises
    ------
    InputError
        If it is none, is of another edition, or a file in it is missing or has another size.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        files = facts["files"]
    except FileNotFoundError:
        raise InputError(
            f"{folder} is no whole folder of packed positions: it has no {FACTS}.", mend=_AGAIN
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder / FACTS} cannot be read.", mend=_AGAIN) from None
    if facts.get("schema") != SCHEMA or facts.get("buckets") != BUCKETS:
        raise InputError(f"{folder} was packed by another edition of Placeproof.", mend=_AGAIN)
    names = folder / DEVICES
    if not names.is_file():
        raise InputError(f"{names} is missing.", mend=_AGAIN)
    sources = tuple(
        Source(
            path=str(folder / one["path"]),
            rows=int(one["rows"]),
            bytes=int(one["bytes"]),
            ticks_per_second=int(one[TICKS]),
            bucket=int(one["bucket"]),
            devices=str(names),
        )
        for one in files
    )
    for source in sources:
        found = Path(source.path).stat().st_size if Path(source.path).is_file() else None
        if found != source.bytes:
            said = "is missing" if found is None else f"has {found} bytes, not {source.bytes}"
            raise InputError(f"{source.path} {said}.", mend=_AGAIN)
    return Packed(folder, facts, sources)


@lru_cache(maxsize=64)
def device_ids(path: str) -> tuple[str, ...]:
    """
    The devices of a packed folder, by their code.

    Parameters
    ----------
    path : str
        Its `devices.parquet`.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:  # read_table would import pandas
            read = file.read(columns=["device", "device_id"], use_threads=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {_first_line(error)}.", mend=_AGAIN) from None
    if read["device"].to_pylist() != list(range(read.num_rows)):
        raise InputError(f"{path} does not number its devices from 0.", mend=_AGAIN)
    return tuple(read["device_id"].to_pylist())


def read(source: Source) -> Iterator[Batch]:
    """
    The positions of one packed file, a quarter of a million at a time.

    Parameters
    ----------
    source : Source
        One of `Packed.sources`.

    Raises
    ------
    InputError
        If the file is damaged; the message names the row group.
    """
    names = device_ids(source.devices)
    for batch in _whole(source, _batches):
        # As pyarrow's own `to_numpy`, which would import pandas into each process.
        columns: list[NDArray[Any]] = [np.from_dlpack(batch.column(name)) for name in COLUMNS]
        device, at, longitude, latitude = columns
        yield Batch(device, at, longitude, latitude, source.ticks_per_second, names)


def tables(source: Source, columns: Sequence[str]) -> Iterator[Any]:
    """
    Row groups of one packed file as Arrow tables.

    Parameters
    ----------
    source : Source
        One of `Packed.sources`.
    columns : sequence of str
        Columns to read.

    Raises
    ------
    InputError
        If the file is damaged; the message names the row group.
    """
    yield from _whole(
        source,
        lambda file: (
            file.read_row_groups(few, columns=list(columns), use_threads=False)
            for few in _grouped(file.metadata)
        ),
    )


def _batches(file: Any) -> Iterator[Any]:
    batches: Iterator[Any] = file.iter_batches(
        ROWS_A_BATCH, columns=list(COLUMNS), use_threads=False
    )
    return batches


def _whole(source: Source, parts: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
    """Parts of a file, one after the other; at its end they were all that it should hold."""
    import pyarrow.parquet as pq

    metadata, rows = None, 0
    try:
        with pq.ParquetFile(source.path, page_checksum_verification=True) as file:
            metadata = file.metadata
            for part in parts(file):
                rows += part.num_rows
                yield part
    except (OSError, ValueError) as error:
        place = f", from row group {_group_of(metadata, rows)} on," if metadata else ""
        raise InputError(
            f"{source.path}{place} is damaged: {_first_line(error)}.", mend=_AGAIN
        ) from None
    if rows != source.rows:
        raise InputError(f"{source.path} holds {rows} positions, not {source.rows}.", mend=_AGAIN)


def _group_of(metadata: Any, row: int) -> int:
    """The row group, from 1, in which a row lies."""
    past = 0
    for group in range(metadata.num_row_groups):
        past += metadata.row_group(group).num_rows
        if row < past:
            return group + 1
    return max(int(metadata.num_row_groups), 1)


def _grouped(metadata: Any) -> Iterator[list[int]]:
    """Row groups by the handful."""
    few: list[int] = []
    rows = 0
    for group in range(metadata.num_row_groups):
        few.append(group)
        rows += metadata.row_group(group).num_rows
        if rows >= ROWS_AT_A_TIME:
            yield few
            few, rows = [], 0
    if few:
        yield few


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
