"""Where positions are: packed folders, exports and a table, and what is known without visits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from placeproof import calendar
from placeproof.errors import InputError, SettingsError
from placeproof.files import packed, position_sources
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.packed import Packed, Source
from placeproof.patrols.reported import Slots, reporting, united
from placeproof.study.exports import ANY_TIME
from placeproof.study.settings import Study

_TABLE = "table ping"
_POSITION = ("device_id", "at", "longitude_deg", "latitude_deg", "accuracy_m", "speed_m_s")


@dataclass(frozen=True)
class Positions:
    """
    Where positions are, and how those that are not packed map.

    Parameters
    ----------
    folders : tuple of Packed
        Packed folders; they may overlap.
    exports : tuple of Source
        Other files.
    spec : FeedSpec or None
        How the exports map; None where there are none.
    surroundings : Surroundings
        Positions after the cut-off are left out.
    table : table `ping` or None
        Positions that are in memory already.
    """

    folders: tuple[Packed, ...]
    exports: tuple[Source, ...]
    spec: FeedSpec | None
    surroundings: Surroundings
    table: pl.DataFrame | None = None

    @property
    def sources(self) -> list[Source]:
        """Every file, of exports every part that can be read by itself, and the table."""
        parts = (position_sources.parts_of(one, self.spec) for one in self.exports)
        files = [source for one in self.folders for source in one.sources]
        files += [part for some in parts for part in some]
        if self.table is None or self.table.is_empty():
            return files
        return [*files, Source(_TABLE, self.table.height, 24 * self.table.height, 10**6, -1, "")]

    @property
    def files(self) -> int:
        """How many files there are; the table counts as one."""
        some = self.table is not None and not self.table.is_empty()
        return sum(len(one.sources) for one in self.folders) + len(self.exports) + some

    @property
    def until_s(self) -> int | None:
        """From when on packed positions are left out; None where none are that late."""
        cut_off = self.surroundings.cut_off
        if cut_off == date.max or all(
            str(one.facts["last_at"]) < f"{cut_off}T" for one in self.folders
        ):
            return None
        return position_sources.until_s_of(cut_off)


def positions_in(
    paths: Sequence[Path], spec: FeedSpec | None, surroundings: Surroundings = ANY_TIME
) -> Positions:
    """
    Tell packed folders from exports.

    Parameters
    ----------
    paths : sequence of Path
        Packed folders, folders of packed folders, and exports.
    spec : FeedSpec or None
        How exports map; None where there are none.
    surroundings : Surroundings
        With the cut-off.

    Raises
    ------
    InputError
        If a path is not there, or a packed folder is not whole.
    """
    folders, exports = [], []
    for path in paths:
        if packed.is_packed(path):
            folders.append(packed.open_packed(path))
        elif path.is_dir():
            inner = sorted(one for one in path.iterdir() if packed.is_packed(one))
            inner = [one for one in inner if not one.name.startswith(".")]
            if not inner:
                raise InputError(
                    f"{path} is a folder without packed positions.",
                    mend="Name its files, or pack them: placeproof pack FILES --to FOLDER",
                )
            folders += [packed.open_packed(one) for one in inner]
        else:
            exports.append(position_sources.export_source(path))
    return Positions(tuple(folders), tuple(exports), spec, surroundings)


def positions_of_study(study: Study, pings: pl.DataFrame | None) -> Positions | None:
    """
    Find the packed feeds of a study.

    Parameters
    ----------
    study : Study
        Its feeds with format = "packed" name packed folders.
    pings : table `ping` or None
        What the study's other feeds of positions hold; they may overlap with the packed ones.

    Returns
    -------
    Positions or None
        None: the study has no packed feed, so table ping is all there is.

    Raises
    ------
    InputError
        If a packed folder is not whole.
    """
    paths = [path for spec in study.feeds if spec.format == "packed" for path in spec.paths]
    if not paths:
        return None
    surroundings = Surroundings(None, study.start, study.cut_off)
    return replace(positions_in(paths, None, surroundings), table=pings)


def reader_of(positions: Positions) -> tuple[Any, position_sources.ExportReader | None]:
    """
    What reads a source, and what counts the rows of exports.

    Parameters
    ----------
    positions : Positions
        What is to be read.
    """
    if positions.exports:
        if positions.spec is None:
            raise SettingsError("No mapping for the exports.", mend="Name their columns.")
        reader = position_sources.ExportReader(positions.spec, positions.surroundings)
        return reader, reader
    plain = position_sources.PackedReader(positions.until_s)
    if positions.table is not None:
        return position_sources.TableReader(plain, positions.table), None
    return (packed.read if positions.until_s is None else plain), None


def device_days_of(positions: Positions) -> pl.DataFrame | None:
    """
    On which operating days each device reported; None where some positions are not packed.

    Parameters
    ----------
    positions : Positions
        Packed folders, and a table.
    """
    if positions.exports or not positions.folders:
        return None
    late = positions.until_s is not None
    cut_off = positions.surroundings.cut_off if late else None
    days = position_sources.device_days(positions.folders, cut_off=cut_off)
    if positions.table is None:
        return days
    more = positions.table.group_by(
        "device_id", operating_day=calendar.operating_day(pl.col("at"))
    ).agg(pings=pl.len().cast(pl.Int64))
    return (
        pl.concat([days, more])
        .group_by("device_id", "operating_day")
        .agg(pl.col("pings").max())
        .sort("device_id", "operating_day")
    )


def facts_of(
    positions: Positions, counted: position_sources.ExportReader | None, engine: str
) -> dict[str, Any]:
    """
    How many positions were read, and by what.

    Parameters
    ----------
    positions : Positions
        What was read.
    counted : ExportReader or None
        That counted the rows of exports.
    engine : str
        Where the work ran.
    """
    held = 0 if positions.table is None else positions.table.height
    packed_rows = held + sum(int(one.facts["rows_packed"]) for one in positions.folders)
    rows_in = held + sum(int(one.facts["rows_in"]) for one in positions.folders)
    if counted is not None:
        rows_in += counted.rows_in
        packed_rows += counted.rows_in - counted.rows_left_out
    return {
        "engine": engine,
        "files": positions.files,
        "packed_folders": len(positions.folders),
        "rows_in": rows_in,
        "pings": packed_rows,
        "rows_left_out": rows_in - packed_rows,
    }


def reported_of(positions: Positions, *, slot_s: int) -> pl.DataFrame | None:
    """
    When each device reported anything: a light pass over devices and times alone.

    Parameters
    ----------
    positions : Positions
        Packed folders, and a table.
    slot_s : int
        A device that is silent for a whole slot of so many seconds was off, or out of reach.

    Returns
    -------
    DataFrame or None
        As `reported.reporting` gives it; None where some positions are not packed.
    """
    if positions.exports or not positions.folders:
        return None
    parts = [
        _reported_in(sources, slot_s, positions.until_s)
        for one in positions.folders
        for sources in _by_bucket(one)
    ]
    if positions.table is not None:
        parts.append(reporting(positions.table, slot_s=slot_s))
    return united(parts)


def _by_bucket(folder: Packed) -> list[list[Source]]:
    """All positions of a device lie in one bucket, so that one at a time is held."""
    made: dict[int, list[Source]] = {}
    for source in folder.sources:
        made.setdefault(source.bucket, []).append(source)
    return list(made.values())


def _reported_in(sources: list[Source], slot_s: int, until_s: int | None) -> pl.DataFrame:
    slots = Slots(slot_s)
    for source in sources:
        for table in packed.tables(source, ("device", "at")):
            device, at = (table[name].to_numpy() for name in ("device", "at"))
            if until_s is not None:
                early = at < until_s * source.ticks_per_second
                device, at = device[early], at[early]
            slots.add(device, at, ticks_per_second=source.ticks_per_second)
    return slots.stretches(packed.device_ids(sources[0].devices))


def by_device(positions: Positions, *, most: int) -> Iterator[pl.DataFrame]:
    """
    All positions of some devices at a time, whether they are packed, in the table, or in both.

    Parameters
    ----------
    positions : Positions
        Packed folders, and a table.
    most : int
        Packed positions at a time; does not change what is yielded in all.

    Yields
    ------
    DataFrame
        `device_id`, `at`, `longitude_deg`, `latitude_deg`, `accuracy_m`, `speed_m_s`.
    """
    rest = None if positions.table is None else positions.table.select(_POSITION)
    groups = position_sources.pings_by_device(
        positions.folders, most=most, until_s=positions.until_s
    )
    for pings in groups:
        if rest is not None:
            mine = pl.col("device_id").is_in(pings["device_id"].unique().implode())
            pings, rest = pl.concat([pings, rest.filter(mine)]), rest.filter(~mine)
        yield pings
    if rest is not None and not rest.is_empty():
        yield rest
