"""Tasked windows held against presence and logs: the five levels of compliance."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.calendar import LOCAL_ZONE, operating_day, to_utc
from placeproof.patrols.overlaps import overlapping
from placeproof.patrols.presence import Joined, Presence, joined
from placeproof.patrols.stretches import Moments, Stretches, moments
from placeproof.tables import Attendance

Numbers = NDArray[np.float64]

LEVELS: tuple[str, ...] = ("level_1", "level_2", "level_3", "level_4", "level_5")
"""Columns of table `attendance`, from attended in the window to the log completed."""

TIMED = ("pings", "visits")
"""Sources that say when somebody was there; dwell and hours say only how long on which day."""


def attendance(
    tasking: pl.DataFrame,
    visit: pl.DataFrame,
    *,
    observed_days: pl.Series,
    add_interval: bool,
    target_minutes: float | None,
    visible_share: float,
    log_tolerance_s: float,
    logs: pl.DataFrame | None,
    stated: pl.DataFrame | None,
) -> pl.DataFrame:
    """
    Hold each tasked window against the time in which somebody was in the place.

    `docs/explanation/compliance.md` shows each level on twelve tasks by hand.

    Parameters
    ----------
    tasking : table `tasking`
        Cancelled windows stay in: the plan is the denominator.
    visit : table `visit`
        Of one source: from pings, or ready-made with times.
    observed_days : Series of Date
        Operating days on which the source reported at all. On other days nothing is known.
    add_interval : bool
        Whether a visit lasts `dwell_s`, which adds what pings do not show, or `seen_s`, from
        below; both from its arrival.
    target_minutes : float or None
        Minutes to hold every window against instead of its own; None: as tasked.
    visible_share : float
        Share of the time in the place that has to be on foot and outside premises (`visible_s`)
        for a visit to be evidence of a visible patrol. No default: a car stops at lights, too.
    log_tolerance_s : float
        How far outside the window a log may lie and still be of it.
    logs, stated : DataFrame or None
        Tables `patrol_log` and `delivered` with `visible`, as `activities.with_classes` gives
        them: an activity on foot is evidence. Logs also decide level 5.

    Returns
    -------
    table `attendance`
        One row per task, sorted by start of the window, place and task. An error of minutes is
        that of the ends of stays which lie in the window.
    """
    source = "pings" if visit.is_empty() or (visit["source"] == "pings").any() else "visits"
    tasks = _tasks(tasking, target_minutes).with_columns(
        source=pl.lit(source), observed=pl.col("operating_day").is_in(observed_days.to_list())
    )
    held = pl.concat(
        _in_place(part, visit.filter(pl.col("hotspot_id") == place), add_interval, visible_share)
        for (place,), part in _by_place(tasks)
    )
    held = _with_claims(held, logs, log_tolerance_s, stated)
    evidence = bool(visit["visible_s"].is_not_null().any()) or any(
        table is not None and table["visible"].is_not_null().any() for table in (logs, stated)
    )
    return _levels(held.with_columns(_usual_interval(visit)), evidence=evidence)


def attendance_by_day(
    tasking: pl.DataFrame,
    minutes: pl.DataFrame,
    *,
    source: str,
    target_minutes: float | None,
    log_tolerance_s: float,
    logs: pl.DataFrame | None,
) -> pl.DataFrame:
    """
    Hold tasked windows against minutes stated for whole days: only level 2 can be known.

    Parameters
    ----------
    tasking : table `tasking`
    minutes : DataFrame
        `place_id`, `operating_day`, `minutes`, as `minutes.stated_minutes` gives them. A place and
        day without a row is not known; it is not zero.
    source : str
        dwell or hours.
    target_minutes, log_tolerance_s, logs
        As for `attendance`.

    Returns
    -------
    table `attendance`
    """
    stated = minutes.select(
        "operating_day", hotspot_id="place_id", minutes_in_day=pl.col("minutes").cast(pl.Float64)
    )
    tasks = _tasks(tasking, target_minutes).join(
        stated, on=["hotspot_id", "operating_day"], how="left", maintain_order="left"
    )
    held = tasks.with_columns(
        *(
            pl.lit(None, dtype=pl.Float64).alias(name)
            for name in (
                "minutes_in_window",
                "minutes_in_window_sd",
                "minutes_in_day_sd",
                "longest_visit_minutes",
                "interval_s",
            )
        ),
        source=pl.lit(source),
        observed=pl.col("minutes_in_day").is_not_null(),
        visible=pl.lit(None, dtype=pl.Boolean),
        touched=pl.lit(None, dtype=pl.Boolean),
        day_touched=pl.col("minutes_in_day") > 0,
    )
    return _levels(_with_claims(held, logs, log_tolerance_s, None), evidence=False)


def _tasks(tasking: pl.DataFrame, target_minutes: float | None) -> pl.DataFrame:
    """Tasks with the microseconds of their window, and of their day and window together."""
    target = pl.col("target_minutes") if target_minutes is None else pl.lit(float(target_minutes))
    start = pl.col("operating_day").dt.combine(pl.time(6))
    following = pl.col("operating_day").dt.offset_by("1d").dt.combine(pl.time(6))

    def at_six(local: pl.Expr) -> pl.Expr:
        return to_utc(local, time_zone=LOCAL_ZONE, ambiguous="earliest")

    last = pl.max_horizontal("window_from", "window_to")
    return (
        tasking.select(
            "task_id", "hotspot_id", "window_from", "window_to", "cancelled", "randomised",
            operating_day=operating_day(pl.col("window_from")),
            target_minutes=target,
            reason=pl.coalesce("cancel_reason", "missed_reason"),
        )
        .with_columns(
            first_us=pl.col("window_from").dt.epoch("us"),
            last_us=last.dt.epoch("us"),
            day_first_us=pl.min_horizontal("window_from", at_six(start)).dt.epoch("us"),
            day_last_us=pl.max_horizontal(last, at_six(following)).dt.epoch("us"),
        )
    )  # fmt: skip


def _by_place(tasks: pl.DataFrame) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    if tasks.is_empty():
        return [(("",), tasks)]
    return sorted(tasks.group_by("hotspot_id", maintain_order=True), key=lambda part: str(part[0]))


@dataclass(frozen=True)
class _Edges:
    """Ends of stays in order of time, with the running sum of their variance."""

    at: Moments
    sums: Numbers
    unknown: NDArray[np.int64]

    @staticmethod
    def of(stays: Joined) -> "_Edges":
        at = np.concatenate([stays.starts, stays.ends])
        variance = np.concatenate([stays.start_variance, stays.end_variance]) / 2
        order = np.argsort(at, kind="stable")
        known = np.where(np.isfinite(variance[order]), variance[order], 0.0)
        lost = ~np.isfinite(variance[order])
        return _Edges(
            at[order], np.r_[0.0, np.cumsum(known)], np.r_[0, np.cumsum(lost)].astype(np.int64)
        )

    def minutes_sd(self, first: Moments, last: Moments) -> pl.Series:
        """Standard deviation from the ends between two moments; null where one is not known."""
        low = np.searchsorted(self.at, first, side="left")
        high = np.maximum(np.searchsorted(self.at, last, side="right"), low)
        # Differences of running sums may fall a hair below zero.
        variance = np.maximum(self.sums[high] - self.sums[low], 0.0)
        dark = self.unknown[high] > self.unknown[low]
        return pl.Series(np.where(dark, np.nan, np.sqrt(variance) / 60)).fill_nan(None)


def _in_place(
    tasks: pl.DataFrame, visit: pl.DataFrame, add_interval: bool, visible_share: float
) -> pl.DataFrame:
    here = _presence(visit, add_interval)
    stays = joined(here)
    present, edges = Stretches(stays.starts, stays.ends), _Edges.of(stays)
    first, last = tasks["first_us"].to_numpy(), tasks["last_us"].to_numpy()
    day = tasks["day_first_us"].to_numpy(), tasks["day_last_us"].to_numpy()
    return tasks.with_columns(
        touched=pl.Series(present.touched(first, last), dtype=pl.Boolean),
        day_touched=pl.Series(present.touched(*day), dtype=pl.Boolean),
        minutes_in_window=pl.Series(present.seconds_within(first, last) / 60, dtype=pl.Float64),
        minutes_in_window_sd=edges.minutes_sd(first, last).cast(pl.Float64),
        minutes_in_day=pl.Series(present.seconds_within(*day) / 60, dtype=pl.Float64),
        minutes_in_day_sd=edges.minutes_sd(*day).cast(pl.Float64),
        **_visits_in_windows(visit, here, first, last, visible_share),
    )


def _presence(visit: pl.DataFrame, add_interval: bool) -> Presence:
    """Stays from arrival, as long as the visit is taken to be."""
    lasted_s = pl.col("dwell_s" if add_interval else "seen_s")
    known = visit.select(
        lasted_us=(lasted_s * 1e6).round().cast(pl.Int64),
        variance=(pl.col("dwell_sd_s") ** 2).fill_null(float("inf")),
        visible=(pl.col("visible_s") / pl.col("dwell_s")).fill_null(float("nan")),
    )
    nobody = np.full(visit.height, np.nan)
    return Presence(
        place=np.zeros(visit.height, dtype=np.int64),
        starts=moments(visit["arrived_at"]),
        ends=moments(visit["arrived_at"]) + known["lasted_us"].to_numpy(),
        people=nobody,
        vehicles=np.zeros(visit.height),
        visible=known["visible"].to_numpy(),
        variance=known["variance"].to_numpy(),
    )


def _visits_in_windows(
    visit: pl.DataFrame, here: Presence, first: Moments, last: Moments, visible_share: float
) -> dict[str, pl.Series]:
    """Longest visit that touches each window, and whether those visits were seen on foot."""
    task, stay = overlapping(first, last, here.starts, here.ends)
    dwell_s = visit["dwell_s"].to_numpy()
    visible_s = visit["visible_s"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    longest = np.zeros(first.size)
    np.maximum.at(longest, task, dwell_s[stay] / 60)
    known = np.isfinite(visible_s[stay])
    inside = np.bincount(task[known], dwell_s[stay][known], first.size)
    on_foot = np.bincount(task[known], visible_s[stay][known], first.size)
    seen = (on_foot > 0) & (on_foot >= visible_share * inside)
    return {
        "longest_visit_minutes": pl.Series(longest, dtype=pl.Float64),
        "visible": pl.Series(seen, dtype=pl.Boolean),
    }


def _with_claims(
    tasks: pl.DataFrame,
    logs: pl.DataFrame | None,
    tolerance_s: float,
    stated: pl.DataFrame | None,
) -> pl.DataFrame:
    """Count the logs that touch each window; what logs and statements say is evidence, too."""
    tasks = tasks.sort("window_from", "hotspot_id", "task_id")
    none = pl.lit(None, dtype=pl.Int64)
    if logs is None:
        counted = tasks.with_columns(logs=none, logs_completed=none)
    else:
        whole = logs["ended_at"].is_not_null() & logs["activity"].is_not_null()
        counted = tasks.with_columns(
            logs=_touching(tasks, logs, tolerance_s),
            logs_completed=_touching(tasks, logs.filter(whole), tolerance_s),
        )
    for table, slack_s in ((logs, tolerance_s), (stated, 0.0)):
        if table is not None:
            shown = table.filter(pl.col("visible"), pl.col("started_at").is_not_null())
            counted = counted.with_columns(
                pl.col("visible") | (_touching(tasks, shown, slack_s) > 0)
            )
    return counted


def _touching(tasks: pl.DataFrame, claims: pl.DataFrame, tolerance_s: float) -> pl.Series:
    """Number of claims of the place that touch each window."""
    slack = round(tolerance_s * 1e6)
    ended = pl.max_horizontal("started_at", pl.col("ended_at").fill_null(pl.col("started_at")))
    claimed = claims.select("hotspot_id", "started_at", ended_at=ended)
    found = np.zeros(tasks.height, dtype=np.int64)
    where = tasks.select("hotspot_id", "first_us", "last_us").with_row_index("task")
    for (place,), part in where.group_by("hotspot_id"):
        there = claimed.filter(pl.col("hotspot_id") == place)
        task, _ = overlapping(
            part["first_us"].to_numpy() - slack,
            part["last_us"].to_numpy() + slack,
            moments(there["started_at"]),
            moments(there["ended_at"]),
        )
        found[part["task"].to_numpy()] = np.bincount(task, minlength=part.height)
    return pl.Series(found, dtype=pl.Int64)


def _usual_interval(visit: pl.DataFrame) -> pl.Expr:
    by_device = visit.group_by("device_id").agg(pl.col("interval_s").median())
    return pl.lit(by_device["interval_s"].median(), dtype=pl.Float64).alias("interval_s")


def _levels(held: pl.DataFrame, *, evidence: bool) -> pl.DataFrame:
    long_enough = pl.col("minutes_in_window") >= pl.col("target_minutes")
    day_enough = pl.col("minutes_in_day") >= pl.col("target_minutes")
    levelled = held.with_columns(
        visible=pl.col("visible") if evidence else pl.lit(None, dtype=pl.Boolean),
        level_1=pl.col("touched"),
        # A target of no minutes is met by being there.
        level_2=pl.col("day_touched") & day_enough,
        level_3=pl.col("touched") & long_enough,
    ).with_columns(
        level_4=pl.when(pl.col("visible").is_not_null()).then(
            pl.col("level_3") & pl.col("visible")
        )
    ).with_columns(
        level_5=pl.when(pl.col("logs").is_not_null(), pl.col("level_4").is_not_null()).then(
            pl.col("level_4") & (pl.col("logs_completed") > 0)
        ),
        level_2_uncertain=_near("minutes_in_day"),
        level_3_uncertain=_near("minutes_in_window"),
    )  # fmt: skip
    measured = [
        "minutes_in_window", "minutes_in_window_sd", "minutes_in_day", "minutes_in_day_sd",
        "longest_visit_minutes", "visible", *LEVELS, "level_2_uncertain", "level_3_uncertain",
    ]  # fmt: skip
    blanked = levelled.with_columns(pl.when("observed").then(name).alias(name) for name in measured)
    return Attendance.validate(
        blanked.select(Attendance.column_names()).sort("window_from", "hotspot_id", "task_id"),
        cast=True,
    )


def _near(minutes: str) -> pl.Expr:
    """Whether the target lies within one standard deviation; what has no error is not near."""
    error = pl.col(f"{minutes}_sd")
    away = (pl.col(minutes) - pl.col("target_minutes")).abs()
    return (away <= error) & (error > 0)
