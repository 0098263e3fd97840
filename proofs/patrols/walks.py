"""Patrols with known truth: routes second by second, and the positions that a device reports.

Coordinates are metres from the south-west corner of a square hot spot. Nothing here is shared with
the estimators.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Route = NDArray[np.float64]
KINDS = ("foot", "car to the edge", "car inside", "in and out", "streets")
HARDEST = "streets at the fence"
"""Foot: arrives and leaves on foot. Car to the edge: drives up, walks in. Car inside: drives in and
out. In and out: walks to targets up to 25 m outside, too. Streets: walks a grid of streets of which
the outermost lie 10 m inside the boundary; in the hardest kind, 4 m."""
AWAY_S = 900
"""Time out of sight before and after, so that no track begins or ends in the hot spot."""


@dataclass(frozen=True)
class World:
    """How positions are reported: 68 % radius, its memory (0: independent), interval, dropouts."""

    interval_s: float
    accuracy_m: float
    memory_s: float
    dropouts: float


def patrol(kind: str, side_m: float, rng: np.random.Generator) -> Route:
    """One visit of 8 to 25 minutes: metres, one row per second."""
    stay_s = rng.uniform(8, 25) * 60
    by_car = kind.startswith("car")
    legs = [(_far(side_m, rng), 0.0, 0.0)]
    drive = rng.uniform(6, 11)
    if kind == "car to the edge":
        legs.append((_beside(side_m, rng.uniform(3, 20), rng), drive, 20.0))
    elif kind == "car inside":
        legs.append((rng.uniform(5, side_m - 5, 2), drive, 20.0))
    walked_s = 0.0
    while walked_s < stay_s:
        target = _target(kind, side_m, np.asarray(legs[-1][0]), len(legs), rng)
        length = float(np.hypot(*(target - legs[-1][0])))
        if length < 1:
            continue
        pace, stop_s = rng.uniform(0.9, 1.5), float(rng.choice([0, 0, 30, 90]))
        first = len(legs) == (2 if by_car else 1)
        pace = rng.uniform(1.1, 1.5) if first and not by_car else pace
        legs.append((target, pace, stop_s))
        walked_s += 0 if first else length / pace + stop_s
    if kind == "car to the edge":
        legs.append((_beside(side_m, rng.uniform(3, 20), rng), 1.2, 15.0))
    legs.append((_far(side_m, rng), drive if by_car else rng.uniform(1.1, 1.5), 0.0))
    return _second_by_second(legs)


def loiter(offset_m: float, side_m: float, seconds: int, rng: np.random.Generator) -> Route:
    """Walk up to the western fence, stand `offset_m` outside it (negative: inside), walk away."""
    place = np.array([-offset_m, rng.uniform(0.3, 0.7) * side_m])
    far = np.array([-600.0, place[1]])
    return _second_by_second([(far, 0.0, 0.0), (place, 1.3, float(seconds)), (far, 1.3, 0.0)])


def true_dwell_s(route: Route, side_m: float) -> float:
    """Seconds inside the square."""
    return float(((route >= 0) & (route <= side_m)).all(axis=1).sum())


def reported(
    route: Route, world: World, rng: np.random.Generator
) -> tuple[NDArray[np.float64], Route]:
    """Seconds and metres of the pings of one patrol; the phase of the clock is random."""
    at = np.arange(rng.uniform(0, world.interval_s), len(route) - 1, world.interval_s)
    at = at[rng.random(len(at)) >= world.dropouts]
    before = at.astype(int)
    part = (at - before)[:, None]
    true = route[before] * (1 - part) + route[before + 1] * part
    sd = world.accuracy_m / math.sqrt(-2 * math.log(0.32))
    return at, true + _errors(at, sd, world.memory_s, rng)


def _errors(at: NDArray[np.float64], sd: float, memory_s: float, rng: np.random.Generator) -> Route:
    drawn = rng.normal(0, sd, (len(at), 2))
    if memory_s > 0:
        for row in range(1, len(at)):
            kept = math.exp(-(at[row] - at[row - 1]) / memory_s)
            drawn[row] = kept * drawn[row - 1] + math.sqrt(1 - kept * kept) * drawn[row]
    return drawn


def _far(side_m: float, rng: np.random.Generator) -> Route:
    angle, distance = rng.uniform(0, 2 * math.pi), rng.uniform(700, 900)
    return side_m / 2 + distance * np.array([math.cos(angle), math.sin(angle)])


def _beside(side_m: float, outside_m: float, rng: np.random.Generator) -> Route:
    along = rng.uniform(0, side_m)
    edge = [(along, -outside_m), (along, side_m + outside_m)]
    edge += [(-outside_m, along), (side_m + outside_m, along)]
    return np.array(edge[rng.integers(4)])


def _target(kind: str, side_m: float, here: Route, legs: int, rng: np.random.Generator) -> Route:
    if kind == "in and out":
        return rng.uniform(-25, side_m + 25, 2)
    if not kind.startswith("streets"):
        return rng.uniform(0, side_m, 2)
    inside_m = 4.0 if kind == HARDEST else 10.0
    streets = inside_m + np.arange(4) * (side_m - 2 * inside_m) / 3
    if legs == 1:
        return rng.choice(streets, 2)
    target = here.copy()
    target[rng.integers(2)] = rng.choice(streets)
    return target


def _second_by_second(legs: list[tuple[Route, float, float]]) -> Route:
    start = np.asarray(legs[0][0])
    parts = [np.repeat(start[None], AWAY_S, axis=0)]
    for target, pace, stop_s in legs[1:]:
        target = np.asarray(target)
        seconds = max(1, round(float(np.hypot(*(target - start))) / pace))
        parts.append(start + (target - start) * np.arange(seconds)[:, None] / seconds)
        parts.append(np.repeat(target[None], int(stop_s), axis=0))
        start = target
    parts.append(np.repeat(start[None], AWAY_S, axis=0))
    return np.concatenate(parts)
