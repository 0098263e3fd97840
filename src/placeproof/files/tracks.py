"""Files of positions as rows: GPX, text without headers or with blanks between fields."""

import re
import xml.etree.ElementTree as ElementTree
import xml.parsers.expat
from dataclasses import replace
from pathlib import Path

import polars as pl

from placeproof.errors import InputError
from placeproof.files import decoding, sheets
from placeproof.files.feed import FeedSpec
from placeproof.files.sheet import STRUCTURE_SCHEMA, Sheet

FILE_NAME = "file name"
"""Header that stands for the name of the file, for sources with one file per device."""

GPX_COLUMNS = {
    "device_id": FILE_NAME,
    "at": "time",
    "longitude_deg": "lon",
    "latitude_deg": "lat",
    "speed_m_s": "speed",
}
"""How the columns of a GPX file map where nothing else is said."""

_BY_POSITION = re.compile(r"^column \d+$")


def sheet(spec: FeedSpec, path: Path) -> Sheet:
    """
    Read one file of positions as rows.

    Parameters
    ----------
    spec : FeedSpec
        `separator = "blanks"` stands for any run of blanks; columns named "column 1", "column 2"
        say that the file has no header; "file name" is the name of the file as a column.
    path : Path
        CSV, text, gz, XLSX, Parquet or GPX.

    Returns
    -------
    Sheet
        Rows numbered as in the file. A point of a GPX file has the row number n + 1, as if the
        header were row 1; in a file without a header the first line is row 1.

    Raises
    ------
    InputError
        As `sheets.sheet`; if a GPX file is not whole or declares a document type.
    """
    shown = spec.shown(path)
    name = path.name.lower()
    if spec.format == "gpx" or name.endswith((".gpx", ".gpx.gz")):
        read = _gpx(decoding.file_bytes(path, shown=shown), shown=shown)
    elif spec.separator == "blanks" or without_header(spec):
        read = _plain(spec, decoding.file_bytes(path, shown=shown), shown=shown)
    else:
        read = sheets.sheet(
            path, shown=shown, encoding=spec.encoding, separator=spec.separator, tab=spec.sheet
        )
    stem = path.name.split(".")[0]
    if FILE_NAME in read.headers:
        return read
    rows = read.rows.with_columns(pl.lit(stem).alias(FILE_NAME))
    return replace(read, rows=rows, headers=(*read.headers, FILE_NAME))


def without_header(spec: FeedSpec) -> bool:
    """
    Whether the columns of a feed are named by their place, so that the file has no header.

    Parameters
    ----------
    spec : FeedSpec
        The feed.
    """
    named = [head for head in spec.columns.values() if head != FILE_NAME]
    return bool(named) and all(_BY_POSITION.match(head) for head in named)


def _plain(spec: FeedSpec, raw: bytes, *, shown: str) -> Sheet:
    """Text whose fields stand apart by blanks, or that has no header, brought to the usual form."""
    content = decoding.unpacked(raw, shown=shown)
    if raw.startswith(b"PAR1") or content.startswith(b"PK\x03\x04"):
        raise InputError(
            f'{shown} is a table with headers; separator and "column 1" are for text.',
            mend="Name its columns by their headers.",
        )
    plain = decoding.decoded(content, encoding=spec.encoding, shown=shown)
    text, mark = plain.text, spec.separator
    if mark == "blanks":
        text, mark = re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", text)), "tab"
    bare = without_header(spec)
    if bare:
        mark = decoding.separator_of(text, separator=mark, shown=shown)
        first = next((line for line in text.split(b"\n") if line.strip()), b"")
        width = first.count(mark.encode()) + 1
        head = mark.join(f"column {place}" for place in range(1, width + 1))
        text = head.encode() + b"\n" + text
    read = sheets.text_sheet(text, shown=shown, encoding="utf-8", separator=mark)
    up = pl.col("source_row") - 1 if bare else pl.col("source_row")
    return replace(
        read,
        sha256=decoding.sha256(raw),
        bytes=len(raw),
        rows=read.rows.with_columns(up),
        broken=read.broken.with_columns(up),
        encoding=plain.encoding,
        separator="blanks" if spec.separator == "blanks" else read.separator,
    )


def _gpx(raw: bytes, *, shown: str) -> Sheet:
    content = decoding.unpacked(raw, shown=shown)
    _refuse_document_type(content, shown)
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError) as failure:
        raise InputError(
            f"{shown} is not whole XML: {failure}.", mend="Export it again; it may be cut off."
        ) from None
    if _tag(root) != "gpx":
        raise InputError(
            f"{shown} is XML but not GPX: it begins with <{_tag(root)[:40]}>.",
            mend="Export the track as GPX.",
        )
    points = [point for point in root.iter() if _tag(point) in ("trkpt", "wpt", "rtept")]
    if not points:
        raise InputError(f"{shown} has no points.", mend="Export the track again.")
    names = {
        point: (track.findtext("{*}name") or "").strip() or None
        for track in root.iter()
        if _tag(track) in ("trk", "rte")
        for point in track.iter()
    }
    rows = pl.DataFrame(
        [[_at(point, field) for field in _FIELDS] + [names.get(point)] for point in points],
        schema=dict.fromkeys((*_FIELDS, "track"), pl.String),
        orient="row",
    )
    numbers = pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("source_row")
    return Sheet(
        path=shown,
        sha256=decoding.sha256(raw),
        bytes=len(raw),
        rows=rows.select(numbers, pl.all()),
        broken=pl.DataFrame(schema=STRUCTURE_SCHEMA),
        rows_in=len(points),
        headers=(*_FIELDS, "track"),
    )


_FIELDS = ("lat", "lon", "time", "ele", "speed", "hdop")


def _at(point: ElementTree.Element, field: str) -> str | None:
    if field in ("lat", "lon"):
        return (point.get(field) or "").strip() or None
    own = point.findtext(f"{{*}}{field}")
    if own is None:  # speed stands in an extension in most files
        own = next((inner.text for inner in point.iter() if _tag(inner) == field), None)
    return (own or "").strip() or None


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _refuse_document_type(content: bytes, shown: str) -> None:
    """Entities can make a small file fill the memory; GPX needs none, so none are read."""

    def refuse(*_: object) -> None:
        raise InputError(
            f"{shown} declares a document type or entities, which a GPX file has no need of.",
            mend="Export the track again with another program.",
        )

    parser = xml.parsers.expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (xml.parsers.expat.ExpatError, LookupError, ValueError) as failure:
        raise InputError(
            f"{shown} is not whole XML: {failure}.", mend="Export it again; it may be cut off."
        ) from None
