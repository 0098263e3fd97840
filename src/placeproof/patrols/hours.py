"""Which hours of an operating day a moment belongs to: bands of four hours, night-time or other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.calendar import LOCAL_ZONE, NTE_PRESETS, nte_intervals
from placeproof.patrols.stretches import Moments, moments

BANDS: tuple[str, ...] = ("06-10", "10-14", "14-18", "18-22", "22-02", "02-06")
"""Bands of an operating day in local time; together they are the whole day."""

_AXIS_ZERO = -date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Clock:
    """
    Time cut into cells wherever some hours begin or end.

    Attributes
    ----------
    hours : tuple of str
        all, nte:<preset>, other:<preset> and band:<from>-<to>, as table `dose` writes them.
    first, last : datetime.date
        Operating days that are covered.
    edges : array of int
        Edges of the cells in microseconds since 1970 (UTC): one more than there are cells.
    day : array of int
        Operating day of each cell, counted from `first`.
    member : array of bool
        Hours × cells: whether the cell belongs to the hours.
    """

    hours: tuple[str, ...]
    first: date
    last: date
    edges: Moments
    day: NDArray[np.int64]
    member: NDArray[np.bool_]

    @property
    def days(self) -> int:
        """Number of operating days."""
        return (self.last - self.first).days + 1

    def cut(self, starts: Moments, ends: Moments) -> tuple[NDArray[np.int64], ...]:
        """Stretch, cell and microseconds of each piece; what lies outside the days is left out."""
        low, high = np.maximum(starts, self.edges[0]), np.minimum(ends, self.edges[-1])
        from_cell = np.searchsorted(self.edges, low, side="right") - 1
        to_cell = np.searchsorted(self.edges, high, side="left") - 1
        stretch, cell = paired(from_cell, np.where(high > low, to_cell, from_cell - 1))
        spent = np.minimum(high[stretch], self.edges[cell + 1]) - np.maximum(
            low[stretch], self.edges[cell]
        )
        return stretch, cell, spent

    def cell_of(self, at: Moments) -> NDArray[np.int64]:
        """Cell in which each moment lies, -1 outside the days."""
        cell = np.searchsorted(self.edges, at, side="right") - 1
        return np.where((cell >= 0) & (cell < len(self.day)), cell, -1)

    def lengths(self) -> NDArray[np.float64]:
        """Microseconds of each day (rows) in each of the hours (columns)."""
        spent = np.diff(self.edges).astype(np.float64)
        return np.stack(
            [np.bincount(self.day, spent * held, self.days) for held in self.member], axis=1
        )

    def runs(self, index: int) -> tuple[Moments, Moments, NDArray[np.int64]]:
        """Unbroken stretches of some hours within a day: starts, ends and days."""
        held = self.member[index]
        same_day = np.r_[False, self.day[1:] == self.day[:-1]]
        begins = held & ~(np.r_[False, held[:-1]] & same_day)
        stops = held & ~(np.r_[held[1:], False] & np.r_[same_day[1:], False])
        return self.edges[:-1][begins], self.edges[1:][stops], self.day[begins]


@dataclass(frozen=True)
class Clocks:
    """The clock of every hot spot; those with events of their own have a clock of their own."""

    common: Clock
    own: dict[str, Clock]

    def of(self, hotspot_id: str) -> Clock:
        """The clock of one hot spot."""
        return self.own.get(hotspot_id, self.common)


def clocks(
    first: date,
    last: date,
    *,
    presets: Sequence[str],
    bands: bool,
    events: pl.DataFrame | None,
) -> Clocks:
    """
    Build the hours by which presence is counted, once for a whole run.

    Parameters
    ----------
    first, last : datetime.date
        First and last operating day of the data.
    presets : sequence of str
        Names in `calendar.NTE_PRESETS`; each gives its hours and all other hours.
    bands : bool
        Whether to count by bands of four hours, too.
    events : table `event`, or None
        Rows with `nte` true add their hours; those of one hot spot count there only.

    Returns
    -------
    Clocks

    Raises
    ------
    SettingsError
        If `last` is before `first`.
    KeyError
        If a preset is unknown.
    """
    common = _clock(first, last, presets, bands, events, None)
    if events is None or events.is_empty():
        return Clocks(common, {})
    placed = events.filter(pl.col("nte"), pl.col("hotspot_id").is_not_null())
    return Clocks(
        common,
        {
            place: _clock(first, last, presets, bands, events, place)
            for place in placed["hotspot_id"].unique().sort()
        },
    )


def hours_of(frame: pl.DataFrame, clocks: Clocks, *, at: str) -> pl.DataFrame:
    """
    Say of each row to which operating day and hours a moment of it belongs.

    Parameters
    ----------
    frame : DataFrame
        With `hotspot_id` and the moment.
    clocks : Clocks
    at : str
        Name of the column of moments.

    Returns
    -------
    DataFrame
        The rows, each as often as it has hours, with `operating_day` and `hours`; rows outside the
        days of the clocks are left out.
    """
    parts = [frame.clear().with_columns(operating_day=pl.lit(None, pl.Date), hours=pl.lit(""))]
    for clock, rows in by_clock(frame, clocks):
        cell = clock.cell_of(moments(rows[at]))
        parts += [
            _named(rows, np.flatnonzero((cell >= 0) & held[cell]), cell, clock, name)
            for name, held in zip(clock.hours, clock.member, strict=True)
        ]
    return pl.concat(parts)


def shares_of_hours(frame: pl.DataFrame, clocks: Clocks, *, starts: str, ends: str) -> pl.DataFrame:
    """
    Spread each row over the hours that its stretch of time touches.

    Parameters
    ----------
    frame : DataFrame
        With `hotspot_id` and two moments.
    clocks : Clocks
    starts, ends : str
        Names of the columns of moments. A stretch without length lies in the hours of its moment.

    Returns
    -------
    DataFrame
        One row for each row of `frame` and hours, with `operating_day` (that of the start),
        `hours` and `part`, the share of the stretch; parts of nte and other add up to 1.
    """
    parts = [
        frame.clear().with_columns(
            operating_day=pl.lit(None, pl.Date), hours=pl.lit(""), part=pl.lit(0.0)
        )
    ]
    for clock, rows in by_clock(frame, clocks):
        first = moments(rows[starts])
        last = np.maximum(moments(rows[ends]), first + 1)
        row, cell, spent = clock.cut(first, last)
        began = clock.cell_of(first)
        for name, held in zip(clock.hours, clock.member, strict=True):
            part = np.bincount(row, held[cell] * spent, rows.height) / (last - first)
            kept = np.flatnonzero((part > 0) & (began >= 0))
            parts.append(
                _named(rows, kept, began, clock, name).with_columns(part=pl.Series(part[kept]))
            )
    return pl.concat(parts)


def by_clock(frame: pl.DataFrame, clocks: Clocks) -> Iterator[tuple[Clock, pl.DataFrame]]:
    """
    Part rows by the clock of their hot spot.

    Parameters
    ----------
    frame : DataFrame
        With `hotspot_id`.
    clocks : Clocks

    Yields
    ------
    (Clock, DataFrame)
    """
    yield clocks.common, frame.filter(~pl.col("hotspot_id").is_in(list(clocks.own)))
    for place, clock in clocks.own.items():
        yield clock, frame.filter(pl.col("hotspot_id") == place)


def _named(
    rows: pl.DataFrame, kept: NDArray[np.int64], cell: NDArray[np.int64], clock: Clock, name: str
) -> pl.DataFrame:
    days = pl.Series(_AXIS_ZERO + clock.first.toordinal() + clock.day[cell[kept]], dtype=pl.Int32)
    return rows[kept].with_columns(operating_day=days.cast(pl.Date), hours=pl.lit(name))


def paired(
    first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Pair each row with every whole number from `first` to `last`.

    Parameters
    ----------
    first, last : array of int
        Both included; a row whose last is below its first has no pair.

    Returns
    -------
    two arrays of int
        Row and number, in order.
    """
    touched = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(first)), touched)
    within = np.arange(len(row)) - np.repeat(np.cumsum(touched) - touched, touched)
    return row, first[row] + within


