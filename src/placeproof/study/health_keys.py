"""The keys of `plan.toml` about how hospital attendances are located."""

from dataclasses import dataclass

from placeproof.study.settings_form import Key, Sections

HEALTH_KEYS: Sections = {
    "health": (
        Key(
            "least_confidence",
            "number",
            "confidence with which the words of a patient must name a place of the study",
            low=0.5,
            high=1,
        ),
        Key(
            "least_margin",
            "number",
            "by how much the best name must lead the best one of any other place",
            low=0,
            high=1,
        ),
        Key(
            "dwelling_words",
            "texts",
            "words, alone or among others, that place an assault in a dwelling",
        ),
        Key(
            "least_located",
            "whole",
            "fewest attendances located in patrolled hot spots from which an effect is estimated",
            low=1,
        ),
    ),
}

HEALTH_VALUES = {
    "least_confidence": "0.8",
    "least_margin": "0.2",
    "dwelling_words": '["home", "house", "flat"]',
    "least_located": "50",
}
"""What a new plan starts with, by key."""


@dataclass(frozen=True, kw_only=True)
class HealthPlan:
    """Section [health]; `HEALTH_KEYS` says what each means."""

    least_confidence: float
    least_margin: float
    dwelling_words: tuple[str, ...]
    least_located: int
