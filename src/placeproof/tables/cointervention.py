"""Contract of table `cointervention`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    source_row,
    source_sha256,
    text,
)


class Cointervention(Table):
    """One row per rival intervention in a place and period.

    A rival in the same places and months: without the register its effect is credited to
    patrols.
    """

    table_name: ClassVar[str] = "cointervention"
    contract_version: ClassVar[int] = 1

    cointervention_id = text("Identifier")
    name = text("What it is")
    hotspot_id = text("Hot spot in which it works", null="not tied to a hot spot")
    area_wkt = text(
        "Outline in which it works, as WKT in metres on the British National Grid; every place "
        "that it overlaps is one in which it works",
        null="not drawn: the hot spot says where, or it works in the whole study area",
    )
    starts_on = day("First day")
    ends_on = day("Last day", null="goes on")
    hours = text("Hours of the day, as 14:00-20:00", null="not supplied")
    deliverer = text("Who delivers it", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()
