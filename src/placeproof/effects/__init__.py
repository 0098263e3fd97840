"""From a panel of counts to effects, each with its interval or the reason why there is none."""

from placeproof.effects.choice import Sets, choice_of_comparison
from placeproof.effects.controls import NegativeControls, negative_controls
from placeproof.effects.first_set import first_set
from placeproof.effects.otherwise import by_hours, without_periods
from placeproof.effects.rows import PlannedOutcome

__all__ = [
    "NegativeControls",
    "PlannedOutcome",
    "Sets",
    "by_hours",
    "choice_of_comparison",
    "first_set",
    "negative_controls",
    "without_periods",
]
