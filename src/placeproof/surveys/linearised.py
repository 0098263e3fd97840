"""Means, shares and differences with areas as clusters, by Taylor linearisation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """A mean or a difference of means, and how sure it is with areas as clusters.

    Attributes
    ----------
    estimate : float
        The mean, or the first mean minus the second.
    standard_error, lower, upper, p_value : float
        Not a number where fewer than two areas hold the people, or nothing varies.
    n, n_areas : int
        People and areas that the number rests on.
    design_effect : float
        Variance against that of as many people drawn singly with replacement.
    effective_n : float
        Kish: the square of the sum of the weights over the sum of their squares.
    """

    estimate: float
    standard_error: float
    lower: float
    upper: float
    p_value: float
    n: int
    n_areas: int
    design_effect: float
    effective_n: float


def mean(
    values: Floats, *, weights: Floats, areas: Ints, members: Bools, level: float, share: bool
) -> Spread:
    """
    Estimate the weighted mean of `members`, with areas as clusters.

    Parameters
    ----------
    values : array, shape (people,)
        What was answered; only read where `members` is true.
    weights : array, shape (people,)
        Weights, not negative; all 1 for an unweighted mean.
    areas : array of int, shape (people,)
        Which area each person belongs to. Areas without a member stay in the design: they count
        in the variance, not in the degrees of freedom.
    members : array of bool, shape (people,)
        Who is in the part of the design that is described.
    level : float
        Coverage of the interval.
    share : bool
        Whether the values are 0 and 1: then the interval is made on the logit scale, so that it
        stays between 0 and 1.

    Returns
    -------
    Spread
        `p_value` is not a number: a mean is not compared with anything.
    """
    centre, influence = _influence(values, weights, members)
    error, freedom = _error(influence, areas, members & (weights > 0))
    half = stats.t.ppf((1 + level) / 2, freedom) * error if freedom > 0 else np.nan
    lower, upper = _logit_interval(centre, half) if share else (centre - half, centre + half)
    return Spread(
        estimate=centre,
        standard_error=error,
        lower=lower,
        upper=upper,
        p_value=np.nan,
        n=int(members.sum()),
        n_areas=np.unique(areas[members]).size,
        design_effect=error**2 / _single_variance(values, weights, members, centre),
        effective_n=effective_n(weights[members]),
    )


def difference(
    values: Floats,
    *,
    weights: Floats,
    areas: Ints,
    first: Bools,
    second: Bools,
    level: float,
) -> Spread:
    """
    Estimate the mean of `first` minus the mean of `second`, people of one area staying together.

    Parameters
    ----------
    values, weights, areas : arrays, shape (people,)
        As for `mean`.
    first, second : arrays of bool, shape (people,)
        The two groups; nobody is in both. They may share areas: their covariance is counted.
    level : float
        Coverage of the interval.

    Returns
    -------
    Spread
        `n` is the number of people in the smaller group, so that a rule on small cells sees the
        cell that the difference would reveal.
    """
    first_mean, first_influence = _influence(values, weights, first)
    second_mean, second_influence = _influence(values, weights, second)
    both = (first | second) & (weights > 0)
    error, freedom = _error(first_influence - second_influence, areas, both)
    gap = first_mean - second_mean
    half = stats.t.ppf((1 + level) / 2, freedom) * error if freedom > 0 else np.nan
    single = _single_variance(values, weights, first, first_mean) + _single_variance(
        values, weights, second, second_mean
    )
    return Spread(
        estimate=gap,
        standard_error=error,
        lower=gap - half,
        upper=gap + half,
        p_value=float(2 * stats.t.sf(abs(gap) / error, freedom)) if error > 0 else np.nan,
        n=int(min(first.sum(), second.sum())),
        n_areas=np.unique(areas[first | second]).size,
        design_effect=error**2 / single if single > 0 else np.nan,
        effective_n=min(effective_n(weights[first]), effective_n(weights[second])),
    )


def effective_n(weights: Floats) -> float:
    """Number of equally weighted people who would be as good, after Kish; nan without weight."""
    total = float((weights**2).sum())
    return float(weights.sum()) ** 2 / total if total > 0 else np.nan


def _influence(values: Floats, weights: Floats, members: Bools) -> tuple[float, Floats]:
    used = np.where(members, weights, 0.0)
    total = used.sum()
    if total <= 0:
        return np.nan, np.full(values.shape, np.nan)
    known = np.where(members, values, 0.0)
    centre = float((used * known).sum() / total)
    return centre, used * (known - centre) / total


def _error(influence: Floats, areas: Ints, weighing: Bools) -> tuple[float, int]:
    """The clusters are all areas of the design; degrees of freedom, those that hold members."""
    clusters = np.unique(areas, return_inverse=True)[1]
    freedom = np.unique(areas[weighing]).size - 1
    if freedom < 1:
        return np.nan, 0
    sums = np.bincount(clusters, weights=influence)
    return float(np.sqrt(sums.size / (sums.size - 1) * ((sums - sums.mean()) ** 2).sum())), freedom


def _single_variance(values: Floats, weights: Floats, members: Bools, centre: float) -> float:
    used = weights[members]
    people = int((used > 0).sum())
    if people < 2 or used.sum() <= 0:
        return np.nan
    spread = float((used * (values[members] - centre) ** 2).sum() / used.sum())
    return spread / (people - 1) if spread > 0 else np.nan


def _logit_interval(centre: float, half: float) -> tuple[float, float]:
    """A share of exactly 0 or 1 has no spread to learn from, so it gets no interval."""
    if not 0 < centre < 1:
        return np.nan, np.nan
    middle, reach = np.log(centre / (1 - centre)), half / (centre * (1 - centre))
    return tuple(float(1 / (1 + np.exp(-end))) for end in (middle - reach, middle + reach))  # type: ignore[return-value]
