"""Two engines found the same, to the byte."""

from dataclasses import fields

import numpy as np

from placeproof.engines.found import Found


def assert_identical(one: Found, other: Found) -> None:
    """Fail and name the first thing that differs."""
    assert one.device_ids == other.device_ids
    for part in fields(one.stays):
        value, theirs = getattr(one.stays, part.name), getattr(other.stays, part.name)
        if isinstance(value, np.ndarray):
            assert value.dtype == theirs.dtype
            assert value.tobytes() == theirs.tobytes(), part.name
        else:
            assert value == theirs
