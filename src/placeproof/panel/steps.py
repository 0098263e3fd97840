"""Steps in a monthly series: a sudden and lasting change that no trend or season explains."""

from dataclasses import dataclass
from datetime import date

import numpy as np

AUTOCORRELATIONS = np.round(np.arange(0.0, 0.91, 0.1), 1)
"""Autocorrelations from month to month under which series without a step are made."""
MOST_STEPS = 3
"""Steps that are looked for in one series, one after the other."""
SEASON_FROM = 24
"""Months from which a season can be told from a trend."""


@dataclass(frozen=True)
class Step:
    """One step of a series."""

    at: int
    """Position of the first month after it."""
    size: float
    """On the scale of the series, trend and season held."""
    statistic: float
    p_value: float
    """How often the largest statistic of a series without a step is as large."""


@dataclass(frozen=True)
class Yardstick:
    """Largest statistics of series without a step, for one design and every autocorrelation."""

    smooth: np.ndarray
    """(T, p): what a series without a step is made of."""
    places: np.ndarray
    """(K,) positions at which a step is looked for."""
    largest: np.ndarray
    """(autocorrelations, simulations), sorted along the second axis."""
    usual: np.ndarray
    """(autocorrelations,): the median autocorrelation of what is left after the fit."""


def yardstick(
    months: list[date],
    *,
    shortest: int,
    simulations: int,
    rng: np.random.Generator,
    known: tuple[int, ...] = (),
    only: int | None = None,
) -> Yardstick:
    """
    Make series without a step and look for steps in them as in any other.

    Parameters
    ----------
    months : list of date
        First days of the months of the series, in order; gaps are allowed.
    shortest : int
        Fewest months on either side of a step.
    simulations : int
        How many series for each autocorrelation.
    rng : numpy.random.Generator
        Source of the series.
    known : tuple of int
        Positions of steps that are known already.
    only : int or None
        The one position at which a step is looked for; None: all of them.

    Returns
    -------
    Yardstick
        Against which `largest_step` holds a series.
    """
    smooth = _smooth(months, known)
    n = len(months)
    places = np.arange(shortest, n - shortest + 1)
    places = places if only is None else places[places == only]
    places = places[[all(abs(p - k) >= shortest for k in known) for p in places]]
    if not len(places):
        nothing = np.zeros((len(AUTOCORRELATIONS), 0))
        return Yardstick(smooth, places, nothing, np.zeros(len(AUTOCORRELATIONS)))
    largest, usual = [], []
    noise = rng.standard_normal((simulations, n))
    for rho in AUTOCORRELATIONS:
        series = noise.copy()
        for t in range(1, n):
            series[:, t] = rho * series[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
        statistic, at = _largest(series, smooth, places)
        largest.append(np.sort(statistic))
        usual.append(float(np.median(_autocorrelation(_left(series, smooth, at)))))
    return Yardstick(smooth, places, np.array(largest), np.array(usual))


def largest_step(values: np.ndarray, against: Yardstick) -> Step | None:
    """
    Find the largest step of a series and how unusual it is.

    The statistic is the largest F statistic, over all positions, of a step added to a straight
    trend and, in long series, a season (a supremum test for one change at an unknown time). It is
    held against series of the same length with the autocorrelation that leaves as much behind.

    Parameters
    ----------
    values : array, shape (T,)
        The series, on a scale on which steps add up.
    against : Yardstick
        Of the same months.

    Returns
    -------
    Step or None
        None where the series is too short to hold a step, or does not vary.
    """
    if not len(against.places) or np.ptp(values) < 1e-12:
        return None
    statistic, at = _largest(values[None], against.smooth, against.places)
    left = _left(values[None], against.smooth, at)
    # Half a standard error is added, because too little autocorrelation makes steps of wanderings.
    found = float(_autocorrelation(left)[0]) + 0.5 / np.sqrt(len(values))
    k = int(np.searchsorted(against.usual, found))
    null = against.largest[min(k, len(against.usual) - 1)]
    above = len(null) - int(np.searchsorted(null, statistic[0], side="left"))
    return Step(
        at=int(at[0]),
        size=_size(values, against.smooth, int(at[0])),
        statistic=float(statistic[0]),
        p_value=(1 + above) / (1 + len(null)),
    )


def _smooth(months: list[date], known: tuple[int, ...]) -> np.ndarray:
    n = len(months)
    at = np.array([12 * month.year + month.month for month in months], dtype=float)
    columns = [np.ones(n), (at - at.mean()) / max(1.0, float(np.ptp(at)))]
    if n >= SEASON_FROM:
        angle = 2 * np.pi * at / 12
        columns += [np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    columns += [(np.arange(n) >= k).astype(float) for k in known]
    return np.column_stack(columns)


def _largest(
    series: np.ndarray, smooth: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The largest F statistic of each series and where it is."""
    n = series.shape[1]
    basis = _basis(smooth)
    steps = (np.arange(n)[:, None] >= places[None, :]).astype(float)
    steps = steps - basis @ (basis.T @ steps)
    size = np.sqrt((steps**2).sum(axis=0))
    steps = np.where(size > 1e-8, steps / np.maximum(size, 1e-8), 0.0)
    rest = series - (series @ basis) @ basis.T
    total = (rest**2).sum(axis=1)
    gain = (rest @ steps) ** 2
    freedom = n - basis.shape[1] - 1
    best = gain.argmax(axis=1)
    top = gain[np.arange(len(series)), best]
    with np.errstate(divide="ignore", invalid="ignore"):
        return top / ((total - top) / freedom), places[best]


def _basis(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span the same; fewer where some say the same as others."""
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    made: np.ndarray = left[:, size > 1e-9 * size[0]]
    return made


def _left(series: np.ndarray, smooth: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What is left of each series after trend, season and its own largest step."""
    left = np.empty_like(series)
    for k in np.unique(at):
        mine = at == k
        step = (np.arange(series.shape[1]) >= k).astype(float)
        basis = _basis(np.column_stack([smooth, step]))
        left[mine] = series[mine] - (series[mine] @ basis) @ basis.T
    return left


def _autocorrelation(left: np.ndarray) -> np.ndarray:
    above = (left[:, 1:] * left[:, :-1]).sum(axis=1)
    made: np.ndarray = above / np.maximum((left**2).sum(axis=1), 1e-300)
    return made


def _size(values: np.ndarray, smooth: np.ndarray, at: int) -> float:
    step = (np.arange(len(values)) >= at).astype(float)
    made = np.linalg.lstsq(np.column_stack([smooth, step]), values, rcond=None)[0]
    return float(made[-1])
