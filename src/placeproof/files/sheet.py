"""What a sheet is: one file as numbered rows of text, with what must be known of it."""

from dataclasses import dataclass, field

import polars as pl

STRUCTURE_SCHEMA: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
    "found": pl.String(),
    "expected": pl.String(),
    "mend": pl.String(),
}
"""Records that are no rows: one line per record and what is wrong with it."""

EXCEL_ROWS = 1_048_576
"""Rows of an Excel sheet, header included: what lies beyond is cut off without a word."""


@dataclass(frozen=True)
class Sheet:
    """
    One file (or one file in an archive) as rows of text.

    Parameters
    ----------
    path : str
        Name for receipts and messages.
    sha256 : str
        Of the bytes as they lie on disk (or in the archive).
    bytes : int
        Their number.
    rows : DataFrame
        `source_row` (header = 1) and one text column per header; null where the field is blank.
    broken : DataFrame
        `STRUCTURE_SCHEMA`: records that could not be made into rows.
    rows_in : int
        Records after the header, blank lines left out.
    encoding, separator : str or None
        None for XLSX and Parquet.
    remarks : tuple
        (code, severity, message, mend, rows) of what a reader must know.
    archive_sha256 : str or None
        Hash of the zip that the file lay in.
    """

    path: str
    sha256: str
    bytes: int
    rows: pl.DataFrame
    broken: pl.DataFrame
    rows_in: int
    encoding: str | None = None
    separator: str | None = None
    remarks: tuple[tuple[str, str, str, str, int | None], ...] = ()
    archive_sha256: str | None = None
    headers: tuple[str, ...] = field(default=())


def distinct_names(names: list[str]) -> tuple[str, ...]:
    """
    Headers as names of columns: trimmed, never blank, never twice.

    Parameters
    ----------
    names : list of str
        Headers as they stand in the file.
    """
    seen = {"source_row": 1}  # the name that the row numbers have here
    made = []
    for place, raw in enumerate(names, start=1):
        name = raw.strip() or f"column {place}"
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(made)


def cut_remark(shown: str) -> tuple[str, str, str, str, int | None]:
    """
    What is said of an export that fills an Excel sheet to its last row.

    Parameters
    ----------
    shown : str
        Name of the file.
    """
    text = f"{shown} has exactly {EXCEL_ROWS:,} rows: the export was cut where an Excel sheet ends."
    mend = "Export as CSV straight from the source system, or in parts by month."
    return ("export-cut", "error", text, mend, EXCEL_ROWS - 1)
