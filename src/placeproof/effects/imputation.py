"""Poisson imputation: what would have been counted had no patrol come, against what was."""

from dataclasses import dataclass

import numpy as np

from placeproof.effects.fitting import fit
from placeproof.effects.grid import Grid

CHUNK = 4_000_000
"""Numbers that one batch of permutations may hold at once (8 bytes each)."""


@dataclass(frozen=True)
class Groups:
    """Places gathered where course, missing cells and side of the study are the same."""

    member: np.ndarray
    """(n,) int: the group of each place."""
    before: np.ndarray
    """(G, T) bool: untreated and supplied."""
    after: np.ndarray
    """(G, T) bool: treated and supplied."""
    patrolled: np.ndarray
    """(G,) bool: side of the study."""
    first: np.ndarray
    """(G,) int: a place of the group; all share its start."""


@dataclass(frozen=True)
class Totals:
    """Observed and imputed events of P replicates, in K parts of the treated cells."""

    observed: np.ndarray
    """(P, K)"""
    imputed: np.ndarray
    """(P, K)"""
    lost: np.ndarray
    """(P, K) bool: some treated cells had no determined expectation and were left out."""
    settled: np.ndarray
    """(P,) bool"""

    @property
    def log_ratio(self) -> np.ndarray:
        """(P, K): log of observed over imputed; not finite where either is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(self.observed) - np.log(self.imputed)
        return np.where(self.settled[:, None], ratio, np.nan)


def groups(table: Grid, *, apart: np.ndarray | None = None) -> Groups:
    """
    Gather the places of a grid that the fit cannot tell apart.

    Parameters
    ----------
    table : Grid
        Not modified.
    apart : array, shape (n, anything), optional
        Places that differ here are kept apart as well.

    Returns
    -------
    Groups
        Expectations of a group are the sum of its places' expectations.
    """
    before, after = table.before & table.observed, table.after & table.observed
    start = np.array([0 if day is None else day.toordinal() for day in table.cohorts])
    keys = np.hstack([before, after, table.patrolled[:, None], start[:, None]])
    if apart is not None:
        keys = np.hstack([keys, apart])
    _, first, member = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return Groups(
        member=member.ravel(),
        before=before[first],
        after=after[first],
        patrolled=table.patrolled[first],
        first=first,
    )


def sums(table: Grid, grouped: Groups) -> np.ndarray:
    """
    Add the counts of each group of places up.

    Parameters
    ----------
    table : Grid
        Not modified.
    grouped : Groups
        Of that grid.

    Returns
    -------
    array, shape (G, T)
        Events by group and period.
    """
    total = np.zeros(grouped.before.shape)
    np.add.at(total, grouped.member, np.where(table.observed, table.counts, 0.0))
    return total


def leave_one_out(table: Grid, grouped: Groups) -> tuple[np.ndarray, np.ndarray]:
    """
    Leave each place out in turn, comparison places as well.

    Parameters
    ----------
    table : Grid
        Not modified.
    grouped : Groups
        Of that grid.

    Returns
    -------
    tuple of arrays
        Events by replicate, group and period, shape (n, G, T); and whether the group still has
        a place in that replicate, shape (n, G).
    """
    n = len(table.places)
    left = np.repeat(sums(table, grouped)[None], n, axis=0)
    left[np.arange(n), grouped.member] -= np.where(table.observed, table.counts, 0.0)
    # Fractions of events taken away from their own sum leave crumbs that would stand for events.
    left[np.abs(left) < 1e-9] = 0.0
    present = np.repeat(np.bincount(grouped.member)[None], n, axis=0)
    present[np.arange(n), grouped.member] -= 1
    return left, present > 0


def imputable(table: Grid, grouped: Groups, *, before: np.ndarray) -> np.ndarray:
    """
    Find the cells whose expectation the untreated counts determine.

    Parameters
    ----------
    table : Grid
        Not modified.
    grouped : Groups
        Of that grid.
    before : array of bool, shape (G, T)
        Cells that the fit may use.

    Returns
    -------
    array of bool, shape (G, T)
        False where no chain of untreated cells ties the place to the period: a place patrolled
        from its first count on, or a period in which every place is patrolled.
    """
    return fit(sums(table, grouped)[None], before.astype(float)).determined[0]


def totals(
    events: np.ndarray,
    present: np.ndarray,
    *,
    before: np.ndarray,
    parts: np.ndarray,
) -> Totals:
    """
    Impute the treated cells of every replicate and add them up by part.

    Parameters
    ----------
    events : array, shape (P, G, T)
        Events by replicate, group and period.
    present : array of bool, shape (P, G)
        Whether the group has a place in the replicate.
    before : array of bool, shape (G, T)
        Cells that the fit may use.
    parts : array of bool, shape (K, G, T)
        Cells to be imputed, for each of K parts.

    Returns
    -------
    Totals
        Cells without a determined expectation are left out of both sums.
    """
    key = np.vstack([before, parts.reshape(-1, before.shape[1])])
    distinct, block = np.unique(key, axis=1, return_inverse=True)
    gathered = _gathered(events, block.ravel(), distinct.shape[1])
    n_groups = before.shape[0]
    before_blocks = distinct[:n_groups].astype(float)
    part_blocks = distinct[n_groups:].reshape(len(parts), n_groups, -1).astype(float)
    fitted = fit(gathered, before_blocks)
    known = np.where(fitted.determined, 1.0, 0.0)
    expected = fitted.rows[:, :, None] * fitted.columns[:, None, :] * known
    unknown = (1.0 - known) * present[:, :, None]
    flat = part_blocks.reshape(len(parts), -1).T
    return Totals(
        observed=(gathered * known).reshape(len(events), -1) @ flat,
        imputed=expected.reshape(len(events), -1) @ flat,
        lost=unknown.reshape(len(events), -1) @ flat > 0,
        settled=fitted.settled,
    )


def _gathered(events: np.ndarray, block: np.ndarray, n_blocks: int) -> np.ndarray:
    membership = np.zeros((events.shape[2], n_blocks))
    membership[np.arange(events.shape[2]), block] = 1.0
    return events @ membership


def placebo_log_ratios(table: Grid, *, permutations: int, rng: np.random.Generator) -> np.ndarray:
    """
    Hand the courses of patrol around among the places at random and estimate again.

    A placebo permutation: the places were not drawn by lot, so this is not randomisation
    inference; it asks how often an arbitrary choice of places shows as much.

    Parameters
    ----------
    table : Grid
        Not modified.
    permutations : int
        How many times.
    rng : numpy.random.Generator
        Source of the permutations.

    Returns
    -------
    array, shape (permutations,)
        Log rate ratios; not a number where a permutation leaves nothing to estimate.
    """
    distinct, path = np.unique(table.paths, axis=0, return_inverse=True)
    pattern, missing = np.unique(table.observed, axis=0, return_inverse=True)
    path, missing = path.ravel(), missing.ravel()
    n, n_periods = table.counts.shape
    n_groups = len(distinct) * len(pattern)
    seen = np.tile(pattern, (len(distinct), 1))
    before = np.repeat(distinct[:, :n_periods], len(pattern), axis=0) & seen
    after = np.repeat(distinct[:, n_periods:], len(pattern), axis=0) & seen
    _, block = np.unique(np.vstack([before, after]), axis=1, return_inverse=True)
    n_blocks = int(block.max()) + 1
    first = np.array([np.flatnonzero(block.ravel() == b)[0] for b in range(n_blocks)])
    supplied = np.where(table.observed, table.counts, 0.0)
    counts = _gathered(supplied[None], block.ravel(), n_blocks)[0]
    orders = np.array([rng.permutation(n) for _ in range(permutations)])
    batch = max(1, CHUNK // max(1, n_groups * max(n_blocks, n)))
    ratios = []
    for start in range(0, permutations, batch):
        group = path[orders[start : start + batch]] * len(pattern) + missing[None, :]
        member = np.zeros((len(group), n_groups, n))
        np.put_along_axis(member, group[:, None, :], 1.0, axis=1)
        made = totals(
            member @ counts,
            np.logical_or.reduce(member > 0, axis=2),
            before=before[:, first],
            parts=np.expand_dims(after[:, first], 0),
        )
        ratios.append(made.log_ratio[:, 0])
    return np.concatenate(ratios) if ratios else np.zeros(0)
