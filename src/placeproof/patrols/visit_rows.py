"""Rows about visits and the time between them, about what was asked for, and about devices."""

import json

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.dose import dose_of_stays, stays_of_visits
from placeproof.patrols.dose_rows import OF_PATHS, Measure, measure_rows
from placeproof.patrols.hours import Clocks, hours_of, shares_of_hours
from placeproof.patrols.rows import BELOW, Row, base_row, window_of
from placeproof.patrols.stretches import union

LENGTHS_MIN = (5, 10, 15)
EVERY_MIN = 120
"""A published measure of intermittency: somebody at least every two hours."""


def lengths_of_visits(
    visit: pl.DataFrame,
    *,
    clocks: Clocks,
    nte_id: str,
    longest_gap_s: float,
    shortest_dwell_s: float,
    made_by: str,
) -> list[Row]:
    """
    Number of visits, how many were long enough, and device-minutes, where devices are added up.

    Parameters
    ----------
    visit : table `visit`
    clocks : Clocks
        A visit counts in the hours in which it began.
    nte_id : str
        Preset by whose hours months and places are split, too.
    longest_gap_s, shortest_dwell_s : float
        The rules by which visits were made; reported with them.
    made_by : {"order_free", "crossings"}
        Method of the visits.

    Returns
    -------
    list of rows for table `estimate`
    """
    interval_s = ping_interval_s(visit)
    said, rules = _rules(interval_s, longest_gap_s, shortest_dwell_s)
    placed = hours_of(visit, clocks, at="arrived_at")
    full = {"order_free": "pings_with_interval", "crossings": "pings_crossings"}[made_by]

    def measure(outcome: str, label: str, estimand: str, method: str, unit: str,
                value: pl.Expr, *, threshold_s: float | None = None) -> Measure:  # fmt: skip
        how = {"pings_raw": BELOW, full: OF_PATHS[made_by][1]}.get(method, "")
        reason = " ".join([how, *said, *_below_interval(threshold_s, interval_s)]).strip() or None
        return Measure(outcome, label, estimand, method, unit, "ping", value, pl.lit(True), reason)

    measures = [
        measure("visits", "Visits of a device to a hot spot", "count", "pings", "visits", pl.len()),
        measure(
            "device_minutes", "Minutes of all devices together, two at once counted twice",
            "minutes", full, "device-minutes", pl.col("dwell_s").sum() / 60,
        ),
        *(
            measure(
                f"visits_{minutes}_minutes", f"Visits of at least {minutes} minutes", "share",
                method, "share", (pl.col(column) >= 60 * minutes).mean(),
                threshold_s=60 * minutes,
            )
            for minutes in LENGTHS_MIN
            for method, column in ((full, "dwell_s"), ("pings_raw", "seen_s"))
        ),
    ]  # fmt: skip
    rows = measure_rows(placed, measures, nte_id=nte_id, population="hot spots")
    kept = [row for row in rows if row["method"] != "pings_raw" or _is_whole(row)]
    return [row | {"diagnostics": rules} for row in kept]


def _below_interval(threshold_s: float | None, interval_s: float | None) -> list[str]:
    if threshold_s is None or interval_s is None or threshold_s > interval_s:
        return []
    return [
        f"{threshold_s / 60:g} minutes are no more than the usual time between pings"
        f" ({interval_s:g} s): which visits reach them is chance."
    ]


def intermittency(
    visit: pl.DataFrame,
    *,
    known: pl.DataFrame,
    clocks: Clocks,
    nte_id: str,
) -> list[Row]:
    """
    How long places were without anybody: gaps between visits, and hours with a recent visit.

    Parameters
    ----------
    visit : table `visit`
    known : DataFrame
        `place_id`, `operating_day` as `minutes.place_days` gives them.
    clocks : Clocks
        A gap counts in the hours in which it began.
    nte_id : str

    Returns
    -------
    list of rows for table `estimate`
        Gaps are those between two visits to a place on one operating day, devices together being
        one; the time before the first visit and after the last is in no gap, and is in the share
        of hours with a visit in the last two hours.
    """
    stays = stays_of_visits(visit, vehicle=pl.lit(value=False))
    recent = dose_of_stays(
        stays.with_columns(pl.col("ends_at") + pl.duration(minutes=EVERY_MIN)),
        untimed=None,
        known=known,
        hotspots=None,
        clocks=clocks,
        tasking=None,
        tasked_by="place",
        officers=None,
        source="pings",
        persons_from=("devices", "devices"),
    )
    gap = pl.col("gap_minutes")
    length = pl.col("minutes_in_hours")
    feeds, everyone = "ping hotspot", pl.lit(True)
    within = Measure(
        "visited_within_2_hours", "Time in which somebody had been there in the last 2 hours",
        "share", "pings", "share", feeds, pl.col("patrol_minutes").sum() / length.sum(), length > 0,
        "Of all hours of the days on which any device reported.",
    )  # fmt: skip
    between = [
        Measure(
            "gap_at_most_2_hours", "Gaps between visits of at most 2 hours", "share", "pings",
            "share", feeds, (gap <= EVERY_MIN).mean(), everyone,
        ),
        Measure(
            "gap_between_visits", "Time between two visits on a day", "mean", "pings",
            "minutes between visits", feeds, gap.mean(), everyone,
        ),
    ]  # fmt: skip
    gaps = hours_of(_gaps(stays), clocks, at="starts_at")
    return [
        *measure_rows(recent, [within], nte_id=nte_id, population="hot spots"),
        *measure_rows(gaps, between, nte_id=nte_id, population="hot spots"),
    ]


