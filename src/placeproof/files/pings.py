"""Reads positions of devices: any columns, any of the usual forms of time, degrees or metres."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from placeproof.errors import InputError
from placeproof.files import positions, tracks
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings, notice, notices
from placeproof.files.quarantine import counted, located, parted, told
from placeproof.files.sheet import Sheet
from placeproof.tables import Ping


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read files of positions into table ping.

    Parameters
    ----------
    spec : FeedSpec
        `columns` maps device_id, at, and longitude_deg with latitude_deg or easting_m with
        northing_m; accuracy_m and speed_m_s if there are any. `time_format` may be "epoch_s" or
        "epoch_ms". `crs` None: degrees are WGS84, metres are the British National Grid.
    surroundings : Surroundings
        Positions after the cut-off are not kept. Positions far from the force are: cars leave it.

    Returns
    -------
    FeedResult
        Table ping sorted by device and time. Rows without a position are in quarantine; repeats
        of one device and second are kept and noticed.

    Raises
    ------
    InputError
        If a file cannot be read, lacks a mapped column, or the form or zone of times is open.
    GeometryError
        If most positions are swapped, or degrees where metres are declared or the other way round.
    """
    read_in = [tracks.sheet(spec, path) for path in spec.paths]
    _refuse_equal_files(read_in)
    spec = positions.with_gpx_columns(spec, read_in)
    where = read_in[0].path if len(read_in) == 1 else f"[data.{spec.name}]"
    found = positions.judged(spec, read_in, surroundings, where=where)
    positions.refuse_wrong_system(spec, found.tally, where)
    rows, kept = found.rows, found.kept
    silent = rows["device_id"].drop_nulls().n_unique() - kept["device_id"].n_unique()
    said = [*found.said, *_said_of(spec, read_in, kept, surroundings)]
    if silent:
        text = f"{silent} devices have not one position that could be kept."
        said.append(notice(spec.name, "silent-devices", "warning", text, rows=silent))
    return _result(spec, read_in, kept, found.broken, said)


def _refuse_equal_files(read_in: Sequence[Sheet]) -> None:
    first: dict[str, str] = {}
    for sheet in read_in:
        if sheet.sha256 in first:
            raise InputError(
                f"{first[sheet.sha256]} and {sheet.path} are the same file under two names.",
                mend="Remove one of them: each position would be read twice.",
            )
        first[sheet.sha256] = sheet.path


def _said_of(
    spec: FeedSpec, read_in: Sequence[Sheet], kept: pl.DataFrame, surroundings: Surroundings
) -> list[dict[str, object]]:
    said = [
        notice(spec.name, code, severity, text, mend=mend, rows=rows)
        for sheet in read_in
        for code, severity, text, mend, rows in sheet.remarks
    ]
    second = kept.select("device_id", pl.col("at").dt.truncate("1s"))
    repeats = kept.height - second.n_unique()
    if repeats:
        text = (
            f"{repeats} positions repeat a device and second; they are kept, and merged in visits."
        )
        said.append(notice(spec.name, "repeated-positions", "note", text, rows=repeats))
    if kept.is_empty():
        text = f"[data.{spec.name}]: not one position could be kept."
        said.append(notice(spec.name, "nothing-kept", "error", text, mend="See the quarantine."))
    elif surroundings.area_wkb is not None and not _near_force(kept, surroundings.area_wkb):
        text = f"[data.{spec.name}]: not one position lies near the force."
        mend = "Check crs, and that the file is of this force."
        said.append(notice(spec.name, "far-from-force", "error", text, mend=mend))
    return said


def _near_force(kept: pl.DataFrame, area_wkb: bytes) -> bool:
    import shapely

    from placeproof import geometry

    west, south, east, north = shapely.from_wkb(area_wkb).bounds
    longitude, latitude = geometry.to_degrees(
        np.array([west, west, east, east]), np.array([south, north, south, north])
    )
    box = (longitude.min(), longitude.max(), latitude.min(), latitude.max())
    near = pl.col(positions.DEGREES[0]).is_between(*box[:2]) & pl.col(
        positions.DEGREES[1]
    ).is_between(*box[2:])
    return bool(kept.select(near.any()).item())


def _result(
    spec: FeedSpec,
    read_in: Sequence[Sheet],
    kept: pl.DataFrame,
    broken: pl.DataFrame,
    said: list[dict[str, object]],
) -> FeedResult:
    found = located(spec, broken, read_in)
    quarantine, flagged = parted(found)
    months = kept.select("file", month=pl.col("at").dt.date().dt.month_start())
    order = ["device_id", "at", "source_sha256", "source_row"]
    return FeedResult(
        tables={"ping": Ping.validate(kept.select(Ping.column_names()).sort(order))},
        quarantine=quarantine,
        receipts=counted(spec, read_in, table="ping", kept=months, broken=broken),
        notices=notices([*said, *told(spec, found)]),
        flagged=flagged,
    )
