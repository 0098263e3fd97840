"""Plain words of the sheets: neutral, about windows and places, never about people."""

from collections.abc import Mapping
from datetime import date, timedelta

from placeproof.report.numbers import NARROW, WORDS_FOR_STATUS, whole

Row = Mapping[str, object]

NOT_SUPPLIED = WORDS_FOR_STATUS["not_supplied"]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STATE_WORDS: dict[str, str] = {
    "missed": "missed",
    "short": "too short",
    "cancelled": "cancelled",
    "not_known": "not known",
    "kept": "kept",
}
_TIMES = {2: "twice", 3: "three times", 4: "four times"}


def day_words(day: date) -> str:
    """
    Write a day as people say it.

    Parameters
    ----------
    day : date

    Returns
    -------
    str
        As "Fri 10 May".
    """
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {day:%b}"


def week_words(week: date) -> str:
    """
    Write a week by its first and last day.

    Parameters
    ----------
    week : date
        Its Monday.

    Returns
    -------
    str
        As "Monday 6 to Sunday 12 May 2024".
    """
    last = week + timedelta(days=6)
    month = "" if (last.year, last.month) == (week.year, week.month) else f" {week:%B}"
    year = "" if last.year == week.year else f" {week.year}"
    return f"Monday {week.day}{month}{year} to Sunday {last.day} {last:%B} {last.year}"


def headline(row: Row) -> str:
    """
    Say in one sentence what became of a week.

    Parameters
    ----------
    row : mapping
        Of the hot spot's weekly delivery.

    Returns
    -------
    str
        A sentence; where nothing is supplied it says so.
    """
    asked, minutes = row["asked"], row["patrol_minutes"]
    if asked is None and minutes is None:
        return "Neither the plan nor what was delivered is supplied for this week."
    delivered = (
        "What was delivered is not supplied."
        if minutes is None
        else f"{_minutes(minutes)} of patrol were delivered."
    )
    if asked is None:
        return f"What was asked for is not supplied. {delivered}"
    if asked == 0:
        return f"No window was asked for. {delivered}"
    if row["not_known"] == asked:
        return f"{_of(asked, 'window')} asked for; whether they were kept is not supplied."
    parts = [
        f"{whole(float(str(row[state])))} {words}"
        for state, words in (
            ("missed", "missed"),
            ("short", "too short"),
            ("cancelled", "cancelled"),
            ("not_known", "not known"),
        )
        if row[state]
    ]
    kept = f"{row['kept']} of {_of(asked, 'window')} kept"
    return f"{kept}; {', '.join(parts)}." if parts else f"{kept}."


def stands_out(row: Row, *, weeks_back: int) -> str:
    """
    Say what stands out in the last weeks.

    Parameters
    ----------
    row : mapping
        Of the hot spot's changes.
    weeks_back : int
        Weeks looked back on.

    Returns
    -------
    str
        One sentence without advice, blame or a name.
    """
    weeks = f"the last {weeks_back} weeks"
    times, of = row["times"], row["of"]
    match row["kind"]:
        case "missed":
            return f"{_slot(row)} was missed in {times} of {of} weeks."
        case "cancelled":
            return f"{_slot(row)} was cancelled in {times} of {of} weeks."
        case "short":
            return f"{_slot(row)} was shorter than asked for in {times} of {of} weeks."
        case "unreached":
            return (
                f"Routes of {weeks} did not come near {times}{NARROW}% of the {row['side']} part."
            )
        case "unlogged":
            return f"{times} of {of} visible patrols of {weeks} have no completed log."
        case "nothing":
            return f"Nothing stands out in {weeks}."
        case _:
            return f"Nothing can be said of {weeks}: the data are not supplied."


def again(times: int) -> str:
    """
    Say how often a window was missed one after the other.

    Parameters
    ----------
    times : int

    Returns
    -------
    str
        Empty for the first time.
    """
    if times < 2:
        return ""
    return f"{_TIMES.get(times, f'{times} times')} in a row"


def figure(value: object, *, unit: str = "") -> str:
    """
    Print a figure of a sheet.

    Parameters
    ----------
    value : number or None
    unit : str
        Written after it.

    Returns
    -------
    str
        "not supplied" where there is none.
    """
    if not isinstance(value, int | float):
        return NOT_SUPPLIED
    return f"{whole(value)}{NARROW}{unit}" if unit else whole(value)


def _minutes(value: object) -> str:
    return f"{whole(float(str(value)))} minutes"


def _of(number: object, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _slot(row: Row) -> str:
    return f"{WEEKDAYS[int(str(row['weekday'])) - 1]} {row['starts']}–{row['ends']}"
