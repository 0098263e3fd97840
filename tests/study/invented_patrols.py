"""Invented tables of a run, as the patrol rooms make them: no data and no place behind them."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import shapely

from placeproof.calendar import to_utc
from placeproof.patrols.hours import BANDS
from placeproof.tables import Attendance, Dose, Hotspot, Route
from placeproof.tables.contract import Table

FIRST = date(2021, 8, 2)
REASONS = ("No officers", "Priority incident", "Event elsewhere", "Weather")
NAMES = ("Clock Square", "Mill Lane", "Station Approach", "Haymarket", "Canal Basin", "Castle Gate")
MANIFEST = {
    "study": {"name": "An invented study", "force": "Inventshire Police", "cut_off": "2024-08-04"},
    "stamp": "Exploratory: the plan is not locked",
    "lock": {"state": "exploratory"},
}


def run_tables(*, places: int, weeks: int, seed: int = 1) -> dict[str, pl.DataFrame]:
    """
    Make the tables that sheets read.

    Parameters
    ----------
    places, weeks : int
        Hot spots, and weeks from the first Monday on.
    seed : int

    Returns
    -------
    dict
        `hotspot`, `attendance`, `dose`, `visit` (what sheets read of it) and `route`.
    """
    rng = np.random.default_rng(seed)
    hotspots = _hotspots(places)
    tasks = _tasks(places, weeks, rng)
    return {
        "hotspot": hotspots,
        "attendance": _attendance(tasks),
        "dose": _dose(tasks, places, weeks, rng),
        "visit": _visits(tasks),
        "route": _routes(tasks, hotspots, rng),
    }


def frame(table: type[Table], columns: dict[str, object]) -> pl.DataFrame:
    """Columns to a valid table; absent ones are null."""
    schema = {name: column.dtype for name, column in table.columns().items()}
    made = pl.DataFrame(columns)
    rest = [pl.lit(None, dtype=kind).alias(n) for n, kind in schema.items() if n not in columns]
    return table.validate(made.with_columns(rest).select(list(schema)), cast=True)


def _hotspots(places: int) -> pl.DataFrame:
    rows = []
    for n in range(places):
        west, south = 458_000.0 + 700 * (n % 6), 304_000.0 + 700 * (n // 6)
        lean = 20 + 10 * (n % 4)
        corners = [(0, lean), (150, 0), (200, 70), (170, 190), (40, 200 - lean), (0, lean)]
        outline = shapely.Polygon([(west + x, south + y) for x, y in corners])
        rows.append(
            {
                "hotspot_id": f"H{n + 1:02d}",
                "version": 1,
                "name": NAMES[n % len(NAMES)]
                + ("" if n < len(NAMES) else f" {n // len(NAMES) + 1}"),
                "town": "Northmere",
                "kind": "nte",
                "valid_from": FIRST,
                "geometry": shapely.to_wkb(outline),
                "area_m2": outline.area,
                "centre_easting_m": outline.centroid.x,
                "centre_northing_m": outline.centroid.y,
                "source_sha256": "0" * 64,
                "source_row": n + 2,
            }
        )
    schema = {name: column.dtype for name, column in Hotspot.columns().items()}
    full = [{name: row.get(name) for name in schema} for row in rows]
    return Hotspot.validate(pl.DataFrame(full, schema=schema), cast=True)


def _tasks(places: int, weeks: int, rng: np.random.Generator) -> pl.DataFrame:
    """Windows with what came of them; Friday 20:00 is missed more often than others."""
    slots = [(d, 14) for d in range(7)] + [(4, 20), (5, 20), (4, 23), (5, 23)]
    rows = []
    for place in range(places):
        for week in range(weeks):
            for weekday, hour in slots:
                rows.append((place, FIRST + timedelta(weeks=week, days=weekday), hour))
    tasks = pl.DataFrame(rows, schema=["place", "day", "hour"], orient="row")
    n = tasks.height
    fridays = ((tasks["day"].dt.weekday() == 5) & (tasks["hour"] == 20)).to_numpy()
    cancelled = rng.random(n) < 0.06
    attended = ~cancelled & (rng.random(n) < np.where(fridays, 0.45, 0.88))
    dwell = np.where(attended, np.clip(rng.normal(17, 6, n), 2, 70), 0.0)
    local = pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours=pl.col("hour"))
    start = to_utc(local, time_zone="Europe/London", ambiguous="earliest")
    return (
        tasks.with_columns(
            hotspot_id=pl.format("H{}", (pl.col("place") + 1).cast(pl.String).str.zfill(2)),
            window_from=start,
            cancelled=pl.Series(cancelled),
            attended=pl.Series(attended),
            minutes=pl.Series(dwell.round(1)),
            late_s=pl.Series((rng.random(n) * 3600).round()),
            reason=pl.Series(np.array(REASONS)[rng.integers(0, 4, n)]),
            said=pl.Series(rng.random(n) < 0.4),
            foot=pl.Series(rng.random(n) < 0.8),
            logged=pl.Series(rng.random(n) < 0.85),
        )
        .with_columns(arrived_at=pl.col("window_from") + pl.duration(seconds=pl.col("late_s")))
        .sort("hotspot_id", "window_from")
    )


def _attendance(tasks: pl.DataFrame) -> pl.DataFrame:
    long = pl.col("minutes") >= 15
    made = tasks.select(
        "hotspot_id",
        "window_from",
        "cancelled",
        task_id=pl.format("T{}", pl.int_range(pl.len())),
        operating_day="day",
        window_to=pl.col("window_from") + pl.duration(hours=2),
        target_minutes=pl.lit(15.0),
        reason=pl.when(pl.col("cancelled") | (~pl.col("attended") & pl.col("said"))).then("reason"),
        source=pl.lit("pings"),
        observed=pl.lit(value=True),
        minutes_in_window="minutes",
        minutes_in_day="minutes",
        longest_visit_minutes="minutes",
        level_1="attended",
        level_2=long,
        level_3=pl.col("attended") & long,
        level_4=long & pl.col("foot"),
        level_5=long & pl.col("foot") & pl.col("logged"),
        logs=pl.col("logged").cast(pl.Int64),
    )
    return frame(Attendance, made.to_dict())


def _dose(tasks: pl.DataFrame, places: int, weeks: int, rng: np.random.Generator) -> pl.DataFrame:
    day = pl.DataFrame({"day": [FIRST + timedelta(days=n) for n in range(7 * weeks)]})
    ids = pl.DataFrame({"hotspot_id": [f"H{n + 1:02d}" for n in range(places)]})
    grid = ids.join(day, how="cross")
    by = pl.col("hour").replace_strict({14: "band:14-18", 20: "band:18-22", 23: "band:22-02"})
    got = (
        tasks.with_columns(hours=by)
        .group_by("hotspot_id", "day", "hours")
        .agg(pl.col("minutes").sum(), visits=pl.col("attended").sum())
    )
    beside = pl.Series(np.where(rng.random(grid.height) < 0.3, rng.gamma(2, 6, grid.height), 0.0))
    extra = grid.with_columns(
        hours=pl.lit("band:10-14"), minutes=beside.round(1), visits=(beside > 0).cast(pl.UInt32)
    )
    bands = pl.DataFrame({"hours": [f"band:{name}" for name in BANDS]})
    every = (
        grid.join(bands, how="cross")
        .join(
            pl.concat([got, extra.select(got.columns)]),
            on=["hotspot_id", "day", "hours"],
            how="left",
        )
        .with_columns(pl.col("minutes", "visits").fill_null(0))
    )
    total = every.group_by("hotspot_id", "day").agg(
        pl.col("minutes", "visits").sum(), hours=pl.lit("all").first()
    )
    whole = pl.concat([total.select(every.columns), every])
    silent = whole["day"].is_between(date(2022, 3, 7), date(2022, 3, 20))
    whole = whole.filter(~silent)
    return frame(
        Dose,
        {
            "hotspot_id": whole["hotspot_id"],
            "operating_day": whole["day"],
            "hours": whole["hours"],
            "source": ["pings"] * whole.height,
            "minutes_in_hours": np.where(whole["hours"] == "all", 1440.0, 240.0),
            "patrol_minutes": whole["minutes"],
            "person_minutes": whole["minutes"] * 1.6,
            "visible_minutes": whole["minutes"] * 0.7,
            "visits": whole["visits"].cast(pl.Int64),
        },
    ).sort("hotspot_id", "operating_day", "hours")


def _visits(tasks: pl.DataFrame) -> pl.DataFrame:
    there = tasks.filter("attended")
    return there.select(
        "hotspot_id", "arrived_at", dwell_s=pl.col("minutes") * 60, source=pl.lit("pings")
    )


def _routes(tasks: pl.DataFrame, hotspots: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    there = tasks.filter("attended")
    steps, n = 18, there.height
    turn = np.cumsum(rng.normal(0, 0.5, (n, steps)), axis=1) + rng.uniform(0, 6.3, n)[:, None]
    centre = hotspots.select("hotspot_id", "centre_easting_m", "centre_northing_m")
    placed = there.join(centre, on="hotspot_id", maintain_order="left")
    x = placed["centre_easting_m"].to_numpy()[:, None] - 30 + np.cumsum(14 * np.cos(turn), axis=1)
    y = placed["centre_northing_m"].to_numpy()[:, None] - 30 + np.cumsum(14 * np.sin(turn), axis=1)
    points = np.stack([x, y], axis=2).reshape(-1, 2)
    lines = shapely.linestrings(points, indices=np.repeat(np.arange(n), steps))
    outlines = shapely.buffer(shapely.from_wkb(np.array(hotspots["geometry"].to_list())), 30)
    whose = there["place"].to_numpy()
    shown = shapely.intersection(lines, outlines[whose])
    kept = shapely.length(shown) > 0
    return frame(
        Route,
        {
            "hotspot_id": there.filter(kept)["hotspot_id"],
            "arrived_at": there.filter(kept)["arrived_at"],
            "dwell_s": there.filter(kept)["minutes"] * 60,
            "pings": [steps] * int(kept.sum()),
            "length_m": shapely.length(shown[kept]),
            "line": [shapely.to_wkb(line) for line in shown[kept]],
        },
    )


def midnight(day: date) -> datetime:
    """Midnight of a day without a zone, for hand-made rows."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001
