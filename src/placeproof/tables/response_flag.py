"""Contract of table `response_flag`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    one_of,
    source_row,
    source_sha256,
    text,
    yes_no,
)


class ResponseFlag(Table):
    """One row per doubt about one response.

    A flag is reviewable and reversible; it deletes nothing.
    """

    table_name: ClassVar[str] = "response_flag"
    contract_version: ClassVar[int] = 1

    response_id = text("Response that the flag stands on", personal=True)
    flag = one_of(
        "What raised it",
        "duplicate",
        "speed",
        "straight_line",
        "honeypot",
        "impossible_place",
        "burst",
        "other",
    )
    reason = text("Why, in words")
    excluded = yes_no("Whether a person decided to leave the response out", null="not reviewed yet")
    source_sha256 = source_sha256()
    source_row = source_row()
