"""Any export of positions, piece by piece in bounded memory: small integers, and what was wrong.

Two lanes lead to the same numbers. `positions.judged` holds the rules and reads anything; the fast
lane takes only what is plain, and hands everything else to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.errors import InputError
from placeproof.files import places, positions, tracks
from placeproof.files.decoding import refusals_explained, refuse_empty
from placeproof.files.feed import QUARANTINE_SCHEMA, FeedSpec, Surroundings
from placeproof.files.positions import Tally
from placeproof.files.quarantine import located, parted
from placeproof.files.sheet import Sheet

PENDING = "0" * 64
"""Stands for the hash of a file that is not read to its end yet."""


@dataclass(frozen=True)
class Piece:
    """
    Some positions of one file.

    Parameters
    ----------
    device : array of int32
        Which of `device_ids`.
    at_us : array of int64
        Microseconds since 1970 UTC.
    longitude_e7, latitude_e7 : array of int32
        Degrees × 10,000,000.
    accuracy_dm, speed_cm_s : array of int32
        -1: not known.
    device_ids : list of str
        Devices of the piece.
    rows_in : int
        Records that the piece was made from.
    quarantine : DataFrame
        `QUARANTINE_SCHEMA`; `source_sha256` is `PENDING`.
    rows_quarantined : int
        Records among them.
    remarks : dict
        Code of a remark to the rows that it touches.
    tally : Tally
        What speaks for a mistaken system.
    bytes_done : int
        Bytes of the file that have been read.
    """

    device: NDArray[np.int32]
    at_us: NDArray[np.int64]
    longitude_e7: NDArray[np.int32]
    latitude_e7: NDArray[np.int32]
    accuracy_dm: NDArray[np.int32]
    speed_cm_s: NDArray[np.int32]
    device_ids: list[str]
    rows_in: int
    quarantine: pl.DataFrame
    rows_quarantined: int
    remarks: dict[str, int]
    tally: Tally
    bytes_done: int = 0


@dataclass
class Facts:
    """What is known of a file once it has been read to its end."""

    sha256: str = ""
    bytes: int = 0
    encoding: str | None = None
    separator: str | None = None
    remarks: list[str] = field(default_factory=list)


def pieces(
    spec: FeedSpec,
    path: Path,
    surroundings: Surroundings,
    facts: Facts,
    groups: tuple[int, int] | None = None,
) -> Iterator[Piece]:
    """
    Read one file of positions.

    Parameters
    ----------
    spec : FeedSpec
        How its columns map.
    path : Path
        CSV, text, gz, Parquet, GPX or a workbook.
    surroundings : Surroundings
        Positions after the cut-off are not kept.
    facts : Facts
        Filled when the last piece has been taken.
    groups : tuple of int and int, optional
        The first row group of a Parquet file, and the one past the last; else all are read.

    Raises
    ------
    InputError
        If the file cannot be read, changes while it is read, or a choice is open.
    """
    shown = spec.shown(path)
    before = state(path, shown)
    try:
        yield from _of_file(spec, path, surroundings, facts, groups)
    except OSError as error:
        raise InputError(
            f"{shown} cannot be read: {error.strerror or error}.",
            mend="Close it in other programs, and check the disk that it lies on.",
        ) from None
    refuse_change(path, shown, (facts.bytes, before[1]))


def _of_file(
    spec: FeedSpec,
    path: Path,
    surroundings: Surroundings,
    facts: Facts,
    groups: tuple[int, int] | None,
) -> Iterator[Piece]:
    if _is_whole(spec, path):
        yield _whole(spec, path, surroundings, facts)
    elif _begins(path) == b"PAR1":
        from placeproof.files import position_parquet

        yield from position_parquet.pieces(spec, path, surroundings, facts, groups)
    else:
        from placeproof.files import position_lines

        yield from position_lines.pieces(spec, path, surroundings, facts)


def is_parquet(spec: FeedSpec, path: Path) -> bool:
    """
    Whether a file is read as Parquet.

    Parameters
    ----------
    spec : FeedSpec
        Its feed.
    path : Path
        The file.
    """
    try:
        return not _is_whole(spec, path) and _begins(path) == b"PAR1"
    except OSError:
        return False


def _is_whole(spec: FeedSpec, path: Path) -> bool:
    endings = (".gpx", ".gpx.gz", ".xlsx", ".xlsm", ".xls", ".ods")
    return path.name.lower().endswith(endings) or spec.format == "gpx"


def refuse_change(path: Path, shown: str, before: tuple[int, int]) -> None:
    """
    Refuse a file that is no longer what it was.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        Its name for messages.
    before : tuple of int and int
        What `state` gave before it was read.

    Raises
    ------
    InputError
        If its size or time has changed.
    """
    after = state(path, shown)
    if before != after:
        raise InputError(
            f"{shown} changed while it was being read: {before[0]:,} bytes became {after[0]:,}.",
            mend="Wait until its export has ended, then start again.",
        )


def state(path: Path, shown: str) -> tuple[int, int]:
    """
    Size and time of a file.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        If it is not there, is a folder, cannot be looked at or is empty.
    """
    with refusals_explained(shown, missing="Check the name."):
        if path.is_dir():
            raise IsADirectoryError
        stat = path.stat()
    refuse_empty(stat.st_size, shown)
    return stat.st_size, stat.st_mtime_ns


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _whole(spec: FeedSpec, path: Path, surroundings: Surroundings, facts: Facts) -> Piece:
    """Files that are small by nature: one track, one sheet of a workbook."""
    sheet = tracks.sheet(spec, path)
    spec = positions.with_gpx_columns(spec, [sheet])
    found = positions.judged(spec, [sheet], surroundings, where=sheet.path)
    facts.sha256, facts.bytes = sheet.sha256, sheet.bytes
    facts.encoding, facts.separator = sheet.encoding, sheet.separator
    facts.remarks += [text for _, _, text, _, _ in sheet.remarks]
    made = of_judged(spec, sheet, found)
    return replace(made, bytes_done=sheet.bytes)


def of_judged(spec: FeedSpec, sheet: Sheet, found: positions.Judged) -> Piece:
    """
    A piece of rows that went the slow way.

    Parameters
    ----------
    spec : FeedSpec
        The feed.
    sheet : Sheet
        The rows as text.
    found : Judged
        What was made of them.
    """
    every = located(spec, found.broken, [sheet]).with_columns(source_sha256=pl.lit(PENDING))
    quarantine, flagged = parted(every)
    kept = found.kept
    names = kept["device_id"].unique(maintain_order=True)
    codes = kept["device_id"].replace_strict(
        names, pl.int_range(len(names), dtype=pl.Int32, eager=True), return_dtype=pl.Int32
    )
    remarks = {str(rule): int(count) for rule, count in flagged.group_by("rule").len().iter_rows()}
    for said in found.said:
        rows = said["rows"]
        remarks[str(said["code"])] = rows if isinstance(rows, int) else 1
    return Piece(
        device=codes.to_numpy().astype(np.int32),
        at_us=kept["at"].dt.epoch("us").to_numpy().astype(np.int64),
        longitude_e7=e7(kept["longitude_deg"].to_numpy()),
        latitude_e7=e7(kept["latitude_deg"].to_numpy()),
        accuracy_dm=steps(kept["accuracy_m"].fill_null(np.nan).to_numpy(), 10.0),
        speed_cm_s=steps(kept["speed_m_s"].fill_null(np.nan).to_numpy(), 100.0),
        device_ids=names.to_list(),
        rows_in=sheet.rows_in,
        quarantine=quarantine.select(list(QUARANTINE_SCHEMA)),
        rows_quarantined=quarantine["source_row"].n_unique(),
        remarks=remarks,
        tally=found.tally,
    )


def e7(degrees: NDArray[np.float64]) -> NDArray[np.int32]:
    """
    Degrees as whole numbers of 1e-7 degree (a centimetre), halves to the even one.

    Parameters
    ----------
    degrees : array of float
        Longitude or latitude.
    """
    return np.rint(degrees * 1e7).astype(np.int32)


def steps(values: NDArray[np.float64], per_unit: float) -> NDArray[np.int32]:
    """
    A measure as whole steps; -1 where it is not known.

    Parameters
    ----------
    values : array of float
        NaN: not known.
    per_unit : float
        Steps in one unit.
    """
    known = np.clip(np.nan_to_num(values, nan=-1.0), -1.0, 2e7)
    return np.where(known < 0, -1, np.rint(known * per_unit)).astype(np.int32)


def joined(parts: list[Piece]) -> Piece:
    """
    Parts of one piece as one.

    Parameters
    ----------
    parts : list of Piece
        At least one.
    """
    if len(parts) == 1:
        return parts[0]
    codes: dict[str, int] = {}
    device = []
    for part in parts:
        lookup = np.array(
            [codes.setdefault(name, len(codes)) for name in part.device_ids], dtype=np.int32
        )
        device.append(lookup[part.device] if len(lookup) else part.device)
    remarks: dict[str, int] = {}
    tally = Tally()
    for part in parts:
        tally += part.tally
        for code, rows in part.remarks.items():
            remarks[code] = remarks.get(code, 0) + rows
    return Piece(
        device=np.concatenate(device),
        at_us=np.concatenate([part.at_us for part in parts]),
        longitude_e7=np.concatenate([part.longitude_e7 for part in parts]),
        latitude_e7=np.concatenate([part.latitude_e7 for part in parts]),
        accuracy_dm=np.concatenate([part.accuracy_dm for part in parts]),
        speed_cm_s=np.concatenate([part.speed_cm_s for part in parts]),
        device_ids=list(codes),
        rows_in=sum(part.rows_in for part in parts),
        quarantine=pl.concat([part.quarantine for part in parts]),
        rows_quarantined=sum(part.rows_quarantined for part in parts),
        remarks=remarks,
        tally=tally,
        bytes_done=max(part.bytes_done for part in parts),
    )


def of_numbers(
    *,
    device: NDArray[np.int32],
    at_us: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    accuracy_m: NDArray[np.float64],
    speed_m_s: NDArray[np.float64],
    device_ids: list[str],
    system: str,
) -> Piece:
    """
    A piece of rows that are known to be sound.

    Parameters
    ----------
    device, at_us, device_ids
        As in `Piece`.
    x, y : array of float
        In the system.
    accuracy_m, speed_m_s : array of float
        NaN: not known.
    system : str
        "EPSG:4326" or "EPSG:27700".
    """
    turned = 0
    if system == "EPSG:27700":
        from placeproof import geometry

        x, y = geometry.to_degrees(x, y)
    else:
        west, east = places.DEGREES_LONGITUDE
        south, north = places.DEGREES_LATITUDE
        turned = int(np.count_nonzero((x >= south) & (x <= north) & (y >= west) & (y <= east)))
    return Piece(
        device=device,
        at_us=at_us,
        longitude_e7=e7(x),
        latitude_e7=e7(y),
        accuracy_dm=steps(accuracy_m, 10.0),
        speed_cm_s=steps(speed_m_s, 100.0),
        device_ids=device_ids,
        rows_in=len(device),
        quarantine=pl.DataFrame(schema=QUARANTINE_SCHEMA),
        rows_quarantined=0,
        remarks={},
        tally=Tally(located=len(device), turned=turned),
    )


def bounds_of(system: str) -> NDArray[np.float64]:
    """
    Where a position can lie: x, y, and what one of the two must exceed.

    Parameters
    ----------
    system : str
        "EPSG:4326" or "EPSG:27700".
    """
    if system == "EPSG:4326":
        return np.array([-180.0, 180.0, -90.0, 90.0, 0.0])
    return np.array([*places.METRES_EASTING, *places.METRES_NORTHING, 1000.0])


def last_us(surroundings: Surroundings) -> int:
    """
    The moment after which positions may be beyond the cut-off and are looked at one by one.

    Parameters
    ----------
    surroundings : Surroundings
        With the cut-off.
    """
    days = surroundings.cut_off.toordinal() - 719_163  # 1 January 1970
    return days * 86_400_000_000
