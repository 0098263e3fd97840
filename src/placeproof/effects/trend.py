"""The treated group's own trend: adjusted for, and tested with its own power."""

from dataclasses import dataclass

import numpy as np

from placeproof.effects.fitting import fit
from placeproof.effects.grid import Grid
from placeproof.effects.imputation import groups, leave_one_out, sums

LARGEST_STEP = 2.0
"""On the log scale over half the window; keeps the search where counts still exist."""

SEARCH = 60


@dataclass(frozen=True)
class Trended:
    """The trend-adjusted fit of P replicates."""

    slope: np.ndarray
    """(P,) log change a period of the treated group relative to the comparison places."""
    log_ratio: np.ndarray
    """(P,) log of observed over imputed events, the trend carried on after the start."""
    observed: np.ndarray
    """(P,)"""
    imputed: np.ndarray
    """(P,)"""


def adjusted(table: Grid) -> tuple[Trended, Trended]:
    """
    Impute with a linear trend of the treated group on the log scale.

    The trend is fitted to untreated cells only and carried on into the treated ones: what the
    headline estimate calls effect, it calls trend as far as the time before patrols shows one.

    Parameters
    ----------
    table : Grid
        Not modified.

    Returns
    -------
    tuple of Trended
        From all places (P = 1), and with each place left out (P = n). Numbers are not finite where
        the trend is not determined: fewer than two untreated periods in treated places, or no
        comparison place beside them.
    """
    grouped = groups(table)
    both = sums(table, grouped)[None], np.ones((1, len(grouped.before)), dtype=bool)
    left = leave_one_out(table, grouped)
    n_periods = table.counts.shape[1]
    half = max(1.0, (n_periods - 1) / 2)
    clock = (np.arange(n_periods) - (n_periods - 1) / 2) / half
    side = grouped.patrolled[:, None] * clock[None, :]
    made = [
        _trended(events, present, grouped.before, grouped.after, side, half)
        for events, present in (both, left)
    ]
    return made[0], made[1]


def _trended(
    events: np.ndarray,
    present: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    side: np.ndarray,
    half: float,
) -> Trended:
    slope = _slopes(events, before, side)
    weights = before * np.exp(slope[:, None, None] * side)
    fitted = fit(events, weights)
    expected = fitted.rows[:, :, None] * fitted.columns[:, None, :]
    expected = expected * np.exp(slope[:, None, None] * side)
    known = fitted.determined
    imputed = np.where(after & known, expected, 0.0).sum(axis=(1, 2))
    observed = np.where(after & known, events, 0.0).sum(axis=(1, 2))
    lost = (after & ~known & present[:, :, None]).any(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(observed) - np.log(imputed)
    usable = fitted.settled & np.isfinite(slope) & (~lost | (len(events) == 1))
    return Trended(
        slope=np.where(usable, slope / half, np.nan),
        log_ratio=np.where(usable, ratio, np.nan),
        observed=observed,
        imputed=imputed,
    )


def _slopes(events: np.ndarray, before: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Root of the profile score, which falls with the slope: bounded secant steps."""
    last = np.zeros(len(events))
    last_score, mean = _score(events, before, side, last)
    information = _information(mean, side)
    step = np.divide(last_score, information, out=np.zeros_like(last), where=information > 1e-9)
    bad = information <= 1e-9
    now = last + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
    for _ in range(SEARCH):
        score, _ = _score(events, before, side, now)
        gap = score - last_score
        step = np.divide(-score * (now - last), gap, out=np.zeros_like(now), where=gap != 0)
        step = np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        last, last_score = now, score
        now = now + step
        if np.all((np.abs(step) < 1e-11) | bad):
            break
    flat = np.abs(now - last) > 1e-8
    return np.where(bad | flat, np.nan, now)


def _score(
    events: np.ndarray, before: np.ndarray, side: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    growth = np.exp(slope[:, None, None] * side)
    fitted = fit(events, before * growth)
    mean = before * growth * fitted.rows[:, :, None] * fitted.columns[:, None, :]
    score = (side * (before * events - mean)).sum(axis=(1, 2))
    return score, mean


def _information(mean: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Variance of the trend regressor left after place and period means: 0 if not determined."""
    left = np.broadcast_to(side, mean.shape).copy()
    of_rows, of_columns = mean.sum(axis=2), mean.sum(axis=1)
    for _ in range(200):
        shift = _mean(mean * left, of_rows, 2)
        left -= shift[:, :, None]
        across = _mean(mean * left, of_columns, 1)
        left -= across[:, None, :]
        if max(np.abs(shift).max(), np.abs(across).max()) < 1e-10:
            break
    share = (mean * left**2).sum(axis=(1, 2))
    return np.where(share > 1e-9 * mean.sum(axis=(1, 2)), share, 0.0)


def _mean(weighted: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    total = weighted.sum(axis=axis)
    return np.divide(total, weights, out=np.zeros_like(total), where=weights > 0)
