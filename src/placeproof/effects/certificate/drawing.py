"""Invented counts that resemble a study. Shares no line with the estimators that it judges."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter


@dataclass(frozen=True)
class Likeness:
    """What the counts of n places in T periods are like where no patrol has come."""

    levels: np.ndarray
    """(n,) expected events a period, at a path of 1."""
    path: np.ndarray
    """(T,) factor of each period that all places share and every study repeats: the season."""
    town_sd: float
    """Standard deviation, on the log scale, of what moves the whole town in one study."""
    town_memory: float
    """Autocorrelation of that from one period to the next."""
    own_sd: float
    """Standard deviation, on the log scale, of each place's own deviations."""
    own_memory: float
    """Autocorrelation of those from one period to the next."""
    excess: float
    """Variance of a factor of mean 1 on each count, without memory: overdispersion."""


@dataclass(frozen=True)
class Draw:
    """The counts of one invented study."""

    expected: np.ndarray
    """(n, T) what each count varies around; the effect is in it, the memoryless factor is not."""
    counts: np.ndarray
    """(n, T)"""


def draw(likeness: Likeness, *, log_effect: np.ndarray, rng: np.random.Generator) -> Draw:
    """
    Invent the counts of one study.

    Parameters
    ----------
    likeness : Likeness
        What they resemble.
    log_effect : array, shape (n, T) or broadcast to it
        Log of the factor on what is expected: the truth that estimators are held against.
    rng : numpy.random.Generator
        Source of all chance. The same state gives the same deviations whatever the effect.

    Returns
    -------
    Draw
        Counts are Poisson around level × season × town × own deviation × effect × factor.
    """
    n, periods = len(likeness.levels), len(likeness.path)
    town = _wandering(rng, (1, periods), likeness.town_sd, likeness.town_memory)
    own = _wandering(rng, (n, periods), likeness.own_sd, likeness.own_memory)
    factor = (
        rng.gamma(1 / likeness.excess, likeness.excess, size=(n, periods))
        if likeness.excess > 0
        else np.ones((n, periods))
    )
    expected = likeness.levels[:, None] * likeness.path * np.exp(town + own + log_effect)
    return Draw(expected=expected, counts=rng.poisson(expected * factor).astype(float))


def _wandering(
    rng: np.random.Generator, shape: tuple[int, int], sd: float, memory: float
) -> np.ndarray:
    """Deviations with memory whose exponential has mean 1."""
    chance = rng.standard_normal(shape)
    chance[:, 1:] *= np.sqrt(1 - memory**2)
    return sd * lfilter([1.0], [1.0, -memory], chance, axis=1) - sd**2 / 2
