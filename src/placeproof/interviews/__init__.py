"""From sessions, speakers, turns and codes to people heard, gaps and themes."""

from placeproof.interviews.estimates import estimates

__all__ = ["estimates"]
