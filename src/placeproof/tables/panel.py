"""Contract of table `panel`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    number,
    one_of,
    text,
    whole,
    yes_no,
)


class Panel(Table):
    """One row per place, period, outcome and hours.

    Made by Placeproof. A count is a number, zero, or null for not supplied; a missing month is
    never 0. Fractions come from uncertain times.
    """

    table_name: ClassVar[str] = "panel"
    contract_version: ClassVar[int] = 1

    place_id = text("Place")
    kind = one_of(
        "What kind of place", "hotspot", "ring", "comparison", "comparison_ring", "lsoa", "force"
    )
    group = one_of("Its part in the comparison", "treated", "comparison", "other")
    target_id = text("Hot spot or comparison place that a ring belongs to", null="belongs to none")
    period_kind = one_of("Length of the period", "day", "week", "month")
    period_start = day("First operating day of the period")
    period_end = day("Last operating day of the period")
    outcome = text("Outcome, by the id of its definition")
    hours = one_of("Hours of the day that are counted", "all", "nte", "other")
    count = number(
        "Events in the place, period and hours", unit="count", null="not supplied", low=0
    )
    first_treated = day("First day of patrols in the place", null="never")
    treated = yes_no(
        "Whether the whole period lies at or after the first day of patrols",
        null="the first day of patrols lies inside the period",
    )
    event_time = whole(
        "Periods since the one that holds the first day of patrols",
        unit="period",
        null="never treated",
    )
    planned_minutes = number(
        "Minutes that tasking asked for", unit="min", null="not supplied", low=0
    )
    delivered_minutes = number(
        "Minutes that pings or ready-made tables measured", unit="min", null="not supplied", low=0
    )
