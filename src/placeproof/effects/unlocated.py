"""The headline under what events without a location could have been."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from placeproof.effects.effect import Effect, overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.rows import (
    PlannedOutcome,
    Row,
    about,
    as_json,
    interval,
    ratio_row,
    refused,
    rests_on,
)
from placeproof.tables import estimate

METHOD = "poisson_imputation_unlocated"
WIDEST_ODDS = 1000.0
"""Odds beyond which no tipping point is looked for."""


def bounded(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    totals: Mapping[str, pl.DataFrame],
    odds: float,
    level: float,
) -> pl.DataFrame:
    """
    Estimate the headline again with the unlocated events of each period given to places.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    totals : mapping of str to DataFrame
        For each outcome its events in the whole study area: `period_start`, `located` and
        `unlocated`; a period that is absent or null has none to give.
    odds : float
        How many times as often as elsewhere events in patrolled places might lack a location once
        patrols began, in the moderate bounds.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role robustness. `rate_ratio` with the horizon "unlocated=proportional" (they lie where
        located ones lie), "=more" and "=fewer" (moderate bounds), "=highest" and "=lowest" (all of
        a period in the places, patrolled or not, where they raise or lower the ratio most); and
        `tipping_odds`: the odds at which the ratio would be 1. Nothing of outcomes without an
        unlocated event, or without a headline.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    ValueError
        If `odds` is below 1.
    """
    if odds < 1:
        raise ValueError("odds are at least 1: the other side is their inverse")
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(totals):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        if table is None or why_not_supplied(table) or why_not_identified(table):
            continue
        located, unlocated = _aligned(table, totals[outcome])
        if unlocated.sum() <= 0:
            continue
        base = {
            **about(outcomes[outcome], outcome, table, population=HOT_SPOTS, hours="all"),
            "role": "robustness",
            "method": METHOD,
        }
        rows += _rows(base, table, located, unlocated, odds=odds, level=level)
    return estimate.rows(rows)


def _aligned(table: Grid, totals: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    periods = pl.DataFrame({"period_start": table.period_starts}, schema={"period_start": pl.Date})
    found = periods.join(totals, on="period_start", how="left").sort("period_start")
    return (
        found["located"].fill_null(0.0).to_numpy().astype(float),
        found["unlocated"].fill_null(0.0).to_numpy().astype(float),
    )


def _rows(
    base: Row,
    table: Grid,
    located: np.ndarray,
    unlocated: np.ndarray,
    *,
    odds: float,
    level: float,
) -> list[Row]:
    def under(weight: float) -> Grid:
        return weighted(table, located, unlocated, odds=weight)

    variants: dict[str, tuple[Grid, float | None]] = {
        "proportional": (under(1.0), 1.0),
        "more": (under(odds), odds),
        "fewer": (under(1 / odds), 1 / odds),
        "highest": (extreme(table, unlocated, highest=True), None),
        "lowest": (extreme(table, unlocated, highest=False), None),
    }
    rows: list[Row] = []
    effects: dict[str, Effect] = {}
    for name, (variant, weight) in variants.items():
        effect = effects[name] = overall(variant, level=level)
        row = ratio_row({**base, "horizon": f"unlocated={name}"}, effect, variant, level=level)
        if not effect.refusal:
            given = {"unlocated_events": float(unlocated.sum()), "odds": weight, "scale": "log"}
            row["diagnostics"] = as_json(given)
            row["n_events"] = rests_on(table)["n_events"]
        rows.append(row)
    if effects["proportional"].refusal:
        return rows
    return [*rows, _tipping({**base, "horizon": "all"}, under, table, effects["proportional"])]


def weighted(table: Grid, located: np.ndarray, unlocated: np.ndarray, *, odds: float) -> Grid:
    """
    Give the unlocated events to places as located ones lie, patrolled cells weighing more or less.

    Parameters
    ----------
    table : Grid
        Not modified.
    located, unlocated : array, shape (T,)
        Events of the whole study area in each period.
    odds : float
        Weight of an event in a patrolled place-period against one elsewhere.

    Returns
    -------
    Grid
        With larger counts. A period without located events gives none.
    """
    patrolled = np.where(table.after & table.observed, table.counts, 0.0).sum(axis=0)
    below = np.maximum(located, 0.0) + (odds - 1) * patrolled
    share = np.divide(unlocated, below, out=np.zeros_like(below), where=below > 0)
    factor = 1 + np.where(table.after, odds, 1.0) * share[None]
    return replace(table, counts=table.counts * factor)


def extreme(table: Grid, unlocated: np.ndarray, *, highest: bool) -> Grid:
    """
    Give all unlocated events of each period to the places where they move the ratio most.

    Parameters
    ----------
    table : Grid
        Not modified.
    unlocated : array, shape (T,)
        Events of the whole study area in each period.
    highest : bool
        Whether they are to raise the ratio: to patrolled places while any is patrolled, to places
        never patrolled before that; otherwise the other way round.

    Returns
    -------
    Grid
        Within a side they go where located ones lie, evenly where there is none.
    """
    after = table.after & table.observed
    running = after.any(axis=0)
    never: np.ndarray = np.logical_not(table.after.any(axis=1))
    ours, theirs = after, table.observed & never[:, None]
    waiting = table.observed & ~never[:, None] & ~table.after
    if highest:
        chosen = np.where(running[None], ours, theirs)
    else:
        chosen = np.where(running[None], theirs, waiting)
    counts = np.where(chosen, table.counts, 0.0)
    even = chosen / np.maximum(chosen.sum(axis=0), 1)
    total = counts.sum(axis=0)
    share = np.where(total > 0, counts / np.maximum(total, 1e-300), even)
    return replace(table, counts=table.counts + share * unlocated[None])


def _tipping(base: Row, under: Callable[[float], Grid], table: Grid, usual: Effect) -> Row:
    """The odds at which the ratio would be 1, by bisection; the ratio rises with the odds."""
    named = {**base, "estimand": "tipping_odds", "unit": "times"}

    def log_ratio(power: float) -> float:
        return overall(under(math.exp(power)), level=0.95).log_ratio

    ends = -math.log(WIDEST_ODDS), math.log(WIDEST_ODDS)
    low, high = (0.0, ends[1]) if usual.log_ratio < 0 else (ends[0], 0.0)
    if not (log_ratio(low) <= 0 <= log_ratio(high)):
        why = (
            "Even if events in patrolled places lacked a location a thousand times as often as "
            "elsewhere once patrols began, the ratio would stay below 1."
            if usual.log_ratio < 0
            else "Even if events in patrolled places lacked a location a thousand times less often "
            "than elsewhere once patrols began, the ratio would stay above 1."
        )
        return refused(named, why)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if log_ratio(middle) < 0 else (low, middle)
    return {
        **named,
        **interval(None, level=0.95),
        **rests_on(table),
        "estimate": math.exp((low + high) / 2),
    }
