"""Whether an effect lasts: by horizon since the start, its trend, and its half-life."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.effects.effect import effects
from placeproof.effects.event_study import DAYS, PERIOD_DAYS
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import NEVER, Grid, checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.imputation import groups, imputable, leave_one_out, sums, totals
from placeproof.effects.inference import Spread, jackknife
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

HORIZONS = ("day", "week", "month", "quarter", "year")
TREND = "poisson_imputation_trend_of_effect"
STEP_DAYS = 28.0
"""Length of the steps of time since the start on which trend and half-life rest."""
HALF_LIVES_WEEKS = np.geomspace(4.0, 520.0, 80)
"""Half-lives that are tried; at either end none is told."""
NO_DECAY = "No decay is found: the effect's trend may as well be none, or leads away from none."
AT_THE_EDGE = "The effect decays too fast or too slowly for these counts to tell a half-life."


def lasting(
    panel: pl.DataFrame, *, outcomes: Mapping[str, PlannedOutcome], level: float
) -> pl.DataFrame:
    """
    Estimate the effect by horizon, how it changes from year to year, and its half-life.

    Parameters
    ----------
    panel : table `panel`
        The rows on which effects are estimated. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role beside, treated hot spots: `horizon_rate_ratio` within the first day, week, month,
        quarter and year ("first=year"); `effect_change_per_year`, by what the rate ratio is
        multiplied each year after the start; `effect_half_life` in weeks, only where the effect
        is found to come closer to none.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        if table is None or why_not_supplied(table) or why_not_identified(table):
            continue
        base = {
            **about(outcomes[outcome], outcome, table, population=HOT_SPOTS, hours="all"),
            "role": "beside",
        }
        rows += _by_horizon(base, table, level) + _course(base, table, level)
    return estimate.rows(rows)


def _by_horizon(base: Row, table: Grid, level: float) -> list[Row]:
    days = PERIOD_DAYS[table.period_kind]
    since = np.where(table.event_time == NEVER, 0, table.event_time) * days
    rows: list[Row] = []
    for name in HORIZONS:
        long = {"day": 1.0, **DAYS}[name]
        head = {**base, "estimand": "horizon_rate_ratio", "horizon": f"first={name}"}
        if long < days:
            why = f"The counts are by {table.period_kind}: the first {name} cannot be told."
            rows.append(refused({**head, "method": "poisson_imputation_jackknife"}, why))
            continue
        part = table.after & (since < max(long, days) - 1e-6)
        made = effects(table, parts=part[None], level=level)[0]
        rows.append(ratio_row(head, made, table, level=level))
    return rows


@dataclass(frozen=True)
class _Sums:
    """Observed and imputed events by step since the start; replicate 0 holds every place."""

    observed: np.ndarray
    """(1 + n, K)"""
    imputed: np.ndarray
    """(1 + n, K)"""
    years: np.ndarray
    """(K,) from the start to the middle of the step."""
    treated: int


def _sums(table: Grid) -> _Sums | None:
    grouped = groups(table)
    base = grouped.before
    known = imputable(table, grouped, before=base)
    days = PERIOD_DAYS[table.period_kind]
    timed = table.event_time != NEVER
    wide = max(STEP_DAYS, days)
    step = np.where(timed, np.floor(np.where(timed, table.event_time, 0) * days / wide), -1)
    after = table.after & table.observed & timed
    numbers = np.unique(step[after]).astype(int)
    if len(numbers) < 3:
        return None
    parts = np.stack([(after & (step == k))[grouped.first] for k in numbers]) & known
    events, everyone = sums(table, grouped)[None], np.ones((1, len(base)), dtype=bool)
    full = totals(events, everyone, before=base, parts=parts)
    left, present = leave_one_out(table, grouped)
    without = totals(left, present, before=base, parts=parts)
    usable = full.imputed[0] > 0
    lost = without.lost[:, usable].any(axis=1)
    observed = np.vstack([full.observed, without.observed])[:, usable]
    imputed = np.vstack([full.imputed, without.imputed])[:, usable]
    imputed[1:][lost] = np.nan
    return _Sums(
        observed, imputed, (numbers[usable] + 0.5) * wide / 365.25,
        treated=int((after & known[grouped.member]).any(axis=1).sum()),
    )  # fmt: skip


