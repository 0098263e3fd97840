"""What offence codes mean: the user's table sets the columns of the contract."""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from placeproof.errors import InputError
from placeproof.files import sheets
from placeproof.files.cells import Typed
from placeproof.files.feed import FeedSpec, notice
from placeproof.files.quarantine import FAULT_SCHEMA, faults
from placeproof.files.sheet import Sheet

FLAGS = ("violence", "injury", "weapon", "knife", "robbery", "sexual", "police_generated")
_YES, _NO = ("true", "yes", "y", "1", "t"), ("false", "no", "n", "0", "f")


def codes(path: Path, *, shown: str) -> tuple[Sheet, pl.DataFrame]:
    """
    Read a table of offence codes.

    Parameters
    ----------
    path : Path
        CSV with offence_code, any of `FLAGS` (true, false or blank: not said) and category.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        If offence_code is absent or stands twice, or a flag is neither true nor false.
    """
    read = sheets.sheet(path, shown=shown)
    if "offence_code" not in read.headers:
        raise InputError(
            f"{shown} has no column offence_code.",
            mend=f"Give it the columns offence_code, category, {', '.join(FLAGS)}.",
        )
    named = read.rows.with_columns(pl.col("offence_code").str.strip_chars())
    twice = named.filter(pl.col("offence_code").is_duplicated())
    if twice.height:
        raise InputError(
            f"{shown}: offence code {twice['offence_code'][0]} stands in rows "
            f"{', '.join(str(row) for row in twice['source_row'].head(5))}.",
            mend="Keep one row for each code.",
        )
    flags = [_flag(named, name, shown) for name in FLAGS if name in read.headers]
    category = ["category"] if "category" in read.headers else []
    return read, named.select("offence_code", *category).with_columns(flags)


def _flag(named: pl.DataFrame, name: str, shown: str) -> pl.Series:
    lower = pl.col(name).str.strip_chars().str.to_lowercase()
    flag = named.select(
        pl.when(lower.is_in(_YES)).then(True).when(lower.is_in(_NO)).then(False).alias(name)
    )[name]
    wrong = named.filter(flag.is_null() & named[name].is_not_null())
    if wrong.height:
        raise InputError(
            f'{shown}, row {wrong["source_row"][0]}, column "{name}": "{wrong[name][0]}" is '
            "neither true nor false.",
            mend="Write true, false, or nothing where the code does not say.",
        )
    return flag


def explained(
    spec: FeedSpec, rows: pl.DataFrame, table: pl.DataFrame, given: Collection[str]
) -> Typed:
    """
    Fill the columns that an offence code decides, where the source itself left them blank.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Typed rows with `offence_code`.
    table : DataFrame
        What `codes` made.
    given : collection of str
        Columns that the source gives.
    """
    meant = [name for name in table.columns if name != "offence_code"]
    renamed = table.rename({name: f"{name}_of_code" for name in meant})
    joined = rows.join(
        renamed.with_columns(known=pl.lit(True)),
        on="offence_code",
        how="left",
        maintain_order="left",
    )
    filled = joined.with_columns(pl.coalesce(name, f"{name}_of_code").alias(name) for name in meant)
    strange = pl.col("offence_code").is_not_null() & pl.col("known").is_null()
    broken = faults(
        filled,
        strange,
        rule="unknown-code",
        column=spec.columns.get("offence_code", "offence_code"),
        found=pl.col("offence_code"),
        expected="a code that the table of offences explains",
        mend="Add the code to the table named in offences; until then it says nothing of the row.",
        kept=True,
    )
    counts = filled.filter(strange).group_by("offence_code").len().sort("offence_code")
    said = []
    if counts.height:
        listed = ", ".join(f"{code} ({count})" for code, count in counts.iter_rows())
        text = f"Offence codes that the table of offences does not explain: {listed}."
        mend = "Add them to the table named in offences."
        said.append(
            notice(
                spec.name, "unknown-code", "warning", text, mend=mend, rows=int(counts["len"].sum())
            )
        )
    if "category" in filled.columns and "category" not in given:
        # The code is unknown, not the crime: the row counts among all crimes.
        category = pl.coalesce("category", "offence_code", pl.lit("unknown"))
        filled = filled.with_columns(category.alias("category"))
    finished = filled.select(rows.columns)
    return Typed(finished, broken if broken.height else pl.DataFrame(schema=FAULT_SCHEMA), said)
