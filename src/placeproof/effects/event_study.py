"""The effect by time since the start, and the same picture before it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placeproof.effects.effect import Effect, effects
from placeproof.effects.grid import NEVER, Grid

DAYS = {"week": 7.0, "month": 30.4375, "quarter": 91.3125, "year": 365.25}
PERIOD_DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375}


@dataclass(frozen=True)
class Step:
    """The effect in one stretch of time since the start."""

    horizon: str
    """Such as month=-3; 0 is the stretch that begins with the first day of patrols."""
    effect: Effect


def event_study(table: Grid, *, width: str, leads: int, level: float) -> list[Step]:
    """
    Estimate the rate ratio by time since the start, and placebo ratios before it.

    After the start, every untreated cell is the base. Before it, the later half of each place's
    own untreated time, at most `leads` steps, is imputed from its earlier half: so the picture
    before the start is made in the same way as the one after, and nothing in it is 1 by
    construction.

    Parameters
    ----------
    table : Grid
        Not modified.
    width : str
        Length of a step: "week", "month", "quarter" or "year"; not shorter than the period.
    leads : int
        Steps before the start to be shown, at most.
    level : float
        Coverage that the intervals claim.

    Returns
    -------
    list of Step
        In order of time.
    """
    step = steps(table, width=width)
    timed = table.observed & (step != NEVER)
    after = timed & table.after
    later = [int(k) for k in np.unique(step[after])]
    shown = timed & table.before & (step >= -leads) & (step >= _half(table, step)[:, None])
    earlier = [int(k) for k in np.unique(step[shown])]
    made = _by_step(table, step, shown, earlier, table.before & ~shown, width, level)
    return made + _by_step(table, step, after, later, table.before, width, level)


def steps(table: Grid, *, width: str) -> np.ndarray:
    """
    Number each cell by the stretch of time since the start in which it lies.

    Parameters
    ----------
    table : Grid
        Not modified.
    width : str
        Length of a step, as for `event_study`.

    Returns
    -------
    array of int, shape (n, T)
        0 begins with the period that holds the first day; negative before; NEVER where never.
    """
    days = PERIOD_DAYS[table.period_kind]
    if DAYS[width] < days:
        raise ValueError(f"a {width} is shorter than the panel's {table.period_kind}")
    timed = table.event_time != NEVER
    since = np.where(timed, table.event_time, 0) * days
    return np.where(timed, np.floor(since / DAYS[width] + 1e-9).astype(np.int64), NEVER)


def _half(table: Grid, step: np.ndarray) -> np.ndarray:
    first = np.where(table.before & table.observed & (step != NEVER), step, 0).min(axis=1)
    return -(-first // 2)


def _by_step(
    table: Grid,
    step: np.ndarray,
    cells: np.ndarray,
    numbers: Sequence[int],
    before: np.ndarray,
    width: str,
    level: float,
) -> list[Step]:
    if not numbers:
        return []
    parts = np.stack([cells & (step == k) for k in numbers])
    made = effects(table, parts=parts, before=before, level=level)
    return [Step(f"{width}={k}", one) for k, one in zip(numbers, made, strict=True)]
