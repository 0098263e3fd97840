"""A grid of short periods gathered into equal steps, for estimators that need fewer zeros."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from placeproof.effects.grid import Grid

DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375}

LEAST_SHARE = 1 / 3
"""A place's count of a step rests on at least this share of the step's periods."""


@dataclass(frozen=True)
class Steps:
    """Events a place and whole step, for n places and K steps in order of time."""

    places: tuple[str, ...]
    first: np.ndarray
    """(n,) int: number of the first patrolled step, from 0; K where never patrolled."""
    counts: np.ndarray
    """(n, K) events a whole step: the mean of the periods used, times the periods of a step."""
    starts: tuple[date, ...]
    """(K,) first day of each step."""
    periods: int
    """Periods in a step."""
    places_left_out: int = 0
    """Places patrolled from their first step on, or hardly counted."""
    steps_left_out: int = 0
    """Steps in which some place was counted in less than a third of the periods."""

    @property
    def treated(self) -> np.ndarray:
        """(n,) bool: patrolled within the steps."""
        return self.first < self.counts.shape[1]

    @property
    def cohorts(self) -> list[int]:
        """Numbers of the steps in which some place starts, in order."""
        return [int(k) for k in np.unique(self.first[self.treated])]


def periods_in_a_step(period_kind: str, *, weeks: int) -> int:
    """
    Say how many periods of a panel make up a step.

    Parameters
    ----------
    period_kind : str
        "day", "week" or "month".
    weeks : int
        Length of a step; 13 weeks are 3 months.

    Returns
    -------
    int
        1 at least.
    """
    return max(1, round(weeks * 7 / DAYS[period_kind]))


def steps(table: Grid, *, weeks: int) -> Steps:
    """
    Gather a grid into steps that begin with the first patrol anywhere, before it and after it.

    In the step in which a place starts, the longer side of the start counts: the step is patrolled
    where at least half of its counted periods are, and the periods of the other side are passed
    over. So no step mixes the two.

    Parameters
    ----------
    table : Grid
        Not modified.
    weeks : int
        Length of a step.

    Returns
    -------
    Steps
        Only steps in which every place is counted; places without an untreated step are left out.
    """
    width = periods_in_a_step(table.period_kind, weeks=weeks)
    clock = _clock(table)
    patrolled = table.after & table.observed
    origin = int(clock[patrolled.any(axis=0)].min()) if patrolled.any() else 0
    number = (clock - origin) // width
    numbers = np.unique(number)
    member = (number[:, None] == numbers[None, :]).astype(float)
    side = [mask & table.observed for mask in (table.before, table.after)]
    periods = np.stack([mask @ member for mask in side])
    events = np.stack([np.where(mask, table.counts, 0.0) @ member for mask in side])
    after = (periods[1] > 0) & (periods[1] >= periods[0])
    used = np.where(after, periods[1], periods[0])
    total = np.where(after, events[1], events[0])
    enough = used >= LEAST_SHARE * width
    return _kept(table, numbers, number, after, enough, used, total, width)


def _kept(
    table: Grid,
    numbers: np.ndarray,
    number: np.ndarray,
    after: np.ndarray,
    enough: np.ndarray,
    used: np.ndarray,
    total: np.ndarray,
    width: int,
) -> Steps:
    counted = enough.mean(axis=1) >= 0.5
    steady = enough[counted].all(axis=0) if counted.any() else np.zeros(len(numbers), dtype=bool)
    before_any = (~after[:, steady]).any(axis=1)
    rows = np.flatnonzero(counted & before_any)
    columns = np.flatnonzero(steady)
    late = after[np.ix_(rows, columns)]
    never = ~late.any(axis=1)
    first = np.where(never, len(columns), late.argmax(axis=1) if late.size else 0)
    rate = total[np.ix_(rows, columns)] / np.maximum(used[np.ix_(rows, columns)], 1)
    opens = [table.period_starts[int(np.flatnonzero(number == numbers[k])[0])] for k in columns]
    return Steps(
        places=tuple(table.places[i] for i in rows),
        first=first.astype(np.int64),
        counts=rate * width,
        starts=tuple(opens),
        periods=width,
        places_left_out=len(table.places) - len(rows),
        steps_left_out=len(numbers) - len(columns),
    )


def _clock(table: Grid) -> np.ndarray:
    """Number of each period on the calendar, so that a gap in the panel stays a gap."""
    if table.period_kind == "month":
        return np.array([day.year * 12 + day.month for day in table.period_starts])
    days = 7 if table.period_kind == "week" else 1
    return np.array([day.toordinal() // days for day in table.period_starts])
