"""From pings, ready-made statements, tasking and logs to visits, minutes and delivery."""

from placeproof.patrols.estimates import estimates
from placeproof.patrols.minutes import (
    delivered_minutes,
    observed_days,
    planned_minutes,
    stated_minutes,
)
from placeproof.patrols.visits import ready_made_visits, visits

__all__ = [
    "delivered_minutes",
    "estimates",
    "observed_days",
    "planned_minutes",
    "ready_made_visits",
    "stated_minutes",
    "visits",
]
