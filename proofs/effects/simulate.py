"""Invented studies with a known effect. The drawing shares no line with the estimators."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl

from placeproof.effects.certificate.drawing import Likeness, draw
from placeproof.effects.grid import Grid, checked, grid
from placeproof.hotspots import match, split_periods

MONDAY = date(2016, 1, 4)
YEAR = 52.18
HISTORY = (0, 104)
SELECTION = (104, 156)
"""Weeks on which places were matched, and the last year, on which hot spots were chosen."""
LEAST_EVENTS = 5
PER_HOTSPOT = 2


@dataclass(frozen=True)
class World:
    """What is true in a simulated study; rates are crimes a week and place."""

    rate_ratio: float = 0.85
    treated: int = 20
    comparison: int = 40
    weeks: int = 312
    starts: tuple[int, ...] = (156, 182, 208, 234)
    rate: float = 1.1
    spread_of_rates: float = 0.45
    memory: float = 0.5
    """Autocorrelation of a place's own deviations from one week to the next."""
    wander: float = 0.20
    """Standard deviation of those deviations, on the log scale."""
    excess: float = 0.10
    """Variance of a gamma factor of mean 1 on each count: overdispersion."""
    fades_over_weeks: float = 0.0
    """The effect shrinks in a straight line to nothing over so many weeks; 0: it stays."""
    trend_a_year: float = 0.0
    """Log change a year in treated places only: breaks the assumption on purpose."""
    gain: float = 0.0
    """Share by which every fourth comparison place rises when patrols first start: the same."""
    pool: int = 0
    """Places of which the fullest of the last year become hot spots; 0: no such choice."""
    matched: bool = False
    """Comparison places matched on the history before that year; else drawn at random."""
    baseline: str = "last year"
    """Weeks before patrols on which the estimate rests: "last year", in which places were chosen;
    "all"; or "unused", those on which places were neither chosen nor matched."""


@dataclass(frozen=True)
class Study:
    """One invented study, as estimators see it, with its truth."""

    table: Grid
    truth: float
    """Log of what was expected over treated cells with patrols over what was without."""
    control: Grid
    """A negative control in the same places: patrols do nothing, what disturbs them does."""


BASE = World()
NULL = World(rate_ratio=1.0)
STRONG = World(memory=0.95, wander=0.30)
EIGHT = World(treated=8, comparison=16)
RARE = World(rate=0.1)
FADING = World(rate_ratio=0.70, fades_over_weeks=104)
TREND = World(rate_ratio=1.0, trend_a_year=-0.04)
CONTAMINATED = World(rate_ratio=1.0, gain=0.15)
SELECTED = World(rate_ratio=1.0, rate=0.5, pool=300)
SELECTED_MATCHED = replace(SELECTED, matched=True, baseline="all")
SELECTED_UNUSED = replace(SELECTED, matched=True, baseline="unused")
WORLDS = {
    "base": BASE,
    "null": NULL,
    "strong": STRONG,
    "eight": EIGHT,
    "rare": RARE,
    "fading": FADING,
    "selected_unused": SELECTED_UNUSED,
    "selected_matched": SELECTED_MATCHED,
    "selected": SELECTED,
    "contaminated": CONTAMINATED,
    "trend": TREND,
}


def study(world: World, seed: int) -> Study:
    """Draw one study: counts of the outcome and of a negative control."""
    rng = np.random.default_rng(np.random.SeedSequence([20260101, seed]))
    start, columns = _starts(world), np.arange(world.weeks)
    if world.pool:
        counts, columns = _chosen(world, start, rng)
        truth = 0.0
    else:
        effect = _effect(world, start)
        made = draw(_likeness(world, _places(world), rng), log_effect=effect, rng=rng)
        counts, truth = made.counts, _truth(made.expected, effect - _disturbance(world), start)
    other = draw(_likeness(world, _places(world), rng), log_effect=_disturbance(world), rng=rng)
    table = _kept(_template(world), columns)
    return Study(
        table=replace(table, counts=counts[:, columns]),
        truth=truth,
        control=replace(table, counts=other.counts[:, columns]),
    )


def panel(world: World, seed: int) -> pl.DataFrame:
    """Draw one study as rows of table `panel`; for worlds without a choice of places."""
    rng = np.random.default_rng(np.random.SeedSequence([20260101, seed]))
    start = _starts(world)
    likeness = _likeness(world, _places(world), rng)
    return _rows(draw(likeness, log_effect=_effect(world, start), rng=rng).counts, start, world)


def _places(world: World) -> int:
    return world.treated + world.comparison


def _starts(world: World) -> np.ndarray:
    start = np.full(_places(world), world.weeks + 1)
    start[: world.treated] = np.array(world.starts)[np.arange(world.treated) % len(world.starts)]
    return start


def _likeness(world: World, places: int, rng: np.random.Generator) -> Likeness:
    week = np.arange(world.weeks)
    return Likeness(
        levels=world.rate * np.exp(world.spread_of_rates * rng.standard_normal(places)),
        path=np.exp(0.15 * np.sin(2 * np.pi * week / YEAR) - 0.0004 * week),
        town_sd=0.10,
        town_memory=0.99,
        own_sd=world.wander,
        own_memory=world.memory,
        excess=world.excess,
    )


def _effect(world: World, start: np.ndarray) -> np.ndarray:
    since = np.arange(world.weeks)[None, :] - start[:, None]
    left = 1.0
    if world.fades_over_weeks:
        left = np.clip(1 - since / world.fades_over_weeks, 0.0, 1.0)
    return np.log(world.rate_ratio) * left * (since >= 0) + _disturbance(world)


