"""Counts by place, period, outcome and hours, and how far missing locations can bend them."""

from placeproof.panel.amounts import amounts
from placeproof.panel.build import build, build_many
from placeproof.panel.location import missing_location
from placeproof.panel.paths import paths
from placeproof.panel.reconcile import reconcile
from placeproof.panel.roll import roll

__all__ = [
    "amounts",
    "build",
    "build_many",
    "missing_location",
    "paths",
    "reconcile",
    "roll",
]
