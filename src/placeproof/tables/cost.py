"""Contract of table `cost`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    number,
    source_row,
    source_sha256,
    text,
)


class Cost(Table):
    """One row per month and item of spending.

    A month without a row is not supplied, never 0.
    """

    table_name: ClassVar[str] = "cost"
    contract_version: ClassVar[int] = 1

    month = day("First day of the month")
    item = text("What was paid for")
    hours = number("Hours worked", unit="h", null="not supplied", low=0)
    amount_gbp = number("Money spent", unit="GBP", null="not supplied", low=0)
    source_sha256 = source_sha256()
    source_row = source_row()