def _clock(
    first: date,
    last: date,
    presets: Sequence[str],
    bands: bool,
    events: pl.DataFrame | None,
    place: str | None,
) -> Clock:
    nights = {
        preset: nte_intervals(
            NTE_PRESETS[preset], first=first, last=last, events=events, hotspot_id=place
        )
        for preset in presets
    }
    at_six = _local(first, last + timedelta(days=1), time(6))
    cuts = [at_six]
    if bands:
        cuts += [_local(first, last, time(hour)) for hour in (10, 14, 18, 22)]
        cuts.append(_local(first + timedelta(days=1), last + timedelta(days=1), time(2)))
    band_edges = np.unique(np.concatenate(cuts))
    for night in nights.values():
        cuts += [moments(night["starts_at"]), moments(night["ends_at"])]
    edges = np.unique(np.concatenate(cuts))
    cells = edges[:-1]
    names, member = ["all"], [np.ones(len(cells), dtype=np.bool_)]
    for preset, night in nights.items():
        inside = _inside(cells, moments(night["starts_at"]), moments(night["ends_at"]))
        names += [f"nte:{preset}", f"other:{preset}"]
        member += [inside, ~inside]
    if bands:
        band = (np.searchsorted(band_edges, cells, side="right") - 1) % len(BANDS)
        names += [f"band:{name}" for name in BANDS]
        member += [band == number for number in range(len(BANDS))]
    day = np.searchsorted(at_six, cells, side="right") - 1
    return Clock(tuple(names), first, last, edges, day.astype(np.int64), np.stack(member))


def _local(first: date, last: date, at: time) -> Moments:
    # 02:00, 06:00, 10:00 … exist once on every day: London's clocks change between 01:00 and 02:00.
    local = pl.date_range(first, last, eager=True).dt.combine(at).dt.cast_time_unit("us")
    return moments(local.dt.replace_time_zone(LOCAL_ZONE).dt.convert_time_zone("UTC"))


def _inside(at: Moments, starts: Moments, ends: Moments) -> NDArray[np.bool_]:
    if not starts.size:
        return np.zeros(at.shape, dtype=np.bool_)
    before = np.searchsorted(starts, at, side="right") - 1
    return (before >= 0) & (at < ends[np.maximum(before, 0)])
