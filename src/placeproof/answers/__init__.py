"""Estimates to findings, disclosure control, and answers to the research questions."""

from placeproof.answers.disclosure import release
from placeproof.answers.findings import from_estimates
from placeproof.answers.questions import answer_all

__all__ = ["answer_all", "from_estimates", "release"]
