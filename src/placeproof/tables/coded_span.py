"""Contract of table `coded_span`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    source_row,
    source_sha256,
    text,
    whole,
)


class CodedSpan(Table):
    """One row per stretch of a turn, code and coder.

    Offsets are codepoints from 0, end exclusive.
    """

    table_name: ClassVar[str] = "coded_span"
    contract_version: ClassVar[int] = 1

    session_id = text("Session")
    turn = whole("Turn", unit="turn", low=1)
    code_id = text("Code")
    coder_id = text("Pseudonym of the coder", personal=True)
    start = whole("First codepoint", unit="codepoint", low=0)
    end = whole("Codepoint after the last", unit="codepoint", low=1)
    round = text("Round of coding", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()
