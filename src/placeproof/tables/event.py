"""Contract of table `event`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    source_row,
    source_sha256,
    text,
    yes_no,
)


class Event(Table):
    """One row per event that changes who is in a place.

    Match days, student nights, festivals: they count as core night-time economy where the plan
    says so.
    """

    table_name: ClassVar[str] = "event"
    contract_version: ClassVar[int] = 1

    event_id = text("Identifier")
    name = text("What it is")
    starts_at = instant("Start")
    ends_at = instant("End")
    hotspot_id = text("Hot spot", null="the whole study area")
    nte = yes_no("Whether it counts as core night-time economy")
    source_sha256 = source_sha256()
    source_row = source_row()
