"""Rows about the five levels of compliance."""

import json
from collections.abc import Iterator
from math import erf, sqrt

import polars as pl

from placeproof.calendar import in_nte
from placeproof.patrols.compliance import LEVELS
from placeproof.patrols.dividing import Night, divided
from placeproof.patrols.rows import (
    BELOW,
    Row,
    base_row,
    months_and_all,
    places,
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


def window_rows(
    held: pl.DataFrame, nte: pl.DataFrame | None, nte_id: str, *, source: str, raw: bool = False
) -> list[Row]:
    """
    Share of tasked windows attended, attended for long enough, and of the minutes asked for.

    Parameters
    ----------
    held : DataFrame
        As `compliance.attended` gives it.
    nte : DataFrame or None
        Intervals; a window belongs to the hours in which it starts.
    nte_id : str
    source : str
        ping or delivered.
    raw : bool
        Whether presence was measured from below; then only the whole is reported.

    Returns
    -------
    list of rows for table `estimate`
        Cancelled windows are in the denominator. Windows on days without any ping are in none,
        and are counted in a row of their own.
    """
    known = held.filter("observed").with_columns(place_id="hotspot_id")
    unseen = base_row(
        "window_unobserved",
        "Tasked windows on days on which the source reported nothing",
        "share",
        "count",
        "share",
        f"tasking {source}",
    )
    method = f"{source}_raw" if raw else f"{source}_with_interval" if source == "ping" else source
    said = {"reason": BELOW if raw else "Cancelled windows are in the denominator."}
    whole = [] if raw else [unseen | share_of(~held["observed"]) | window_of(held["operating_day"])]
    if known.is_empty():
        return [
            *whole,
            _old_level("in_window", method, source)
            | {
                "status": "not_identified",
                "reason": "No tasked window falls on a day on which the source reported.",
            },
        ]
    parts = [({}, known)] if raw else [*_old_window_parts(known, nte, nte_id)]
    return whole + [
        row
        for key, part in parts
        for row in (
            _old_level("in_window", method, source) | said | key | share_of(part["in_window"]),
            _old_level("long_enough", method, source) | said | key | share_of(part["long_enough"]),
            said | key | _old_dose(part, method, source),
        )
    ]


def log_rows(held: pl.DataFrame, *, tolerance_s: float, source: str) -> list[Row]:
    """
    Share of logs that a visit in the same place and time bears out, in all and by month.

    Parameters
    ----------
    held : DataFrame
        As `compliance.matched` gives it.
    tolerance_s : float
        Reported with it.
    source : str
        ping or delivered.

    Returns
    -------
    list of rows for table `estimate`
    """
    known = held.filter("observed").with_columns(place_id="hotspot_id")
    row = base_row(
        "log_matched",
        "Logs that a visit in the same place and time bears out",
        "share",
        f"overlap_with_{source}",
        "share",
        f"patrol_log {source} hotspot",
    ) | {
        "reason": "A log without a visit may be a phantom, or a patrol whose device was off.",
        "diagnostics": json.dumps({"tolerance_s": tolerance_s}, sort_keys=True),
    }
    if known.is_empty():
        return [
            row
            | {
                "status": "not_identified",
                "reason": "No log falls on a day on which the source reported.",
            }
        ]
    return [
        row
        | key
        | share_of(part["matched"])
        | window_of(part["operating_day"])
        | {"n_places": part["place_id"].n_unique()}
        for key, part in months_and_all(known)
    ]


def _old_window_parts(
    known: pl.DataFrame, nte: pl.DataFrame | None, nte_id: str
) -> Iterator[tuple[Row, pl.DataFrame]]:
    yield from months_and_all(known)
    yield from places(known)
    if nte is None:
        return
    night = in_nte(known["window_from"], nte)
    for hours, part in (("nte", known.filter(night)), ("other", known.filter(~night))):
        if not part.is_empty():
            yield {"hours": f"{hours}:{nte_id}"}, part


def _old_level(column: str, method: str, source: str) -> Row:
    outcome, label = {
        "in_window": ("window_attended", "Tasked windows in which somebody was there (level 1)"),
        "long_enough": (
            "window_long_enough",
            "Tasked windows attended for at least the minutes asked for (level 2)",
        ),
    }[column]
    return base_row(outcome, label, "share", method, "share", f"tasking {source} hotspot")


def _old_dose(part: pl.DataFrame, method: str, source: str) -> Row:
    asked = float(part["target_minutes"].sum())
    row = base_row(
        "planned_dose",
        "Minutes in tasked windows for each minute asked for, no window counted above its target",
        "share",
        method,
        "share",
        f"tasking {source} hotspot",
    ) | {"n": part.height, "n_places": part["place_id"].n_unique()}
    if not asked > 0:
        return row | {"status": "not_identified", "reason": "No minutes were asked for."}
    given = part.select(pl.min_horizontal("minutes_in_window", "target_minutes").sum()).item()
    return row | {"estimate": float(given) / asked}
