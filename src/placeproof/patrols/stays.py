"""Stays: intervals of one device in one hot spot, which merge in any order and grouping."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.patrols.cadence import unseen_s, usual_interval_s
from placeproof.patrols.outline_index import OutlineIndex

WORDS = 16
_FARTHEST = 2**61


@dataclass(frozen=True)
class Stays:
    """
    Intervals between the first and the last position of one device in one hot spot.

    Attributes
    ----------
    device, hotspot : int32
        Code of the device; place in `OutlineIndex.hotspot_ids`.
    first, last : int64
        Ticks since 1970 (UTC).
    ticks_per_second : int
    sample_device, sample_key, sample_seconds : int32, int64, uint64 (samples, 16)
        The cadence sketch: for each device up to 16 pieces of 1,024 s in one hot spot, those whose
        hash is lowest, and a bit for each second with a position inside. It depends on the set of
        positions alone, and unites as sets do.
    """

    device: NDArray[np.int32]
    hotspot: NDArray[np.int32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    ticks_per_second: int
    sample_device: NDArray[np.int32]
    sample_key: NDArray[np.int64]
    sample_seconds: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.device)

    @classmethod
    def none(cls, *, ticks_per_second: int) -> "Stays":
        """No interval at all: merging it changes nothing."""
        codes, moments = np.empty(0, np.int32), np.empty(0, np.int64)
        seconds = np.empty((0, WORDS), np.uint64)
        return cls(codes, codes, moments, moments, ticks_per_second, codes, moments, seconds)

    @classmethod
    def merge(cls, stays: Sequence["Stays"], *, longest_gap_s: float) -> "Stays":
        """
        Unite stays: associative, commutative, and repeating a part changes nothing.

        Parameters
        ----------
        stays : sequence of Stays
            At least one, with one number of ticks per second and one numbering of devices.
        longest_gap_s : float
            As for `stays_of`, which made them.

        Returns
        -------
        Stays
            Sorted by device, hot spot and time; intervals of a pair are farther apart than
            `longest_gap_s`.
        """
        from placeproof.patrols.stays_kernel import (
            linked,
            mixed_all,
            numbered,
            sketched,
        )

        ticks = stays[0].ticks_per_second
        if any(part.ticks_per_second != ticks for part in stays):
            raise ValueError("stays with different ticks_per_second cannot be merged")
        pairs, counts, of = numbered(_joined([_pairs(p.device, p.hotspot) for p in stays]))
        order = np.argsort(pairs)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        pair, first, last = linked(
            pairs[order],
            np.concatenate([[0], np.cumsum(counts[order])]),
            place[of],
            _joined([part.first for part in stays]),
            _joined([part.last for part in stays]),
            whole_ticks(longest_gap_s, ticks),
        )
        whose, keys, seconds = (
            _joined([getattr(part, name) for part in stays])
            for name in ("sample_device", "sample_key", "sample_seconds")
        )
        by_number = np.lexsort((mixed_all(keys), whose))
        whose, keys, seconds = sketched(by_number, whose, keys, seconds)
        return cls(*unpaired(pair), first, last, ticks, whose, keys, seconds)


@dataclass
class Gathering:
    """
    Stays of many batches, merged now and then so that memory holds little more than the result.

    Attributes
    ----------
    longest_gap_s : float
    ticks_per_second : int
    """

    longest_gap_s: float
    ticks_per_second: int
    _parts: list[Stays] = field(default_factory=list)
    _waiting: int = 0
    _merged: int = 0

    def add(self, stays: Stays) -> None:
        """Take in the stays of one batch."""
        self._parts.append(stays)
        self._waiting += len(stays) + WORDS * len(stays.sample_key)
        if self._waiting > 2_000_000 + self._merged:
            self.stays()

    def stays(self) -> Stays:
        """Everything taken in so far, merged."""
        none = Stays.none(ticks_per_second=self.ticks_per_second)
        merged = Stays.merge([none, *self._parts], longest_gap_s=self.longest_gap_s)
        self._parts, self._waiting, self._merged = [merged], 0, len(merged)
        return merged


def stays_of(
    index: OutlineIndex,
    *,
    device: NDArray[np.int32],
    at: NDArray[np.int64],
    longitude_e7: NDArray[np.int32],
    latitude_e7: NDArray[np.int32],
    ticks_per_second: int,
    longest_gap_s: float,
) -> Stays:
    """
    Join positions inside the same hot spot into intervals, whatever their order.

    The interpreter's lock is released, so that threads can work on one batch each.

    Parameters
    ----------
    index : OutlineIndex
    device : array of int32
        Code of each position's device, 0 or more.
    at : array of int64
        Ticks since 1970 (UTC).
    longitude_e7, latitude_e7 : array of int32
        Degrees × 1e7; `outline_index.UNKNOWN_E7` where not known.
    ticks_per_second : int
        1 for seconds, 1,000,000 for microseconds.
    longest_gap_s : float
        Seconds of silence that end an interval; silence of exactly this length does not.

    Returns
    -------
    Stays
        Not sorted; intervals of one pair may touch until they are merged.

    Raises
    ------
    ValueError
        If the arrays differ in length or `longest_gap_s` is not above 0.
    """
    from placeproof.patrols.open_stays import OpenStays

    taking = OpenStays(index, ticks_per_second=ticks_per_second, longest_gap_s=longest_gap_s)
    taking.take(device=device, at=at, longitude_e7=longitude_e7, latitude_e7=latitude_e7)
    return taking.taken()


def to_frame(stays: Stays, device_ids: Sequence[str], hotspot_ids: Sequence[str]) -> pl.DataFrame:
    """
    Stays as a table of names and moments.

    Parameters
    ----------
    stays : Stays
        Merged.
    device_ids : sequence of str
        Name of each device code.
    hotspot_ids : sequence of str
        `OutlineIndex.hotspot_ids`.

    Returns
    -------
    DataFrame
        `device_id`, `hotspot_id`, `arrived_at`, `left_at` (UTC, microseconds), sorted.
    """
    named = pl.DataFrame(
        {
            "device_id": pl.Series(device_ids, dtype=pl.String).gather(stays.device),
            "hotspot_id": pl.Series(hotspot_ids, dtype=pl.String).gather(stays.hotspot),
            "arrived_at": _moments(stays.first, stays.ticks_per_second),
            "left_at": _moments(stays.last, stays.ticks_per_second),
        }
    )
    return in_order(named)


def in_order(stays: pl.DataFrame) -> pl.DataFrame:
    """
    Rows by device, hot spot and arrival; millions that are so already are not copied.

    Parameters
    ----------
    stays : DataFrame
        `device_id`, `hotspot_id`, `arrived_at`.
    """
    names = ["device_id", "hotspot_id", "arrived_at"]
    before, after = stays[:-1], stays[1:]
    further = pl.Series([False]).new_from_index(0, len(after))
    for name in reversed(names):
        more, same = after[name] > before[name], after[name] == before[name]
        further = more | (same & further) if name != names[-1] else more | same
    return stays if further.all() else stays.sort(names)


def usual_intervals(
    stays: Stays, device_ids: Sequence[str], *, longest_gap_s: float
) -> pl.DataFrame:
    """
    How far apart each device's pings are, and how much of a visit they leave unseen.

    From the gaps between neighbours in the sketch, which depends on the set of pings alone;
    `cadence` says how gaps become an interval.

    Parameters
    ----------
    stays : Stays
        Merged; the sketch in them is used.
    device_ids : sequence of str
        Name of each device code.
    longest_gap_s : float
        Longer silences are between visits, not within them.

    Returns
    -------
    DataFrame
        `device_id`, `interval_s` (usual time between pings), `unseen_s` (time that a visit has
        before its first and after its last ping) and `unseen_sd_s` (its standard deviation),
        sorted: a row for each device with a position inside. Devices with no two positions near
        enough in time have the medians of all devices; null where no device has any.
    """
    from placeproof.patrols.stays_kernel import BUCKET_S, gaps

    codes, counts = gaps(
        stays.sample_device, stays.sample_seconds, int(min(longest_gap_s, _FARTHEST))
    )
    # A piece of time shows a gap the less often the longer it is.
    often = counts * (BUCKET_S / (BUCKET_S - np.arange(counts.shape[1])))
    interval = usual_interval_s(often)
    unseen, unseen_sd = unseen_s(often, interval)
    return (
        pl.DataFrame(
            {
                "device_id": pl.Series(device_ids, dtype=pl.String).gather(codes),
                "interval_s": interval,
                "unseen_s": unseen,
                "unseen_sd_s": unseen_sd,
            }
        )
        .with_columns(pl.exclude("device_id").fill_nan(None))
        .with_columns(pl.exclude("device_id").fill_null(pl.exclude("device_id").median()))
        .sort("device_id")
    )


def _pairs(device: NDArray[np.int32], hotspot: NDArray[np.int32]) -> NDArray[np.int64]:
    return (device.astype(np.int64) << 32) | hotspot


def unpaired(pair: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """
    Device and hot spot of each pair.

    Parameters
    ----------
    pair : array of int64
        As the machine code numbers them.
    """
    return (pair >> 32).astype(np.int32), (pair & 0xFFFFFFFF).astype(np.int32)


def _joined(arrays: list[NDArray]) -> NDArray:
    return np.ascontiguousarray(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))


def whole_ticks(seconds: float, ticks_per_second: int) -> int:
    """
    The longest whole number of ticks that is no longer.

    Parameters
    ----------
    seconds : float
    ticks_per_second : int

    Raises
    ------
    ValueError
        If `seconds` is not above 0.
    """
    if not seconds > 0:
        raise ValueError(f"longest_gap_s must be above 0, not {seconds}")
    if seconds * ticks_per_second > _FARTHEST:
        return _FARTHEST
    return int(Decimal(repr(float(seconds))) * ticks_per_second)


def _moments(ticks: NDArray[np.int64], ticks_per_second: int) -> pl.Series:
    if ticks_per_second <= 1_000_000:
        microseconds = ticks * (1_000_000 // ticks_per_second)
    else:
        microseconds = ticks // (ticks_per_second // 1_000_000)
    return pl.Series(microseconds).cast(pl.Datetime("us", "UTC"))
