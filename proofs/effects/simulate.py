"""Invented panels with a known effect. Shares no line with the estimators that it judges."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

MONDAY = date(2016, 1, 4)


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
    trend_a_year: float = 0.0
    """Log change a year in treated places only: breaks the assumption on purpose."""


BASE = World()
NULL = World(rate_ratio=1.0)
STRONG = World(memory=0.95, wander=0.30)
EIGHT = World(treated=8, comparison=16)
TREND = World(rate_ratio=1.0, trend_a_year=-0.04)
WORLDS = {"base": BASE, "null": NULL, "strong": STRONG, "eight": EIGHT, "trend": TREND}


def panel(world: World, seed: int) -> pl.DataFrame:
    """Draw one study as rows of table `panel`."""
    rng = np.random.default_rng(np.random.SeedSequence([20260101, seed]))
    n = world.treated + world.comparison
    week = np.arange(world.weeks)
    level = np.log(world.rate) + world.spread_of_rates * rng.standard_normal(n)
    season = 0.15 * np.sin(2 * np.pi * week / 52.18) - 0.0004 * week
    town = np.cumsum(0.01 * rng.standard_normal(world.weeks))
    own = np.empty((n, world.weeks))
    own[:, 0] = rng.standard_normal(n)
    for t in range(1, world.weeks):
        own[:, t] = world.memory * own[:, t - 1] + np.sqrt(
            1 - world.memory**2
        ) * rng.standard_normal(n)
    start = np.full(n, world.weeks + 1)
    start[: world.treated] = np.array(world.starts)[np.arange(world.treated) % len(world.starts)]
    patrolled = week[None, :] >= start[:, None]
    drift = world.trend_a_year * (week / 52.18)[None, :] * (np.arange(n) < world.treated)[:, None]
    log_rate = level[:, None] + (season + town)[None, :] + world.wander * own + drift
    log_rate = log_rate + np.log(world.rate_ratio) * patrolled
    factor = rng.gamma(1 / world.excess, world.excess, size=log_rate.shape)
    counts = rng.poisson(np.exp(log_rate) * factor)
    return _rows(counts, start, world)


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
