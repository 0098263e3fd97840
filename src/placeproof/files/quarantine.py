"""Faults of rows: which row of which file broke which rule, what was found, how to mend it."""

from collections.abc import Sequence

import polars as pl

from placeproof.errors import ContractError
from placeproof.files.feed import QUARANTINE_SCHEMA, FeedSpec, notice, receipts, stacked
from placeproof.files.sheet import Sheet
from placeproof.tables import TABLES

FAULT_SCHEMA: dict[str, pl.DataType] = {
    "file": pl.Int32(),
    "source_row": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
    "found": pl.String(),
    "expected": pl.String(),
    "mend": pl.String(),
    "kept": pl.Boolean(),
}
"""One row per row of file number `file` and rule that it broke; `kept`: flagged, not left out."""

LONGEST_FOUND = 80
"""Characters of a found value that a message shows."""


OF_PEOPLE = frozenset(
    {
        *{"response", "response_flag", "consent", "withdrawal", "session", "speaker", "turn"},
        *{"coded_span", "ed_assault", "stop_search"},
    }
)
"""Tables of people: one comma too many puts a name into any column, so no value is ever shown."""


def personal(contract: str, column: str) -> bool:
    """
    Whether the values of a column must never be shown.

    Parameters
    ----------
    contract, column : str
        Canonical table and column. Columns that the contract does not know count as personal.
    """
    columns = TABLES[contract].columns() if contract in TABLES else {}
    if column not in columns:
        return True
    return contract in OF_PEOPLE or bool((columns[column].metadata or {}).get("personal"))


def faults(
    rows: pl.DataFrame,
    broken: pl.Expr,
    *,
    rule: str,
    column: str,
    found: pl.Expr | None,
    expected: str | pl.Expr,
    mend: str,
    kept: bool = False,
) -> pl.DataFrame:
    """
    The rows that break one rule, as `FAULT_SCHEMA`.

    Parameters
    ----------
    rows : DataFrame
        With `file` and `source_row`.
    broken : Expr
        True where the rule is broken; null counts as not broken.
    rule, column, expected, mend : str
        Name of the rule, column as the user knows it, what is right, how to mend.
    found : Expr or None
        What to show of the value; None for personal columns.
    kept : bool
        Whether the row stays in the table with a flag.
    """
    shown = pl.lit("") if found is None else found.cast(pl.String).str.slice(0, LONGEST_FOUND)
    right = pl.lit(expected) if isinstance(expected, str) else expected
    return rows.filter(broken.fill_null(False)).select(
        pl.col("file").cast(pl.Int32),
        pl.col("source_row").cast(pl.Int64),
        pl.lit(column).alias("column"),
        pl.lit(rule).alias("rule"),
        shown.fill_null("").alias("found"),
        right.alias("expected"),
        pl.lit(mend).alias("mend"),
        pl.lit(kept).alias("kept"),
    )


