"""Contract of table `admission`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    one_of,
    source_row,
    source_sha256,
    text,
    whole,
    yes_no,
)


class Admission(Table):
    """One row per month, area and cause group of hospital admissions for violence.

    Recorded by residence or by hospital, never by place of assault: area-level and descriptive
    only. Counts of 1 to 7 arrive suppressed.
    """

    table_name: ClassVar[str] = "admission"
    contract_version: ClassVar[int] = 1

    month = day("First day of the month of admission (local)")
    area_code = text("Code of the area")
    area_kind = one_of("What the area is", "residence", "hospital")
    cause = one_of("WHO ICD-10 cause group", "X85-Y09", "X99")
    admissions = whole("Admissions", null="suppressed by the source", low=0)
    suppressed = yes_no("Whether the source suppressed the count")
    source_sha256 = source_sha256()
    source_row = source_row()
