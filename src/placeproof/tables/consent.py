"""Contract of table `consent`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    one_of,
    source_row,
    source_sha256,
    text,
    yes_no,
)


class Consent(Table):
    """One row per person and use that was asked for.

    The lawful basis is a study setting; this is ethical consent.
    """

    table_name: ClassVar[str] = "consent"
    contract_version: ClassVar[int] = 1

    subject_id = text("Response, speaker or contact", personal=True)
    subject_kind = one_of("What the subject is", "response", "speaker", "contact")
    scope = one_of("Which use", "survey", "analysis", "quotes", "recontact", "archive")
    given = yes_no("Whether consent was given")
    at = instant("When it was asked", null="not supplied")
    sheet_version = text("Version of the information sheet seen", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()