def _disturbance(world: World) -> np.ndarray:
    """What else moves some places: on the log scale, the same whatever is counted."""
    place, week = np.arange(_places(world))[:, None], np.arange(world.weeks)[None, :]
    drift = world.trend_a_year * week / YEAR * (place < world.treated)
    fourth = (place >= world.treated) & (place % 4 == 0)
    return drift + np.log1p(world.gain) * (fourth & (week >= min(world.starts)))


def _truth(expected: np.ndarray, effect: np.ndarray, start: np.ndarray) -> float:
    patrolled = np.arange(expected.shape[1])[None, :] >= start[:, None]
    without = (expected * np.exp(-effect))[patrolled].sum()
    return float(np.log(expected[patrolled].sum() / without))


def _chosen(
    world: World, start: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The fullest places of the last year, comparison places, and the weeks of the baseline."""
    counts = draw(_likeness(world, world.pool, rng), log_effect=np.zeros(1), rng=rng).counts
    fullest = np.argsort(-counts[:, slice(*SELECTION)].sum(axis=1), kind="stable")
    hot, rest = fullest[: world.treated], np.sort(fullest[world.treated :])
    # Starts do not go by how full a place was.
    hot = rng.permutation(hot)
    history = list(range(*HISTORY))
    matched_on, spare = split_periods(history) if world.baseline == "unused" else (history, history)
    if world.matched:
        rest = rest[counts[rest][:, slice(*HISTORY)].sum(axis=1) >= LEAST_EVENTS]
        made = match(
            _history(counts, hot, matched_on),
            _history(counts, rest, matched_on),
            per_hotspot=PER_HOTSPOT,
            shape_weight=1.0,
            widest_distance=None,
        )
        others = np.array([int(name) for name in made["place_id"].sort().to_list()])
    else:
        others = np.sort(rng.choice(rest, size=world.comparison, replace=False))
    weeks = np.arange(world.weeks)
    if world.baseline == "unused":
        weeks = weeks[np.isin(weeks, spare) | (weeks >= SELECTION[1])]
    elif world.baseline == "last year":
        weeks = weeks[weeks >= SELECTION[0]]
    return counts[np.concatenate([hot, others])], weeks


def _history(counts: np.ndarray, places: np.ndarray, weeks: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "place_id": pl.Series([f"{place:04d}" for place in places]).gather(
                np.repeat(np.arange(len(places)), len(weeks))
            ),
            "period_start": np.tile(weeks, len(places)),
            "count": counts[np.ix_(places, weeks)].ravel(),
        }
    )


@cache
def _template(world: World) -> Grid:
    made = grid(
        checked(_rows(np.zeros((_places(world), world.weeks)), _starts(world), world)),
        outcome="planted",
        hours="all",
        kinds=("hotspot", "comparison"),
    )
    assert made is not None
    # Places sort by name, comparison places (C) before hot spots (H): counts stand the other way.
    order = np.argsort([name.startswith("C") for name in made.places], kind="stable")
    return replace(
        made,
        places=tuple(made.places[i] for i in order),
        cohorts=tuple(made.cohorts[i] for i in order),
        patrolled=made.patrolled[order],
        observed=made.observed[order],
        before=made.before[order],
        after=made.after[order],
        event_time=made.event_time[order],
    )


def _kept(table: Grid, columns: np.ndarray) -> Grid:
    if len(columns) == len(table.period_starts):
        return table
    return replace(
        table,
        period_starts=tuple(table.period_starts[t] for t in columns),
        period_ends=tuple(table.period_ends[t] for t in columns),
        observed=table.observed[:, columns],
        before=table.before[:, columns],
        after=table.after[:, columns],
        event_time=table.event_time[:, columns],
    )


def _rows(counts: np.ndarray, start: np.ndarray, world: World) -> pl.DataFrame:
    n, weeks = counts.shape
    mondays = [MONDAY + timedelta(weeks=t) for t in range(weeks)]
    first = [MONDAY + timedelta(weeks=int(s)) if s < weeks else None for s in start]
    kind = ["hotspot" if i < world.treated else "comparison" for i in range(n)]
    group = ["treated" if i < world.treated else "comparison" for i in range(n)]
    place = [f"{'H' if i < world.treated else 'C'}{i:03d}" for i in range(n)]
    every, each = np.repeat(np.arange(n), weeks), np.tile(np.arange(weeks), n)
    frame = pl.DataFrame(
        {
            "place_id": pl.Series(place).gather(every),
            "kind": pl.Series(kind).gather(every),
            "group": pl.Series(group).gather(every),
            "period_start": pl.Series(mondays).gather(each),
            "count": counts.ravel().astype(float),
            "first_treated": pl.Series(first, dtype=pl.Date).gather(every),
            "event_time": pl.Series(each - start[every]),
        }
    )
    return frame.select(
        "place_id",
        "kind",
        "group",
        target_id=pl.lit(None, dtype=pl.String),
        period_kind=pl.lit("week"),
        period_start=pl.col("period_start"),
        period_end=pl.col("period_start") + pl.duration(days=6),
        outcome=pl.lit("planted"),
        hours=pl.lit("all"),
        count=pl.col("count"),
        first_treated=pl.col("first_treated"),
        treated=pl.col("first_treated").is_not_null()
        & (pl.col("period_start") >= pl.col("first_treated")).fill_null(False),
        event_time=pl.when(pl.col("first_treated").is_not_null()).then(pl.col("event_time")),
        planned_minutes=pl.lit(None, dtype=pl.Float64),
        delivered_minutes=pl.lit(None, dtype=pl.Float64),
    )
