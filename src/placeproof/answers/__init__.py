"""Estimates to findings, disclosure control, and answers to the research questions."""


from placeproof.answers.findings import from_estimates


__all__ = ["from_estimates"]
