"""Planted effects of what else is done in hot spots: outreach in its hours, problem plans."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from placeproof.rehearsal.choices import LAST_DAY, OUTREACH_START, Effect
from placeproof.rehearsal.city import City
from placeproof.rehearsal.happenings import Events
from placeproof.rehearsal.offences import CLASSES, GROUP
from placeproof.rehearsal.rhythm import DAYS, core_night, profiles
from placeproof.rehearsal.selection import Hotspot

OUTREACH_PLACES = 7
OUTREACH_HOURS = (8, 14)
"""Hours of the operating day, the first in and the last out: 14:00 to 20:00."""
TOUCHED = ("serious", "other", "asb")


@dataclass(frozen=True)
class Rivals:
    """Where and when rivals work, and by how much they move events."""

    outreach: np.ndarray
    """(hot spots, days) bool"""
    plans: np.ndarray
    """(hot spots, days) bool"""
    outreach_ratio: float
    plans_ratio: float


def outreach_places(hotspots: Sequence[Hotspot]) -> list[str]:
    """
    Name the hot spots to which outreach workers go.

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    """
    return [spot.hotspot_id for spot in hotspots if spot.cohort == 1][:OUTREACH_PLACES]


def rivals(
    effect: Effect, hotspots: Sequence[Hotspot], plans: Sequence[tuple[str, date, date | None]]
) -> Rivals:
    """
    Lay out what is planted besides patrols.

    Parameters
    ----------
    effect : Effect
        With the rate ratios of outreach and of problem plans.
    hotspots : sequence of Hotspot
        The patrolled places.
    plans : sequence of (hot spot, opened, closed or None)
        The register of problem plans.
    """
    chosen = set(outreach_places(hotspots))
    out = np.array(
        [[s.hotspot_id in chosen and d >= OUTREACH_START for d in DAYS] for s in hotspots]
    )
    solved = np.zeros_like(out)
    for i, spot in enumerate(hotspots):
        for place, opened, closed in plans:
            if place == spot.hotspot_id:
                solved[i] |= [opened <= day <= (closed or LAST_DAY) for day in DAYS]
    return Rivals(out, solved, effect.outreach, effect.plans)


def ratio(planted: Rivals, events: Events, spot: np.ndarray, band: np.ndarray) -> np.ndarray:
    """
    Give the planted rate ratio of each event from what else was at work where and when it lies.

    Parameters
    ----------
    planted : Rivals
        What else is at work.
    events : Events
        All that could happen.
    spot, band : array
        Hot spot (or -1) and band of each event.
    """
    groups = np.array([GROUP[name] in TOUCHED for name in CLASSES])
    mine = (spot >= 0) & (band == 0) & groups[events.of_class]
    made = np.ones(len(spot))
    first, last = OUTREACH_HOURS
    there, day = spot[mine], events.day[mine]
    inside = (events.hour[mine] >= first) & (events.hour[mine] < last)
    made[mine] *= np.where(planted.outreach[there, day] & inside, planted.outreach_ratio, 1.0)
    made[mine] *= np.where(planted.plans[there, day], planted.plans_ratio, 1.0)
    return made


def truths(
    planted: Rivals,
    city: City,
    hotspots: Sequence[Hotspot],
    with_patrols: np.ndarray,
    weights: dict[str, np.ndarray],
) -> dict[str, Any]:
    """
    Say what the rivals do, as rate ratios where and while they work, with patrols in place.

    Parameters
    ----------
    planted : Rivals
        What else is at work.
    city : City
        The ground.
    hotspots : sequence of Hotspot
        The patrolled places.
    with_patrols : array, shape (classes, hot spots, bands, days, hours)
        Expected counts with patrols and without rivals.
    weights : dict of str to array
        Outcome to the share of each class that belongs to it.
    """
    inside = with_patrols[:, :, 0]
    touched = np.array([GROUP[name] in TOUCHED for name in CLASSES])
    at_work = inside[..., 1] * _share_in_hours(city, hotspots)
    rows = []
    for outcome, share in weights.items():
        own, moved = share[:, None, None], (share * touched)[:, None, None]
        every = (inside.sum(axis=-1) * own).sum(axis=0)
        hours, hit = (at_work * own).sum(axis=0), (at_work * moved).sum(axis=0)
        all_hit = (inside.sum(axis=-1) * moved).sum(axis=0)
        for name, where, base, lost in (
            ("outreach, all hours", planted.outreach, every, hit * (1 - planted.outreach_ratio)),
            ("outreach, its hours", planted.outreach, hours, hit * (1 - planted.outreach_ratio)),
            ("problem plans", planted.plans, every, all_hit * (1 - planted.plans_ratio)),
        ):
            before = float(base[where].sum())
            after = before - float(lost[where].sum())
            rows.append(
                {
                    "outcome": outcome,
                    "rival": name,
                    "expected_without_it": round(before, 4),
                    "rate_ratio": round(after / before, 6) if before else None,
                }
            )
    return {
        "says": "Inside the hot spots concerned, while the rival works, patrols held; rate ratios "
        "of patrols elsewhere in this file leave rivals out.",
        "outreach_rate_ratio_in_its_hours": planted.outreach_ratio,
        "problem_plan_rate_ratio": planted.plans_ratio,
        "rate_ratios": rows,
    }


def _share_in_hours(city: City, hotspots: Sequence[Hotspot]) -> np.ndarray:
    """Share of the expected count of other hours that falls into the outreach's hours."""
    weekday = np.array([day.isoweekday() - 1 for day in DAYS])
    other = ~core_night(DAYS)
    first, last = OUTREACH_HOURS
    kinds = [city.place_kind[spot.place] for spot in hotspots]
    by_day = profiles()[kinds][:, :, weekday] * other
    share: np.ndarray = by_day[..., first:last].sum(axis=-1) / by_day.sum(axis=-1)
    return share.transpose(1, 0, 2)
