"""Rows of text to positions: any of the usual forms of time, degrees or metres, each row judged."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl

from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files import cells, moments, places, tracks
from placeproof.files.cells import header
from placeproof.files.feed import FeedSpec, Surroundings, notice, stacked
from placeproof.files.quarantine import (
    FAULT_SCHEMA,
    checked,
    faults,
    structural,
    without_quarantined,
)
from placeproof.files.sheet import Sheet

DEGREES = ("longitude_deg", "latitude_deg")
METRES = ("easting_m", "northing_m")
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
_OTHER = ("accuracy_m", "speed_m_s")
_MEND = "None is needed if the device had no fix; else correct the source."


@dataclasses.dataclass(frozen=True)
class Tally:
    """How many positions there are, and how many look like another system than the declared."""

    located: int = 0
    metres: int = 0
    degrees: int = 0
    turned: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Tally(*(one + two for one, two in pairs))


@dataclasses.dataclass(frozen=True)
class Judged:
    """
    Rows of positions, each kept or with its fault.

    Parameters
    ----------
    rows : DataFrame
        Every row with the columns of table ping and `file`; null where a text did not fit.
    kept : DataFrame
        Those of them that meet the contract.
    broken : DataFrame
        `FAULT_SCHEMA`.
    said : list
        Notices.
    tally : Tally
        By which positions in a mistaken system are told, in the end.
    """

    rows: pl.DataFrame
    kept: pl.DataFrame
    broken: pl.DataFrame
    said: list[dict[str, object]]
    tally: Tally


def judged(
    spec: FeedSpec,
    read_in: Sequence[Sheet],
    surroundings: Surroundings,
    *,
    where: str,
    written: moments.Form | None = None,
) -> Judged:
    """
    Give rows of text their types, and name what is wrong with each.

    Parameters
    ----------
    spec : FeedSpec
        As for `read`.
    read_in : sequence of Sheet
        Whole files, or any of their rows.
    surroundings : Surroundings
        As for `read`.
    where : str
        The files, for messages.
    written : Form or None
        How times are written, where that was settled on other rows of the same files.

    Returns
    -------
    Judged
        Nothing is refused for its share of mistaken positions: `refuse_wrong_system` does that,
        once all rows have been seen.

    Raises
    ------
    InputError
        If a mapped column is absent, or the form or zone of times is open.
    """
    pair = position_pair(spec)
    texts = pl.concat([_mapped(spec, place, sheet) for place, sheet in enumerate(read_in)])
    times = _times(spec, texts, where, written)
    points, tally = _points(spec, texts, pair)
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
    every = stacked(broken, FAULT_SCHEMA)
    kept = without_quarantined(rows, every)
    return Judged(rows, kept, every, [*times.said, *points.said], tally)


def with_gpx_columns(spec: FeedSpec, read_in: Sequence[Sheet]) -> FeedSpec:
    """
    The feed with the columns of GPX, where all of its files are GPX and none is mapped.

    Parameters
    ----------
    spec : FeedSpec
        The feed.
    read_in : sequence of Sheet
        Its files.
    """
    is_gpx = all({"lat", "lon", "time", "hdop"} <= set(sheet.headers) for sheet in read_in)
    if spec.columns or not is_gpx:
        return spec
    return dataclasses.replace(spec, columns=tracks.GPX_COLUMNS)


def position_pair(spec: FeedSpec) -> tuple[str, str]:
    """
    The two columns that hold the position.

    Parameters
    ----------
    spec : FeedSpec
        The feed.

    Raises
    ------
    InputError
        If device, time or position are mapped to no column.
    """
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


def _times(
    spec: FeedSpec, texts: pl.DataFrame, where: str, written: moments.Form | None
) -> cells.Typed:
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
    form = written or moments.form(
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


def position_system(spec: FeedSpec) -> str:
    """
    The coordinate system of a feed of positions.

    Parameters
    ----------
    spec : FeedSpec
        The feed; `crs` None: degrees are WGS84, metres the British National Grid.

    Raises
    ------
    SettingsError
        If it is neither of the two.
    """
    given = spec.crs or ("EPSG:4326" if position_pair(spec) == DEGREES else "EPSG:27700")
    if given.upper() not in ("EPSG:4326", "EPSG:27700"):
        raise SettingsError(
            f'[data.{spec.name}] crs = "{given}" is not supported for positions.',
            mend='Use "EPSG:27700" (metres) or "EPSG:4326" (degrees).',
        )
    return given.upper()


def _points(
    spec: FeedSpec, texts: pl.DataFrame, pair: tuple[str, str]
) -> tuple[cells.Typed, Tally]:
    """Positions in WGS84; they may lie anywhere on Earth, unless they are on the British grid."""
    system = position_system(spec)
    read = [cells.numbers(spec, texts, name) for name in pair]
    nil = pl.col("x").is_null() | pl.col("y").is_null()
    given = texts.select("file", "source_row").with_columns(
        read[0].rows[pair[0]].alias("x"), read[1].rows[pair[1]].alias("y")
    )
    zero = (pl.col("x") == 0) & (pl.col("y") == 0)
    known = given.with_columns(nowhere=nil | zero.fill_null(False))
    degrees, wrong, tally = _in_degrees(known, system)
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
    return cells.Typed(degrees, stacked(broken, FAULT_SCHEMA), []), tally


def _in_degrees(known: pl.DataFrame, system: str) -> tuple[pl.DataFrame, pl.Series, Tally]:
    """Longitude and latitude, whether a position is impossible there, and what speaks for it."""
    usable = ~pl.col("nowhere")
    fits = (
        pl.col("x").is_between(-180, 180) & pl.col("y").is_between(-90, 90)
        if system == "EPSG:4326"
        else places.metres_fit("x", "y")
    )
    judged = known.with_columns(wrong=(usable & ~fits).fill_null(False))
    point = ("x", "y")
    if system == "EPSG:27700":
        judged, point = _to_degrees(judged), ("lon", "lat")
    good = usable & ~pl.col("wrong")
    degrees = judged.select(
        "file",
        "source_row",
        *(
            pl.when(good).then(pl.col(old)).alias(new)
            for old, new in zip(point, DEGREES, strict=True)
        ),
    )
    return degrees, judged["wrong"], _tally(judged)


def _to_degrees(judged: pl.DataFrame) -> pl.DataFrame:
    from placeproof import geometry

    good = ~pl.col("nowhere") & ~pl.col("wrong")
    metres = judged.select(
        *(pl.when(good).then(pl.col(name)).fill_null(np.nan).alias(name) for name in ("x", "y"))
    )
    longitude, latitude = geometry.to_degrees(metres["x"].to_numpy(), metres["y"].to_numpy())
    return judged.with_columns(lon=pl.Series(longitude), lat=pl.Series(latitude))


def _tally(judged: pl.DataFrame) -> Tally:
    """A latitude cannot be beyond 90; and British positions are plain when turned round."""
    turned = (pl.col("y").abs() > 90) & (pl.col("x").abs() <= 90) & (pl.col("y").abs() <= 180)
    counts = judged.filter(~pl.col("nowhere")).select(
        pl.len().alias("located"),
        (places.metres_fit("x", "y") & pl.col("wrong")).sum().alias("metres"),
        (pl.col("x").is_between(-180, 180) & pl.col("y").is_between(-90, 90))
        .sum()
        .alias("degrees"),
        (places.degrees_fit("y", "x") | turned).sum().alias("turned"),
    )
    return Tally(*(int(count) for count in counts.row(0)))


def refuse_wrong_system(spec: FeedSpec, tally: Tally, where: str) -> None:
    """
    Refuse a feed of which most positions are swapped or in the wrong unit.

    Parameters
    ----------
    spec : FeedSpec
        The feed.
    tally : Tally
        Of its positions.
    where : str
        The files, for messages.

    Raises
    ------
    GeometryError
        If more than half of the positions say so.
    """
    half = tally.located / 2
    if position_system(spec) == "EPSG:27700":
        if tally.degrees > half:
            raise GeometryError(
                f"{where}: positions are degrees where metres are declared.",
                mend='Set crs = "EPSG:4326" if they are longitude and latitude.',
            )
        return
    if tally.metres > half:
        raise GeometryError(
            f"{where}: positions are metres where degrees are declared.",
            mend='Set crs = "EPSG:27700" if they are on the British National Grid.',
        )
    if tally.turned > half:
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
