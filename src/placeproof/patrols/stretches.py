"""Disjoint stretches of time, and how much of them lies in other stretches."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Moments = NDArray[np.int64]


@dataclass(frozen=True)
class Stretches:
    """Disjoint stretches in order of time, in microseconds since 1970 (UTC)."""

    starts: Moments
    ends: Moments

    def seconds_within(self, first: Moments, last: Moments) -> NDArray[np.float64]:
        """Seconds of these stretches that lie between each `first` and `last`."""
        forward = np.maximum(last, first)
        return (self._before(forward) - self._before(first)) / 1e6

    def touched(self, first: Moments, last: Moments) -> NDArray[np.bool_]:
        """Whether any stretch has a moment between each `first` and `last`, ends included."""
        begun = np.searchsorted(self.starts, last, side="right")
        over = np.searchsorted(self.ends, first, side="left")
        return begun > over

    def _before(self, moments: Moments) -> Moments:
        """Length of the stretches up to each moment."""
        if not self.starts.size:
            return np.zeros(moments.shape, dtype=np.int64)
        whole = np.concatenate([[0], np.cumsum(self.ends - self.starts)])
        index = np.searchsorted(self.starts, moments, side="right")
        previous = np.maximum(index - 1, 0)
        past_end = np.maximum(self.ends[previous] - moments, 0)
        return np.where(index == 0, 0, whole[index] - past_end)


def stretches(starts: pl.Series, ends: pl.Series) -> Stretches:
    """
    Make stretches of two columns of moments.

    Parameters
    ----------
    starts, ends : Series of Datetime (UTC)
        Disjoint and sorted, as `union` leaves them for one place.

    Returns
    -------
    Stretches
    """
    return Stretches(moments(starts), moments(ends))


def moments(at: pl.Series) -> Moments:
    """
    Moments as microseconds since 1970.

    Parameters
    ----------
    at : Series of Datetime (UTC), without nulls

    Returns
    -------
    array of int
    """
    return at.dt.epoch("us").to_numpy()


def union(presence: pl.DataFrame) -> pl.DataFrame:
    """
    Join overlapping stretches in the same place, whoever was there.

    Parameters
    ----------
    presence : DataFrame
        `place_id`, `starts_at`, `ends_at`. Any order.

    Returns
    -------
    DataFrame
        `place_id`, `starts_at`, `ends_at`, sorted; stretches of a place are disjoint.
    """
    reach = pl.col("ends_at").cum_max().shift().over("place_id")
    return (
        presence.sort("place_id", "starts_at", "ends_at")
        .with_columns(begins=(reach.is_null() | (pl.col("starts_at") > reach)))
        .with_columns(number=pl.col("begins").cum_sum())
        .group_by("number", "place_id")
        .agg(pl.col("starts_at").min(), pl.col("ends_at").max())
        .sort("number")
        .select("place_id", "starts_at", "ends_at")
    )
