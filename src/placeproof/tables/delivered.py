"""Contract of table `delivered`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    instant,
    number,
    one_of,
    source_row,
    source_sha256,
    text,
    whole,
)


class Delivered(Table):
    """One row per ready-made statement of patrol presence: a visit, a dwell time or hours.

    Kept apart from what pings measure and labelled by its source; partners without GPS deliver
    hours.
    """

    table_name: ClassVar[str] = "delivered"
    contract_version: ClassVar[int] = 1

    hotspot_id = text("Hot spot")
    operating_day = day("Operating day (06:00 to 05:59 local)")
    started_at = instant("Start of the presence", null="not supplied")
    ended_at = instant("End of the presence", null="not supplied")
    minutes = number("Minutes of presence", unit="min", low=0)
    officers = whole("Officers present", null="not supplied", low=0)
    unit_id = text("Pseudonym of the unit", null="not supplied", personal=True)
    kind = one_of("What the source states", "visit", "dwell", "hours")
    delivered_by = text("Who delivered it: the force or a partner")
    activity = text("What was done", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()
