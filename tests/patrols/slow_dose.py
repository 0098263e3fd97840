"""Dose, slowly and plainly: one minute at a time, by the clock on the wall."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from placeproof.calendar import NTE_PRESETS, bank_holiday_eves

LONDON = ZoneInfo("Europe/London")
BAND_OF_HOUR = {
    **dict.fromkeys(range(6, 10), "06-10"),
    **dict.fromkeys(range(10, 14), "10-14"),
    **dict.fromkeys(range(14, 18), "14-18"),
    **dict.fromkeys(range(18, 22), "18-22"),
    **dict.fromkeys((22, 23, 0, 1), "22-02"),
    **dict.fromkeys(range(2, 6), "02-06"),
}


def operating_day_of(minute: datetime) -> date:
    local = minute.astimezone(LONDON)
    return local.date() if local.hour >= 6 else local.date() - timedelta(days=1)


@cache
def is_eve(day: date) -> bool:
    return day in bank_holiday_eves(day, day)


def hours_of(minute: datetime, events: list[tuple[datetime, datetime]]) -> set[str]:
    """All hours that a minute belongs to."""
    happening = any(starts <= minute < ends for starts, ends in events)
    return set(hours_by_clock(minute, happening))


@cache
def hours_by_clock(minute: datetime, happening: bool) -> frozenset[str]:
    local, day = minute.astimezone(LONDON), operating_day_of(minute)
    names = {"all", f"band:{BAND_OF_HOUR[local.hour]}"}
    for preset in NTE_PRESETS.values():
        on = day.isoweekday() in preset.weekdays or (preset.bank_holiday_eves and is_eve(day))
        # Hours after midnight come after those before it: count from 06:00.
        since = (local.hour - 6) % 24
        first, last = (preset.starts.hour - 6) % 24, (preset.ends.hour - 6) % 24 or 24
        night = on and first <= since < last
        names.add(f"{'nte' if night or happening else 'other'}:{preset.id}")
    return frozenset(names)


@cache
def minutes_of_day(day: date) -> list[datetime]:
    opens = datetime.combine(day, time(6), LONDON).astimezone(UTC)
    closes = datetime.combine(day + timedelta(days=1), time(6), LONDON).astimezone(UTC)
    return [opens + timedelta(minutes=n) for n in range(int((closes - opens).seconds / 60)
            + 1440 * (closes - opens).days)]  # fmt: skip


def slow_dose(
    stays: list[dict],
    days: list[date],
    windows: list[tuple[datetime, datetime]],
    statements: list[tuple[datetime, datetime, int]],
    events: list[tuple[datetime, datetime]],
) -> dict[tuple[date, str], dict[str, float]]:
    """Dose of one place. A stay: device, starts, ends, vehicle, visible (share). Whole minutes."""
    found: dict[tuple[date, str], dict[str, float]] = {}
    for day in days:
        gaps: dict[str, int] = {}
        previous: set[str] = set()
        for minute in minutes_of_day(day):
            here = [stay for stay in stays if stay["starts"] <= minute < stay["ends"]]
            people = max(
                sum(not stay["vehicle"] for stay in here), sum(stay["vehicle"] for stay in here)
            )
            stated = sum(n for first, last, n in statements if first <= minute < last)
            tasked = any(first <= minute < last for first, last in windows)
            names = hours_of(minute, events)
            for name in names:
                cell = found.setdefault(
                    (day, name),
                    dict.fromkeys(("hours", "patrol", "person", "visible", "tasked", "gap"), 0.0),
                )
                cell["hours"] += 1
                # A gap lies within one stretch of these hours, of one day.
                run = gaps.get(name, 0) if name in previous else 0
                gaps[name] = 0 if here else run + 1
                cell["gap"] = max(cell["gap"], gaps[name])
                if here:
                    cell["patrol"] += 1
                    cell["person"] += max(people, stated)
                    cell["visible"] += max(stay["visible"] for stay in here)
                    cell["tasked"] += tasked
            previous = names
    return found


def joined_visits(stays: list[dict]) -> list[tuple[datetime, datetime]]:
    """Stays that overlap or touch, as one."""
    joined: list[tuple[datetime, datetime]] = []
    for stay in sorted(stays, key=lambda stay: stay["starts"]):
        if joined and stay["starts"] <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stay["ends"]))
        else:
            joined.append((stay["starts"], stay["ends"]))
    return joined
