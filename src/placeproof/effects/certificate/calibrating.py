"""What the counts of a study are like before patrols. Shares no line with the estimators."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from placeproof.effects.certificate.drawing import Likeness

LEAST_PERIODS = 10
"""Periods with every count that are needed to say how counts vary."""
LEAST_EVENTS = 20
"""Events in them."""
LONGEST_LAG = 26
MEMORIES = (0.2, 0.4, 0.6, 0.75, 0.85, 0.92, 0.97)
"""Autocorrelations that are tried; what lies between them differs little in what it does."""


@dataclass(frozen=True)
class Calibration:
    """The likeness of a study, or why there is none."""

    likeness: Likeness | None
    refusal: str | None
    periods: int
    """Periods that it rests on."""
    events: float


def calibrate(counts: np.ndarray, usable: np.ndarray, *, year: np.ndarray) -> Calibration:
    """
    Measure levels, season, overdispersion and autocorrelation on counts without patrols.

    Overdispersion and autocorrelation come from the products of deviations at each distance in
    time, held against what such products would be on average: their own means and the town's path
    were taken out of the deviations, and that is allowed for.

    Parameters
    ----------
    counts : array, shape (n, T)
        Events by place and period; read only where usable.
    usable : array of bool, shape (n, T)
        Counts that may be seen and that no patrol can have touched. Periods in which some place
        has none are passed over.
    year : array, shape (T,)
        Time of the middle of each period, in years.

    Returns
    -------
    Calibration
        Without a likeness where fewer than ten periods have every count, or they hold fewer than
        twenty events.
    """
    whole = np.flatnonzero(usable.all(axis=0))
    seen = counts[:, whole]
    events = float(seen.sum())
    refusal = _refusal(len(whole), events)
    if refusal:
        return Calibration(None, refusal, len(whole), events)
    totals = seen.sum(axis=0)
    shared = totals / totals.mean()
    own_variance, memory, excess = _own(seen, shared, whole)
    season, trended = _season(totals, year, whole)
    levels = _levels(seen, season[whole])
    noise = _noise(seen.mean(axis=1), own_variance, excess)
    town_variance, town_memory = _town(totals / trended - 1, whole, noise, own_variance, memory)
    likeness = Likeness(
        levels=levels,
        path=season,
        town_sd=float(np.sqrt(np.log1p(town_variance))),
        town_memory=town_memory,
        own_sd=float(np.sqrt(np.log1p(own_variance))),
        own_memory=memory,
        excess=excess,
    )
    return Calibration(likeness, None, len(whole), events)


def _refusal(periods: int, events: float) -> str | None:
    if not periods:
        return (
            "No period before the first patrols has a count in every place: how counts vary "
            "without patrols is not known."
        )
    if not events:
        return (
            f"No event was counted in the {periods} periods before the first patrols: there is "
            "nothing to calibrate on."
        )
    if periods < LEAST_PERIODS:
        return (
            f"Only {periods} periods before the first patrols have a count in every place; "
            f"{LEAST_PERIODS} are needed to say how counts vary."
        )
    if events < LEAST_EVENTS:
        return (
            f"Fewer than {LEAST_EVENTS} events were counted in the {periods} periods before the "
            "first patrols: how they vary cannot be measured."
        )
    return None


def _levels(seen: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Levels drawn towards their mean as far as their differences are chance: none is 0."""
    exposure = season.sum()
    raw = seen.sum(axis=1) / exposure
    middle = raw.mean()
    spread = max(0.0, float(raw.var()) - middle / exposure)
    if spread <= 0:
        return np.full(len(raw), middle)
    return (middle**2 / spread + seen.sum(axis=1)) / (middle / spread + exposure)


def _season(
    totals: np.ndarray, year: np.ndarray, whole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Season of every period, and season with trend of those seen; the trend is not carried on."""
    time = year - year[whole].mean()
    span = np.ptp(time[whole])
    waves = 2 if span >= 2 else 1 if span >= 0.9 else 0
    columns = [np.ones(len(time)), time]
    for k in range(1, waves + 1):
        columns += [np.sin(2 * np.pi * k * year), np.cos(2 * np.pi * k * year)]
    basis = np.stack(columns, axis=1)
    weight = np.sqrt(totals + 0.5)
    fitted, *_ = np.linalg.lstsq(
        basis[whole] * weight[:, None], np.log(totals + 0.5) * weight, rcond=None
    )
    season = np.exp(basis[:, 2:] @ fitted[2:])
    trended = np.exp(basis[whole] @ fitted)
    return season / season[whole].mean(), trended * totals.sum() / trended.sum()


def _own(seen: np.ndarray, shared: np.ndarray, whole: np.ndarray) -> tuple[float, float, float]:
    """Variance and memory of the places' own deviations, and overdispersion without memory."""
    periods = seen.shape[1]
    level = seen.mean(axis=1)
    left = seen - level[:, None] * shared
    distance = np.abs(whole[:, None] - whole[None, :])
    lags = np.unique(distance[distance <= min(LONGEST_LAG, max(1, periods // 3))])
    keeps = np.eye(periods) - np.outer(shared, np.ones(periods)) / shared.sum()
    share = level / level.sum()
    squares = max(float((level**2 - level / periods).sum()), 1e-12)
    spread_share = 1 - 2 * float((share * level**2).sum() / (level**2).sum())
    spread_share += float((share**2).sum())
    poisson = float(level.sum() * (1 - (share**2).sum()))
    products = left.T @ left - poisson * (keeps * shared) @ keeps.T
    pairs = np.array([(distance == lag).sum() for lag in lags], dtype=float)
    found = _by_lag(products, distance, lags) / pairs
    scale = squares * spread_share / pairs
    memoryless = _by_lag((keeps * shared**2) @ keeps.T, distance, lags) * scale
    weight = np.sqrt(pairs)
    best = (np.inf, 0.0, 0.0, 0.0)
    for memory in MEMORIES:
        lasting = keeps @ (np.outer(shared, shared) * memory**distance) @ keeps.T
        columns = np.stack([_by_lag(lasting, distance, lags) * scale, memoryless], axis=1)
        (variance, excess), rest = nnls(columns * weight[:, None], found * weight)
        if rest < best[0] - 1e-12:
            best = (rest, float(variance), memory, float(excess))
    _, variance, memory, excess = best
    if variance <= 1e-6:
        variance, memory = 0.0, 0.0
    return min(variance, 2.0), memory, (min(excess, 5.0) if excess > 1e-4 else 0.0)


def _by_lag(products: np.ndarray, distance: np.ndarray, lags: np.ndarray) -> np.ndarray:
    return np.array([products[distance == lag].sum() for lag in lags])


def _noise(level: np.ndarray, own_variance: float, excess: float) -> tuple[float, float, float]:
    """Variance of the town's relative deviation that is the places': Poisson, lasting, not so."""
    together = float((level**2).sum() / level.sum() ** 2)
    return 1 / float(level.sum()), together * own_variance, together * excess


def _town(
    moved: np.ndarray,
    whole: np.ndarray,
    noise: tuple[float, float, float],
    own_variance: float,
    memory: float,
) -> tuple[float, float]:
    variance = float((moved**2).mean()) - sum(noise)
    if variance <= 1e-6:
        return 0.0, 0.0
    next_to = np.flatnonzero(np.diff(whole) == 1)
    together = float((moved[next_to] * moved[next_to + 1]).mean()) if len(next_to) else 0.0
    together -= noise[1] * memory if own_variance else 0.0
    return min(variance, 1.0), float(np.clip(together / variance, 0.0, 0.95))
