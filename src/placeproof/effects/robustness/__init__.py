"""Other estimators beside the headline, each with its own assumptions."""

from placeproof.effects.robustness.beside import METHODS, Choices, robustness_set

__all__ = ["METHODS", "Choices", "robustness_set"]
