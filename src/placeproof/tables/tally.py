"""Contract of table `tally`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    source_row,
    source_sha256,
    text,
    whole,
)


class Tally(Table):
    """One row per fieldwork interval in which passers-by were counted.

    Without it people met on the street have no weights.
    """

    table_name: ClassVar[str] = "tally"
    contract_version: ClassVar[int] = 1

    hotspot_id = text("Hot spot")
    interval_from = instant("Start of counting")
    interval_to = instant("End of counting")
    passers_by = whole("People who passed", low=0)
    approached = whole("People who were asked", low=0)
    refused = whole("People who refused", low=0)
    completed = whole("People who completed the questionnaire", low=0)
    source_sha256 = source_sha256()
    source_row = source_row()
