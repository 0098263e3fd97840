"""Rows about the five levels of compliance."""

import json
from collections.abc import Iterator
from math import erf, sqrt

import polars as pl

from placeproof.patrols.compliance import LEVELS
from placeproof.patrols.dividing import Night, divided
from placeproof.patrols.rows import (
    BELOW,
    Row,
    base_row,
    share_of,
    window_of,
)

OUTCOMES: dict[str, tuple[str, str]] = {
    "level_1": ("window_attended", "Tasked windows in which somebody was there (level 1)"),
    "level_2": (
        "window_long_enough",
        "Tasked windows whose place had at least the minutes asked for that day (level 2)",
    ),
    "level_3": (
        "window_in_time_and_long_enough",
        "Tasked windows attended for at least the minutes asked for (level 3)",
    ),
    "level_4": (
        "window_on_foot",
        "Tasked windows attended long enough, with evidence of a patrol on foot (level 4)",
    ),
    "level_5": (
        "window_logged",
        "Tasked windows attended long enough on foot, with the log completed (level 5)",
    ),
}
"""Level to the id and the label of its outcome."""

_KEPT = "Cancelled windows are in the denominator."
_NO_LEVEL = {
    "level_1": "The source of presence gives no times.",
    "level_3": "The source of presence gives no times.",
    "level_4": "No speed, and no activity of a log or statement, says who was on foot.",
    "level_5": "No logs were supplied, or nothing says who was on foot.",
}
_PARTS = ("all", "month", "place", "hours")


def presence_method(visit: pl.DataFrame, *, add_interval: bool) -> str:
    """
    Name the way in which presence was found, as rows carry it.

    Parameters
    ----------
    visit : table `visit`
    add_interval : bool
        Whether visits last `dwell_s`.

    Returns
    -------
    str
        ping_with_interval, ping_raw, ping_crossings or stated_visit, as the glossary explains.
    """
    methods = set(visit["method"].to_list())
    if methods and methods <= {"ready_made"}:
        return "stated_visit"
    if not add_interval:
        return "ping_raw"
    return "ping_crossings" if methods == {"crossings"} else "ping_with_interval"


def level_rows(held: pl.DataFrame, *, night: Night | None, method: str) -> list[Row]:
    """
    Share of tasked windows that reach each level, and of the minutes asked for that were given.

    Parameters
    ----------
    held : table `attendance`
        Of one source.
    night : Night or None
        A window belongs to the hours in which it starts.
    method : str
        How presence was found: `presence_method`, stated_dwell or stated_hours. Of ping_raw only
        the whole is told.

    Returns
    -------
    list of rows for table `estimate`
        In all, by month, place and hours. Windows on days of which the source says nothing are in
        no share, and are counted in a row of their own.
    """
    feeds = f"tasking {'ping hotspot' if method.startswith('ping') else 'delivered hotspot'}"
    known = held.filter("observed")
    rows = [] if method == "ping_raw" else [_unobserved(held, method, feeds)]
    if known.is_empty():
        return [
            *rows,
            _level_base("level_1", method, feeds)
            | {
                "status": "not_identified",
                "reason": "No tasked window falls on a day on which the source reported.",
            },
        ]
    for by in ("all",) if method == "ping_raw" else _PARTS:
        for key, part in divided(known, by=by, night=night):
            rows += [key | row for row in _levels_of(part, method, feeds, whole=by == "all")]
    return rows if method == "ping_raw" else rows + _doubt_rows(known, method, feeds)


def _unobserved(held: pl.DataFrame, method: str, feeds: str) -> Row:
    label = "Tasked windows on days on which the source reported nothing"
    row = _base("window_unobserved", label, method, feeds)
    return row | share_of(~held["observed"]) | window_of(held["operating_day"])


_STATED = {
    "stated_visit": "hot spots, stated by ready-made visits",
    "stated_dwell": "hot spots, stated by ready-made dwell times",
    "stated_hours": "hot spots, stated by ready-made hours",
}


def _base(outcome: str, label: str, method: str, feeds: str) -> Row:
    row = base_row(outcome, label, "share", method, "share", feeds)
    return row | {"population": _STATED.get(method, row["population"])}


