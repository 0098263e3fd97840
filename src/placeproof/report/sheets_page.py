"""One page of the sheets: a hot spot's week in words and drawings, before it has a format."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from placeproof.report import sheets_drawings as drawings
from placeproof.report.numbers import NARROW
from placeproof.report.sheets_contents import SheetContents
from placeproof.report.sheets_words import (
    NOT_SUPPLIED,
    STATE_WORDS,
    WEEKDAYS,
    Row,
    again,
    day_words,
    figure,
    headline,
    stands_out,
    week_words,
)

MOST_WINDOWS = 9
"""Windows listed on a page; further ones are counted."""
LEVELS = (0.0, 15.0, 30.0, 60.0)
"""Minutes above which a day of the calendar is shaded darker: 0, a visit, two, four."""
_LONGEST_REASON = 60


@dataclass(frozen=True)
class Listed:
    """A window that was not kept."""

    day: str
    hours: str
    asked: str
    there: str
    state: str
    again: str
    reason: str


@dataclass(frozen=True)
class Cell:
    """A day or band of hours: its minutes, how dark it is (-1: not supplied), a missed window."""

    words: str
    shade: int
    missed: bool = False


@dataclass(frozen=True)
class Shading:
    """A table of shaded cells."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    now: int
    """Row of the printed week; -1: none."""


@dataclass(frozen=True)
class Page:
    """Everything that stands on one sheet, in words."""

    place_id: str
    name: str
    town: str
    week: date
    week_words: str
    headline: str
    stands_out: str
    measures: tuple[tuple[str, str, str, str], ...]
    windows: tuple[Listed, ...]
    windows_words: str
    calendar: Shading
    bands: Shading | None
    histogram: str
    histogram_words: str
    drawing: str
    drawing_words: str
    crimes: tuple[tuple[str, str, str, str], ...]
    source: str


