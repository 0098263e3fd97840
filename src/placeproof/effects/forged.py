"""The headline estimate under many sets of comparison places, and its spread over them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from placeproof.effects.grid import NEVER, Grid
from placeproof.effects.imputation import Groups, groups, sums, totals
from placeproof.effects.rows import Row, as_json, refused

METHOD = "poisson_imputation"
OVER_SETS = "poisson_imputation_over_matched_sets"
QUANTILES = (0.05, 0.25, 0.75, 0.95)
FEWEST_SETS = 5
"""Fewer usable sets than this show no distribution."""


@dataclass(frozen=True)
class SetCounts:
    """Events of one outcome in the places of many sets."""

    names: tuple[str, ...]
    """S names, such as tessellated=7."""
    events: np.ndarray
    """(S, T) in the comparison places of each set together."""
    places: np.ndarray
    """(S,) how many these are."""


@dataclass(frozen=True)
class _Frame:
    """The courses of the hot spots, with one place more that stands for all comparison places."""

    table: Grid
    grouped: Groups
    beside: int
    """The group of that place."""


def set_log_ratios(hot_spots: Grid, comparison: np.ndarray) -> np.ndarray:
    """
    Make the headline estimate anew with each set in the place of the comparison places.

    Expectations rest on sums over places with the same course, so a set is its sum.

    Parameters
    ----------
    hot_spots : Grid
        Counts of the hot spots alone. Not modified.
    comparison : array, shape (S, T)
        Events in the places of each set together, in the periods of the grid.

    Returns
    -------
    array, shape (S,)
        Log rate ratios; not finite where a set gives none.
    """
    frame = _frame(hot_spots)
    own = sums(frame.table, frame.grouped)
    events = np.repeat(own[None], len(comparison), axis=0)
    events[:, frame.beside] += np.where(frame.table.observed[-1], comparison, 0.0)
    return _log_ratios(frame, events)


def pretended_log_ratios(
    hot_spots: Grid, pretended: np.ndarray, comparison: np.ndarray
) -> np.ndarray:
    """
    Estimate what cannot be there: the effect of patrols in places that never had any.

    Parameters
    ----------
    hot_spots : Grid
        The hot spots whose starts are lent. Not modified.
    pretended : array, shape (S, n, T)
        Events, in each set, in the place that plays the part of each hot spot; 0 where none does.
    comparison : array, shape (S, T)
        Events in the other places of each set together.

    Returns
    -------
    array, shape (S,)
        Log rate ratios; not finite where a set gives none.
    """
    frame = _frame(hot_spots)
    member = np.zeros((len(frame.grouped.first), len(hot_spots.places)))
    member[frame.grouped.member[:-1], np.arange(len(hot_spots.places))] = 1.0
    member[:, ~hot_spots.patrolled] = 0.0
    events = np.einsum("gn,snt->sgt", member, np.where(hot_spots.observed[None], pretended, 0.0))
    events[:, frame.beside] += np.where(frame.table.observed[-1], comparison, 0.0)
    return _log_ratios(frame, events)


def _frame(hot_spots: Grid) -> _Frame:
    periods = len(hot_spots.period_starts)
    observed = hot_spots.observed.any(axis=0)
    table = replace(
        hot_spots,
        places=(*hot_spots.places, "a set of comparison places"),
        cohorts=(*hot_spots.cohorts, None),
        patrolled=np.append(hot_spots.patrolled, False),
        counts=np.vstack([hot_spots.counts, np.zeros(periods)]),
        observed=np.vstack([hot_spots.observed, observed]),
        before=np.vstack([hot_spots.before, np.ones(periods, dtype=bool)]),
        after=np.vstack([hot_spots.after, np.zeros(periods, dtype=bool)]),
        event_time=np.vstack([hot_spots.event_time, np.full(periods, NEVER)]),
    )
    grouped = groups(table)
    return _Frame(table, grouped, int(grouped.member[-1]))


def _log_ratios(frame: _Frame, events: np.ndarray) -> np.ndarray:
    if not len(events):
        return np.zeros(0)
    present = np.ones(events.shape[:2], dtype=bool)
    made = totals(
        events, present, before=frame.grouped.before, parts=frame.grouped.after[None]
    ).log_ratio[:, 0]
    return np.asarray(np.where(np.isfinite(made), made, np.nan))


def set_rows(base: Row, counts: SetCounts, log_ratios: np.ndarray) -> list[Row]:
    """
    Write the estimate under each set down.

    Parameters
    ----------
    base : dict
        Columns so far.
    counts : SetCounts
        The sets.
    log_ratios : array, shape (S,)
        As `set_log_ratios` gives them.

    Returns
    -------
    list of dict
        Columns of table `estimate`: estimand `matched_set_rate_ratio`, role robustness.
    """
    rows = []
    for i, name in enumerate(counts.names):
        row = {
            **base,
            "estimand": "matched_set_rate_ratio",
            "method": METHOD,
            "role": "robustness",
            "horizon": name,
            "n_places": int(counts.places[i]),
            "n_events": float(counts.events[i].sum()),
        }
        if np.isfinite(log_ratios[i]):
            rows.append(row | {"estimate": math.exp(log_ratios[i])})
        else:
            rows.append(refused(row, _NOTHING))
    return rows


_NOTHING = "No ratio can be formed with this set: nothing was counted where something is needed."


def spread_rows(
    base: Row,
    counts: SetCounts,
    log_ratios: np.ndarray,
    *,
    headline: float | None,
    headline_error: float | None,
    wanted: int,
) -> list[Row]:
    """
    Write down how the estimate spreads over sets, and where the headline lies among them.

    Parameters
    ----------
    base : dict
        Columns so far.
    counts : SetCounts
        The sets.
    log_ratios : array, shape (S,)
        As `set_log_ratios` gives them.
    headline : float or None
        The headline on the log scale; None: it has none.
    headline_error : float or None
        Its standard error; None: it has none.
    wanted : int
        Sets that the plan asked for.

    Returns
    -------
    list of dict
        Columns of table `estimate`, role robustness: `median_rate_ratio` over all sets and over
        those of each kind, `quantile_rate_ratio`, `share_of_sets_on_the_headlines_side` of no
        change and `share_of_sets_below_the_headline`. The reason says how many sets there are.
    """
    base = {**base, "method": OVER_SETS, "role": "robustness"}
    usable = np.isfinite(log_ratios)
    found = log_ratios[usable]
    median = {**base, "estimand": "median_rate_ratio"}
    if len(found) < FEWEST_SETS:
        why = f"{len(found)} of {wanted} sets of comparison places give an estimate: too few."
        return [refused(median, why)]
    about = {
        **base,
        "n": len(found),
        "n_places": int(counts.places[usable].min()),
        "n_events": float(np.median(counts.events[usable].sum(axis=1))),
    }
    limits = _limits(len(found), wanted)
    told = {
        "scale": "log",
        "sets": len(found),
        "standard_deviation_over_sets": float(found.std(ddof=1)),
        "headline_standard_error": headline_error,
    }
    rows: list[Row] = [
        {
            **about,
            "estimand": "median_rate_ratio",
            "estimate": math.exp(float(np.median(found))),
            "reason": limits,
            "diagnostics": as_json(told),
        }
    ]
    rows += _by_kind(about, counts.names, log_ratios)
    rows += [
        {
            **about,
            "estimand": "quantile_rate_ratio",
            "horizon": f"quantile={round(100 * share)}",
            "estimate": math.exp(float(np.quantile(found, share))),
        }
        for share in QUANTILES
    ]
    if headline is not None and math.isfinite(headline):
        same_side = np.sign(found) == np.sign(headline)
        shares = {
            "share_of_sets_on_the_headlines_side": float(same_side.mean()),
            "share_of_sets_below_the_headline": float((found < headline).mean()),
        }
        rows += [
            {**about, "estimand": name, "estimate": share, "unit": "share"}
            for name, share in shares.items()
        ]
    return rows


def _by_kind(about: Row, names: Sequence[str], log_ratios: np.ndarray) -> list[Row]:
    kinds = np.array([name.partition("=")[0] for name in names])
    rows = []
    for kind in dict.fromkeys(kinds.tolist()):
        mine = log_ratios[(kinds == kind) & np.isfinite(log_ratios)]
        if len(mine):
            rows.append(
                {
                    **about,
                    "estimand": "median_rate_ratio",
                    "horizon": kind,
                    "n": len(mine),
                    "estimate": math.exp(float(np.median(mine))),
                }
            )
    return rows


def _limits(found: int, wanted: int) -> str | None:
    if found == wanted:
        return None
    return f"{wanted} sets of comparison places were wanted, {found} give an estimate."
