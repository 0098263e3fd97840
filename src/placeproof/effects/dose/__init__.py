"""What can be identified, tasked days, carry-over, dose and how long an effect lasts."""

from placeproof.effects.dose.cohorts import identified_cohorts

__all__ = ["identified_cohorts"]
