"""Reads positions of devices: any columns, any of the usual forms of time, degrees or metres."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl

from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files import cells, moments, places, tracks
from placeproof.files.cells import header
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings, notice, notices, stacked
from placeproof.files.quarantine import (
    FAULT_SCHEMA,
    checked,
    counted,
    faults,
    located,
    parted,
    structural,
    told,
    without_quarantined,
)
from placeproof.files.sheet import Sheet
from placeproof.tables import Ping

DEGREES = ("longitude_deg", "latitude_deg")
METRES = ("easting_m", "northing_m")
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
_OTHER = ("accuracy_m", "speed_m_s")
_MEND = "None is needed if the device had no fix; else correct the source."


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
    spec = _with_gpx_columns(spec, read_in)
    pair = _pair(spec)
    texts = pl.concat([_mapped(spec, place, sheet) for place, sheet in enumerate(read_in)])
    where = read_in[0].path if len(read_in) == 1 else f"[data.{spec.name}]"
    times = _times(spec, texts, where)
    points = _points(spec, texts, pair, surroundings, where)
    others = [_measure(spec, texts, name) for name in _OTHER]
    device = (
        pl.lit(str(spec.constants["device_id"]))
        if "device_id" in spec.constants
        else (pl.col("device_id").str.strip_chars())
    )
    rows = texts.select("file", "source_row", device.alias("device_id")).with_columns(
        times.rows["at"],
        *(points.rows[name] for name in DEGREES),
        *(one.rows[name] for one, name in zip(others, _OTHER, strict=True)),
    )
    hashes = pl.Series([sheet.sha256 for sheet in read_in])
    rows = rows.with_columns(
        pl.when(pl.col("device_id") != "").then(pl.col("device_id")).alias("device_id"),
        source_sha256=hashes.gather(rows["file"]),
    )
    broken = [structural(read_in), times.broken, points.broken, *(one.broken for one in others)]
    broken.append(_late(spec, rows, surroundings))
    fit = without_quarantined(rows, stacked(broken, FAULT_SCHEMA))
    broken.append(checked(fit, "ping", dict(spec.columns)))
    kept = without_quarantined(fit, stacked(broken, FAULT_SCHEMA))
    silent = rows["device_id"].drop_nulls().n_unique() - kept["device_id"].n_unique()
    said = [*times.said, *points.said, *_said_of(spec, read_in, kept, surroundings)]
    if silent:
        text = f"{silent} devices have not one position that could be kept."
        said.append(notice(spec.name, "silent-devices", "warning", text, rows=silent))
    return _result(spec, read_in, kept, stacked(broken, FAULT_SCHEMA), said)


def _refuse_equal_files(read_in: Sequence[Sheet]) -> None:
    first: dict[str, str] = {}
    for sheet in read_in:
        if sheet.sha256 in first:
            raise InputError(
                f"{first[sheet.sha256]} and {sheet.path} are the same file under two names.",
                mend="Remove one of them: each position would be read twice.",
            )
        first[sheet.sha256] = sheet.path


def _with_gpx_columns(spec: FeedSpec, read_in: Sequence[Sheet]) -> FeedSpec:
    is_gpx = all({"lat", "lon", "time", "hdop"} <= set(sheet.headers) for sheet in read_in)
    if spec.columns or not is_gpx:
        return spec
    return dataclasses.replace(spec, columns=tracks.GPX_COLUMNS)


def _pair(spec: FeedSpec) -> tuple[str, str]:
    given = {*spec.columns, *spec.constants}
    for name in ("device_id", "at"):
        if name not in given:
            raise InputError(
                f"[data.{spec.name}] does not say which column is {name}.",
                mend=f"Map it in [data.{spec.name}.columns]; `placeproof map` proposes how.",
            )
    for pair in (DEGREES, METRES):
        if set(pair) <= set(spec.columns):
            return pair
    raise InputError(
        f"[data.{spec.name}] does not say which columns hold the position.",
        mend="Map longitude_deg and latitude_deg, or easting_m and northing_m.",
    )


def _mapped(spec: FeedSpec, place: int, sheet: Sheet) -> pl.DataFrame:
    absent = [head for head in spec.columns.values() if head not in sheet.headers]
    if absent:
        raise InputError(
            f"{sheet.path} has no column {', '.join(absent)}; it has {', '.join(sheet.headers)}.",
            mend=f"Correct the names in [data.{spec.name}.columns].",
        )
    return sheet.rows.select(
        pl.lit(place, dtype=pl.Int32).alias("file"),
        "source_row",
        *(_as_text(sheet.rows[head], name) for name, head in spec.columns.items()),
    )


def _as_text(values: pl.Series, name: str) -> pl.Series:
    """Typed columns (Parquet) as text that means the same, so that one way leads to the table."""
    if isinstance(values.dtype, pl.Datetime):
        zone = values.dtype.time_zone
        in_utc = values.dt.convert_time_zone("UTC") if zone else values
        return in_utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if zone else "")).alias(name)
    return values.cast(pl.String, strict=False).alias(name)


def _times(spec: FeedSpec, texts: pl.DataFrame, where: str) -> cells.Typed:
    if "at" not in spec.columns:
        raise SettingsError(
            f"[data.{spec.name}.constants] gives one time for every position.",
            mend=f"Map the column of times in [data.{spec.name}.columns].",
        )
    text = texts["at"].str.strip_chars()
    column = f'{where}, column "{header(spec, "at")}"'
    mapped = texts.select("file", "source_row", at=pl.when(text != "").then(text))
    if spec.time_format in _EPOCHS:
        number = pl.col("at").cast(pl.Float64, strict=False)
        steps = number * _EPOCHS[spec.time_format]
        whole = pl.when(steps.abs() < 2**53).then(steps.round()).cast(pl.Int64)
        read = mapped.select(pl.from_epoch(whole, time_unit="us").dt.replace_time_zone("UTC"))
        return _times_found(spec, mapped, read.to_series(), 0)
    if (spec.time_format or "").endswith(("z", "Z")):
        zoned_at = mapped["at"].str.to_datetime(
            spec.time_format, strict=False, time_zone="UTC", time_unit="us"
        )
        return _times_found(spec, mapped, zoned_at, 0)
    _refuse_bare_numbers(mapped["at"], column)
    form = moments.form(
        mapped["at"], asked=spec.time_format, setting="time_format", where=column, serial=False
    )
    at, zoned = moments.local(pl.col("at"), form)
    local = mapped.select(at.alias("at"), zoned.fill_null(False).alias("zoned"))
    utc = moments.in_utc(local, time_zone=spec.time_zone, where=column)
    return _times_found(spec, mapped, utc["at"], int(utc["twice"].sum()))


def _refuse_bare_numbers(text: pl.Series, column: str) -> None:
    if text.drop_nulls().str.contains(r"^\d{9,14}(\.\d+)?$").any():
        raise InputError(
            f"{column}: times are bare numbers.",
            mend='Set time_format = "epoch_s" (seconds since 1970) or "epoch_ms" (milliseconds).',
        )


def _times_found(spec: FeedSpec, mapped: pl.DataFrame, at: pl.Series, twice: int) -> cells.Typed:
    rows = mapped.select("file", "source_row").with_columns(at.alias("at"))
    broken = faults(
        mapped.with_columns(read=at),
        pl.col("at").is_not_null() & pl.col("read").is_null(),
        rule="wrong-date",
        column=header(spec, "at"),
        found=pl.col("at"),
        expected="a time that exists and that clocks showed, in the form of the others",
        mend="Correct the source, or set time_format and time_zone.",
    )
    if not twice:
        return cells.Typed(rows, broken, [])
    text = (
        f'Column "{header(spec, "at")}": {twice} times stand in the hour that October repeats; the '
        "first of the two hours (summer time) was taken, so half of them may be an hour late."
    )
    mend = "Export times in UTC."
    return cells.Typed(
        rows, broken, [notice(spec.name, "repeated-hour", "warning", text, mend=mend, rows=twice)]
    )


def _points(
    spec: FeedSpec,
    texts: pl.DataFrame,
    pair: tuple[str, str],
    surroundings: Surroundings,
    where: str,
) -> cells.Typed:
    """Positions in WGS84; they may lie anywhere on Earth, unless they are on the British grid."""
    system = spec.crs or ("EPSG:4326" if pair == DEGREES else "EPSG:27700")
    read = [cells.numbers(spec, texts, name) for name in pair]
    nil = pl.col("x").is_null() | pl.col("y").is_null()
    given = texts.select("file", "source_row").with_columns(
        read[0].rows[pair[0]].alias("x"), read[1].rows[pair[1]].alias("y")
    )
    zero = (pl.col("x") == 0) & (pl.col("y") == 0)
    known = given.with_columns(nowhere=nil | zero.fill_null(False))
    degrees, wrong = _in_degrees(spec, known, system, surroundings, where)
    shown = header(spec, pair[0])
    hidden = None  # a position is personal
    broken = [
        *(one.broken for one in read),
        faults(
            known, pl.col("nowhere"), rule="no-point", column=shown, found=hidden,
            expected="a position; 0, 0 lies in the sea", mend=_MEND,
        ),
        faults(
            known.with_columns(wrong), pl.col("wrong"), rule="impossible-point", column=shown,
            found=hidden, expected=f"a position in {system}",
            mend="Correct the source, or set crs to the system of the positions.",
        ),
    ]  # fmt: skip
    # A text that is no number is named as that, and not as an absent position beside it.
    absent = [*broken[:2], broken[3]]
    named = pl.concat(absent).select("file", "source_row").unique()
    broken[2] = broken[2].join(named, on=["file", "source_row"], how="anti", maintain_order="left")
    return cells.Typed(degrees, stacked(broken, FAULT_SCHEMA), [])


def _in_degrees(
    spec: FeedSpec,
    known: pl.DataFrame,
    system: str,
    surroundings: Surroundings,
    where: str,
) -> tuple[pl.DataFrame, pl.Series]:
    """Longitude and latitude, and whether a position cannot be in the system."""
    usable = ~pl.col("nowhere")
    if system.upper() == "EPSG:4326":
        fits = pl.col("x").is_between(-180, 180) & pl.col("y").is_between(-90, 90)
        judged = known.with_columns(wrong=(usable & ~fits).fill_null(False))
        _refuse_metres(judged, where)
        _refuse_swapped(spec, judged, surroundings, where)
        point = ("x", "y")
    elif system.upper() == "EPSG:27700":
        fits = places.metres_fit("x", "y")
        judged = known.with_columns(wrong=(usable & ~fits).fill_null(False))
        _refuse_degrees(judged, where)
        judged = _to_degrees(judged)
        point = ("lon", "lat")
    else:
        raise SettingsError(
            f'[data.{spec.name}] crs = "{system}" is not supported for positions.',
            mend='Use "EPSG:27700" (metres) or "EPSG:4326" (degrees).',
        )
    good = usable & ~pl.col("wrong")
    degrees = judged.select(
        "file",
        "source_row",
        *(
            pl.when(good).then(pl.col(old)).alias(new)
            for old, new in zip(point, DEGREES, strict=True)
        ),
    )
    return degrees, judged["wrong"]


def _to_degrees(judged: pl.DataFrame) -> pl.DataFrame:
    from placeproof import geometry

    good = ~pl.col("nowhere") & ~pl.col("wrong")
    metres = judged.select(
        *(pl.when(good).then(pl.col(name)).fill_null(np.nan).alias(name) for name in ("x", "y"))
    )
    longitude, latitude = geometry.to_degrees(metres["x"].to_numpy(), metres["y"].to_numpy())
    return judged.with_columns(lon=pl.Series(longitude), lat=pl.Series(latitude))


def _share(judged: pl.DataFrame, which: pl.Expr) -> float:
    there = judged.filter(~pl.col("nowhere"))
    return float(there.select(which.mean()).item() or 0.0) if there.height else 0.0


def _refuse_metres(judged: pl.DataFrame, where: str) -> None:
    if _share(judged, places.metres_fit("x", "y") & pl.col("wrong")) > 0.5:
        raise GeometryError(
            f"{where}: positions are metres where degrees are declared.",
            mend='Set crs = "EPSG:27700" if they are on the British National Grid.',
        )


def _refuse_degrees(judged: pl.DataFrame, where: str) -> None:
    degrees = pl.col("x").is_between(-180, 180) & pl.col("y").is_between(-90, 90)
    if _share(judged, degrees) > 0.5:
        raise GeometryError(
            f"{where}: positions are degrees where metres are declared.",
            mend='Set crs = "EPSG:4326" if they are longitude and latitude.',
        )


def _refuse_swapped(
    spec: FeedSpec, judged: pl.DataFrame, surroundings: Surroundings, where: str
) -> None:
    """A latitude cannot be beyond 90; and British positions are plain when turned round."""
    british = places.degrees_fit("y", "x")
    turned = (pl.col("y").abs() > 90) & (pl.col("x").abs() <= 90) & (pl.col("y").abs() <= 180)
    if _share(judged, british | turned) > 0.5:
        raise GeometryError(
            f"{where}: latitude and longitude are the wrong way round.",
            mend=f"Swap the two columns in [data.{spec.name}.columns].",
        )


def _measure(spec: FeedSpec, texts: pl.DataFrame, name: str) -> cells.Typed:
    """Accuracy and speed: devices write -1 for "not known", so such a row is kept without it."""
    if name not in spec.columns:
        empty = texts.select("file", "source_row", pl.lit(None, dtype=pl.Float64).alias(name))
        return cells.Typed(empty, pl.DataFrame(schema=FAULT_SCHEMA), [])
    read = cells.numbers(spec, texts, name)
    rows = read.rows.with_columns(pl.when(pl.col(name) >= 0).then(pl.col(name)).alias(name))
    broken = faults(
        texts,
        texts[name].is_not_null() & rows[name].is_null(),  # type: ignore[arg-type]
        rule="unusable-number",
        column=header(spec, name),
        found=pl.col(name),
        expected="a number of 0 or more",
        mend="None is needed: the row is kept without it.",
        kept=True,
    )
    return cells.Typed(rows, broken, [])


def _late(spec: FeedSpec, rows: pl.DataFrame, surroundings: Surroundings) -> pl.DataFrame:
    local_day = pl.col("at").dt.convert_time_zone("Europe/London").dt.date()
    return faults(
        rows,
        local_day > surroundings.cut_off,
        rule="future-date",
        column=header(spec, "at"),
        found=local_day,
        expected=f"a time up to the cut-off, {surroundings.cut_off}",
        mend="Correct the source, or set a later cut_off in study.toml.",
    )


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
    near = pl.col(DEGREES[0]).is_between(*box[:2]) & pl.col(DEGREES[1]).is_between(*box[2:])
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
