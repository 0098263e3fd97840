"""Contract of table `speaker`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    one_of,
    source_row,
    source_sha256,
    text,
    yes_no,
)


class Speaker(Table):
    """One row per person heard in a session.

    People are counted here, not sessions.
    """

    table_name: ClassVar[str] = "speaker"
    contract_version: ClassVar[int] = 1

    speaker_id = text("Pseudonym of the person", personal=True)
    session_id = text("Session in which the person spoke")
    population = one_of("Which population", "resident", "business", "user")
    role = text("Recruit category (door staff, taxi, outreach, student…)", null="not supplied")
    age_band = text("Age band", null="not supplied", personal=True)
    sex = text("Sex", null="not supplied", personal=True)
    ethnicity = text("Ethnic group", null="not supplied", personal=True)
    consent_analysis = yes_no("Consent to analysis")
    consent_quotes = yes_no("Consent to quotation")
    source_sha256 = source_sha256()
    source_row = source_row()
