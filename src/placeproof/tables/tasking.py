"""Contract of table `tasking`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    number,
    source_row,
    source_sha256,
    text,
    whole,
    yes_no,
)


class Tasking(Table):
    """One row per place and window for which a patrol was asked.

    The denominator of compliance: cancelled windows stay in it with their reasons. Why a window was
    missed is written by the force: in its export, or by a row in corrections/.
    """

    table_name: ClassVar[str] = "tasking"
    contract_version: ClassVar[int] = 2

    task_id = text("Identifier in the source")
    hotspot_id = text("Hot spot that was to be patrolled")
    window_from = instant("Start of the window")
    window_to = instant("End of the window")
    target_minutes = number("Minutes asked for", unit="min", low=0)
    unit_id = text("Pseudonym of the unit asked", null="not supplied", personal=True)
    officers = whole("Officers asked for", null="not supplied", low=0)
    activity = text("What was asked for", null="not supplied")
    randomised = yes_no("Whether the day was allotted at random", null="the source does not say")
    cancelled = yes_no("Whether the task was cancelled")
    cancel_reason = text("Why it was cancelled", null="not cancelled, or no reason given")
    missed_reason = text(
        "Why nobody came, or not for long enough, though it was not cancelled",
        null="not missed, or no reason given",
    )
    source_sha256 = source_sha256()
    source_row = source_row()
