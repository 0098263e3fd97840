"""Events gathered at their distinct points, so that many overlapping outlines are counted fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import shapely

from placeproof.hotspots.grid import has_point


@dataclass(frozen=True)
class Points:
    """Where events happened, each point once, and how many in each period."""

    easting_m: np.ndarray
    """(n,)"""
    northing_m: np.ndarray
    """(n,)"""
    amounts: Any
    """(n, T) sparse: events at the point in each period."""
    periods: tuple[date, ...]
    """T first days, rising."""

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The points, found by where they lie."""
        return shapely.STRtree(shapely.points(self.easting_m, self.northing_m))

    @cached_property
    def totals(self) -> np.ndarray:
        """(n,): events at each point, over all periods."""
        return np.asarray(self.amounts.sum(axis=1)).ravel()

    def during(self, periods: Sequence[date]) -> "Points":
        """
        Keep some of the periods.

        Parameters
        ----------
        periods : sequence of date
            First days; those that are not there are passed over.

        Returns
        -------
        Points
            The same points, empty ones too.
        """
        wanted = set(periods)
        columns = [i for i, day in enumerate(self.periods) if day in wanted]
        return Points(
            self.easting_m,
            self.northing_m,
            self.amounts[:, columns],
            tuple(self.periods[i] for i in columns),
        )

    def counted(self, outlines: np.ndarray) -> np.ndarray:
        """
        Count the events in each of many outlines, which may overlap.

        Parameters
        ----------
        outlines : array of shapely geometries, shape (K,)
            In metres. A point on a boundary is inside.

        Returns
        -------
        array, shape (K, T)
            Events by outline and period.
        """
        from scipy.sparse import csr_array

        shape = (len(outlines), len(self.easting_m))
        if not all(shape):
            return np.zeros((len(outlines), len(self.periods)))
        outline, point = self.tree.query(outlines, predicate="intersects")
        inside = csr_array((np.ones(len(point)), (outline, point)), shape=shape)
        return np.asarray((inside @ self.amounts).todense())


def gathered(events: pl.DataFrame, amounts: pl.DataFrame, *, periods: Sequence[date]) -> Points:
    """
    Gather events at their distinct points.

    Parameters
    ----------
    events : DataFrame
        `easting_m`, `northing_m` (null: no location, left out), one row per event. Not modified.
    amounts : DataFrame
        `event` (number of the row in `events`), `period_start` and `amount`: how much of the event
        falls into the period.
    periods : sequence of date
        First days of the periods to count; others are left out.

    Returns
    -------
    Points
        Sorted by easting, then northing.
    """
    from scipy.sparse import csr_array

    days = tuple(sorted(set(periods)))
    order = pl.DataFrame(
        {"period_start": days, "_t": range(len(days))},
        schema={"period_start": pl.Date, "_t": pl.Int64},
    )
    at = ["easting_m", "northing_m"]
    placed = (
        events.select(*at, event=pl.int_range(pl.len(), dtype=pl.UInt32))
        .filter(has_point())
        .join(amounts.select(pl.col("event").cast(pl.UInt32), "period_start", "amount"), on="event")
        .join(order, on="period_start")
        .group_by(*at, "_t")
        .agg(pl.col("amount").sort_by("event").sum())
        .sort(*at, "_t")
    )
    distinct = placed.select(at).unique().sort(at).with_row_index("_n")
    keyed = placed.join(distinct, on=at, how="left", maintain_order="left")
    matrix = csr_array(
        (
            keyed["amount"].cast(pl.Float64).to_numpy(),
            (keyed["_n"].cast(pl.Int64).to_numpy(), keyed["_t"].to_numpy()),
        ),
        shape=(len(distinct), len(days)),
    )
    x, y = (distinct[name].cast(pl.Float64).to_numpy() for name in at)
    return Points(x, y, matrix, days)
