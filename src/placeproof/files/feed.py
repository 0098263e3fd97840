"""What is asked of the reader, and what it gives back: rows, quarantine, receipts, notices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from placeproof.errors import ContractError

QUARANTINE_SCHEMA: dict[str, pl.DataType] = {
    "feed": pl.String(),
    "path": pl.String(),
    "source_sha256": pl.String(),
    "source_row": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
    "found": pl.String(),
    "expected": pl.String(),
    "mend": pl.String(),
}
"""One row per row of a file and rule that it broke; `found` is "" for personal columns."""

RECEIPT_SCHEMA: dict[str, pl.DataType] = {
    "feed": pl.String(),
    "table": pl.String(),
    "path": pl.String(),
    "sha256": pl.String(),
    "archive_sha256": pl.String(),
    "bytes": pl.Int64(),
    "rows_in": pl.Int64(),
    "rows_kept": pl.Int64(),
    "rows_quarantined": pl.Int64(),
    "rows_superseded": pl.Int64(),
    "rows_corrected": pl.Int64(),
    "encoding": pl.String(),
    "separator": pl.String(),
    "months": pl.String(),
}
"""One row per file that was read.

`table` names the canonical tables that its rows went to, `archive_sha256` the zip that it lay in
(null: in none), `months` the first and last month of its rows as 2019-12/2022-10 (null: no month).
"""

NOTICE_SCHEMA: dict[str, pl.DataType] = {
    "feed": pl.String(),
    "code": pl.String(),
    "severity": pl.String(),
    "message": pl.String(),
    "mend": pl.String(),
    "rows": pl.Int64(),
}
"""One row per thing to know of a feed; `rows` that it touches (null: does not apply)."""

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class FeedSpec:
    """
    One `[data.<name>]` section of `study.toml`: which files, and how their columns map.

    Parameters
    ----------
    name : str
        Name of the section.
    contract : str
        Canonical table that the rows become; "police-uk" yields crime, incident and stop_search.
    format : str
        "auto" (by the ending of the file), "police-uk", "table", "geo", "gpx" or "packed".
    paths : tuple of Path
        Files, or folders and zips for police-uk, folders for packed. None is ever changed.
    columns : mapping
        Canonical column to the header that it has in the source.
    values : mapping
        Canonical column to a mapping of source value to canonical value.
    constants : mapping
        Canonical column to the value that every row takes.
    time_format, date_format : str or None
        As for `strptime`; None only where the form of the source leaves no doubt.
    time_zone : str or None
        Zone of times that carry none: "Europe/London", "UTC".
    crs : str or None
        "EPSG:27700" or "EPSG:4326".
    encoding, separator, sheet : str or None
        None: detected where there is no doubt, and stated on the receipt.
    extract_date : str or None
        A date (2024-05-31), or a pattern with one group that finds it in the name of the file.
    offences : Path or None
        Table of offence codes with the boolean columns of the contract.
    default_locations : Path or None
        Table `name, easting_m, northing_m, radius_m` of points that stand for "not known".
    corrections : tuple of Path
        Tables of rows that people mended.
    root : Path or None
        Folder that paths on receipts are relative to; None: paths stand as they were given.
    """

    name: str
    contract: str
    format: str
    paths: tuple[Path, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, object] = field(default_factory=dict)
    time_format: str | None = None
    date_format: str | None = None
    time_zone: str | None = None
    crs: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    extract_date: str | None = None
    offences: Path | None = None
    default_locations: Path | None = None
    corrections: tuple[Path, ...] = ()
    root: Path | None = None

    def shown(self, path: Path) -> str:
        """
        The name of a file as receipts and messages print it, with / on every system.

        Of a file outside the study the last part: no path of a machine gets into a result.
        """
        if self.root is None:
            return path.as_posix()
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        whole, root = path.resolve(), self.root.resolve()
        return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path.name


@dataclass(frozen=True)
class Surroundings:
    """
    Where and when a study takes place, so that rows outside it can be told.

    Parameters
    ----------
    area_wkb : bytes or None
        Outline of the force as WKB, metres on the British National Grid; None: not known.
    start : date
        First day of the study.
    cut_off : date
        Last day of the study: rows dated later have not happened yet.
    """

    area_wkb: bytes | None
    start: date
    cut_off: date


@dataclass(frozen=True)
class FeedResult:
    """
    What came of reading one feed.

    Parameters
    ----------
    tables : dict
        Canonical name to rows that meet the contract.
    quarantine : DataFrame
        `QUARANTINE_SCHEMA`: rows left out, one line per rule broken, so a row may stand twice.
    receipts : DataFrame
        `RECEIPT_SCHEMA`: one row per file; rows in = kept + quarantined + superseded on each.
    notices : DataFrame
        `NOTICE_SCHEMA`.
    flagged : DataFrame
        `QUARANTINE_SCHEMA`: rows that are *kept* with a doubt, superseded versions and corrections.
    """

    tables: dict[str, pl.DataFrame]
    quarantine: pl.DataFrame
    receipts: pl.DataFrame
    notices: pl.DataFrame
    flagged: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=QUARANTINE_SCHEMA))

    def __post_init__(self) -> None:
        for receipt in self.receipts.iter_rows(named=True):
            out = sum(receipt[f"rows_{part}"] for part in ("kept", "quarantined", "superseded"))
            if receipt["rows_in"] != out:
                raise ContractError(
                    f"{receipt['path']}: {receipt['rows_in']} rows went in and {out} came out.",
                    mend="This is a fault of Placeproof: please report it with the file's form.",
                )


def notice(
    feed: str, code: str, severity: str, message: str, *, mend: str = "", rows: int | None = None
) -> dict[str, object]:
    """
    One notice about a feed, as a row for `notices`.

    Parameters
    ----------
    feed : str
        Name of the feed.
    code : str
        Short name of what happened, the same in every study.
    severity : str
        "error" (the result is wrong until mended), "warning" or "note".
    message : str
        What was found and where, in a sentence that needs no other.
    mend : str
        What to do, as one sentence; "" where nothing need be done.
    rows : int or None
        Rows that it touches.
    """
    if severity not in SEVERITIES:
        raise ValueError(f"no severity {severity}")
    return {
        "feed": feed,
        "code": code,
        "severity": severity,
        "message": message,
        "mend": mend,
        "rows": rows,
    }


def notices(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """
    The notices of a feed as a frame, errors first, in the order in which they are worth mending.

    Parameters
    ----------
    rows : sequence of mappings
        What `notice` made.
    """
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    ranked = sorted(rows, key=lambda row: order[str(row["severity"])])
    return pl.DataFrame(ranked, schema=NOTICE_SCHEMA)


def receipts(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """
    The receipts of a feed as a frame, sorted by path.

    Parameters
    ----------
    rows : sequence of mappings
        Columns of `RECEIPT_SCHEMA`; absent counts are 0, other absent columns null.
    """
    counts = [name for name in RECEIPT_SCHEMA if name.startswith("rows_")]
    filled = [{**dict.fromkeys(counts, 0), **row} for row in rows]
    whole = [{name: row.get(name) for name in RECEIPT_SCHEMA} for row in filled]
    return pl.DataFrame(whole, schema=RECEIPT_SCHEMA).sort("path", "table")


def stacked(frames: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """
    Frames of one schema under each other; no frames make an empty one.

    Parameters
    ----------
    frames : iterable of DataFrame
        Each with at least the columns of `schema`.
    schema : mapping
        Columns and types of the result, in order.
    """
    casted = [
        frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items()) for frame in frames
    ]
    return pl.concat([pl.DataFrame(schema=dict(schema)), *casted])


def combined(results: Sequence[FeedResult]) -> FeedResult:
    """
    Several results as one: tables of the same name under each other.

    Parameters
    ----------
    results : sequence of FeedResult
        In the order in which their rows should stand.
    """
    names = list(dict.fromkeys(name for result in results for name in result.tables))
    tables = {
        name: pl.concat([result.tables[name] for result in results if name in result.tables])
        for name in names
    }
    return FeedResult(
        tables=tables,
        quarantine=stacked((result.quarantine for result in results), QUARANTINE_SCHEMA),
        receipts=stacked((result.receipts for result in results), RECEIPT_SCHEMA).sort(
            "path", "table"
        ),
        notices=notices(
            [row for result in results for row in result.notices.iter_rows(named=True)]
        ),
        flagged=stacked((result.flagged for result in results), QUARANTINE_SCHEMA),
    )
