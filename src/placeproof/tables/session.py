"""Contract of table `session`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    one_of,
    source_row,
    source_sha256,
    text,
)


class Session(Table):
    """One row per interview or group.

    A group of eight is eight people in one session.
    """

    table_name: ClassVar[str] = "session"
    contract_version: ClassVar[int] = 1

    session_id = text("Identifier of the session")
    hotspot_id = text("Hot spot that it is about", null="none stated")
    held_at = instant("When it was held", null="not supplied")
    kind = one_of("How it was held", "individual", "group")
    hours = one_of("Which hours were spoken of", "nte", "other", "both", "unknown")
    source_sha256 = source_sha256()
    source_row = source_row()
