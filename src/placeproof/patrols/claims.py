"""Rows about logs: what positions bear out, what officers did, and with how many people."""

import json
from collections.abc import Mapping

import polars as pl

from placeproof.patrols.activities import Taxonomy, unmapped
from placeproof.patrols.dividing import Night, divided
from placeproof.patrols.interactions import COUNTS
from placeproof.patrols.logs import (
    ELSEWHERE,
    MATCHED,
    NO_PRESENCE,
    NOT_OBSERVED,
    OTHER_UNIT,
    PHANTOM,
)
from placeproof.patrols.rows import Row, base_row, missing, share_of, window_of

_NO_PROOF = "A log without a visit may be a phantom, or a patrol whose device was off."
_BLANK = "Logs that leave it blank, or have no length, are in neither number: a blank is not zero."
_PARTS = ("all", "month", "place", "hours")


def held_log_rows(
    held: pl.DataFrame, *, night: Night | None, tolerance_s: float, source: str
) -> list[Row]:
    """
    Share of logs that positions bear out, contradict, or cannot decide.

    Parameters
    ----------
    held : DataFrame
        As `logs.held_logs` gives it.
    night : Night or None
        A log belongs to the hours in which it starts.
    tolerance_s : float
        Reported with it.
    source : str
        ping or delivered.

    Returns
    -------
    list of rows for table `estimate`
        Logs that could not be observed are in no share but their own.
    """
    told = held.filter(pl.col("status") != NOT_OBSERVED)
    basis = dict(sorted(held["compared_by"].value_counts().iter_rows()))
    said = json.dumps({"compared_by": basis, "tolerance_s": tolerance_s}, sort_keys=True)

    def base(outcome: str, label: str) -> Row:
        method, feeds = f"overlap_with_{source}", f"patrol_log {source} hotspot"
        return base_row(outcome, label, "share", method, "share", feeds)

    label = "Logs of times at which the source could not have shown anybody"
    rows = [
        base("log_not_observed", label)
        | share_of(held["status"] == NOT_OBSERVED)
        | window_of(held["operating_day"])
    ]
    first = base("log_matched", _STATUS_LABELS["log_matched"][0]) | {"diagnostics": said}
    if told.is_empty():
        why = "No log falls on a time at which the source reported."
        return [*rows, first | {"status": "not_identified", "reason": why}]
    for outcome, (words, statuses) in _STATUS_LABELS.items():
        for by in _PARTS if outcome in ("log_matched", "log_phantom") else ("all",):
            for key, part in divided(told, by=by, night=night):
                rows.append(
                    base(outcome, words)
                    | key
                    | share_of(part["status"].is_in(statuses))
                    | window_of(part["operating_day"])
                    | {"n_places": part["hotspot_id"].n_unique()}
                    | {"reason": _NO_PROOF, "diagnostics": said}
                )
    return rows


_STATUS_LABELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "log_matched": ("Logs that a visit in the same place and time bears out", (MATCHED,)),
    "log_other_unit": (
        "Logs of a place and time in which another unit alone was seen, its own devices silent",
        (OTHER_UNIT,),
    ),
    "log_phantom": (
        "Logs that positions contradict: nobody there, or its own devices elsewhere",
        PHANTOM,
    ),
    "log_elsewhere": ("Logs whose own devices were elsewhere at the time", (ELSEWHERE,)),
    "log_no_presence": ("Logs of a place and time in which nobody was seen", (NO_PRESENCE,)),
}


def unlogged_rows(presence: pl.DataFrame, *, shortest_s: float, source: str) -> list[Row]:
    """
    Share of presences that no log speaks of.

    Parameters
    ----------
    presence : DataFrame
        As `logs.unlogged` gives it.
    shortest_s : float
        Reported with it.
    source : str
        ping or delivered.

    Returns
    -------
    list of rows for table `estimate`
        In all, by month and by place; days without any log are in none.
    """
    minutes = f"{shortest_s / 60:g}"
    row = base_row(
        "visit_unlogged",
        f"Presences of at least {minutes} minutes that no log speaks of",
        "share",
        f"overlap_with_{source}",
        "share",
        f"patrol_log {source} hotspot",
    ) | {
        "reason": "Officers who were there for something else write no log of a patrol.",
        "diagnostics": json.dumps({"shortest_s": shortest_s}, sort_keys=True),
    }
    told = presence.filter(pl.col("logged").is_not_null()).rename({"place_id": "hotspot_id"})
    if told.is_empty():
        why = "No presence falls on a day of which logs were supplied."
        return [row | {"status": "not_identified", "reason": why}]
    return [
        row | key | share_of(~part["logged"]) | window_of(part["operating_day"])
        for by in ("all", "month", "place")
        for key, part in divided(told, by=by, night=None)
    ]


def activity_rows(classed: pl.DataFrame, classes: Taxonomy, *, feed: str) -> list[Row]:
    """
    What was done, as logged: the share of each class, and what no class holds.

    Parameters
    ----------
    classed : DataFrame
        Table `patrol_log`, `delivered` or `tasking`, as `activities.with_classes` gives it.
    classes : Taxonomy
    feed : str
        Name of the table.

    Returns
    -------
    list of rows for table `estimate`
        The classes and the unmapped make up all rows that name an activity.
    """
    row = base_row("activity", "What was done, as stated", "share", "mapping", "share", feed)
    row |= {"definition_edition": classes.edition_tag}
    named = classed.filter(pl.col("activity").is_not_null())
    lacking = base_row(
        "activity_not_supplied", "Rows that name no activity", "share", "count", "share", feed
    ) | share_of(classed["activity"].is_null())
    if named.is_empty():
        return [lacking, missing("activity", "What was done, as stated", feed)]
    lost = int(named["activity_class"].is_null().sum())
    rows = [
        row
        | share_of((named["activity_class"] == each.id).fill_null(value=False))
        | {"outcome_label": each.label, "subgroup": f"activity={each.id}"}
        for each in classes.classes
    ]
    spellings = unmapped(named).height
    unknown = (
        row
        | share_of(named["activity_class"].is_null())
        | {
            "outcome_label": "Activities that no class holds",
            "subgroup": "activity=unmapped",
            "reason": f"{lost} rows in {spellings} spellings are not mapped to a class.",
            "diagnostics": json.dumps({"rows": lost, "spellings": spellings}, sort_keys=True),
        }
    )
    return [*rows, unknown, lacking]