def _course(base: Row, table: Grid, level: float) -> list[Row]:
    head = {
        **base,
        "estimand": "effect_change_per_year",
        "method": TREND,
        "unit": "ratio a year",
    }
    life = {**base, "estimand": "effect_half_life", "method": TREND, "unit": "weeks"}
    made = _sums(table)
    if made is None or made.treated < 3 or made.observed[0].sum() <= 0:
        why = "Too few places or steps after the start carry events for a trend of the effect."
        return [refused(head, why), refused(life, why)]
    start, slope = _line(made.observed, made.imputed, made.years)
    if not np.isfinite(slope[0]):
        why = "The counts after the start do not settle on a trend of the effect."
        return [refused(head, why), refused(life, why)]
    spread = None
    if np.isfinite(slope[1:]).all():
        spread = jackknife(float(slope[0]), slope[1:], degrees=made.treated - 1, level=level)
    more = {"scale": "log", "steps": len(made.years), "rate_ratio_at_start": math.exp(start[0])}
    trend = {
        **head,
        **interval(spread, level=level),
        **rests_on(table),
        "estimate": math.exp(slope[0]),
        "diagnostics": as_json(more),
        "reason": None if spread else "It rests on a single place somewhere: no interval.",
    }
    decays = _decays(start, slope, made.treated, level)
    return [trend, _half_life(life, made, table, level) if decays else refused(life, NO_DECAY)]


def _decays(start: np.ndarray, slope: np.ndarray, treated: int, level: float) -> bool:
    """Whether there is an effect to begin with, and it comes closer to none."""
    if not (np.isfinite(start).all() and np.isfinite(slope).all()):
        return False
    first, later = (
        jackknife(float(part[0]), part[1:], degrees=treated - 1, level=level)
        for part in (start, slope)
    )
    away = first.p_value < 1 - level and later.p_value < 1 - level
    return away and bool(start[0] * slope[0] < 0)


def _line(
    observed: np.ndarray, imputed: np.ndarray, years: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Observed = imputed × exp(a + b · years) by Poisson, for every replicate at once."""
    terms = np.column_stack([np.ones(len(years)), years])
    at = np.zeros((len(observed), 2))
    at[:, 0] = np.log(observed.sum(1) / imputed.sum(1))
    for _ in range(40):
        expected = imputed * np.exp(np.clip(at @ terms.T, -30, 30))
        score = (observed - expected) @ terms
        curve = np.einsum("pk,ki,kj->pij", expected, terms, terms)
        bad = ~np.isfinite(curve).all(axis=(1, 2)) | (np.linalg.det(np.nan_to_num(curve)) < 1e-12)
        step = np.full_like(at, np.nan)
        if (~bad).any():
            step[~bad] = np.linalg.solve(curve[~bad], score[~bad][:, :, None])[:, :, 0]
        at = at + np.clip(step, -2, 2)
        if np.nanmax(np.abs(step), initial=0.0) < 1e-11:
            break
    return at[:, 0], at[:, 1]


def _half_life(base: Row, made: _Sums, table: Grid, level: float) -> Row:
    best = _best_half_life(made)
    lives = np.log(HALF_LIVES_WEEKS)
    inside = (best > lives[0] + 1e-9) & (best < lives[-1] - 1e-9)
    if not inside[0]:
        return refused(base, AT_THE_EDGE)
    spread: Spread | None = None
    if np.isfinite(best).all() and inside.all():
        spread = jackknife(float(best[0]), best[1:], degrees=made.treated - 1, level=level)
    ends = {
        "lower": math.exp(spread.lower),
        "upper": math.exp(spread.upper),
        "level": level,
        "standard_error": spread.standard_error,
    } if spread and spread.upper < 20 else {}  # fmt: skip
    return {
        **base,
        **ends,
        **rests_on(table),
        "estimate": math.exp(float(best[0])),
        "reason": None if ends else "The half-life is too loosely told for an interval.",
        "diagnostics": as_json({"scale": "log"}),
    }


def _best_half_life(made: _Sums) -> np.ndarray:
    """Log of the half-life in weeks, per replicate, by the likelihood over those tried."""
    weeks = made.years * 365.25 / 7
    left = 0.5 ** (weeks[None, :] / HALF_LIVES_WEEKS[:, None])
    observed, imputed = made.observed[:, None, :], made.imputed[:, None, :]
    with np.errstate(invalid="ignore", over="ignore"):
        level = np.full((len(made.observed), len(left)), 0.0)
        for _ in range(40):
            expected = imputed * np.exp(np.clip(level[:, :, None] * left, -30, 30))
            score = ((observed - expected) * left).sum(-1)
            level = level + np.clip(score / (expected * left**2).sum(-1), -1, 1)
        raised = np.clip(level[:, :, None] * left, -30, 30)
        reached = (observed * raised - imputed * np.exp(raised)).sum(-1)
    lives = np.log(HALF_LIVES_WEEKS)
    at = np.where(np.isfinite(reached).all(1), np.nan_to_num(reached, nan=-np.inf).argmax(1), 0)
    made_at = lives[at].copy()
    mid = (at > 0) & (at < len(lives) - 1)
    rows = np.flatnonzero(mid)
    low, here, high = (reached[rows, at[rows] + k] for k in (-1, 0, 1))
    bend = low - 2 * here + high
    shift = np.where(bend < 0, 0.5 * (low - high) / bend, 0.0)
    made_at[rows] += np.clip(shift, -0.5, 0.5) * (lives[1] - lives[0])
    made_at[~np.isfinite(reached).all(1)] = np.nan
    return made_at
