"""From responses to estimates: who counts, targets, levels with their variance, contrasts."""

from placeproof.surveys.estimates import estimates

__all__ = ["estimates"]