def interaction_rows(
    entries: pl.DataFrame, *, night: Night | None, borne_out: pl.DataFrame | None
) -> list[Row]:
    """
    What officers did with people, for each hour of patrol as logged.

    Parameters
    ----------
    entries : DataFrame
        As `interactions.ledger` gives it.
    night : Night or None
        A log belongs to the hours in which it starts.
    borne_out : DataFrame or None
        As `logs.held_logs` gives it: the same is told of logs that a visit bears out. None: not.

    Returns
    -------
    list of rows for table `estimate`
        `n` is the number of logs, `n_events` the count, so that release can suppress small ones.
    """
    rows = []
    for kind, label in COUNTS.items():
        part = entries.filter(pl.col("kind") == kind)
        rows += _per_hour(part, kind, label, "logged_hours", night)
        if borne_out is not None:
            sure = borne_out.filter(pl.col("status") == MATCHED).select("log_id", "started_at")
            kept = part.join(sure.unique(), on=["log_id", "started_at"], how="semi")
            rows += _per_hour(kept, kind, label, "logged_hours_borne_out", night)[:1]
    return rows


def _per_hour(
    part: pl.DataFrame, kind: str, label: str, method: str, night: Night | None
) -> list[Row]:
    outcome, words = f"{kind}_per_hour", f"{label}, for each hour of patrol as logged"
    row = base_row(outcome, words, "rate", method, "per hour", "patrol_log")
    usable = part.filter(pl.col("counted").is_not_null(), pl.col("hours").is_not_null())
    if usable.is_empty():
        why = "No log gives both this count and its own length."
        return [row | {"status": "not_supplied", "reason": why}]
    rows = []
    for by in _PARTS:
        for key, inner in divided(part, by=by, night=night):
            kept = inner.filter(pl.col("counted").is_not_null(), pl.col("hours").is_not_null())
            if kept.is_empty():
                continue
            hours, counted = float(kept["hours"].sum()), int(kept["counted"].sum())
            shared = {
                "hours": round(hours, 4),
                "logs_blank": int(inner["counted"].is_null().sum()),
                "logs_without_length": int(inner["hours"].is_null().sum()),
            }
            rows.append(
                row
                | key
                | window_of(kept["operating_day"])
                | {
                    "estimate": counted / hours,
                    "n": kept.height,
                    "n_places": kept["hotspot_id"].n_unique(),
                    "n_events": float(counted),
                    "reason": _BLANK,
                    "diagnostics": json.dumps(shared, sort_keys=True),
                }
            )
    return rows


def search_rows(by_day: pl.DataFrame, *, unplaced: int) -> list[Row]:
    """
    How far logged searches agree with recorded stop and searches.

    Parameters
    ----------
    by_day : DataFrame
        As `interactions.searches_by_day` gives it.
    unplaced : int
        Searches that cannot be given to a place and day (`interactions.unplaced_searches`).

    Returns
    -------
    list of rows for table `estimate`
        Share of place-days on which both give the same number, and logged for each recorded.
    """
    both = by_day.filter(pl.col("logged_searches").is_not_null())
    recorded = int(both["recorded"].sum())
    feeds = "patrol_log stop_search hotspot"
    told = {"searches_without_place_or_day": unplaced}
    shared: Row = {
        "n": both.height,
        "n_places": both["hotspot_id"].n_unique(),
        "n_events": float(recorded),
        "diagnostics": json.dumps(told, sort_keys=True),
    } | window_of(both["operating_day"])
    method = "place_days_in_both"
    agree = base_row(
        "search_agreement",
        "Days of a place on which logs and the register give the same number of searches",
        "share",
        method,
        "share",
        feeds,
    )
    ratio = base_row(
        "searches_logged_over_recorded",
        "Searches in logs for each one in the register",
        "ratio",
        method,
        "ratio",
        feeds,
    )
    stops = base_row(
        "stops_logged_over_recorded",
        "People stopped in logs for each search in the register",
        "ratio",
        method,
        "ratio",
        feeds,
    )
    if both.is_empty():
        why = "On no day of a place do logs count searches while the register runs."
        return [row | {"status": "not_identified", "reason": why} for row in (agree, ratio, stops)]
    rows = [agree | shared | share_of(both["logged_searches"] == both["recorded"])]
    for row, column in ((ratio, "logged_searches"), (stops, "logged_stops")):
        known = both.filter(pl.col(column).is_not_null())
        searches = int(known["recorded"].sum())
        told_of: Row = {"n": known.height, "n_events": float(searches)}
        if searches:
            told_of |= {"estimate": int(known[column].sum()) / searches}
        else:
            why = "The register has no search on the days of a place on which logs count."
            told_of |= {"status": "not_identified", "reason": why}
        rows.append(row | shared | told_of)
    return rows
