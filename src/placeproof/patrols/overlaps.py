"""Which stretches of two lists overlap."""

import numpy as np
from numpy.typing import NDArray

from placeproof.patrols.hours import paired
from placeproof.patrols.stretches import Moments

Indices = NDArray[np.int64]


def overlapping(
    first: Moments, last: Moments, other_first: Moments, other_last: Moments
) -> tuple[Indices, Indices]:
    """
    Pair each stretch of one list with every stretch of another that shares a moment with it.

    Parameters
    ----------
    first, last : array of int
        The one list, ends included. A stretch that ends before it begins is taken as its start.
    other_first, other_last : array of int
        The other list, likewise. Neither need be sorted or disjoint.

    Returns
    -------
    (array of int, array of int)
        Index in the one list and index in the other, sorted by both.

    Examples
    --------
    Of two stretches, the first meets one and the second two of another list.

    >>> mine, theirs = overlapping(
    ...     np.array([0, 20]), np.array([10, 30]), np.array([5, 28]), np.array([25, 50])
    ... )
    >>> list(zip(mine.tolist(), theirs.tolist()))
    [(0, 0), (1, 0), (1, 1)]
    """
    last, other_last = np.maximum(first, last), np.maximum(other_first, other_last)
    if not first.size or not other_first.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    order = np.argsort(other_first, kind="stable")
    starts, ends = other_first[order], other_last[order]
    longest = int((ends - starts).max())
    low = np.searchsorted(starts, first - longest, side="left")
    high = np.searchsorted(starts, last, side="right")
    mine, theirs = paired(low, high - 1)
    shared = ends[theirs] >= first[mine]
    mine, theirs = mine[shared], order[theirs[shared]]
    sorted_ = np.lexsort((theirs, mine))
    return mine[sorted_].astype(np.int64), theirs[sorted_].astype(np.int64)
