"""Reads the street files of a data.police.uk archive, quickly where they are whole."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from placeproof.errors import InputError
from placeproof.files import archives, decoding, places, sheets
from placeproof.files.feed import FeedSpec, stacked
from placeproof.files.police_uk_months import Monthly
from placeproof.files.quarantine import FAULT_SCHEMA, faults, without_quarantined
from placeproof.files.sheet import STRUCTURE_SCHEMA, Sheet

COLUMNS = {
    "Crime ID": "crime_id",
    "Month": "month_text",
    "Longitude": "longitude_deg",
    "Latitude": "latitude_deg",
    "LSOA code": "lsoa_code",
    "Crime type": "crime_type",
    "Last outcome category": "last_outcome",
}
SOURCE = {ours: theirs for theirs, ours in COLUMNS.items()}

_DERIVED = [
    pl.col("month_text").str.to_date("%Y-%m", strict=False).alias("month"),
    places.step("longitude_deg", "latitude_deg").alias("point"),
]


def street_rows(
    spec: FeedSpec, street: list[Monthly]
) -> tuple[list[Sheet], pl.DataFrame, pl.DataFrame]:
    """
    Read all street files; a file that is not quite right is read slowly and its faults named.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    street : list of Monthly
        Its street files.

    Returns
    -------
    files : list of Sheet
        In the same order.
    rows : DataFrame
        `file`, `source_row`, `source_sha256`, the columns of `COLUMNS`, `month` (null: no month)
        and `point` (see `places.step`).
    broken : DataFrame
        `FAULT_SCHEMA`.
    """
    with ThreadPoolExecutor(2) as pool:  # hashing and inflating let go of the interpreter
        sources = list(pool.map(lambda file: _source(file.member), street))
        hashing = [pool.submit(_hashed, *pair) for pair in zip(street, sources, strict=True)]
        try:
            quick = [_quick(source, place) for place, source in enumerate(sources)]
            parts: list[pl.DataFrame | None] = list(pl.collect_all(quick))
        except pl.exceptions.PolarsError:
            parts = [None] * len(sources)
        opened = [later.result() for later in hashing]
    files, typed, broken = [], [], []
    for place, (file, source, part) in enumerate(zip(street, opened, parts, strict=True)):
        if part is None or not source.ends_whole or _has_blanks(part):
            slow = _slow(spec, file.member, place)
            files.append(slow[0])
            typed.append(slow[1])
            broken.append(slow[2])
            continue
        typed.append(part)
        files.append(
            Sheet(
                path=file.member.shown,
                sha256=source.sha256,
                bytes=source.bytes,
                rows=pl.DataFrame(),
                broken=pl.DataFrame(schema=STRUCTURE_SCHEMA),
                rows_in=part.height,
                encoding="utf-8",
                separator=",",
                archive_sha256=file.member.archive_sha256,
            )
        )
    rows = pl.concat(
        part.with_columns(source_sha256=pl.lit(sheet.sha256))
        for part, sheet in zip(typed, files, strict=True)
    )
    return files, rows, stacked(broken, FAULT_SCHEMA)


@dataclass(frozen=True)
class _Hashed:
    """What is known of a file beside its rows."""

    sha256: str
    bytes: int
    ends_whole: bool


def _source(member: archives.Member) -> bytes | Path:
    """A file on disk is scanned as it lies; one in a zip by its bytes."""
    return member.content() if member.path is None else member.path


def _hashed(file: Monthly, source: bytes | Path) -> _Hashed:
    if isinstance(source, bytes):
        return _Hashed(decoding.sha256(source), len(source), source.endswith(b"\n"))
    hashed, size = decoding.file_sha256(source, shown=file.member.shown)
    with source.open("rb") as opened:
        opened.seek(-1, 2)
        return _Hashed(hashed, size, opened.read(1) == b"\n")


def _has_blanks(part: pl.DataFrame) -> bool:
    """Whether a line may be short: these two columns are never blank in a whole line."""
    return bool(part["crime_type"].null_count() or part["month_text"].null_count())


def _quick(source: bytes | Path, place: int) -> pl.LazyFrame:
    """A scan that fails, rather than guesses, where a file is not as data.police.uk writes it."""
    numbers = {SOURCE["longitude_deg"]: pl.Float64, SOURCE["latitude_deg"]: pl.Float64}
    return (
        pl.scan_csv(
            source,
            infer_schema=False,
            schema_overrides=numbers,
            row_index_name="source_row",
            row_index_offset=2,
        )
        .select(
            pl.lit(place, dtype=pl.Int32).alias("file"),
            pl.col("source_row").cast(pl.Int64),
            *(pl.col(theirs).alias(ours) for theirs, ours in COLUMNS.items()),
        )
        .with_columns(_DERIVED)
    )


def _slow(
    spec: FeedSpec, member: archives.Member, place: int
) -> tuple[Sheet, pl.DataFrame, pl.DataFrame]:
    sheet = sheets.text_sheet(
        member.content(), shown=member.shown, encoding=spec.encoding, separator=","
    )
    if absent := [name for name in COLUMNS if name not in sheet.headers]:
        raise InputError(
            f'{member.shown} has no column "{absent[0]}".',
            mend="Use the file as data.police.uk delivers it.",
        )
    rows = sheet.rows.select(
        pl.lit(place, dtype=pl.Int32).alias("file"),
        "source_row",
        *(pl.col(theirs).str.strip_chars().alias(ours) for theirs, ours in COLUMNS.items()),
    )
    degrees = ("longitude_deg", "latitude_deg")
    texts = [
        faults(
            rows,
            pl.col(name).is_not_null() & pl.col(name).cast(pl.Float64, strict=False).is_null(),
            rule="text-in-number",
            column=SOURCE[name],
            found=pl.col(name),
            expected="degrees, as -1.132",
            mend="Use the file as data.police.uk delivers it.",
        )
        for name in degrees
    ]
    blank = [
        faults(
            rows,
            pl.col(name).is_null(),
            rule="blank value",
            column=SOURCE[name],
            found=None,
            expected="a value: this column is never blank",
            mend="Use the file as data.police.uk delivers it.",
        )
        for name in ("month_text", "crime_type")
    ]
    damaged = sheet.broken.with_columns(file=pl.lit(place), kept=pl.lit(False))
    broken = stacked([damaged, *texts, *blank], FAULT_SCHEMA)
    typed = rows.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in degrees)
    typed = typed.with_columns(_DERIVED)
    archived = replace(sheet, archive_sha256=member.archive_sha256)
    return archived, without_quarantined(typed, broken), broken