def _level_base(level: str, method: str, feeds: str) -> Row:
    outcome, label = OUTCOMES[level]
    more = {"level_4": " patrol_log", "level_5": " patrol_log"}.get(level, "")
    return _base(outcome, label, method, feeds + more)


def _levels_of(part: pl.DataFrame, method: str, feeds: str, *, whole: bool) -> Iterator[Row]:
    for level in LEVELS:
        known = part[level].drop_nulls()
        row = _level_base(level, method, feeds)
        if known.is_empty():
            if whole:
                yield row | {"status": "not_supplied", "reason": _NO_LEVEL.get(level, _KEPT)}
            continue
        said = BELOW if method == "ping_raw" else _KEPT + _flag(part, level)
        yield (
            row
            | share_of(known)
            | window_of(part["operating_day"])
            | {"reason": said, "n_places": part["hotspot_id"].n_unique()}
            | {"diagnostics": json.dumps(_error(part, level), sort_keys=True)}
        )
    if part["minutes_in_window"].drop_nulls().len():
        yield {"reason": BELOW if method == "ping_raw" else _KEPT} | _dose(part, method, feeds)


def _flag(part: pl.DataFrame, level: str) -> str:
    short = int(_below_interval(part).sum())
    if level == "level_1" or not short:
        return ""
    return (
        f" In {short} of {part.height} windows the minutes asked for are no more than the time "
        "between two pings: a patrol of that length cannot be told from somebody passing."
    )


def _below_interval(part: pl.DataFrame) -> pl.Series:
    asked_s = pl.col("target_minutes") * 60
    below = (asked_s <= pl.col("interval_s")) & (asked_s > 0)
    return part.select(below.fill_null(value=False)).to_series()


_MINUTES = {"level_2": "minutes_in_day", "level_3": "minutes_in_window"}


def _error(part: pl.DataFrame, level: str) -> dict[str, object]:
    """What the error of minutes does to a level: how many could be the other, and the mean."""
    if level not in _MINUTES:
        return {}
    minutes = _MINUTES[level]
    known = part.filter(pl.col(f"{level}_uncertain").is_not_null())
    if known.is_empty():
        return {"uncertain_windows": None}
    chances = [
        _chance(*row) if there else 0.0
        for there, *row in known.select(
            (pl.col(minutes) > 0).alias("there"), minutes, "target_minutes", f"{minutes}_sd"
        ).iter_rows()
    ]
    return {
        "share_expected_with_error": round(sum(chances) / known.height, 4),
        "uncertain_windows": int(known[f"{level}_uncertain"].sum()),
        "windows_with_known_error": known.height,
    }


def _chance(minutes: float, target: float, error: float) -> float:
    """Probability that the true minutes reach the target, with a normal error."""
    if not error > 0:
        return float(minutes >= target)
    return 0.5 * (1 + erf((minutes - target) / (error * sqrt(2))))


def _doubt_rows(known: pl.DataFrame, method: str, feeds: str) -> list[Row]:
    uncertain = known["level_3_uncertain"].drop_nulls()
    label = "Tasked windows whose minutes lie within one standard deviation of those asked for"
    row = _base("window_uncertain", label, method, feeds)
    if uncertain.is_empty():
        row |= {"status": "not_identified", "reason": "The error of the minutes is not known."}
    else:
        row |= share_of(uncertain) | {
            "reason": "Whether they reach level 3 could as well be the other."
        }
    label = "Tasked windows that ask for no more minutes than lie between two pings"
    flagged = _base("window_target_below_interval", label, method, feeds)
    if known["interval_s"].null_count() == known.height:
        return [row]
    return [row, flagged | share_of(_below_interval(known))]


def _dose(part: pl.DataFrame, method: str, feeds: str) -> Row:
    label = (
        "Minutes in tasked windows for each minute asked for, no window counted above its target"
    )
    row = _base("planned_dose", label, method, feeds) | {
        "n": part.height,
        "n_places": part["hotspot_id"].n_unique(),
    }
    asked = float(part["target_minutes"].sum())
    if not asked > 0:
        return row | {"status": "not_identified", "reason": "No minutes were asked for."}
    given = part.select(pl.min_horizontal("minutes_in_window", "target_minutes").sum()).item()
    return row | {"estimate": float(given) / asked}
