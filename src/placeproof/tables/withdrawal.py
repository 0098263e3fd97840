"""Contract of table `withdrawal`."""

from typing import ClassVar

import polars as pl

from placeproof.tables.contract import (
    Table,
    instant,
    one_of,
    source_row,
    source_sha256,
    text,
)


class Withdrawal(Table):
    """One row per person who left.

    Applied as a filter where files are read; the person leaves every later result.
    """

    table_name: ClassVar[str] = "withdrawal"
    contract_version: ClassVar[int] = 1

    subject_id = text("Response, speaker or contact", personal=True)
    subject_kind = one_of("What the subject is", "response", "speaker", "contact")
    at = instant("When the withdrawal arrived", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()


def withdrawn(withdrawal: pl.DataFrame | None, *, kind: str) -> pl.Series:
    """
    Identifiers of people who left.

    Parameters
    ----------
    withdrawal : table `withdrawal`, or None
    kind : str
        Kind of subject: response or speaker.

    Returns
    -------
    Series of str, sorted
    """
    if withdrawal is None or withdrawal.is_empty():
        return pl.Series("subject_id", [], dtype=pl.String)
    return withdrawal.filter(pl.col("subject_kind") == kind)["subject_id"].unique().sort()
