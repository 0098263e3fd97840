"""One sheet of a workbook as rows of text; cells with dates become ISO text."""

import polars as pl

from placeproof.errors import InputError
from placeproof.files import archives, decoding
from placeproof.files.sheet import EXCEL_ROWS, Sheet, cut_remark, distinct_names

_MIDNIGHT = " 00:00:00"


def sheet(raw: bytes, *, shown: str, tab: str | None) -> Sheet:
    """
    Read one sheet of an XLSX, XLS or ODS workbook.

    Dates are stored as numbers in Excel; cells formatted as dates become ISO text. A column whose
    every date stands at midnight holds days, and loses the time.

    Parameters
    ----------
    raw : bytes
        The workbook.
    shown : str
        Its name for receipts and messages.
    tab : str or None
        Which sheet; None: the only one.

    Raises
    ------
    InputError
        If it is no workbook, is encrypted, or holds several sheets and none is named.
    """
    import fastexcel

    if raw[:4] == b"PK\x03\x04":
        archives.refuse_bombs(raw, shown=shown)
    try:
        book = fastexcel.read_excel(raw)
        name = _chosen(book.sheet_names, tab, shown)
        read = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"{shown} is no workbook that can be read: {first}",
            mend="Open it in Excel, take any password off, and save it as .xlsx again.",
        ) from None
    return _as_sheet(read, raw, f"{shown}", name)


def _chosen(names: list[str], tab: str | None, shown: str) -> str:
    if tab is None and len(names) == 1:
        return names[0]
    if tab in names:
        return str(tab)
    what = "holds several sheets" if tab is None else f'has no sheet "{tab}"'
    raise InputError(
        f"{shown} {what}. Its sheets: {', '.join(names)}.",
        mend="Set sheet for this feed in study.toml to one of them.",
    )


def _as_sheet(read: pl.DataFrame, raw: bytes, shown: str, tab: str) -> Sheet:
    texts = read.select(pl.all().cast(pl.String).str.strip_chars())
    filled = pl.Series([any(row) for row in texts.iter_rows()]) if texts.height < 50 else None
    first = int(filled.arg_max() or 0) if filled is not None and filled.any() else 0
    if texts.is_empty() or not any(texts.row(first)):
        raise InputError(f"{shown}, sheet {tab}, is empty.", mend="Export it again.")
    headers = distinct_names([value or "" for value in texts.row(first)])
    body = texts.slice(first + 1)
    body.columns = list(headers)
    numbered = body.with_row_index("source_row", offset=first + 2).with_columns(
        pl.col("source_row").cast(pl.Int64)
    )
    blank = pl.all_horizontal(pl.col(name).fill_null("") == "" for name in headers)
    repeated = pl.all_horizontal(pl.col(name).fill_null("") == name for name in headers)
    broken = numbered.filter(repeated).select(
        "source_row",
        pl.lit("whole row").alias("column"),
        pl.lit("repeated-header").alias("rule"),
        pl.lit("the header again").alias("found"),
        pl.lit("the header once, in row 1").alias("expected"),
        pl.lit("Nothing is lost: sheets were put together with their headers.").alias("mend"),
    )
    rows = numbered.filter(~blank & ~repeated)
    remarks = (cut_remark(shown),) if read.height >= EXCEL_ROWS else ()
    return Sheet(
        path=shown,
        sha256=decoding.sha256(raw),
        bytes=len(raw),
        rows=rows.with_columns(_days_alone(rows, list(headers))),
        broken=broken,
        rows_in=rows.height + broken.height,
        remarks=remarks,
        headers=headers,
    )


def _days_alone(rows: pl.DataFrame, headers: list[str]) -> list[pl.Expr]:
    """Columns of days: Excel keeps a day as its midnight."""
    days = [
        name
        for name in headers
        if rows[name].drop_nulls().len() and rows[name].drop_nulls().str.ends_with(_MIDNIGHT).all()
    ]
    return [pl.col(name).str.strip_suffix(_MIDNIGHT) for name in days] + [
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)
        for name in headers
        if name not in days
    ]
