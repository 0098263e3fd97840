"""From pings, ready-made statements, tasking and logs to visits, dose, compliance and routes."""

from placeproof.patrols.additional import stated_officers
from placeproof.patrols.advice import choose_path
from placeproof.patrols.as_planned import AsPlanned, PlannedRules, as_planned
from placeproof.patrols.coverage import coverage, coverage_estimates
from placeproof.patrols.crossings import premises_index, visits_by_crossings
from placeproof.patrols.dividing import Night
from placeproof.patrols.doses import DoseRules, Doses, doses
from placeproof.patrols.minutes import (
    device_days,
    observed_days,
    panel_dose,
    place_days,
    planned_minutes,
    stated_minutes,
)
from placeproof.patrols.routes import routes
from placeproof.patrols.rows import Row, finished
from placeproof.patrols.visits import ready_made_visits, visits

__all__ = [
    "AsPlanned",
    "DoseRules",
    "Doses",
    "Night",
    "PlannedRules",
    "Row",
    "as_planned",
    "choose_path",
    "coverage",
    "coverage_estimates",
    "device_days",
    "doses",
    "finished",
    "observed_days",
    "panel_dose",
    "place_days",
    "planned_minutes",
    "premises_index",
    "ready_made_visits",
    "routes",
    "stated_minutes",
    "stated_officers",
    "visits",
    "visits_by_crossings",
]
