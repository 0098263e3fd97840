"""How far apart a device's positions are, told from counts of gaps alone: no order is needed.

Between two positions inside a hot spot may lie others that were lost, or that fell outside because
the device hopped over the fence. So gaps inside are the device's interval or a multiple of it, and
their mean tells the interval of no device that patrols an edge. The shortest of them do.
"""

import numpy as np
from numpy.typing import NDArray

SHORT_SHARE = 0.2
"""A gap that is no longer than this share of all is one interval; fewer may be odd extra reports.

The price: a device of which a fifth of the gaps are short reports that often, whatever the rest.
"""
SAME_GROUP = 1.5
"""Gaps up to so many times the interval are one interval; the next group lies around two."""
MOST_LOST_SHARE = 0.2
"""Of regular reports of which this share is lost, the gap around a moment is 1.5 intervals: gaps
that say more than that are steps over the fence."""


def usual_interval_s(often: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Find the usual time between the positions of each device, of which many may be missing.

    Gaps up to 1.5 times a lower fifth are taken for one interval; their median takes the place of
    the fifth for as long as it is longer; the result is the mean of the gaps between half and one
    and a half times that. A device of which every second position is missing, as by clockwork, is
    not told from one that reports half as often.

    Parameters
    ----------
    often : array (devices, seconds)
        How often each whole number of seconds lies between neighbours; column 0 is nought.

    Returns
    -------
    array
        Seconds, one number a device; not a number where a device has no gap.
    """
    below = np.cumsum(often, axis=1)
    gap_s = np.arange(often.shape[1])
    usual = _reached(below, SHORT_SHARE * below[:, -1])
    while True:
        group = _up_to(below, SAME_GROUP * usual)
        longer = np.maximum(usual, _reached(below, group / 2))
        if np.array_equal(longer, usual):
            break
        usual = longer
    least, most = np.ceil(usual / 2) - 1, SAME_GROUP * usual
    length = np.cumsum(often * gap_s, axis=1)
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = (_up_to(length, most) - _up_to(length, least)) / (
            _up_to(below, most) - _up_to(below, least)
        )
    mean[below[:, -1] == 0] = np.nan
    # To a microsecond, so that a regular interval is itself and not its neighbour.
    return np.round(mean, 6)


def unseen_s(
    often: NDArray[np.float64], interval_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Find how much longer than the time between its first and last position a visit probably is.

    A moment at which a device enters or leaves falls into a long gap more often than into a short
    one, so gaps count by their length: the mean is Σ gap² / Σ gap. That holds for positions that
    are lost. One that fell outside is known not to be inside, so nothing above 1.5 intervals, which
    is what one position lost of five makes, is taken for loss.

    Parameters
    ----------
    often : array (devices, seconds)
        As for `usual_interval_s`.
    interval_s : array
        What that gave.

    Returns
    -------
    seconds, their standard deviation : array, array
        One number a device; not a number where a device has no gap.
    """
    gap_s = np.arange(often.shape[1])
    with np.errstate(invalid="ignore"):
        whole = often @ gap_s
        mean: NDArray[np.float64] = (often @ gap_s**2) / whole
        one_wait = (often @ gap_s**3) / whole / 3 - (mean / 2) ** 2
        most = (1 + MOST_LOST_SHARE) / (1 - MOST_LOST_SHARE) * interval_s
        kept: NDArray[np.float64] = np.minimum(mean, most)
        deviation: NDArray[np.float64] = np.sqrt(2 * np.maximum(one_wait, 0)) * (kept / mean)
    return np.round(kept, 6), np.round(deviation, 6)


def _reached(below: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.int64]:
    """First column at which each row is as high as its share; 0 where a row is nought."""
    return np.argmax(below >= share[:, None], axis=1)


def _up_to(below: NDArray[np.float64], column: NDArray) -> NDArray[np.float64]:
    """What each row has reached at a column, which may lie beyond either end."""
    place = np.minimum(np.floor(column).astype(np.int64), below.shape[1] - 1)
    return np.where(place < 0, 0.0, below[np.arange(len(below)), np.maximum(place, 0)])
