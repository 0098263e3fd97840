"""What can be chosen of a rehearsal: sizes, effects, days. Every number here is invented."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2019, 4, 1)
LAST_DAY = date(2023, 6, 29)
"""Last operating day: it ends at 06:00 on the day of the cut-off."""
CUT_OFF = date(2023, 6, 30)
HISTORY = (FIRST_DAY, date(2020, 9, 30))
SELECTION = (date(2020, 10, 1), date(2021, 6, 30))
REGISTER_DAY = date(2021, 7, 5)
COHORT_STARTS = (date(2021, 7, 26), date(2022, 1, 10), date(2022, 5, 23), date(2022, 10, 10))
DATA_MAY_BEGIN = (date(2021, 7, 5), date(2021, 9, 27))
"""Days on which late data may begin: around the first patrols, months before the second wave."""
OUTREACH_START = date(2022, 11, 7)
RECORDING_SHOCK = date(2023, 2, 1)


@dataclass(frozen=True)
class Size:
    """How much a rehearsal holds; the span of days and the hot spots are the same in both."""

    name: str
    place_rate: float
    elsewhere_rate: float
    tracked_days: int
    ping_interval_s: int


SIZES: Mapping[str, Size] = {
    "small": Size("small", 1.0, 1.0, 84, 24),
    "full": Size("full", 1.6, 2.5, 240, 15),
}


@dataclass(frozen=True)
class Effect:
    """
    What patrols do, as rate ratios of public-place, non-domestic events.

    Parameters
    ----------
    name : str
        Word for `--effect`.
    says : str
        The effect in a sentence, for `truth.json`.
    inside : mapping
        (group, hours) to the rate ratio inside a patrolled hot spot; hours "nte" or "other".
    ring_0_100, ring_100_250 : float
        Rate ratio around it: above 1 displacement, below 1 diffusion of benefit.
    half_life_weeks : float or None
        Weeks in which the logarithm of every ratio halves; None: it lasts.
    outreach, plans : float
        Rate ratios of the rivals inside a hot spot: of outreach in its hours, and of a
        problem-solving plan at all hours. 1: they do nothing of their own.
    tasked_day : tuple of float
        Rate ratios inside a patrolled hot spot on a day with a tasked patrol and on each day after
        it, at all hours; () : the day makes no difference. They multiply.
    lots_from : date or None
        From this day on, chance allots the days of every hot spot; None: of the last wave alone.
    """

    name: str
    says: str
    inside: Mapping[tuple[str, str], float]
    ring_0_100: float = 1.0
    ring_100_250: float = 1.0
    half_life_weeks: float | None = None
    outreach: float = 1.0
    plans: float = 1.0
    tasked_day: tuple[float, ...] = ()
    lots_from: date | None = None


def _inside(
    serious: tuple[float, float],
    other: tuple[float, float],
    asb: tuple[float, float],
    activity: float,
) -> dict[tuple[str, str], float]:
    pairs = {"serious": serious, "other": other, "asb": asb, "activity": (activity, activity)}
    return {
        (group, hours): ratio
        for group, both in pairs.items()
        for hours, ratio in zip(("nte", "other"), both, strict=True)
    }


_DEFAULT = _inside((0.75, 0.86), (0.89, 0.93), (0.84, 0.89), 1.25)

EFFECTS: Mapping[str, Effect] = {
    effect.name: effect
    for effect in (
        Effect(
            "default",
            "Serious violence falls most at night, other crime and disorder less; a little of it "
            "spreads to the first 100 m around.",
            _DEFAULT,
            ring_0_100=0.96,
        ),
        Effect("none", "Patrols change nothing.", _inside((1, 1), (1, 1), (1, 1), 1.0)),
        Effect(
            "harm",
            "Where patrols go, crime and disorder rise.",
            _inside((1.20, 1.20), (1.10, 1.10), (1.10, 1.10), 1.25),
        ),
        Effect(
            "nte-only",
            "Crime and disorder fall in the core night-time hours and at no other time.",
            _inside((0.68, 1), (0.85, 1), (0.80, 1), 1.25),
        ),
        Effect(
            "displacement",
            "What falls inside rises around: most within 100 m, less up to 250 m.",
            _DEFAULT,
            ring_0_100=1.10,
            ring_100_250=1.04,
        ),
        Effect(
            "decay",
            "A strong fall that halves every 26 weeks.",
            _inside((0.62, 0.70), (0.85, 0.88), (0.76, 0.82), 1.25),
            half_life_weeks=26.0,
        ),
        Effect(
            "rivals",
            "Patrols do what they do by default inside; outreach halves what is left in its hours, "
            "and problem-solving plans take a quarter off.",
            _DEFAULT,
            outreach=0.5,
            plans=0.75,
        ),
        Effect(
            "days",
            "Crime and disorder fall on days with a tasked patrol, and what is left of it fades "
            "over three days; from October 2022 chance allots the days everywhere.",
            _inside((1, 1), (1, 1), (1, 1), 1.0),
            tasked_day=(0.70, 0.85, 0.92, 0.96),
            lots_from=date(2022, 10, 10),
        ),
    )
}

FEEDS = (
    "crimes",
    "incidents",
    "hotspots",
    "tasking",
    "pings",
    "delivered",
    "logs",
    "outreach",
    "ed",
    "admissions",
    "problem_plans",
    "events",
    "shocks",
    "cost",
    "survey",
    "interviews",
    "features",
)
"""Feeds that a rehearsal can be made without."""
