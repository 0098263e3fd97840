"""Versioned definitions: outcomes, harm, demography, shocks and the research questions."""

from placeproof.definitions.categories import category_slug, police_uk_slugs
from placeproof.definitions.demography import age_band, ethnic_group, sex_group
from placeproof.definitions.harm import HarmWeights, harm, harm_weights, weighed
from placeproof.definitions.outcome import Outcome, outcomes, read_outcomes
from placeproof.definitions.questions import QUESTIONS
from placeproof.definitions.selection import select, supplied, unknown_share
from placeproof.definitions.shocks import shocks

__all__ = [
    "QUESTIONS",
    "HarmWeights",
    "Outcome",
    "age_band",
    "category_slug",
    "ethnic_group",
    "harm",
    "harm_weights",
    "outcomes",
    "police_uk_slugs",
    "read_outcomes",
    "select",
    "sex_group",
    "shocks",
    "supplied",
    "unknown_share",
    "weighed",
]
