"""When devices reported anything: a small sketch of positions, which unites in any order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

_SLOTS = 2**34
"""More than there are seconds in 500 years, so that a device and a slot make one number."""
_WAITING = 4_000_000


@dataclass
class Slots:
    """
    Slots of time in which devices of one numbering reported.

    A set of pairs of device and slot: the order, the grouping and repeats of positions change
    nothing, and memory holds the set and a few million numbers that wait to be taken into it.

    Parameters
    ----------
    slot_s : int
        Length of a slot.
    """

    slot_s: int
    _parts: list[pl.Series] = field(default_factory=list, repr=False)
    _waiting: int = 0
    _held: int = 0

    def add(
        self, device: NDArray[np.int32], at: NDArray[np.int64], *, ticks_per_second: int
    ) -> None:
        """Take in some positions: the code of each one's device, and its ticks since 1970."""
        slot = at // (self.slot_s * ticks_per_second) + _SLOTS // 2
        new = pl.Series(device.astype(np.int64) * _SLOTS + slot).unique()
        self._parts.append(new)
        self._waiting += len(new)
        if self._waiting > _WAITING + self._held:
            self._merge()

    def _merge(self) -> pl.Series:
        empty = pl.Series([], dtype=pl.Int64)
        whole = pl.concat([empty, *self._parts]).unique().sort()
        self._parts, self._waiting, self._held = [whole], 0, len(whole)
        return whole

    def stretches(self, device_ids: Sequence[str]) -> pl.DataFrame:
        """Slots that follow one another as one stretch; `device_ids` names the devices by code."""
        keys = self._merge().to_numpy()
        device, slot = keys // _SLOTS, keys % _SLOTS - _SLOTS // 2
        starts = np.flatnonzero(np.diff(keys, prepend=-1) != 1)
        ends = np.append(starts[1:], len(keys))[: len(starts)] - 1
        names = pl.Series(device_ids, dtype=pl.String).gather(device[starts])
        return pl.DataFrame(
            {
                "device_id": names,
                "from_at": _moments(slot[starts] * self.slot_s),
                "to_at": _moments((slot[ends] + 1) * self.slot_s),
            }
        ).sort("device_id", "from_at")


def reporting(pings: pl.DataFrame, *, slot_s: int) -> pl.DataFrame:
    """
    Say when each device reported anything, wherever it was.

    Parameters
    ----------
    pings : table `ping`
    slot_s : int
        A device that is silent for a whole slot of so many seconds was off, or out of reach.

    Returns
    -------
    DataFrame
        `device_id`, `from_at`, `to_at`, sorted: slots in which a device reported, joined where one
        follows another.
    """
    slot = timedelta(seconds=slot_s)
    slots = pings.select("device_id", from_at=pl.col("at").dt.truncate(slot)).unique()
    return united([slots.with_columns(to_at=pl.col("from_at") + slot)])


def united(stretches: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """
    Join stretches of reporting that meet or overlap, from however many sources.

    Parameters
    ----------
    stretches : sequence of DataFrame
        As `reporting` gives them.

    Returns
    -------
    DataFrame
        As `reporting` gives it.
    """
    latest = pl.col("to_at").cum_max().shift().over("device_id")
    return (
        pl.concat(stretches)
        .sort("device_id", "from_at", "to_at")
        .with_columns(begins=(pl.col("from_at") > latest).fill_null(True))
        .group_by("device_id", stretch=pl.col("begins").cum_sum(), maintain_order=True)
        .agg(pl.col("from_at").min(), pl.col("to_at").max())
        .drop("stretch")
        .sort("device_id", "from_at")
    )


def _moments(seconds: NDArray[np.int64]) -> pl.Series:
    return pl.Series(seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))
