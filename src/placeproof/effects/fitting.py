"""Two-way Poisson by proportional fitting, for many replicates of a study at once.

A count in place i and period t is expected to be a_i · b_t while no patrol has come. Places with
the same course, the same missing cells and the same side of the study share their sums, so the fit
runs over groups of places, and over blocks of periods that look alike to every group. Replicates
(a place left out, courses permuted) differ in their sums only: one matrix product serves them all.
"""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-12
"""Largest relative change of a fitted sum at which the fitting stops."""

LONGEST = 20_000
"""Sweeps after which a fit that still moves is given up as not determined."""


@dataclass(frozen=True)
class Fit:
    """Fits of P replicates over G groups and B blocks of periods."""

    rows: np.ndarray
    """(P, G): sum of a_i over the places of a group."""
    columns: np.ndarray
    """(P, B): sum of b_t over the periods of a block."""
    determined: np.ndarray
    """(P, G, B) bool: whether the untreated counts determine this cell's expectation."""
    settled: np.ndarray
    """(P,) bool: whether the fitting came to rest."""


def fit(sums: np.ndarray, untreated: np.ndarray) -> Fit:
    """
    Fit the two-way Poisson to the untreated counts of every replicate.

    The scale is arbitrary (rows up, columns down): only products are meant.

    Parameters
    ----------
    sums : array, shape (P, G, B)
        Events by replicate, group of places and block of periods.
    untreated : array, shape (G, B) or (P, G, B)
        Weight of the cell in the fit: 0 where it is treated or not supplied, 1 where it is not;
        other positive weights multiply the expectation, as a known offset does.

    Returns
    -------
    Fit
        A group without untreated events has row 0, a block without has column 0: their expected
        counts are 0, which is the maximum-likelihood value.
    """
    inside = untreated > 0
    kept = np.where(inside, sums, 0.0)
    row_sums, column_sums = kept.sum(axis=2), kept.sum(axis=1)
    columns = column_sums.copy()
    rows = _divided(row_sums, _across(untreated, columns))
    settled = np.zeros(len(sums), dtype=bool)
    for _ in range(LONGEST):
        fitted = _divided(column_sums, _down(untreated, rows))
        moved = np.abs(fitted - columns) > TOLERANCE * fitted
        columns = fitted
        rows = _divided(row_sums, _across(untreated, columns))
        settled = ~moved.any(axis=1)
        if settled.all():
            break
    return Fit(rows, columns, _determined(row_sums, column_sums, inside), settled)


def _across(weights: np.ndarray, columns: np.ndarray) -> np.ndarray:
    if weights.ndim == 2:
        return columns @ weights.T
    return np.matmul(weights, columns[:, :, None])[:, :, 0]


def _down(weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    if weights.ndim == 2:
        return rows @ weights
    return np.matmul(rows[:, None, :], weights)[:, 0, :]


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=(above > 0) & (below > 0))


def _determined(row_sums: np.ndarray, column_sums: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Cells whose place and period are tied together by a chain of untreated cells.

    A row or column without events is tied by any untreated cell to one with events: it is 0.
    """
    if inside.ndim == 2:
        inside = np.broadcast_to(inside, (len(row_sums), *inside.shape))
    some_rows, some_columns = row_sums > 0, column_sums > 0
    edges = inside & some_rows[:, :, None] & some_columns[:, None, :]
    groups = row_sums.shape[1]
    labels: np.ndarray = np.where(some_rows, np.arange(groups), groups)
    while True:
        of_columns = np.where(edges, labels[:, :, None], groups).min(axis=1)
        spread = np.where(edges, of_columns[:, None, :], groups).min(axis=2)
        spread = np.minimum(spread, labels)
        if (spread == labels).all():
            break
        labels = spread
    tied_rows = np.logical_or.reduce(inside & some_columns[:, None, :], axis=2)
    tied_columns = np.logical_or.reduce(inside & some_rows[:, :, None], axis=1)
    empty = ~some_rows[:, :, None] | ~some_columns[:, None, :]
    together = labels[:, :, None] == of_columns[:, None, :]
    return tied_rows[:, :, None] & tied_columns[:, None, :] & (empty | together)
