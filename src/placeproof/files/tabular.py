"""Reads any table (CSV, gz, XLSX, Parquet) into a canonical table by the mapping of its feed."""

import re
from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from placeproof.errors import InputError, SettingsError
from placeproof.files import cells, coordinates, corrections, extracts, offences, rules, sheets
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings, notice, notices, stacked
from placeproof.files.quarantine import (
    FAULT_SCHEMA,
    checked,
    counted,
    located,
    of_rows_kept,
    parted,
    structural,
    told,
    without_quarantined,
    without_rows,
)
from placeproof.files.sheet import Sheet
from placeproof.tables import TABLES

Rule = Callable[[FeedSpec, pl.DataFrame, Surroundings], pl.DataFrame]
"""From the typed rows of a feed to the faults that one rule finds (`FAULT_SCHEMA`)."""


def read(
    spec: FeedSpec, surroundings: Surroundings, *, more_rules: Sequence[Rule] = ()
) -> FeedResult:
    """
    Read the files of one feed into the table that its contract names.

    Parameters
    ----------
    spec : FeedSpec
        Which files, and how their columns map.
    surroundings : Surroundings
        Force outline, first day and cut-off of the study.
    more_rules : sequence of Rule
        Rules of this table beyond those of all tables.

    Returns
    -------
    FeedResult
        One table, sorted as the files are; quarantine, receipts, notices and flagged rows.

    Raises
    ------
    InputError
        If a file cannot be read, columns are missing, or a choice is open that changes the answer.
    SettingsError
        If the section names a table, column or zone that does not exist.
    """
    if not spec.paths:
        raise InputError(f"[data.{spec.name}] names no file.", mend="Set files in study.toml.")
    files = [
        sheets.sheet(
            path,
            shown=spec.shown(path),
            encoding=spec.encoding,
            separator=spec.separator,
            tab=spec.sheet,
        )
        for path in spec.paths
    ]
    return from_sheets(spec, surroundings, files, more_rules=more_rules)


def from_sheets(
    spec: FeedSpec,
    surroundings: Surroundings,
    files: Sequence[Sheet],
    *,
    more_rules: Sequence[Rule] = (),
) -> FeedResult:
    """
    Turn files that were read as text into rows of a canonical table.

    Parameters
    ----------
    spec, surroundings, more_rules
        As `read`.
    files : sequence of Sheet
        The files of the feed.
    """
    _refuse_unknown_columns(spec)
    _refuse_equal_files(files)
    mended = corrections.applied(spec, _texts(spec, files), [file.path for file in files])
    texts = mended.texts
    where = files[0].path if len(files) == 1 else f"{files[0].path} and {len(files) - 1} more"
    serial = any(file.encoding is None for file in files)
    read_cells = cells.typed(spec, texts, where=where, serial=serial)
    rows, taken = rules.filled(spec, _extract_dates(spec, read_cells.rows, files), texts.columns)
    broken = [structural(files), mended.broken, read_cells.broken]
    said = [*_remarks(spec, files), *mended.said, *read_cells.said, *taken]
    tables_of_user = list(mended.sheets)
    if spec.offences is not None and "offence_code" in rows.columns:
        sheet, table = offences.codes(spec.offences, shown=spec.shown(spec.offences))
        tables_of_user.append(sheet)
        explained = offences.explained(spec, rows, table, texts.columns)
        rows, broken, said = explained.rows, [*broken, explained.broken], said + explained.said
    if "location_quality" in rows.columns:
        point = coordinates.placed(spec, surroundings, texts, rows, where=where)
        rows, broken, said = point.rows, [*broken, point.broken], said + point.said
    if spec.default_locations is not None:
        shown = spec.shown(spec.default_locations)
        tables_of_user.append(coordinates.default_locations(spec.default_locations, shown=shown)[0])
    hashes = pl.Series([file.sha256 for file in files], dtype=pl.String)
    rows = rows.with_columns(source_sha256=hashes.gather(rows["file"]))
    broken += [rules.order_of_time(spec, rows), rules.order_of_study(spec, rows, surroundings)]
    broken += [rule(spec, rows, surroundings) for rule in more_rules]
    return _finished(spec, surroundings, files, tables_of_user, rows, broken, said)


