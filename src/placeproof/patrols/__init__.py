"""From pings, ready-made statements, tasking and logs to visits, dose, compliance and routes.

A name is fetched when it is first asked for: the executors of a cluster need the kernel of this
room and nothing else, and each of them would pay for the rest again.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


_HOMES = {
    "additional": ("stated_officers",),
    "advice": ("choose_path",),
    "as_planned": ("AsPlanned", "PlannedRules", "as_planned"),
    "coverage": ("coverage", "coverage_estimates"),
    "crossings": ("premises_index", "visits_by_crossings"),
    "dividing": ("Night",),
    "doses": ("DoseRules", "Doses", "doses"),
    "minutes": (
        "device_days",
        "observed_days",
        "panel_dose",
        "place_days",
        "planned_minutes",
        "stated_minutes",
    ),
    "routes": ("routes",),
    "rows": ("Row", "finished"),
    "visits": ("ready_made_visits", "visits"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

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


class _Room(ModuleType):
    """A room in which a file does not take the place of the function after which it is named."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        setattr(sys.modules[__name__], name, value)
        return value

    sys.modules[__name__].__class__ = _Room
