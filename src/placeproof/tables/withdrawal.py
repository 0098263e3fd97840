"""Contract of table `withdrawal`."""

from typing import ClassVar

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