def _finished(
    spec: FeedSpec,
    surroundings: Surroundings,
    files: Sequence[Sheet],
    tables_of_user: Sequence[Sheet],
    rows: pl.DataFrame,
    broken: list[pl.DataFrame],
    said: list[dict[str, object]],
) -> FeedResult:
    """Contract, then versions, then repeats: a broken row never replaces a whole one."""
    shown = {name: cells.header(spec, name) for name in TABLES[spec.contract].column_names()}
    keys = extracts.keys_of(spec.contract, rows)
    sound = without_quarantined(rows, stacked(broken, FAULT_SCHEMA))
    broken = [*broken, checked(sound, spec.contract, shown)]
    versions = extracts.latest(spec, without_quarantined(sound, broken[-1]), keys)
    broken = [*broken, versions.broken, extracts.repeats(spec, versions.kept, keys)]
    every = stacked(broken, FAULT_SCHEMA)
    kept = without_quarantined(versions.kept, every)
    every = of_rows_kept(every, kept)
    found = located(spec, every, files)
    quarantine, flagged = parted(found)
    said = [*said, *versions.said, *told(spec, found), *_emptiness(spec, files, kept)]
    if kept.height:
        said += rules.coverage(spec, kept, surroundings)
    month = pl.col("month") if "month" in kept.columns else pl.lit(None, dtype=pl.Date)
    corrected = every.filter(pl.col("rule") == "corrected").select("file", "source_row").unique()
    receipts = counted(
        spec,
        files,
        table=spec.contract,
        kept=kept.select("file", month.alias("month")),
        broken=every,
        superseded=versions.superseded,
        corrected=corrected,
    )
    beside = [_beside(spec, sheet) for sheet in tables_of_user]
    return FeedResult(
        tables={spec.contract: kept.select(TABLES[spec.contract].column_names())},
        quarantine=quarantine,
        receipts=pl.concat([receipts, *beside]),
        notices=notices(said),
        flagged=flagged,
    )


def _beside(spec: FeedSpec, sheet: Sheet) -> pl.DataFrame:
    kept = pl.DataFrame({"file": [0] * sheet.rows.height}, schema={"file": pl.Int32})
    months = kept.with_columns(month=pl.lit(None, dtype=pl.Date))
    broken = structural([sheet])
    return counted(spec, [sheet], table="", kept=months, broken=broken)


def _texts(spec: FeedSpec, files: Sequence[Sheet]) -> pl.DataFrame:
    """Mapped columns of all files as text, by their canonical names."""
    parts = []
    wanted = _mapping(spec, files)
    for place, file in enumerate(files):
        if absent := [name for name in wanted.values() if name not in file.headers]:
            raise InputError(
                f"{file.path} has no column {', '.join(repr(name) for name in absent)}. "
                f"Its columns: {_listed(file.headers)}.",
                mend=f"Correct [data.{spec.name}.columns] in study.toml, or export the column.",
            )
        parts.append(
            file.rows.select(
                pl.lit(place, dtype=pl.Int32).alias("file"),
                pl.col("source_row").cast(pl.Int64),
                *(pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in wanted.items()),
            )
        )
    return pl.concat(parts)


def _mapping(spec: FeedSpec, files: Sequence[Sheet]) -> dict[str, str]:
    """Canonical column to header; columns that already have their canonical name map themselves."""
    given = {ours: theirs for ours, theirs in spec.columns.items() if ours not in spec.constants}
    taken = set(given.values())
    canonical = [*TABLES[spec.contract].column_names(), *_beside_contract(spec.contract)]
    same = {
        name: name
        for name in canonical
        if name not in (*given, *spec.constants, *cells.LINEAGE, *taken)
        and all(name in file.headers for file in files)
    }
    mapping = {**same, **given}
    needed = [
        name
        for name, column in TABLES[spec.contract].columns().items()
        if not column.nullable
        and name not in (*mapping, *spec.constants, *cells.LINEAGE)
        and name not in rules.DERIVED.get(spec.contract, ())
        and not (name == "category" and spec.offences is not None)
    ]
    if needed:
        raise InputError(
            f"[data.{spec.name}] does not say where {', '.join(needed)} of table {spec.contract} "
            f"come from. {files[0].path} has the columns: {_listed(files[0].headers)}.",
            mend=f"Map them in [data.{spec.name}.columns], or set them in "
            f"[data.{spec.name}.constants].",
        )
    return mapping


