"""Counts by place, period, outcome and hours, and how far missing locations can bend them."""

from placeproof.panel.amounts import amounts
from placeproof.panel.build import build, build_many
from placeproof.panel.location import count_bounds, missing_location, ratio_bounds
from placeproof.panel.paths import paths
from placeproof.panel.reconcile import reconcile
from placeproof.panel.roll import roll

__all__ = [
    "amounts",
    "build",
    "build_many",
    "count_bounds",
    "missing_location",
    "paths",
    "ratio_bounds",
    "reconcile",
    "roll",
]
