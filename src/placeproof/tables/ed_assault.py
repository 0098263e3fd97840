"""Contract of table `ed_assault`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    instant,
    source_row,
    source_sha256,
    text,
)


class EdAssault(Table):
    """One row per attendance at an emergency department after an assault.

    The only health source that can reach a hot spot; missing locations are not missing at
    random.
    """

    table_name: ClassVar[str] = "ed_assault"
    contract_version: ClassVar[int] = 1

    attendance_id = text("Pseudonym of the attendance", null="not supplied", personal=True)
    month = day("First day of the month of arrival (local)")
    site = text("Hospital site")
    arrived_at = instant("Arrival", null="not supplied", personal=True)
    assaulted_at = instant("When the assault happened", null="not supplied", personal=True)
    method = text("How the injury was done", null="not supplied")
    location_type = text("Kind of place", null="not supplied")
    location_text = text("Place in the words of the patient", null="not supplied", personal=True)
    source_sha256 = source_sha256()
    source_row = source_row()
