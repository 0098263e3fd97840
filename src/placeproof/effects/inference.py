"""Intervals, p-values and power from leave-one-place-out replicates."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

POWER = 0.80
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Spread:
    """How far an estimate may lie from the truth, on its own additive scale."""

    standard_error: float
    degrees: int
    lower: float
    upper: float
    p_value: float


def jackknife(estimate: float, replicates: np.ndarray, *, degrees: int, level: float) -> Spread:
    """
    Make an interval from estimates that each leave one place out.

    The variance is (n − 1)/n times the sum of squared distances of the n replicates from the
    estimate, treated and comparison places together; the reference is t with `degrees`.

    Parameters
    ----------
    estimate : float
        From all places, on an additive scale (log for ratios).
    replicates : array, shape (n,)
        The same estimate with each place left out.
    degrees : int
        Degrees of freedom: treated places minus 1.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Spread
        Two-sided interval and p-value against 0.
    """
    n = len(replicates)
    error = float(np.sqrt((n - 1) / n * np.sum((replicates - estimate) ** 2)))
    return spread(estimate, error, degrees=degrees, level=level)


def spread(estimate: float, error: float, *, degrees: int, level: float) -> Spread:
    """
    Make a t interval and a two-sided p-value from an estimate and its standard error.

    Parameters
    ----------
    estimate, error : float
        On an additive scale.
    degrees : int
        Degrees of freedom of t.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Spread
        The p-value is null (not a number) where the error is 0.
    """
    reach = float(stats.t.ppf(0.5 + level / 2, degrees)) * error
    p_value = float(2 * stats.t.sf(abs(estimate) / error, degrees)) if error > 0 else float("nan")
    return Spread(error, degrees, estimate - reach, estimate + reach, p_value)


def detectable(error: float, *, degrees: int) -> float:
    """
    Give the smallest distance from 0 that is found with 80 % power at two-sided 5 %.

    Parameters
    ----------
    error : float
        Standard error on an additive scale.
    degrees : int
        Degrees of freedom of t.

    Returns
    -------
    float
        (t at .975 + t at .80) · error, always positive.
    """
    quantiles = stats.t.ppf([1 - SIGNIFICANCE / 2, POWER], degrees)
    return float(quantiles.sum() * error)


def power(distance: float, error: float, *, degrees: int) -> float:
    """
    Give the chance that a two-sided 5 % t-test finds a true distance from 0.

    Parameters
    ----------
    distance : float
        The truth, on the additive scale of the error.
    error : float
        Standard error.
    degrees : int
        Degrees of freedom of t.

    Returns
    -------
    float
        Between 0.05 and 1, by the non-central t distribution.
    """
    critical = stats.t.ppf(1 - SIGNIFICANCE / 2, degrees)
    shift = distance / error
    upper = stats.nct.sf(critical, degrees, shift)
    lower = stats.nct.cdf(-critical, degrees, shift)
    return float(np.clip(upper + lower, 0.0, 1.0))


def placebo_p_value(estimate: float, placebos: np.ndarray) -> float:
    """
    Give the share of placebo estimates at least as far from 0, the estimate itself counted in.

    Parameters
    ----------
    estimate : float
        On the log scale.
    placebos : array
        Placebo estimates; those that are not a number are left out.

    Returns
    -------
    float
        Two-sided p-value, never 0; not a number without placebos.
    """
    usable = placebos[~np.isnan(placebos)]
    if not len(usable):
        return float("nan")
    as_far = np.sum(np.abs(usable) >= abs(estimate) - 1e-12)
    return float((1 + as_far) / (1 + len(usable)))
