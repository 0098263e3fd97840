"""When things happen: hours, weekdays, seasons, lockdowns, and the core night-time hours.

Written apart from `placeproof.calendar` on purpose: what is planted here is what is tested there.
Days are operating days: hour 0 of a day is 06:00 local time, hour 23 is 05:00 the next morning.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from placeproof.rehearsal.choices import FIRST_DAY, LAST_DAY, RECORDING_SHOCK
from placeproof.rehearsal.city import KINDS
from placeproof.rehearsal.offences import CLASSES

DAYS = [FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
HOURS = ("nte", "other")

_HOLIDAYS = (
    "2019-04-19 2019-04-22 2019-05-06 2019-05-27 2019-08-26 "
    "2019-12-25 2019-12-26 2020-01-01 2020-04-10 2020-04-13 2020-05-08 2020-05-25 2020-08-31 "
    "2020-12-25 2020-12-28 2021-01-01 2021-04-02 2021-04-05 2021-05-03 2021-05-31 2021-08-30 "
    "2021-12-27 2021-12-28 2022-01-03 2022-04-15 2022-04-18 2022-05-02 2022-06-02 2022-06-03 "
    "2022-08-29 2022-09-19 2022-12-26 2022-12-27 2023-01-02 2023-04-07 2023-04-10 2023-05-01 "
    "2023-05-08 2023-05-29 "
)
BANK_HOLIDAYS = tuple(date.fromisoformat(day) for day in _HOLIDAYS.split())
"""Bank holidays of England in the span; the day before each is a night out."""


@dataclass(frozen=True)
class Happening:
    """One evening that changes who is in a place."""

    event_id: str
    name: str
    day: date
    from_hour: int
    to_hour: int
    nte: bool


EVENTS = tuple(
    Happening(f"E{number:02d}", name, date.fromisoformat(day), start, end, nte)
    for number, (name, day, start, end, nte) in enumerate(
        (
            ("Lantern Night", "2019-11-07", 12, 20, True),
            ("Marrow Fair", "2021-09-15", 6, 13, False),
            ("Freshers' Lantern", "2021-09-29", 14, 21, True),
            ("Lantern Night", "2021-11-04", 12, 20, True),
            ("Cup replay at Moss Lane", "2022-02-16", 12, 17, True),
            ("Osier Carnival", "2022-07-24", 6, 18, True),
            ("Marrow Fair", "2022-09-14", 6, 13, False),
            ("Freshers' Lantern", "2022-09-28", 14, 21, True),
            ("Lantern Night", "2022-11-03", 12, 20, True),
            ("Spring Parade", "2023-05-25", 12, 20, True),
        ),
        start=1,
    )
)
"""Hours count from 06:00: 12 is 18:00, 20 is 02:00 the next morning."""


def core_night(days: list[date]) -> np.ndarray:
    """
    Tell which hours are core night-time economy, shape (days, 24).

    Friday and Saturday 20:00 to 05:00, the same on eves of bank holidays, and the listed events.

    Parameters
    ----------
    days : list of date
        Operating days.
    """
    mask = np.zeros((len(days), 24), dtype=bool)
    eves = {holiday - timedelta(1) for holiday in BANK_HOLIDAYS}
    for row, day in enumerate(days):
        if day.isoweekday() in (5, 6) or day in eves:
            mask[row, 14:23] = True
    place = {day: row for row, day in enumerate(days)}
    for event in EVENTS:
        if event.nte and event.day in place:
            mask[place[event.day], event.from_hour : event.to_hour] = True
    return mask


def profiles() -> np.ndarray:
    """Weight of each hour of a week, shape (kinds of place, classes, 7 weekdays, 24); sums to 1."""
    hour = np.arange(24) + 0.5
    bump = {
        "day": np.exp(-(((hour - 8) / 4.0) ** 2)),
        "late": np.exp(-(((hour - 12) / 3.5) ** 2)),
        "night": np.exp(-(((hour - 18.5) / 3.0) ** 2)),
        "flat": np.ones(24) * 0.35,
    }
    mix = {
        "serious": (0.45, 0.50, 2.0, 0.20),
        "minor_violence": (0.7, 0.7, 1.1, 0.25),
        "acquisitive": (1.3, 0.7, 0.25, 0.25),
        "indoors": (0.4, 0.9, 0.5, 0.5),
        "burglary": (0.8, 0.5, 0.5, 0.6),
        "activity": (0.6, 1.0, 0.6, 0.1),
        "sexual": (0.3, 0.6, 0.8, 0.4),
        "asb": (0.7, 1.1, 0.5, 0.1),
    }
    nights = np.array([0.45, 0.45, 0.5, 0.65, 1.5, 1.9, 0.6])
    by_kind = np.array([1.30, 0.85, 0.85, 1.0, 0.9])
    weights = np.empty((len(KINDS), len(CLASSES), 7, 24))
    for c, name in enumerate(CLASSES):
        day, late, night, flat = mix[name]
        base = day * bump["day"] + late * bump["late"] + flat * bump["flat"]
        for k in range(len(KINDS)):
            weights[k, c] = base + night * by_kind[k] * nights[:, None] * bump["night"]
    return weights / weights.sum(axis=(2, 3), keepdims=True)


def day_factors() -> np.ndarray:
    """Season, lockdowns and the recording shock, shape (classes, days, hours nte and other)."""
    out = np.ones((len(CLASSES), len(DAYS), 2))
    year_angle = np.array([2 * np.pi * day.timetuple().tm_yday / 365.25 for day in DAYS])
    summer = np.cos(year_angle - 2 * np.pi * 195 / 365.25)
    swing = {"serious": 0.10, "asb": 0.16, "acquisitive": 0.05, "burglary": -0.12}
    closed = np.array([_closed(day) for day in DAYS])
    recorded = np.array([day >= RECORDING_SHOCK for day in DAYS])
    for c, name in enumerate(CLASSES):
        out[c] *= (1 + swing.get(name, 0.04) * summer)[:, None]
        if name in {"serious", "minor_violence", "acquisitive", "activity", "sexual"}:
            out[c, :, 0] *= 1 - 0.55 * closed
            out[c, :, 1] *= 1 - 0.30 * closed
        if name == "indoors":
            out[c] *= (1 + 0.12 * closed)[:, None]
        if name == "burglary":
            out[c] *= (1 - 0.20 * closed)[:, None]
        if name == "asb":
            out[c] *= np.where(recorded, 0.88, 1 + 0.25 * closed)[:, None]
        if name == "minor_violence":
            out[c] *= np.where(recorded, 1.10, 1.0)[:, None]
    return out


def _closed(day: date) -> float:
    """How far public life was closed: 1 wholly, 0 open again from 19 July 2021."""
    steps = (
        ("2020-03-23", 0.0),
        ("2020-07-04", 1.0),
        ("2020-11-05", 0.45),
        ("2021-04-12", 0.95),
        ("2021-07-19", 0.55),
    )
    for until, level in steps:
        if day < date.fromisoformat(until):
            return level
    return 0.0
