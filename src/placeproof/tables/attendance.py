"""Contract of table `attendance`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    instant,
    number,
    one_of,
    text,
    whole,
    yes_no,
)


class Attendance(Table):
    """One row per tasked window, held against presence and logs.

    Cancelled windows stay in: the plan is the denominator. The five levels are null where the
    source of presence said nothing on that day, or where their evidence was not supplied. There is
    no column for a unit, an officer or a device, so none can be compared.
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
    randomised = yes_no("Whether the day was allotted at random", null="the source does not say")
    reason = text("Why it was cancelled or missed", null="none was given")
    source = one_of("Where presence comes from", "pings", "visits", "dwell", "hours")
    observed = yes_no("Whether the source of presence reported that day")
    minutes_in_window = number(
        "Minutes in which somebody was there",
        unit="min",
        null="not observed, or the source gives no times",
        low=0,
    )
    minutes_in_window_sd = number(
        "Standard deviation of the error of these minutes", unit="min", null="not known", low=0
    )
    minutes_in_day = number(
        "Minutes in which somebody was there, in the window or else on its operating day",
        unit="min",
        null="not observed",
        low=0,
    )
    minutes_in_day_sd = number(
        "Standard deviation of the error of these minutes", unit="min", null="not known", low=0
    )
    longest_visit_minutes = number(
        "Longest visit that touches the window",
        unit="min",
        null="not observed, or the source gives no times",
        low=0,
    )
    interval_s = number(
        "Usual time between pings; no shorter stay can be told from a passing",
        unit="s",
        null="ready-made, or not known",
        low=0,
    )
    visible = yes_no(
        "Evidence in the window of a patrol on foot: speed, or the activity as logged or stated",
        null="not observed, or no such evidence supplied",
    )
    logs = whole("Logs of the place that touch the window", null="no logs supplied", low=0)
    logs_completed = whole(
        "Those of them with an end and an activity", null="no logs supplied", low=0
    )
    level_1 = yes_no("Attended in the window", null="not observed, or the source gives no times")
    level_2 = yes_no(
        "Attended for at least the minutes asked for, at any time of the day", null="not observed"
    )
    level_3 = yes_no("In the window and for long enough there", null="as level 1")
    level_4 = yes_no(
        "Level 3 with evidence of a visible patrol on foot",
        null="as level 3, or no such evidence supplied",
    )
    level_5 = yes_no("Level 4 with the log completed", null="as level 4, or no logs supplied")
    level_2_uncertain = yes_no(
        "Whether the minutes of the day lie within one standard deviation of those asked for",
        null="not observed, or the error is not known",
    )
    level_3_uncertain = yes_no(
        "Whether the minutes in the window lie within one standard deviation of those asked for",
        null="not observed, or the error is not known",
    )