class Sheets:
    """Pages of one hot spot, week by week; what is the same in all weeks is made once."""

    def __init__(self, contents: SheetContents, hotspot_id: str) -> None:
        self.contents, self.id = contents, hotspot_id
        place = contents.places.row(by_predicate=pl.col("hotspot_id") == hotspot_id, named=True)
        self.name, self.town = str(place["name"]), str(place["town"] or "")
        self.weekly = {row["week"]: row for row in self._rows(contents.weekly)}
        self.changes = {row["week"]: row for row in self._rows(contents.changes)}
        self.windows: dict[date, list[Row]] = {}
        for row in self._rows(contents.windows):
            self.windows.setdefault(row["week"], []).append(row)  # type: ignore[arg-type]
        self.days = {r["operating_day"]: r["patrol_minutes"] for r in self._rows(contents.days)}
        self.missed = {
            row["operating_day"]
            for rows in self.windows.values()
            for row in rows
            if row["state"] == "missed"
        }
        bands = list(self._rows(contents.bands))
        self.bands = {(r["operating_day"], r["hours"]): r["patrol_minutes"] for r in bands}
        self.band_names = sorted({str(r["hours"]) for r in bands}, key=_band_order)
        self.lengths = _by_week(self._of(contents.visits), "dwell_s")
        self.reached = _by_week(self._of(contents.reached), "piece", week="period_start")
        self.shares = {row["period_start"]: row for row in self._rows(contents.shares)}
        self.lines = _by_week(self._of(contents.routes), "line")
        self.grounds: dict[int, drawings.Ground | None] = {}
        self.crimes: dict[str, dict[date, object]] = {}
        for row in self._rows(contents.crimes):
            self.crimes.setdefault(str(row["outcome_label"]), {})[row["week"]] = row["count"]  # type: ignore[index]

    def pages(self) -> Iterator[Page]:
        """One page per printed week, in order."""
        for week in self.contents.weeks:
            yield self._page(week)

    def _of(self, frame: pl.DataFrame | None) -> pl.DataFrame | None:
        return None if frame is None else frame.filter(pl.col("hotspot_id") == self.id)

    def _rows(self, frame: pl.DataFrame | None) -> Iterator[dict[str, object]]:
        own = self._of(frame)
        return iter(()) if own is None else own.iter_rows(named=True)

    def _page(self, week: date) -> Page:
        row = self.weekly.get(week, _NO_WEEK)
        change = self.changes.get(week, {"kind": "not_known", "times": None, "of": None})
        windows, words = self._listed(week, row)
        histogram, histogram_words = self._histogram(week, row)
        drawing, drawing_words = self._map(week)
        return Page(
            place_id=self.id,
            name=self.name,
            town=self.town,
            week=week,
            week_words=week_words(week),
            headline=headline(row),
            stands_out=stands_out(change, weeks_back=self.contents.weeks_back),
            measures=self._measures(week),
            windows=windows,
            windows_words=words,
            calendar=self._calendar(week),
            bands=self._bands(week),
            histogram=histogram,
            histogram_words=histogram_words,
            drawing=drawing,
            drawing_words=drawing_words,
            crimes=self._crimes(week),
            source=self.contents.source.get(self.id, "Presence is not supplied."),
        )

    def _measures(self, week: date) -> tuple[tuple[str, str, str, str], ...]:
        now = self.weekly.get(week, _NO_WEEK)
        last = self.weekly.get(week - timedelta(weeks=1), _NO_WEEK)
        earlier = [
            self.weekly.get(week - timedelta(weeks=n), _NO_WEEK)
            for n in range(1, self.contents.weeks_shown)
        ]
        made = []
        for name, words, unit in _MEASURES:
            given = [row[name] for row in earlier if row[name] is not None]
            if now[name] is None and not given and name not in _ALWAYS:
                continue
            mean = sum(float(str(value)) for value in given) / len(given) if given else None
            made.append(
                (words, figure(now[name], unit=unit), figure(last[name], unit=unit),
                 figure(mean, unit=unit))
            )  # fmt: skip
        return tuple(made)

    def _listed(self, week: date, row: Row) -> tuple[tuple[Listed, ...], str]:
        rows = [r for r in self.windows.get(week, []) if r["state"] != "kept"]
        if row["asked"] is None:
            return (), "What was asked for is not supplied for this week."
        if not row["asked"]:
            return (), "No window was asked for in this week."
        if not rows:
            return (), "Every window was kept."
        listed = rows
        if len(rows) > MOST_WINDOWS:
            urgent = sorted(
                rows, key=lambda r: (_URGENCY[str(r["state"])], -int(str(r["in_a_row"])))
            )
            chosen = {id(r) for r in urgent[:MOST_WINDOWS]}
            listed = [r for r in rows if id(r) in chosen]
        more = len(rows) - len(listed)
        words = f"{more} more windows were not kept." if more else ""
        return tuple(_listed(r) for r in listed), words

    def _calendar(self, week: date) -> Shading:
        rows = []
        for n in reversed(range(self.contents.weeks_shown)):
            monday = week - timedelta(weeks=n)
            cells = tuple(self._day(monday + timedelta(days=d)) for d in range(7))
            rows.append((f"{monday.day} {monday:%b}", cells))
        head = ("Week of", *(name[:3] for name in WEEKDAYS))
        return Shading(head, tuple(rows), now=len(rows) - 1)

    def _day(self, day: date) -> Cell:
        return _cell(self.days.get(day), missed=day in self.missed)

    def _bands(self, week: date) -> Shading | None:
        days = [week + timedelta(days=d) for d in range(7)]
        if not self.band_names or not any(
            (d, b) in self.bands for d in days for b in self.band_names
        ):
            return None
        rows = tuple(
            (
                WEEKDAYS[d.weekday()][:3],
                tuple(_cell(self.bands.get((d, b))) for b in self.band_names),
            )
            for d in days
        )
        return Shading(("", *(_band_words(b) for b in self.band_names)), rows, now=-1)

    def _histogram(self, week: date, row: Row) -> tuple[str, str]:
        if row["visits"] is None:
            return "", "Visits are not supplied for this week."
        now = self._minutes(week)
        before = np.concatenate(
            [self._minutes(week - timedelta(weeks=n)) for n in range(1, self.contents.weeks_back)]
        )
        target = self.contents.target_minutes
        long = int((now >= target).sum())
        visits = "visit" if len(now) == 1 else "visits"
        words = (
            f"{long} of {len(now)} {visits} lasted at least {target:g} minutes."
            if len(now)
            else "There was no visit in this week."
        )
        return drawings.histogram(now, before, target_minutes=target), words

    def _minutes(self, week: date) -> NDArray[np.float64]:
        lengths = self.lengths.get(week)
        return np.zeros(0) if lengths is None else lengths.astype(np.float64) / 60

    def _map(self, week: date) -> tuple[str, str]:
        share = self.shares.get(week)
        version = self._version(week) if share is None else int(str(share["version"]))
        ground = self._ground(version)
        if ground is None:
            return "", "The outline is not supplied."
        if share is None:
            empty = np.zeros(0, dtype=np.int64)
            bare = drawings.map_of(ground, reached=empty, earlier=empty, lines=())
            return bare, "Routes are not supplied for this week."
        reached = self.reached.get(week, np.zeros(0, dtype=np.int64)).astype(np.int64)
        looked = [
            self.reached[monday]
            for n in range(1, self.contents.weeks_back)
            if (monday := week - timedelta(weeks=n)) in self.reached
            and int(str(self.shares[monday]["version"])) == version
        ]
        before = np.unique(np.concatenate(looked)) if looked else np.zeros(0, dtype=np.int64)
        earlier = np.setdiff1d(before, reached).astype(np.int64)
        lines = self.lines.get(week)
        made = drawings.map_of(
            ground, reached=reached, earlier=earlier, lines=[] if lines is None else lines.tolist()
        )
        of = "street length" if share["of"] == "streets" else "area"
        per_cent = round(100 * float(str(share["share"])))
        near = f"{self.contents.reach_m:g} m"
        return made, f"Routes of this week came within {near} of {per_cent}{NARROW}% of the {of}."

    def _version(self, week: date) -> int:
        """The version of the last day of the week; else the newest."""
        day = week + timedelta(days=6)
        own = self.contents.outlines.filter(pl.col("hotspot_id") == self.id).sort("version")
        held = own.filter(
            pl.col("valid_from") <= day, pl.col("valid_to").is_null() | (pl.col("valid_to") >= day)
        )
        rows = held if held.height else own
        return int(rows["version"][-1]) if rows.height else 0

    def _ground(self, version: int) -> drawings.Ground | None:
        if version not in self.grounds:
            self.grounds[version] = self._drawn_ground(version)
        return self.grounds[version]

    def _drawn_ground(self, version: int) -> drawings.Ground | None:
        own = pl.col("hotspot_id") == self.id
        shape = self.contents.outlines.filter(own, pl.col("version") == version)["geometry"]
        if not len(shape) or shape[0] is None:
            return None
        outline = shapely.from_wkb(shape[0])
        pieces = self.contents.pieces
        if pieces is None:
            return drawings.Ground(outline, None, streets=False)
        mine = pieces.filter(own, pl.col("version") == version).sort("piece")
        corners = mine.select(pieces.columns[5:]).to_numpy() if mine.height else None
        streets = bool(mine.height) and mine["of"][0] == "streets"
        return drawings.Ground(outline, corners, streets=streets)

    def _crimes(self, week: date) -> tuple[tuple[str, str, str, str], ...]:
        made = []
        for label, by_week in self.crimes.items():
            earlier = [
                value
                for n in range(1, self.contents.weeks_shown)
                if (value := by_week.get(week - timedelta(weeks=n))) is not None
            ]
            mean = sum(float(str(v)) for v in earlier) / len(earlier) if earlier else None
            made.append(
                (label, figure(by_week.get(week)), figure(by_week.get(week - timedelta(weeks=1))),
                 NOT_SUPPLIED if mean is None else f"{mean:.1f}")
            )  # fmt: skip
        return tuple(made)


