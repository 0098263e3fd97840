"""An invented police force with known truth, written in the raw formats a real one would send.

It imports no estimator and shares no code with one: truth is written before anything is estimated.
"""

from placeproof.rehearsal.choices import EFFECTS, FEEDS, SIZES
from placeproof.rehearsal.faults import FAULTS
from placeproof.rehearsal.force import build_world, write_force

__all__ = ["EFFECTS", "FAULTS", "FEEDS", "SIZES", "build_world", "write_force"]
