"""Corrections by people: own files, applied on reading, listed; the data are never changed.

A file of corrections is a CSV with the columns: the key (a canonical column or a header of the
source, as crime_id), `column`, `new_value`, `reason`, `by`, `on`. The new value stands as the
export should have written it. Rows without an identifier are named by `file` and `row`
(row 1 is the header).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import polars as pl

from placeproof.errors import InputError
from placeproof.files import sheets
from placeproof.files.feed import FeedSpec, notice, stacked
from placeproof.files.quarantine import FAULT_SCHEMA, faults, personal
from placeproof.files.sheet import Sheet

WANTED = ("column", "new_value", "reason", "by", "on")
_BY_ROW = ("file", "row")


@dataclass(frozen=True)
class Corrected:
    """
    Rows after the corrections of people.

    Parameters
    ----------
    texts : DataFrame
        Rows as text.
    broken : DataFrame
        `FAULT_SCHEMA`: each cell that was corrected (kept).
    said : list of notices
        How many there were, and those that matched no row.
    sheets : list of Sheet
        The files of corrections.
    """

    texts: pl.DataFrame
    broken: pl.DataFrame
    said: list[dict[str, object]]
    sheets: list[Sheet]


def applied(spec: FeedSpec, texts: pl.DataFrame, names: Sequence[str]) -> Corrected:
    """
    Apply every correction of a feed to rows of text.

    Parameters
    ----------
    spec : FeedSpec
        `corrections` names the files; they are applied in that order, then by row.
    texts : DataFrame
        `file`, `source_row` and canonical columns as text. Not modified.
    names : sequence of str
        Names of the files of the feed, by their number.

    Raises
    ------
    InputError
        If a file of corrections lacks a column, or names one that the feed does not have.
    """
    broken: list[pl.DataFrame] = []
    said: list[dict[str, object]] = []
    read = []
    for path in spec.corrections:
        sheet = sheets.sheet(path, shown=spec.shown(path))
        read.append(sheet)
        key_header = _key_header(sheet)
        for row in sheet.rows.iter_rows(named=True):
            at = f"{sheet.path}, row {row['source_row']}"
            target = _canonical(spec, row["column"], texts, at)
            hit = texts.select(_matching(spec, row, key_header, texts, names, at)).to_series()
            if not hit.any():
                text = f"{at}: the correction matches no row of feed {spec.name}."
                mend = "Check the identifier, or remove the line."
                said.append(notice(spec.name, "correction-without-row", "warning", text, mend=mend))
                continue
            broken.append(_listed(spec, texts.filter(hit), row, target))
            value = pl.lit(row["new_value"], dtype=pl.String)
            chosen = pl.when(pl.lit(hit)).then(value).otherwise(pl.col(target))
            texts = texts.with_columns(chosen.alias(target))
    made = stacked(broken, FAULT_SCHEMA)
    if made.height:
        text = f"{made.height} cells were corrected by people; the report lists them."
        said.append(notice(spec.name, "corrections", "note", text, rows=made.height))
    return Corrected(texts, made, said, read)


def _key_header(sheet: Sheet) -> str | None:
    """The one column that is neither part of the correction nor names a file and row."""
    others = [name for name in sheet.headers if name not in (*WANTED, *_BY_ROW)]
    absent = [name for name in WANTED if name not in sheet.headers]
    by_row = all(name in sheet.headers for name in _BY_ROW)
    if absent or len(others) > 1 or not (others or by_row):
        raise InputError(
            f"{sheet.path} is no table of corrections: its columns are {', '.join(sheet.headers)}.",
            mend="Use the columns: a key such as crime_id, then column, new_value, reason, by, on.",
        )
    return others[0] if others else None


def _canonical(spec: FeedSpec, name: str | None, texts: pl.DataFrame, at: str) -> str:
    by_header = {theirs: ours for ours, theirs in spec.columns.items()}
    for known in (name, by_header.get(name or "")):
        if known in texts.columns and known not in ("file", "source_row"):
            return str(known)
    raise InputError(
        f'{at}: feed {spec.name} has no column "{name}".',
        mend="Name a canonical column, or a header that is mapped in study.toml.",
    )


def _matching(
    spec: FeedSpec,
    row: Mapping[str, str | None],
    key_header: str | None,
    texts: pl.DataFrame,
    names: Sequence[str],
    at: str,
) -> pl.Expr:
    wanted = row.get(key_header) if key_header else None
    if key_header and wanted is not None:
        key = _canonical(spec, key_header, texts, at)
        match = pl.col(key).str.strip_chars() == wanted
    elif row.get("row") is not None and row.get("file") is not None:
        match = pl.col("source_row").cast(pl.String) == row["row"]
    else:
        raise InputError(f"{at}: names no row.", mend="Give the key, or file and row.")
    if row.get("file") is not None:
        name = PurePosixPath(str(row["file"])).name
        files = [place for place, path in enumerate(names) if PurePosixPath(path).name == name]
        match &= pl.col("file").is_in(files)
    return match.fill_null(False)


def _listed(
    spec: FeedSpec, rows: pl.DataFrame, row: Mapping[str, str | None], target: str
) -> pl.DataFrame:
    hidden = personal(spec.contract, target)
    change = pl.format(
        "{} became {}", pl.col(target).fill_null("blank"), pl.lit(row["new_value"] or "blank")
    )
    who = f"{row['by'] or 'nobody named'}, {row['on'] or 'no day'}"
    why = f"{row['reason'] or 'no reason given'} ({who})"
    return faults(
        rows,
        pl.lit(True),
        rule="corrected",
        column=spec.columns.get(target, target),
        found=None if hidden else change,
        expected="what a person knows better",
        mend=why,
        kept=True,
    )
