"""Contract of table `turn`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    number,
    source_row,
    source_sha256,
    text,
    whole,
)


class Turn(Table):
    """One row per turn of one speaker.

    Text is personal until it has been redacted.
    """

    table_name: ClassVar[str] = "turn"
    contract_version: ClassVar[int] = 1

    session_id = text("Session")
    turn = whole("Number of the turn in its session, from 1", unit="turn", low=1)
    speaker_id = text(
        "Who speaks; the interviewer has no speaker row", null="the interviewer", personal=True
    )
    started_s = number("Start in the recording", unit="s", null="not supplied", low=0)
    words = text("What was said", personal=True)
    source_sha256 = source_sha256()
    source_row = source_row()
