"""Contract of table `dose`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    number,
    one_of,
    text,
    whole,
)


class Dose(Table):
    """One row per hot spot, operating day, hours and source of presence.

    Two officers together for ten minutes are 10 patrol-minutes and 20 person-minutes. Sources
    are never added up; reconciled rows follow a stated rule. A day of which the source says nothing
    has no row; hours that do not exist on a day have a row without length.
    """

    table_name: ClassVar[str] = "dose"
    contract_version: ClassVar[int] = 1

    hotspot_id = text("Hot spot")
    operating_day = day("Operating day (06:00 to 05:59 local)")
    hours = text("Hours that are counted: all, nte:<preset>, other:<preset> or band:06-10")
    source = one_of("Where presence comes from", "pings", "delivered", "reconciled")
    minutes_in_hours = number("How long these hours last on that day", unit="min", low=0)
    delivered_by = text("Who delivered it", null="measured by pings alone")
    patrol_minutes = number("Minutes in which somebody was there", unit="min", low=0)
    patrol_minutes_sd = number(
        "Standard deviation of the error of patrol-minutes", unit="min", null="not known", low=0
    )
    person_minutes = number(
        "Minutes of all officers together", unit="min", null="officers not known", low=0
    )
    persons_from = one_of(
        "What officers were counted by",
        "devices",
        "devices and statements",
        "stated",
        null="officers not known",
    )
    visible_minutes = number(
        "Patrol-minutes on foot and outside premises", unit="min", null="speed not known", low=0
    )
    additional_minutes = number(
        "Patrol-minutes that tasking asked for", unit="min", null="no tasking supplied", low=0
    )
    background_minutes = number(
        "Patrol-minutes beside the tasked ones", unit="min", null="no tasking supplied", low=0
    )
    visits = whole(
        "Visits that began in these hours, joined where they overlap",
        null="minutes without visits",
        low=0,
    )
    mean_visit_minutes = number("Mean length of those visits", unit="min", null="no visit", low=0)
    longest_gap_minutes = number(
        "Longest time without anybody there in these hours",
        unit="min",
        null="not known, or no such hours that day",
        low=0,
    )
    minutes_per_1000_m2 = number(
        "Patrol-minutes for each 1,000 square metres", unit="min/1000 m2", null="no outline", low=0
    )
