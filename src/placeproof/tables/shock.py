"""Contract of table `shock`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    one_of,
    source_row,
    source_sha256,
    text,
)


class Shock(Table):
    """One row per change that moves counts without moving crime, or everywhere at once.

    Reopening, lockdowns, counting rules, new record systems.
    """

    table_name: ClassVar[str] = "shock"
    contract_version: ClassVar[int] = 1

    shock_id = text("Identifier")
    name = text("What happened")
    kind = one_of("What kind", "recording", "covid", "reopening", "system", "legal", "other")
    starts_on = day("First day")
    ends_on = day("Last day", null="goes on")
    outcomes = text("Outcomes it touches, separated by blanks; * for all")
    source_sha256 = source_sha256()
    source_row = source_row()
