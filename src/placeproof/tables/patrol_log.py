"""Contract of table `patrol_log`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    source_row,
    source_sha256,
    text,
    whole,
)


class PatrolLog(Table):
    """One row per log that officers filled in about one patrol.

    A log is a claim; only GPS or a second source confirms it. Counts that are blank are not
    zero.
    """

    table_name: ClassVar[str] = "patrol_log"
    contract_version: ClassVar[int] = 1

    log_id = text("Identifier in the source")
    hotspot_id = text("Hot spot named in the log")
    unit_id = text("Pseudonym of the unit", null="not supplied", personal=True)
    started_at = instant("Start as logged")
    ended_at = instant("End as logged", null="not supplied")
    activity = text("Activity as logged", null="not supplied")
    officers = whole("Officers present as logged", null="not supplied", low=0)
    engagements = whole("Conversations and other engagements", null="not supplied", low=0)
    stops = whole("People stopped", null="not supplied", low=0)
    searches = whole("People searched", null="not supplied", low=0)
    arrests = whole("People arrested", null="not supplied", low=0)
    referrals = whole("Referrals to other services", null="not supplied", low=0)
    asb_powers = whole("Uses of anti-social behaviour powers", null="not supplied", low=0)
    intelligence = whole("Intelligence reports", null="not supplied", low=0)
    observations = text("Free text", null="not supplied", personal=True)
    source_sha256 = source_sha256()
    source_row = source_row()