def _listed(headers: Sequence[str]) -> str:
    shown = [name if len(name) <= 40 else f"{name[:40]}…" for name in headers[:40]]
    return ", ".join([*shown, "…"] if len(headers) > 40 else shown)


def _beside_contract(contract: str) -> list[str]:
    columns = TABLES[contract].columns()
    clocks = [
        f"{name}_time" for name, column in columns.items() if isinstance(column.dtype, pl.Datetime)
    ]
    return [*clocks, *(coordinates.DEGREES if "easting_m" in columns else ())]


def _refuse_unknown_columns(spec: FeedSpec) -> None:
    if spec.contract not in TABLES:
        raise SettingsError(
            f'[data.{spec.name}] contract = "{spec.contract}" is no table.',
            mend=f"Use one of {', '.join(sorted(TABLES))}.",
        )
    known = {*TABLES[spec.contract].column_names(), *_beside_contract(spec.contract)}
    named = {*spec.columns, *spec.values, *spec.constants}
    if unknown := sorted(named - known | (named & set(cells.LINEAGE))):
        raise SettingsError(
            f"[data.{spec.name}] maps {', '.join(unknown)}, which table {spec.contract} has not.",
            mend=f"Its columns: {', '.join(sorted(known - set(cells.LINEAGE)))}.",
        )


def _refuse_equal_files(files: Sequence[Sheet]) -> None:
    first: dict[str, str] = {}
    for file in files:
        if file.sha256 in first and file.rows_in:
            raise InputError(
                f"{first[file.sha256]} and {file.path} are the same file under two names.",
                mend="Remove one of them: each row would be read twice.",
            )
        first[file.sha256] = file.path


def _extract_dates(spec: FeedSpec, rows: pl.DataFrame, files: Sequence[Sheet]) -> pl.DataFrame:
    if spec.extract_date is None or "extract_date" not in rows.columns:
        return rows
    days = pl.Series([_extract_date(spec, file.path) for file in files], dtype=pl.Date)
    return rows.with_columns(
        pl.coalesce("extract_date", pl.lit(days.gather(rows["file"]))).alias("extract_date")
    )


def _extract_date(spec: FeedSpec, path: str) -> date:
    pattern = str(spec.extract_date)
    try:
        return date.fromisoformat(pattern)
    except ValueError:
        pass
    name = path.rsplit("/", 1)[-1]
    try:
        match = re.search(pattern, name)
        text = (match[1] if match.re.groups else match[0]) if match else ""
    except re.error as error:
        raise SettingsError(
            f"[data.{spec.name}] extract_date is no pattern: {error}.",
            mend="Write a date, or a pattern as 'crimes_(\\d{4}-\\d{2}-\\d{2})'.",
        ) from None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{path}: extract_date finds no date such as 2024-05-31 in the name of the file.",
            mend=f"Change extract_date of [data.{spec.name}], or rename the file.",
        ) from None


def _remarks(spec: FeedSpec, files: Sequence[Sheet]) -> list[dict[str, object]]:
    return [
        notice(spec.name, code, severity, text, mend=mend, rows=rows)
        for file in files
        for code, severity, text, mend, rows in file.remarks
    ]


def _emptiness(
    spec: FeedSpec, files: Sequence[Sheet], kept: pl.DataFrame
) -> list[dict[str, object]]:
    said = without_rows(spec, files)
    if kept.is_empty() and any(file.rows_in for file in files):
        text = f"No row of feed {spec.name} could be kept."
        mend = "See the quarantine: one setting of the feed is probably wrong."
        said.append(notice(spec.name, "nothing-kept", "error", text, mend=mend, rows=0))
    return said