def asked_for(tasking: pl.DataFrame, *, clocks: Clocks, nte_id: str) -> list[Row]:
    """
    Minutes that tasking asked for, cancelled windows included, and the share cancelled.

    Parameters
    ----------
    tasking : table `tasking`
    clocks : Clocks
        Covering the tasked days. A target is split over hours as its window is.
    nte_id : str

    Returns
    -------
    list of rows for table `estimate`
    """
    spread = shares_of_hours(tasking, clocks, starts="window_from", ends="window_to")
    method = "tasking_including_cancelled"
    minutes = Measure(
        "planned_minutes", "Patrol-minutes asked for", "minutes", method, "minutes", "tasking",
        (pl.col("target_minutes") * pl.col("part")).sum(), pl.lit(True), None, True,
    )  # fmt: skip
    cancelled = Measure(
        "window_cancelled", "Tasked windows cancelled", "share", "count", "share", "tasking",
        pl.col("cancelled").mean(), pl.lit(True),
    )  # fmt: skip
    begun = hours_of(tasking, clocks, at="window_from")
    return [
        *measure_rows(spread, [minutes], nte_id=nte_id, population="hot spots"),
        *measure_rows(begun, [cancelled], nte_id=nte_id, population="hot spots"),
    ]


def device_coverage(device_days: pl.DataFrame) -> list[Row]:
    """
    Say how many devices reported, and on how many of their days none did.

    Parameters
    ----------
    device_days : DataFrame
        `device_id`, `operating_day`, once each, as `minutes.device_days` gives them.

    Returns
    -------
    list of rows for table `estimate`
        No device is described. Off-duty days are among those without a ping, and pseudonyms that
        rotate shorten the span: it is a figure for spotting gaps, not a fault rate.
    """
    by_device = device_days.group_by("device_id").agg(
        seen=pl.len(),
        span=(pl.col("operating_day").max() - pl.col("operating_day").min()).dt.total_days() + 1,
    )
    by_day = device_days.group_by("operating_day").agg(devices=pl.len())
    days = window_of(device_days["operating_day"])
    silent = base_row(
        "device_days_without_pings", "Days without a ping between a device's first and last",
        "share", "count", "share", "ping",
    )  # fmt: skip
    reporting = base_row(
        "devices_reporting", "Devices that reported on a day on which any did", "mean", "count",
        "devices per day", "ping",
    )  # fmt: skip
    if by_day.is_empty():
        nothing: Row = {"status": "not_identified", "reason": "No device reported.", "n": 0}
        return [silent | nothing, reporting | nothing]
    span, seen = int(by_device["span"].sum()), int(by_device["seen"].sum())
    return [
        silent | days | {
            "estimate": 1 - seen / span,
            "n": span,
            "reason": "Off-duty days are among them; pseudonyms that rotate shorten the span.",
        },
        reporting | days | {"estimate": float(seen) / by_day.height, "n": by_day.height},
    ]  # fmt: skip


def ping_interval_s(visit: pl.DataFrame) -> float | None:
    """
    Give the usual time between pings inside visits, over all devices.

    Parameters
    ----------
    visit : table `visit`

    Returns
    -------
    float or None
        Median over visits; None where it is not known.
    """
    known = visit.filter(pl.col("source") == "pings", pl.col("interval_s") > 0)["interval_s"]
    return None if known.is_empty() else round(float(known.median()), 3)  # type: ignore[arg-type]


def _rules(
    interval_s: float | None, longest_gap_s: float, shortest_dwell_s: float
) -> tuple[list[str], str]:
    said = []
    if interval_s is not None and 0 < shortest_dwell_s <= interval_s:
        said.append("The shortest dwell is not above the ping interval: it drops visits by chance.")
    if interval_s is not None and longest_gap_s < 1.5 * interval_s:
        said.append("The longest gap is below 1.5 ping intervals: one lost ping cuts a visit.")
    rules = {
        "longest_gap_s": longest_gap_s,
        "ping_interval_s": interval_s,
        "shortest_dwell_s": shortest_dwell_s,
    }
    return said, json.dumps(rules, sort_keys=True)


def _is_whole(row: Row) -> bool:
    return all(row.get(key, "all") == "all" for key in ("hours", "horizon", "subgroup"))


def _gaps(stays: pl.DataFrame) -> pl.DataFrame:
    """Time between one visit to a place and the next on the same operating day."""
    joined = union(stays.select("starts_at", "ends_at", place_id="hotspot_id"))
    later = pl.col("starts_at").shift(-1).over("place_id")
    return (
        joined.with_columns(next_at=later)
        .filter(operating_day(pl.col("next_at")) == operating_day(pl.col("ends_at")))
        .select(
            hotspot_id="place_id",
            starts_at="ends_at",
            gap_minutes=(pl.col("next_at") - pl.col("ends_at")).dt.total_microseconds() / 6e7,
        )
    )
