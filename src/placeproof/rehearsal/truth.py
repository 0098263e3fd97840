"""The truth of a rehearsal: expected counts with and without patrols, before any estimate.

Nothing here knows an estimator. Every rate ratio is a ratio of two expected counts: what would
have been recorded on average with patrols, over what would have been recorded without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from placeproof.rehearsal import rivals as beside
from placeproof.rehearsal.choices import Effect
from placeproof.rehearsal.city import City
from placeproof.rehearsal.happenings import Events
from placeproof.rehearsal.offences import CLASSES, GROUP, KINDS_OF_EVENT, OFFENCES
from placeproof.rehearsal.rhythm import DAYS, HOURS
from placeproof.rehearsal.selection import Hotspot

BANDS = ("inside", "ring 0-100 m", "ring 100-250 m")


@dataclass(frozen=True)
class Expected:
    """
    Expected counts around each hot spot.

    Parameters
    ----------
    without, with_patrols : array, shape (classes, hot spots, bands, days, hours)
        Bands as in `BANDS`, hours as in `HOURS`.
    treated : array, shape (hot spots, days)
        Days at or after the first day of patrols.
    """

    without: np.ndarray
    with_patrols: np.ndarray
    treated: np.ndarray


def targets(city: City, hotspots: Sequence[Hotspot]) -> tuple[np.ndarray, np.ndarray]:
    """
    Hot spot and band of every address; -1 where no hot spot lies within 250 m.

    Parameters
    ----------
    city : City
        The ground.
    hotspots : sequence of Hotspot
        First outlines count; an address belongs to the nearest.
    """
    outlines = np.array([spot.versions[0][2] for spot in hotspots])
    points = shapely.points(city.easting_m, city.northing_m)
    distances = np.stack([shapely.distance(points, outline) for outline in outlines])
    nearest = distances.argmin(axis=0)
    distance = distances.min(axis=0)
    band = np.select([distance == 0, distance <= 100, distance <= 250], [0, 1, 2], -1)
    return np.where(band >= 0, nearest, -1), band


def log_ratios(effect: Effect, hotspots: Sequence[Hotspot], tasked: np.ndarray) -> np.ndarray:
    """
    Logarithm of the planted rate ratio, shape (classes, hot spots, bands, days, hours).

    Parameters
    ----------
    effect : Effect
        What patrols do.
    hotspots : sequence of Hotspot
        With their first days of patrols.
    tasked : array of bool, shape (hot spots, days)
        Days for which a patrol was asked.
    """
    weeks = np.array([[(day - spot.first_treated).days / 7 for day in DAYS] for spot in hotspots])
    lasting = (weeks >= 0).astype(float)
    if effect.half_life_weeks is not None:
        lasting *= 0.5 ** (np.maximum(weeks, 0) / effect.half_life_weeks)
    planted = np.zeros((len(CLASSES), len(BANDS), len(HOURS)))
    for c, name in enumerate(CLASSES):
        group = GROUP[name]
        if group == "none":
            continue
        planted[c, 0] = [np.log(effect.inside[group, hours]) for hours in HOURS]
        if group != "activity":
            planted[c, 1] = np.log(effect.ring_0_100)
            planted[c, 2] = np.log(effect.ring_100_250)
    made = planted[:, None, :, None, :] * lasting[None, :, None, :, None]
    touched = np.array([GROUP[name] in beside.TOUCHED for name in CLASSES])
    daily = np.zeros(tasked.shape)
    for lag, ratio in enumerate(effect.tasked_day):
        daily[:, lag:] += np.log(ratio) * tasked[:, : tasked.shape[1] - lag]
    made[touched, :, 0] += daily[None, :, :, None]
    return made


def expectation(
    city: City,
    hotspots: Sequence[Hotspot],
    rates: np.ndarray,
    effect: Effect,
    tasked: np.ndarray,
) -> Expected:
    """
    Sum expected counts into hot spots and their rings, with and without patrols.

    Parameters
    ----------
    city : City
        The ground.
    hotspots : sequence of Hotspot
        The patrolled places.
    rates : array, shape (classes, zones, days, 2)
        Expected counts without patrols.
    effect : Effect
        What patrols do.
    tasked : array of bool, shape (hot spots, days)
        Days for which a patrol was asked.
    """
    target, band = targets(city, hotspots)
    size = np.bincount(city.point_zone, minlength=city.zones)
    share = np.zeros((len(hotspots) * len(BANDS), city.zones))
    near = target >= 0
    np.add.at(share, (target[near] * len(BANDS) + band[near], city.point_zone[near]), 1.0)
    share /= size
    used = np.flatnonzero(share.sum(axis=0) > 0)
    flat = rates[:, used].astype(np.float64).reshape(len(CLASSES), len(used), -1)
    without = np.einsum("tz,czd->ctd", share[:, used], flat, optimize=True)
    without = without.reshape(len(CLASSES), len(hotspots), len(BANDS), len(DAYS), len(HOURS))
    return Expected(
        without=without,
        with_patrols=without * np.exp(log_ratios(effect, hotspots, tasked)),
        treated=np.array([[day >= spot.first_treated for day in DAYS] for spot in hotspots]),
    )


def happens(
    city: City,
    hotspots: Sequence[Hotspot],
    effect: Effect,
    events: Events,
    ceiling: np.ndarray,
    rivals: beside.Rivals,
    tasked: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """
    Which events happen without, and which with patrols and what else is at work.

    Parameters
    ----------
    city : City
        The ground.
    hotspots : sequence of Hotspot
        The patrolled places.
    effect : Effect
        What patrols do.
    events : Events
        All that could happen.
    ceiling : array, shape (classes,)
        Largest rate ratio of each class.
    rivals : Rivals
        What else is at work.
    tasked : array of bool, shape (hot spots, days)
        Days for which a patrol was asked.
    """
    target, band = targets(city, hotspots)
    spot, ring = target[events.point], band[events.point]
    ratio = np.ones(len(events.mark))
    near = spot >= 0
    logs = log_ratios(effect, hotspots, tasked)
    ratio[near] = np.exp(
        logs[
            events.of_class[near],
            spot[near],
            ring[near],
            events.day[near],
            np.where(events.nte[near], 0, 1),
        ]
    )
    ratio *= beside.ratio(rivals, events, spot, ring)
    top = ceiling[events.of_class]
    return events.mark < 1 / top, events.mark < ratio / top


def kinds_of(outcome: str) -> np.ndarray:
    """
    Which kinds of event belong to an outcome, shape (kinds,).

    Written here by hand, apart from `placeproof.definitions`; a test holds the two together.

    Parameters
    ----------
    outcome : str
        One of `OUTCOMES`.
    """
    flags = {code: set(words.split()) for code, _, _, words in OFFENCES}
    groups = {code: group for code, _, group, _ in OFFENCES}
    rule = OUTCOMES[outcome]
    return np.array(
        [
            rule(
                flags.get(kind.code, set())
                | ({"domestic"} if kind.domestic else set())
                | ({"public"} if kind.public_place else set())
                | ({"asb"} if kind.of_class == "asb" else {"crime"}),
                groups.get(kind.code, kind.code),
            )
            for kind in KINDS_OF_EVENT
        ]
    )


def _broad(words: set[str]) -> bool:
    return _serious(words) or "sexual" in words


def _serious(words: set[str]) -> bool:
    return {"violence", "injury"} <= words or bool(words & {"robbery", "weapon"})


OUTCOMES: Mapping[str, Any] = {
    "sv-street-nondom": lambda w, g: (
        _serious(w) and "public" in w and not w & {"domestic", "police_generated"}
    ),
    "sv-street-nondom-with-possession": lambda w, g: (
        _serious(w) and "public" in w and "domestic" not in w
    ),
    "sv-broad": lambda w, g: _broad(w) and "police_generated" not in w,
    "sv-grip": lambda w, g: bool(w & {"violence", "robbery"}),
    "sv-duty-2022": lambda w, g: (
        bool(w & {"violence", "robbery", "sexual", "weapon"}) and "police_generated" not in w
    ),
    "knife-enabled": lambda w, g: "knife" in w and bool(w & {"violence", "robbery", "sexual"}),
    "vwi": lambda w, g: {"violence", "injury"} <= w,
    "vwoi": lambda w, g: "violence" in w and "injury" not in w,
    "all-crime": lambda w, g: "crime" in w,
    "all-crime-reported": lambda w, g: "crime" in w and "police_generated" not in w,
    "robbery": lambda w, g: "robbery" in w,
    "theft": lambda w, g: g == "Theft",
    "vehicle-crime": lambda w, g: g == "Vehicle crime",
    "criminal-damage": lambda w, g: g == "Criminal damage",
    "burglary": lambda w, g: g == "Burglary",
    "public-order": lambda w, g: g == "Public order",
    "drugs": lambda w, g: g == "Drugs",
    "weapons-possession": lambda w, g: g == "Possession of weapons",
    "asb-all": lambda w, g: "asb" in w,
    "asb-personal": lambda w, g: g == "Personal",
    "asb-nuisance": lambda w, g: g == "Nuisance",
    "asb-environmental": lambda w, g: g == "Environmental",
    "asb-plus-public-order": lambda w, g: "asb" in w or g == "Public order",
}
"""Outcome to a rule over the words of a kind and its group."""


def class_weights(outcome: str) -> np.ndarray:
    """
    Share of each class that belongs to an outcome, shape (classes,).

    Parameters
    ----------
    outcome : str
        One of `OUTCOMES`.
    """
    mine = kinds_of(outcome)
    result = np.zeros(len(CLASSES))
    for c, name in enumerate(CLASSES):
        share = np.array([kind.share * (kind.of_class == name) for kind in KINDS_OF_EVENT])
        result[c] = share[mine].sum() / share.sum()
    return result


def ratios(expected: Expected, hotspots: Sequence[Hotspot]) -> list[dict[str, Any]]:
    """
    Every planted rate ratio as rows: outcome, band, hours, subgroup, expected counts, ratio.

    Subgroups are all treated place-days, each cohort, each quarter since the first day of
    patrols, and each hot spot.

    Parameters
    ----------
    expected : Expected
        Expected counts around each hot spot.
    hotspots : sequence of Hotspot
        The patrolled places.
    """
    first = np.array([DAYS.index(spot.first_treated) for spot in hotspots])
    quarters = (len(DAYS) - 1 - int(first.min())) // 91 + 1
    sums = np.zeros((2, quarters, *expected.without.shape[:3], len(HOURS)))
    for i, start in enumerate(first.tolist()):
        for q in range(quarters):
            span = slice(start + 91 * q, start + 91 * (q + 1))
            for world, counts in enumerate((expected.without, expected.with_patrols)):
                sums[world, q, :, i] = counts[:, i, :, span].sum(axis=2)
    cohort = np.array([spot.cohort for spot in hotspots])
    every = sums.sum(axis=1)
    groups = [("all", every.sum(axis=2))]
    groups += [
        (f"cohort={wave}", every[:, :, cohort == wave].sum(axis=2))
        for wave in sorted(set(cohort.tolist()))
    ]
    groups += [(f"quarter={q}", sums[:, q].sum(axis=2)) for q in range(quarters)]
    groups += [(f"hotspot={spot.hotspot_id}", every[:, :, i]) for i, spot in enumerate(hotspots)]
    rows = []
    for outcome in OUTCOMES:
        weights = class_weights(outcome)
        for subgroup, counts in groups:
            without, planted = np.einsum("c,wcbn->wbn", weights, counts)
            bands = BANDS[:1] if subgroup.startswith("hotspot") else BANDS
            for band, label in enumerate(bands):
                rows += _rows(outcome, label, subgroup, without[band], planted[band])
    return rows


def _rows(
    outcome: str, band: str, subgroup: str, without: np.ndarray, planted: np.ndarray
) -> list[dict[str, Any]]:
    counts = {"all": (without.sum(), planted.sum())}
    counts |= {f"{hours}:nte-core": (without[i], planted[i]) for i, hours in enumerate(HOURS)}
    return [
        {
            "outcome": outcome,
            "population": "treated hot spots" if band == "inside" else band,
            "hours": hours,
            "subgroup": subgroup,
            "expected_without": round(float(a), 4),
            "expected_with": round(float(b), 4),
            "rate_ratio": round(float(b / a), 6),
            "events_prevented": round(float(a - b), 4),
        }
        for hours, (a, b) in counts.items()
    ]
