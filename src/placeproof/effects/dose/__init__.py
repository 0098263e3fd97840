"""What can be identified, tasked days, carry-over, dose and how long an effect lasts."""

from placeproof.effects.dose.by_lot import lot_rows
from placeproof.effects.dose.cohorts import identified_cohorts
from placeproof.effects.dose.lasting import lasting
from placeproof.effects.dose.place_days import DayRules, place_days, tasked_day_rows
from placeproof.effects.dose.response import DoseRules, dose_response

__all__ = [
    "DayRules",
    "DoseRules",
    "dose_response",
    "identified_cohorts",
    "lasting",
    "lot_rows",
    "place_days",
    "tasked_day_rows",
]
