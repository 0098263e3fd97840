"""What is expected to happen without patrols, and what then happens with and without them."""

from dataclasses import dataclass

import numpy as np

from placeproof.rehearsal.choices import Effect, Size
from placeproof.rehearsal.city import KINDS, TOWNS, City
from placeproof.rehearsal.offences import (
    CLASSES,
    ELSEWHERE_PER_WEEK,
    GROUP,
    RATE_PER_WEEK,
    shares,
)
from placeproof.rehearsal.rhythm import DAYS, HOURS, core_night, day_factors, profiles


@dataclass(frozen=True)
class Events:
    """
    All that could happen; whether it does is decided by `mark`.

    Each event carries a uniform mark. Without patrols it happens where the mark lies below
    1 / ceiling, with patrols where it lies below ratio / ceiling: so both worlds are exactly
    Poisson given the expected counts, and they share every event that patrols do not touch.
    """

    of_class: np.ndarray
    kind: np.ndarray
    point: np.ndarray
    day: np.ndarray
    hour: np.ndarray
    minute: np.ndarray
    nte: np.ndarray
    mark: np.ndarray

    def where(self, keep: np.ndarray) -> "Events":
        """The events that `keep` picks."""
        return Events(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def ceilings(effect: Effect) -> np.ndarray:
    """
    Largest rate ratio of each class, at least 1, shape (classes,).

    Parameters
    ----------
    effect : Effect
        What patrols do.
    """
    rings = max(effect.ring_0_100, effect.ring_100_250)
    return np.array(
        [
            1.0
            if GROUP[name] == "none"
            else max(1.0, rings, *(effect.inside[GROUP[name], hours] for hours in HOURS))
            for name in CLASSES
        ]
    )


def expected(city: City, size: Size, rng: np.random.Generator) -> np.ndarray:
    """
    Expected counts without patrols, shape (classes, zones, days, hours nte and other).

    Places differ in level (log-normal), and each place wanders from week to week (log-normal,
    autocorrelated): together with the Poisson draw this makes counts overdispersed.

    Parameters
    ----------
    city : City
        The ground.
    size : Size
        How much happens.
    rng : Generator
        Source of randomness.
    """
    base = _base_rates(city, size, rng)
    wander = _wander(city.zones, rng)
    night = core_night(DAYS)
    weekday = np.array([day.isoweekday() - 1 for day in DAYS])
    weights, factors = profiles(), day_factors()
    kind = _zone_kind(city)
    result = np.empty((len(CLASSES), city.zones, len(DAYS), 2), dtype=np.float32)
    for c in range(len(CLASSES)):
        by_day = weights[:, c][:, weekday]
        split = np.stack([(by_day * night).sum(2), (by_day * ~night).sum(2)], axis=2) * factors[c]
        result[c] = base[:, c, None, None] * wander[:, :, None] * split[kind]
    return result


def draw(city: City, rates: np.ndarray, ceiling: np.ndarray, rng: np.random.Generator) -> Events:
    """
    Draw everything that could happen under the largest rate ratio.

    Parameters
    ----------
    city : City
        The ground.
    rates : array, shape (classes, zones, days, 2)
        Expected counts without patrols.
    ceiling : array, shape (classes,)
        Largest rate ratio of each class.
    rng : Generator
        Source of randomness.
    """
    order = np.argsort(city.point_zone, kind="stable")
    first = np.searchsorted(city.point_zone[order], np.arange(city.zones))
    size = np.bincount(city.point_zone, minlength=city.zones)
    columns: list[list[np.ndarray]] = []
    for c, name in enumerate(CLASSES):
        counts = rng.poisson(rates[c] * ceiling[c])
        zone, day, band = (np.repeat(axis, counts[counts > 0]) for axis in np.nonzero(counts))
        index, share = shares(name)
        edges = np.cumsum(share)
        edges[-1] = 1.0
        n = len(zone)
        point = order[first[zone] + np.floor(rng.random(n) * size[zone]).astype(int)]
        kind = index[np.searchsorted(edges, rng.random(n), side="right")]
        hour = _hours(_zone_kind(city)[zone], c, day, band == 0, rng)
        minute = rng.integers(0, 60, n)
        columns.append([np.full(n, c), kind, point, day, hour, minute, band == 0, rng.random(n)])
    return Events(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))


def _zone_kind(city: City) -> np.ndarray:
    elsewhere = np.full(len(TOWNS) + 1, KINDS.index("residential"))
    return np.concatenate([np.repeat(city.place_kind, 3), elsewhere])


def _base_rates(city: City, size: Size, rng: np.random.Generator) -> np.ndarray:
    places = len(city.outlines)
    level = np.exp(rng.normal(0, 0.42, places))[:, None, None]
    own = np.exp(rng.normal(0, 0.22, (places, 1, len(CLASSES))))
    ring = np.array([1.0, 0.22, 0.34])[None, :, None] * np.exp(
        rng.normal(0, 0.2, (places, 3, 1)) * np.array([0.0, 1.0, 1.0])[None, :, None]
    )
    typical = np.array([RATE_PER_WEEK[name] for name in CLASSES]) * size.place_rate
    inside = (level * own * ring * typical).reshape(3 * places, len(CLASSES))
    share = np.array([reach**2 * 1.0 for *_, reach, _ in TOWNS])
    share = np.append(0.96 * share / share.sum(), 0.04)
    elsewhere = share[:, None] * np.array([ELSEWHERE_PER_WEEK[name] for name in CLASSES])
    return np.concatenate([inside, elsewhere * size.elsewhere_rate])


def _wander(zones: int, rng: np.random.Generator) -> np.ndarray:
    weeks = len(DAYS) // 7 + 2
    stay, spread = 0.6, 0.22
    steps = rng.normal(0, 1, (zones, weeks))
    path = np.empty_like(steps)
    path[:, 0] = steps[:, 0]
    for week in range(1, weeks):
        path[:, week] = stay * path[:, week - 1] + np.sqrt(1 - stay**2) * steps[:, week]
    week_of_day = (np.arange(len(DAYS)) + DAYS[0].weekday()) // 7
    return np.exp(spread * path - spread**2 / 2)[:, week_of_day]


def _hours(
    kind: np.ndarray, c: int, day: np.ndarray, nte: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    weekday = np.array([d.isoweekday() - 1 for d in DAYS])
    weights = profiles()[kind, c, weekday[day]] * (core_night(DAYS)[day] == nte[:, None])
    edges = np.cumsum(weights, axis=1)
    target = rng.random(len(day)) * edges[:, -1]
    return (edges <= target[:, None]).sum(axis=1)