def without_quarantined(rows: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    """
    Rows that no rule has put into quarantine.

    Parameters
    ----------
    rows : DataFrame
        With `file` and `source_row`.
    broken : DataFrame
        `FAULT_SCHEMA`; rows that are `kept` do not count.
    """
    out = broken.filter(~pl.col("kept")).select("file", "source_row").unique()
    if out.is_empty():
        return rows
    keyed = out.with_columns(pl.col("file").cast(rows.schema["file"]))
    return rows.join(keyed, on=["file", "source_row"], how="anti", maintain_order="left")


def of_rows_kept(broken: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """
    Faults without the flags of rows that are not kept after all; corrections stay on record.

    Parameters
    ----------
    broken : DataFrame
        `FAULT_SCHEMA`.
    kept : DataFrame
        `file` and `source_row` of the rows that are kept.
    """
    keys = ["file", "source_row"]
    idle = broken.filter(pl.col("kept") & (pl.col("rule") != "corrected")).join(
        kept.select(keys), on=keys, how="anti"
    )
    if idle.is_empty():
        return broken
    return broken.join(
        idle, on=[*keys, "column", "rule", "kept"], how="anti", maintain_order="left"
    )


def located(spec: FeedSpec, broken: pl.DataFrame, sheets: Sequence[Sheet]) -> pl.DataFrame:
    """
    Faults with the path and hash of their file, as `QUARANTINE_SCHEMA` and `kept`, sorted.

    Parameters
    ----------
    spec : FeedSpec
        The feed that was read.
    broken : DataFrame
        `FAULT_SCHEMA`.
    sheets : sequence of Sheet
        The files, by their number.
    """
    names = pl.DataFrame(
        {
            "file": list(range(len(sheets))),
            "path": [sheet.path for sheet in sheets],
            "source_sha256": [sheet.sha256 for sheet in sheets],
        },
        schema={"file": pl.Int32, "path": pl.String, "source_sha256": pl.String},
    )
    placed = broken.join(names, on="file", how="left").with_columns(feed=pl.lit(spec.name))
    ordered = placed.sort("path", "source_row", "rule", "column", maintain_order=True)
    return stacked([ordered], {**QUARANTINE_SCHEMA, "kept": pl.Boolean()})


def structural(sheets: Sequence[Sheet]) -> pl.DataFrame:
    """
    The damaged records of files, as `FAULT_SCHEMA`.

    Parameters
    ----------
    sheets : sequence of Sheet
        The files, by their number.
    """
    parts = [
        sheet.broken.with_columns(file=pl.lit(place), kept=pl.lit(False))
        for place, sheet in enumerate(sheets)
    ]
    return stacked(parts, FAULT_SCHEMA)


def counted(
    spec: FeedSpec,
    sheets: Sequence[Sheet],
    *,
    table: str,
    kept: pl.DataFrame,
    broken: pl.DataFrame,
    superseded: pl.DataFrame | None = None,
    corrected: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    The receipts of files: where each of their rows went.

    Parameters
    ----------
    spec : FeedSpec
        The feed that was read.
    sheets : sequence of Sheet
        The files, by their number.
    table : str
        Canonical tables that their rows went to.
    kept : DataFrame
        `file` and `month` (or null) of each row that was kept.
    broken : DataFrame
        `FAULT_SCHEMA`.
    superseded, corrected : DataFrame or None
        `file` of each row that a later extract replaced, that a person mended.
    """
    nothing = pl.DataFrame(schema={"file": pl.Int32})
    out = broken.filter(~pl.col("kept")).select("file", "source_row").unique()
    per_file = {
        "rows_kept": _per_file(kept),
        "rows_quarantined": _per_file(out),
        "rows_superseded": _per_file(nothing if superseded is None else superseded),
        "rows_corrected": _per_file(nothing if corrected is None else corrected),
    }
    span = {
        int(row[0]): f"{row[1]:%Y-%m}/{row[2]:%Y-%m}"
        for row in kept.filter(pl.col("month").is_not_null())
        .group_by("file")
        .agg(pl.col("month").min(), pl.col("month").max().alias("last"))
        .iter_rows()
    }
    return receipts(
        [
            {
                "feed": spec.name,
                "table": table,
                "path": sheet.path,
                "sha256": sheet.sha256,
                "archive_sha256": sheet.archive_sha256,
                "bytes": sheet.bytes,
                "rows_in": sheet.rows_in,
                "encoding": sheet.encoding,
                "separator": sheet.separator,
                "months": span.get(place),
                **{name: counts.get(place, 0) for name, counts in per_file.items()},
            }
            for place, sheet in enumerate(sheets)
        ]
    )


def _per_file(rows: pl.DataFrame) -> dict[int, int]:
    return {int(file): int(count) for file, count in rows.group_by("file").len().iter_rows()}


def without_rows(spec: FeedSpec, sheets: Sequence[Sheet]) -> list[dict[str, object]]:
    """
    A notice for each file that has a header and nothing else.

    Parameters
    ----------
    spec : FeedSpec
        The feed that was read.
    sheets : sequence of Sheet
        Its files.
    """
    mend = "Export it again; if nothing happened, say so in text/."
    return [
        notice(
            spec.name,
            "no-rows",
            "warning",
            f"{sheet.path} has a header and no rows.",
            mend=mend,
            rows=0,
        )
        for sheet in sheets
        if sheet.rows_in == 0
    ]


def parted(found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Rows in quarantine, and rows that are kept with a flag.

    Parameters
    ----------
    found : DataFrame
        What `located` made.
    """
    left_out = found.filter(~pl.col("kept")).drop("kept")
    return left_out, found.filter(pl.col("kept")).drop("kept")


def told(spec: FeedSpec, broken: pl.DataFrame) -> list[dict[str, object]]:
    """
    One notice per rule that was broken: how many rows, where the first is, how to mend.

    Parameters
    ----------
    spec : FeedSpec
        The feed that was read.
    broken : DataFrame
        Faults with their places (`QUARANTINE_SCHEMA`), with the column `kept`.
    """
    made = []
    for (rule, column, kept), group in broken.group_by(
        "rule", "column", "kept", maintain_order=True
    ):
        first = group.row(0, named=True)
        rows = group.select("path", "source_row").n_unique()
        value = f' found "{first["found"]}",' if first["found"] else ""
        fate = "kept and flagged" if kept else "in quarantine"
        message = (
            f'{first["path"]}, row {first["source_row"]}, column "{column}": {rule},{value} '
            f"expected {first['expected']}. Rows like this: {rows}; {fate}."
        )
        severity = "note" if kept else "warning"
        made.append(notice(spec.name, str(rule), severity, message, mend=first["mend"], rows=rows))
    return made


def checked(rows: pl.DataFrame, contract: str, columns: dict[str, str]) -> pl.DataFrame:
    """
    Faults that the contract itself finds, after every named rule: the last net.

    Parameters
    ----------
    rows : DataFrame
        Typed rows with the contract's columns, `file` and `source_row`.
    contract : str
        Canonical table.
    columns : dict
        Canonical column to the name that the user knows it by.

    Raises
    ------
    ContractError
        If a column has not the type of the contract: a fault of ours.
    """
    table = TABLES[contract]
    own = rows.select(table.column_names())
    if own.is_empty() or table.is_valid(own):
        return pl.DataFrame(schema=FAULT_SCHEMA)
    try:
        _, failures = table.filter(own)
    except Exception as error:
        raise ContractError(f"Rows of table {contract} cannot be checked: {error}") from error
    broken = [
        _of_rule(rows, table_rule, contract, columns, failures.details())
        for table_rule in sorted(failures.counts())
    ]
    return stacked(broken, FAULT_SCHEMA)


def _of_rule(
    rows: pl.DataFrame, rule: str, contract: str, columns: dict[str, str], details: pl.DataFrame
) -> pl.DataFrame:
    column, _, kind = rule.partition("|")
    failed = details.filter(pl.col(rule) == "invalid")
    keys = failed.select("source_sha256", "source_row").unique()
    those = rows.join(keys, on=["source_sha256", "source_row"], how="semi", nulls_equal=True)
    hidden = column not in rows.columns or personal(contract, column)
    return faults(
        those,
        pl.lit(True),
        rule="blank value" if kind == "nullability" else f"contract: {rule}",
        column=columns.get(column, column),
        found=None if hidden else pl.col(column),
        expected=_expected(contract, column, kind),
        mend="Correct the value in the source, or by a row in corrections/.",
    )


def _expected(contract: str, column: str, kind: str) -> str:
    if kind == "nullability":
        return "a value: this column is never blank"
    columns = TABLES[contract].columns()
    if column in columns:
        allowed = (columns[column].metadata or {}).get("allowed") or ()
        limits = [
            f"{word} {getattr(columns[column], side)}"
            for side, word in (("min", "at least"), ("max", "at most"))
            if getattr(columns[column], side, None) is not None
        ]
        if allowed or limits:
            return "one of " + ", ".join(allowed) if allowed else " and ".join(limits)
    return f"what the contract of {contract} says ({kind or column})"
