"""Placeproof evaluates hot-spot policing from end to end."""

__version__ = "0.1.0"
