"""Rows about tasked windows that were attended, and logs that visits bear out."""

import json
from collections.abc import Iterator

import polars as pl

from placeproof.calendar import in_nte
from placeproof.patrols.rows import (
    BELOW,
    Row,
    base_row,
    months_and_all,
    places,
    share_of,
    window_of,
)


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
            _level("in_window", method, source)
            | {
                "status": "not_identified",
                "reason": "No tasked window falls on a day on which the source reported.",
            },
        ]
    parts = [({}, known)] if raw else [*_window_parts(known, nte, nte_id)]
    return whole + [
        row
        for key, part in parts
        for row in (
            _level("in_window", method, source) | said | key | share_of(part["in_window"]),
            _level("long_enough", method, source) | said | key | share_of(part["long_enough"]),
            said | key | _dose(part, method, source),
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


def _window_parts(
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


def _level(column: str, method: str, source: str) -> Row:
    outcome, label = {
        "in_window": ("window_attended", "Tasked windows in which somebody was there (level 1)"),
        "long_enough": (
            "window_long_enough",
            "Tasked windows attended for at least the minutes asked for (level 2)",
        ),
    }[column]
    return base_row(outcome, label, "share", method, "share", f"tasking {source} hotspot")


def _dose(part: pl.DataFrame, method: str, source: str) -> Row:
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
