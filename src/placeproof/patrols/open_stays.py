"""Intervals inside hot spots that are still open, from batch to batch."""

import numpy as np
from numpy.typing import NDArray

from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.stays import WORDS, Stays, unpaired, whole_ticks

_CLOSED_HELD, _DEVICES_HELD = 250_000, 4_000
"""From here on what is held is taken out and merged: 6 and 9 MB."""


class OpenStays:
    """
    Intervals that are open, from batch to batch: what one thread is about.

    Parameters
    ----------
    index : OutlineIndex
        Hot spots.
    ticks_per_second : int
        Unit of the times that will be taken in.
    longest_gap_s : float
        Seconds of silence that end an interval.
    """

    def __init__(self, index: OutlineIndex, *, ticks_per_second: int, longest_gap_s: float) -> None:
        from placeproof.patrols.stays_kernel import opened

        self._places = index.arrays(ticks_per_second)
        self._gap, self._ticks = whole_ticks(longest_gap_s, ticks_per_second), ticks_per_second
        self._state = opened()

    @property
    def full(self) -> bool:
        """Whether so much is held that it should be taken."""
        from placeproof.patrols.stays_kernel import CLOSED, DEVICES

        filling = self._state[-1]
        return bool(filling[CLOSED] > _CLOSED_HELD or filling[DEVICES] > _DEVICES_HELD)

    def take(
        self,
        *,
        device: NDArray[np.int32],
        at: NDArray[np.int64],
        longitude_e7: NDArray[np.int32],
        latitude_e7: NDArray[np.int32],
    ) -> None:
        """Take in a batch; without the interpreter's lock. Arrays as for `stays_of`."""
        from placeproof.patrols.stays_kernel import gathered

        arrays = (
            np.ascontiguousarray(device, np.int32),
            np.ascontiguousarray(at, np.int64),
            np.ascontiguousarray(longitude_e7, np.int32),
            np.ascontiguousarray(latitude_e7, np.int32),
        )
        if len({len(array) for array in arrays}) != 1:
            raise ValueError("device, at, longitude_e7 and latitude_e7 differ in length")
        self._state = gathered(*arrays, *self._places, self._gap, self._ticks, self._state)

    def taken(self) -> Stays:
        """What was found since the last time, not merged; nothing is held afterwards."""
        from placeproof.patrols.stays_kernel import (
            CLOSED,
            CODE,
            DEVICES,
            EMPTY,
            FIRST,
            KEPT,
            KEY,
            LAST,
            PIECES,
            opened,
        )

        table, _, closed, sketch, seconds, _, _, filling = self._state
        self._state = opened()
        still_open = table[table[:, KEY] != EMPTY]
        parts = [closed[: filling[CLOSED]], still_open[:, [KEY, FIRST, LAST]]]
        pair, first, last = np.concatenate(parts).T
        sketch, seconds = sketch[: filling[DEVICES]], seconds[: filling[DEVICES]]
        kept = np.arange(sketch.shape[1] - PIECES) < sketch[:, KEPT : KEPT + 1]
        return Stays(
            *unpaired(pair),
            np.ascontiguousarray(first),
            np.ascontiguousarray(last),
            self._ticks,
            np.repeat(sketch[:, CODE], sketch[:, KEPT]).astype(np.int32),
            sketch[:, PIECES:][kept],
            seconds.reshape(-1, kept.shape[1], WORDS)[kept],
        )
