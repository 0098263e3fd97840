"""One invented study, estimated by every planned estimator and held against its truth."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from placeproof.effects.certificate.drawing import Draw, Likeness, draw
from placeproof.effects.effect import Effect, overall
from placeproof.effects.grid import Grid
from placeproof.effects.imputation import placebo_log_ratios
from placeproof.effects.inference import Spread, jackknife, placebo_p_value
from placeproof.effects.rows import DISPLACEMENT, IMPUTATION, PLACEBO, TREND_ADJUSTED, TWO_WAY
from placeproof.effects.trend import adjusted
from placeproof.effects.two_way import two_way
from placeproof.effects.weighted_displacement import weighted_displacement

FAST = (IMPUTATION, TREND_ADJUSTED, DISPLACEMENT)
SLOW = (TWO_WAY, PLACEBO)
"""Estimators that take so long that they are judged on fewer studies."""

LARGEST = 50.0
"""A log ratio beyond it is no estimate; a run refuses it too."""


@dataclass(frozen=True)
class Trial:
    """A study whose like is to be invented: its courses of patrol, and what its counts are like."""

    table: Grid
    """The periods that the estimate uses; its counts are not read."""
    columns: np.ndarray
    """Position of each of them among the periods of the likeness."""
    reached: np.ndarray
    """(n, periods of the likeness) bool: patrols had come."""
    likeness: Likeness
    level: float
    permutations: int


@dataclass(frozen=True)
class Score:
    """How one estimator fared in one invented study."""

    error: float
    """Estimate less truth: of a log ratio, or of a change in events as a share of what was to be
    expected; not a number where there is no estimate, or nothing to be wrong about."""
    standard_error: float
    reach: float
    """Half the width of the interval, on the scale of the error."""
    covered: bool | None
    """None: no interval."""
    found: bool | None
    """Whether the interval, or the p-value, says that there is an effect; None: neither."""


NOTHING = Score(math.nan, math.nan, math.nan, None, None)


def invent(trial: Trial, *, log_effect: float, rng: np.random.Generator) -> tuple[Grid, Draw]:
    """
    Invent one study.

    Parameters
    ----------
    trial : Trial
        Not modified.
    log_effect : float
        Log of the true rate ratio, the same wherever patrols had come.
    rng : numpy.random.Generator
        Source of all chance.

    Returns
    -------
    (Grid, Draw)
        The counts as estimators see them; and, of the same cells, what they vary around.
    """
    made = draw(trial.likeness, log_effect=log_effect * trial.reached, rng=rng)
    counts, expected = made.counts[:, trial.columns], made.expected[:, trial.columns]
    seen = np.where(trial.table.observed, counts, 0.0)
    return replace(trial.table, counts=seen), Draw(expected=expected, counts=counts)


def judge(
    trial: Trial, *, rate_ratio: float, methods: tuple[str, ...], seed: tuple[int, ...]
) -> dict[str, Score]:
    """
    Invent one study and hold each estimator against its truth.

    Parameters
    ----------
    trial : Trial
        Not modified.
    rate_ratio : float
        The truth.
    methods : tuple of str
        Names of estimators, from `FAST` and `SLOW`.
    seed : tuple of int
        What makes this study this study.

    Returns
    -------
    dict of str to Score
        By estimator.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    truth = math.log(rate_ratio)
    table, made = invent(trial, log_effect=truth, rng=rng)
    effect = overall(table, level=trial.level)
    study = _Study(trial, table, made, truth, effect, rng)
    return {name: JUDGES[name](study) for name in methods}


@dataclass(frozen=True)
class _Study:
    trial: Trial
    table: Grid
    made: Draw
    truth: float
    effect: Effect
    rng: np.random.Generator


def _scored(estimate: float, spread: Spread | None, truth: float) -> Score:
    if spread is None or not math.isfinite(spread.standard_error):
        return replace(NOTHING, error=estimate - truth)
    return Score(
        error=estimate - truth,
        standard_error=spread.standard_error,
        reach=(spread.upper - spread.lower) / 2,
        covered=spread.lower <= truth <= spread.upper,
        found=not spread.lower <= 0 <= spread.upper,
    )


def _imputation(study: _Study) -> Score:
    if study.effect.refusal:
        return NOTHING
    return _scored(study.effect.log_ratio, study.effect.spread, study.truth)


def _trend_adjusted(study: _Study) -> Score:
    if study.effect.refusal or study.effect.observed <= 0:
        return NOTHING
    full, without = adjusted(study.table)
    estimate = float(full.log_ratio[0])
    degrees = study.effect.treated_places - 1
    if not math.isfinite(estimate) or abs(estimate) > LARGEST:
        return NOTHING
    if degrees < 1 or not np.isfinite(without.log_ratio).all():
        return replace(NOTHING, error=estimate - study.truth)
    spread = jackknife(estimate, without.log_ratio, degrees=degrees, level=study.trial.level)
    return _scored(estimate, spread, study.truth)


def _two_way(study: _Study) -> Score:
    made = two_way(study.table, level=study.trial.level)
    return NOTHING if made.refusal else _scored(made.log_ratio, made.spread, study.truth)


def _displacement(study: _Study) -> Score:
    made = weighted_displacement(study.table, [], level=study.trial.level)
    if made.refusal:
        return NOTHING
    side = study.table.patrolled
    cells = study.table.after[side].all(axis=0) & study.table.observed.all(axis=0)
    with_effect = float(study.made.expected[side][:, cells].sum())
    without = with_effect * math.exp(-study.truth)
    scored = _scored(made.difference, made.spread, with_effect - without)
    return replace(
        scored,
        error=scored.error / without,
        standard_error=scored.standard_error / without,
        reach=scored.reach / without,
    )


def _placebo(study: _Study) -> Score:
    if study.effect.refusal or not study.trial.permutations:
        return NOTHING
    placebos = placebo_log_ratios(study.table, permutations=study.trial.permutations, rng=study.rng)
    p_value = placebo_p_value(study.effect.log_ratio, placebos)
    found = None if math.isnan(p_value) else p_value <= 1 - study.trial.level
    return replace(NOTHING, found=found)


JUDGES: Mapping[str, Callable[[_Study], Score]] = {
    IMPUTATION: _imputation,
    TREND_ADJUSTED: _trend_adjusted,
    DISPLACEMENT: _displacement,
    TWO_WAY: _two_way,
    PLACEBO: _placebo,
}
