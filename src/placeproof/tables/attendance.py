"""Contract of table `attendance`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    instant,
    number,
    text,
    whole,
    yes_no,
)


class Attendance(Table):
    """One row per tasked window, held against presence and logs.

    Cancelled windows stay in: the plan is the denominator. The five levels are null where the
    source of presence said nothing on that day, or where their evidence was not supplied.
    """

    table_name: ClassVar[str] = "attendance"
    contract_version: ClassVar[int] = 1

    task_id = text("Identifier of the task")
    hotspot_id = text("Hot spot that was to be patrolled")
    operating_day = day("Operating day on which the window begins")
    window_from = instant("Start of the window")
    window_to = instant("End of the window")
    target_minutes = number("Minutes asked for", unit="min", low=0)
    cancelled = yes_no("Whether the task was cancelled")
    reason = text("Why it was cancelled or missed", null="none was given")
    observed = yes_no("Whether the source of presence reported that day")
    minutes_in_window = number(
        "Minutes in which somebody was there", unit="min", null="not observed", low=0
    )
    longest_visit_minutes = number(
        "Longest visit that touches the window", unit="min", null="not observed", low=0
    )
    level_1 = yes_no("Attended in the window", null="not observed")
    level_2 = yes_no(
        "Attended for at least the minutes asked for, at any time of the day", null="not observed"
    )
    level_3 = yes_no("In the window and for long enough there", null="not observed")
    level_4 = yes_no(
        "Level 3 with evidence of a visible patrol on foot",
        null="not observed, or no such evidence supplied",
    )
    level_5 = yes_no("Level 4 with the log completed", null="as level 4, or no logs supplied")
    logs = whole("Logs of the place that touch the window", null="no logs supplied", low=0)
