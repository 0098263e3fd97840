"""One file as rows of text: every record has its row number, damaged records are named."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from placeproof.errors import InputError
from placeproof.files import decoding
from placeproof.files.sheet import EXCEL_ROWS, STRUCTURE_SCHEMA, Sheet, cut_remark, distinct_names

_BEYOND = "beyond the last column"
_EXPORT_AGAIN = "Export the file again; to keep the row, mend it in a copy of the export."


def sheet(
    path: Path,
    *,
    shown: str,
    encoding: str | None = None,
    separator: str | None = None,
    tab: str | None = None,
) -> Sheet:
    """
    Read one CSV, gz, XLSX or Parquet file as rows of text.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        Its name for receipts and messages.
    encoding, separator : str or None
        None: detected where there is no doubt.
    tab : str or None
        Which sheet of a workbook; None: the only one.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or a choice is not made that changes what is read.
    """
    raw = decoding.file_bytes(path, shown=shown)
    ending = path.suffix.lower()
    if ending in (".xlsx", ".xlsm", ".xls", ".ods"):
        from placeproof.files import workbooks

        return workbooks.sheet(raw, shown=shown, tab=tab)
    if ending == ".parquet" or raw[:4] == b"PAR1":
        return _parquet(raw, shown=shown)
    return text_sheet(raw, shown=shown, encoding=encoding, separator=separator)


def text_sheet(
    raw: bytes, *, shown: str, encoding: str | None = None, separator: str | None = None
) -> Sheet:
    """
    Read the bytes of a delimited text file, gz or not.

    Parameters
    ----------
    raw : bytes
        As they lie on disk.
    shown : str
        Name of the file for receipts and messages.
    encoding, separator : str or None
        None: detected where there is no doubt.

    Raises
    ------
    InputError
        As `sheet`.
    """
    content = decoding.unpacked(raw, shown=shown)
    if content[:4] == b"PK\x03\x04":
        raise InputError(
            f"{shown} is a zip or a workbook, not text.",
            mend="Unpack it, or give it its own ending (.xlsx).",
        )
    plain = decoding.decoded(content, encoding=encoding, shown=shown)
    mark = decoding.separator_of(plain.text, separator=separator, shown=shown)
    headers, body_at, header_lines = header_of(plain.text, mark, shown)
    read = records(plain.text[body_at:], mark, len(headers))
    # A spreadsheet counts records, so blank lines above the header push every row down.
    numbered = read.with_columns(pl.col("source_row") + header_lines + 1)
    complete = plain.text.endswith(b"\n")
    rows, broken, blank = sorted_out(numbered, headers, ends_whole=complete)
    return Sheet(
        path=shown,
        sha256=decoding.sha256(raw),
        bytes=len(raw),
        rows=rows,
        broken=broken,
        rows_in=rows.height + broken["source_row"].n_unique(),
        encoding=plain.encoding,
        separator=mark,
        remarks=_remarks(plain, shown, blank, numbered.height, broken),
        headers=headers,
    )


def header_of(text: bytes, mark: str, shown: str) -> tuple[tuple[str, ...], int, int]:
    """
    Names of the columns, where the first record after them starts, blank lines above.

    Parameters
    ----------
    text : bytes
        The beginning of a file, as UTF-8.
    mark : str
        Separator.
    shown : str
        Name of the file for messages.

    Raises
    ------
    InputError
        If there are only blank lines.
    """
    at = lines = 0
    while at < len(text) and (end := text.find(b"\n", at)) >= 0 and not text[at:end].strip():
        at, lines = end + 1, lines + 1
    end = text.find(b"\n", at)
    while end >= 0 and text[at:end].count(b'"') % 2:
        end = text.find(b"\n", end + 1)
    end = len(text) if end < 0 else end + 1
    first = text[at:end].decode("utf-8", errors="replace").rstrip("\r\n")
    if not first.strip():
        raise InputError(f"{shown} holds only blank lines.", mend="Export it again.")
    return distinct_names(_fields(first.replace("\r", " "), mark)), end, lines


def _fields(line: str, mark: str) -> list[str]:
    """Fields of one record; a record that no rule of quotes fits is one field."""
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return [line]


def records(body: bytes, mark: str, width: int) -> pl.DataFrame:
    """
    All records as text: c0…; one column more shows those with too many fields.

    Parameters
    ----------
    body : bytes
        Whole records, as UTF-8.
    mark : str
        Separator.
    width : int
        Number of columns.

    Returns
    -------
    DataFrame
        `source_row` from 1, `unclosed`, `fields` and the columns.
    """
    names = [f"c{place}" for place in range(width)] + [_BEYOND]
    schema = dict.fromkeys(names, pl.String())
    if not body:
        counted = {"source_row": pl.Int64(), "unclosed": pl.Boolean(), "fields": pl.Int64()}
        return pl.DataFrame(schema={**counted, **schema})
    # A header of our own: the real one may hold quotes and line breaks, and has no extra column.
    head = mark.join(f'"{name}"' for name in names).encode() + b"\n"
    try:
        read = _by_polars(head + body, mark, schema)
    except pl.exceptions.PolarsError:
        read = _by_line(body, mark, names)
    return read.with_row_index("source_row", offset=1).select(
        pl.col("source_row").cast(pl.Int64),
        "unclosed",
        _field_counts(body, mark, read, width),
        *names,
    )


def _by_polars(text: bytes, mark: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    read = pl.read_csv(text, separator=mark, schema=schema, truncate_ragged_lines=True)
    return read.with_columns(unclosed=pl.lit(False))


def _field_counts(body: bytes, mark: str, read: pl.DataFrame, width: int) -> pl.Series:
    """Fields of each record, counted only where the last column is blank: it may be absent."""
    doubtful = read[f"c{width - 1}"].is_null()
    if width == 1 or not doubtful.any():
        return pl.repeat(width, read.height, dtype=pl.Int64, eager=True).alias("fields")
    lines = pl.read_lines(body)["line"]
    if lines.len() == read.height:
        outside = lines.str.replace_all('"[^"]*"', "") if b'"' in body else lines
        counts = outside.str.count_matches(mark, literal=True).cast(pl.Int64) + 1
    else:  # line breaks inside quotes: only a reader that knows quotes can count
        text = io.StringIO(body.decode("utf-8", "replace"), newline="")
        try:
            records = [max(len(record), 1) for record in csv.reader(text, delimiter=mark)]
        except csv.Error:  # a field beyond that reader's limit: short records stay unseen
            records = []
        counts = pl.Series(records, dtype=pl.Int64)
    if counts.len() != read.height:
        return pl.repeat(width, read.height, dtype=pl.Int64, eager=True).alias("fields")
    return counts.alias("fields")


def _by_line(body: bytes, mark: str, names: list[str]) -> pl.DataFrame:
    """Slow, for files with broken quotes: one record per line, so one bad quote costs one line."""
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    unclosed = []
    for line in body.decode("utf-8", errors="replace").removesuffix("\n").split("\n"):
        odd = line.count('"') % 2 == 1
        text = line.replace("\r", "").replace('"', "") if odd else line.replace("\r", "")
        fields = _fields(text, mark) or [""]
        unclosed.append(odd)
        for place, name in enumerate(names):
            columns[name].append(fields[place] if place < len(fields) else None)
    schema = {**dict.fromkeys(names, pl.String()), "unclosed": pl.Boolean()}
    return pl.DataFrame({**columns, "unclosed": unclosed}, schema=schema)


def sorted_out(
    read: pl.DataFrame, headers: tuple[str, ...], *, ends_whole: bool
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """
    Rows, records that are no rows, and the number of blank lines.

    Parameters
    ----------
    read : DataFrame
        What `records` made.
    headers : tuple of str
        Names of the columns.
    ends_whole : bool
        Whether the last record has its line end.
    """
    names = [f"c{place}" for place in range(len(headers))]
    blank = pl.all_horizontal(pl.col(name).fill_null("").str.strip_chars() == "" for name in names)
    last = pl.col("source_row") == pl.col("source_row").max()
    short = pl.col("fields") < len(names)
    repeated = pl.all_horizontal(
        pl.col(name).fill_null("").str.strip_chars() == head
        for name, head in zip(names, headers, strict=True)
    )
    any_text = pl.concat_str(names, ignore_nulls=True)
    rule = (
        pl.when(blank)
        .then(pl.lit("blank"))
        .when(last & (short | pl.col("unclosed")) & (not ends_whole))
        .then(pl.lit("truncated-line"))
        .when(pl.col("unclosed"))
        .then(pl.lit("unclosed-quote"))
        .when(short)
        .then(pl.lit("too-few-fields"))
        .when(pl.col(_BEYOND).is_not_null())
        .then(pl.lit("too-many-fields"))
        .when(any_text.str.contains_any(["�", "\x00"]))
        .then(pl.lit("mixed-encoding"))
        .when(repeated)
        .then(pl.lit("repeated-header"))
    )
    judged = read.with_columns(rule=rule)
    whole = judged.filter(pl.col("rule").is_null())
    fields = [
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(head)
        for name, head in zip(names, headers, strict=True)
    ]
    broken = judged.filter(pl.col("rule").is_not_null() & (pl.col("rule") != "blank"))
    blanks = judged.height - whole.height - broken.height
    return whole.select("source_row", *fields), _named(broken, names, headers), blanks


def _named(broken: pl.DataFrame, names: list[str], headers: tuple[str, ...]) -> pl.DataFrame:
    more = pl.lit("more than ") + pl.lit(str(len(names))) + pl.lit(" fields")
    count = pl.format("{} of {} fields", "fields", pl.lit(len(names)))
    found = {
        "truncated-line": count,
        "unclosed-quote": pl.lit("a quotation mark that is never closed"),
        "too-few-fields": count,
        "too-many-fields": more,
        "mixed-encoding": pl.lit("bytes that are no text in this encoding"),
        "repeated-header": pl.lit("the header again"),
    }
    expected = {
        "truncated-line": "a whole last line",
        "unclosed-quote": "quotation marks in pairs",
        "too-few-fields": f"{len(names)} fields, as in the header",
        "too-many-fields": f"{len(names)} fields, as in the header",
        "mixed-encoding": "one encoding in the whole file",
        "repeated-header": "the header once, in row 1",
    }
    mend = {
        "truncated-line": "The export stopped in mid-line: export again, rows after it are lost.",
        "mixed-encoding": "Export again as UTF-8, or set encoding for this feed in study.toml.",
        "repeated-header": "Nothing is lost: files were put together with their headers.",
    }
    shown = pl.coalesce(
        pl.when(pl.col("rule") == rule).then(value) for rule, value in found.items()
    )
    undecoded = pl.coalesce(
        pl.when(pl.col(name).str.contains_any(["�", "\x00"])).then(pl.lit(head))
        for name, head in zip(names, headers, strict=True)
    )
    whole = pl.lit("whole row")
    column = pl.when(pl.col("rule") == "mixed-encoding").then(undecoded).otherwise(whole)
    return broken.select(
        "source_row",
        column.alias("column"),
        "rule",
        shown.alias("found"),
        pl.col("rule").replace_strict(expected, default="").alias("expected"),
        pl.col("rule").replace_strict(mend, default=_EXPORT_AGAIN).alias("mend"),
    )


def _remarks(
    plain: decoding.Decoded, shown: str, blank: int, records: int, broken: pl.DataFrame
) -> tuple[tuple[str, str, str, str, int | None], ...]:
    made: list[tuple[str, str, str, str, int | None]] = []
    if plain.detected and plain.encoding == "cp1252":
        text = f"{shown} is not UTF-8; it was read as cp1252 (Windows), which fits every line."
        mend = 'Set encoding = "cp1252" to confirm it, or name the right one.'
        made.append(("encoding-detected", "note", text, mend, None))
    if plain.line_ends_changed:
        made.append(("line-ends", "note", f"{shown} has the line ends of old Macs.", "", None))
    if blank:
        made.append(("blank-lines", "note", f"{shown} has {blank} blank lines.", "", blank))
    if records + 1 == EXCEL_ROWS:
        made.append(cut_remark(shown))
    return tuple(made)


def _parquet(raw: bytes, *, shown: str) -> Sheet:
    try:
        read = pl.read_parquet(raw)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"{shown} is no Parquet file that can be read: {error}.", mend="Write it again."
        ) from None
    numbers = pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("source_row")
    kept = read.drop("source_row", strict=False).select(
        as_text(pl.col(name), dtype) for name, dtype in read.schema.items() if name != "source_row"
    )
    rows = kept.select(numbers, pl.all())
    return Sheet(
        path=shown,
        sha256=decoding.sha256(raw),
        bytes=len(raw),
        rows=rows,
        broken=pl.DataFrame(schema=STRUCTURE_SCHEMA),
        rows_in=rows.height,
        headers=tuple(kept.columns),
    )


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """
    A typed column as the text that every reader understands; lists and structs are left out.

    Parameters
    ----------
    column : Expr
        The column.
    dtype : DataType
        Its type.
    """
    if isinstance(dtype, pl.Datetime):
        moment = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if dtype.time_zone else ""))
    if dtype.is_nested() or dtype == pl.Binary:
        return pl.lit(None, dtype=pl.String).alias(column.meta.output_name())
    return column.cast(pl.String)
