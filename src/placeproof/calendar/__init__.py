"""Operating days, night-time economy hours, clock changes, uncertain times and periods.

Everything inside is UTC. Local time (Europe/London) exists only where a rule is written in it: an
operating day runs from 06:00 to 05:59 local, so 02:30 on Sunday belongs to Saturday.
"""

from placeproof.calendar.days import (
    DAY_STARTS,
    LOCAL_ZONE,
    PeriodKind,
    operating_day,
    period_end,
    period_start,
    periods,
    to_utc,
)
from placeproof.calendar.nights import (
    NTE_PRESETS,
    NteHours,
    aoristic,
    bank_holiday_eves,
    in_nte,
    nte_intervals,
)

__all__ = [
    "DAY_STARTS",
    "LOCAL_ZONE",
    "NTE_PRESETS",
    "NteHours",
    "PeriodKind",
    "aoristic",
    "bank_holiday_eves",
    "in_nte",
    "nte_intervals",
    "operating_day",
    "period_end",
    "period_start",
    "periods",
    "to_utc",
]
