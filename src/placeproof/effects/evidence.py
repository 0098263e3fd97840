"""Published effects pooled: a mean over studies that differ, with an honest interval for few."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

FEWEST = 3
"""Fewer published effects with an error than this have no mean."""


@dataclass(frozen=True)
class Pooled:
    """The mean over published effects, on the log scale."""

    mean: float
    error: float
    """Standard error by Hartung and Knapp."""
    lower: float
    upper: float
    between: float
    """Variance between studies (tau squared), by restricted maximum likelihood."""
    studies: int
    refusal: str | None = None


def random_effects(log_ratios: Sequence[float], errors: Sequence[float], *, level: float) -> Pooled:
    """
    Give the random-effects mean of published effects.

    Parameters
    ----------
    log_ratios : sequence of float
        Natural logarithms of relative incident rate ratios.
    errors : sequence of float
        Their standard errors, above 0.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Pooled
        Variance between studies by restricted maximum likelihood, interval by Hartung and Knapp
        with t(studies - 1); refused for fewer than `FEWEST` effects.

    Raises
    ------
    ValueError
        If the two differ in length, or an error is not above 0.
    """
    effects, variances = np.asarray(log_ratios, float), np.asarray(errors, float) ** 2
    if effects.shape != variances.shape or not (variances > 0).all():
        raise ValueError("every effect needs a standard error above 0")
    if len(effects) < FEWEST:
        nothing = float("nan")
        why = f"Fewer than {FEWEST} published effects with an error: they have no mean."
        return Pooled(nothing, nothing, nothing, nothing, nothing, len(effects), why)
    between = _between(effects, variances)
    weights = 1 / (variances + between)
    mean = float((weights * effects).sum() / weights.sum())
    degrees = len(effects) - 1
    scatter = float((weights * (effects - mean) ** 2).sum()) / degrees
    error = math.sqrt(scatter / float(weights.sum()))
    reach = float(stats.t.ppf(0.5 + level / 2, degrees)) * error
    return Pooled(mean, error, mean - reach, mean + reach, between, len(effects))


def _between(effects: np.ndarray, variances: np.ndarray) -> float:
    def loss(between: float) -> float:
        weights = 1 / (variances + between)
        mean = (weights * effects).sum() / weights.sum()
        fit = (weights * (effects - mean) ** 2).sum()
        return float(fit - np.log(weights).sum() + math.log(weights.sum()))

    # Profile likelihoods of few studies can have more than one hump: start from the best of many.
    top = 4 * float(effects.var(ddof=1)) + float(variances.max())
    grid = np.concatenate([[0.0], np.geomspace(top * 1e-8, top, 200)])
    best = int(np.argmin([loss(value) for value in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    )
    return 0.0 if loss(0.0) <= found.fun else float(found.x)


def error_of_interval(lower: float, upper: float, *, level: float) -> float:
    """
    Get the standard error of a logarithm back from a published interval of a ratio.

    Parameters
    ----------
    lower, upper : float
        Ends of the ratio's interval.
    level : float
        Coverage that it claims.

    Returns
    -------
    float
        Width on the log scale over twice the normal quantile.
    """
    return math.log(upper / lower) / (2 * float(stats.norm.ppf(0.5 + level / 2)))


def error_of_p(ratio: float, p_value: float) -> float:
    """
    Get the standard error of a logarithm back from a published ratio and its two-sided p-value.

    Parameters
    ----------
    ratio : float
        The ratio.
    p_value : float
        Two-sided, above 0 and below 1.

    Returns
    -------
    float
        Distance from no effect on the log scale over the normal quantile of the p-value.
    """
    return abs(math.log(ratio)) / float(stats.norm.isf(p_value / 2))