_MEASURES = (
    ("asked", "Windows asked for", ""),
    ("level_1", "… attended", ""),
    ("level_3", "… for long enough", ""),
    ("level_4", "… and on foot", ""),
    ("level_5", "… and logged", ""),
    ("cancelled", "Windows cancelled", ""),
    ("minutes_asked", "Minutes asked for", "min"),
    ("minutes_in_windows", "… given in windows", "min"),
    ("patrol_minutes", "Minutes patrolled in all", "min"),
    ("person_minutes", "Minutes of all officers", "min"),
    ("visits", "Visits", ""),
    ("median_visit_minutes", "Median visit", "min"),
)
_ALWAYS = {"asked", "level_1", "patrol_minutes", "visits"}
_NO_WEEK: dict[str, object] = dict.fromkeys(
    [*(name for name, _, _ in _MEASURES), "kept", "short", "missed", "not_known"]
)
_URGENCY = {"missed": 0, "short": 1, "cancelled": 2, "not_known": 3}


def _listed(row: Row) -> Listed:
    reason = str(row["reason"] or "")
    day = row["operating_day"]
    assert isinstance(day, date)
    return Listed(
        day=day_words(day),
        hours=f"{row['starts']}–{row['ends']}",
        asked=figure(row["target_minutes"]),
        there=_there(row),
        state=STATE_WORDS[str(row["state"])],
        again=again(int(str(row["in_a_row"]))),
        reason=reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…",
    )


def _there(row: Row) -> str:
    """Whole minutes, never rounded up to what was asked for where that was not reached."""
    minutes = row["minutes"]
    if not isinstance(minutes, int | float):
        return "–"
    return figure(math.floor(minutes) if row["state"] == "short" else minutes)


def _cell(minutes: object, *, missed: bool = False) -> Cell:
    if not isinstance(minutes, int | float):
        return Cell("–", -1, missed)
    return Cell(str(round(minutes)), sum(minutes > level for level in LEVELS), missed)


def _by_week(
    frame: pl.DataFrame | None, column: str, *, week: str = "week"
) -> dict[date, NDArray[np.generic]]:
    if frame is None or frame.is_empty():
        return {}
    return {
        key[0]: part[column].to_numpy() for key, part in frame.group_by(week, maintain_order=True)
    }


def _band_order(name: str) -> tuple[int, str]:
    start = name.removeprefix("band:").split("-")[0]
    hour = int(start) if start.isdigit() else 99
    return (hour - 6) % 24 if hour < 24 else 99, name


def _band_words(name: str) -> str:
    return name.removeprefix("band:").replace("-", "–")
