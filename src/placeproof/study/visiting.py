"""From files of positions and outlines to visits, on one machine or a cluster, with no study."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from placeproof import __version__, calendar
from placeproof.errors import InputError, SettingsError
from placeproof.files import packed, position_sources
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.packed import Packed, Source
from placeproof.study.exports import ANY_TIME
from placeproof.study.settings import Study
from placeproof.study.store import refusals_explained
from placeproof.tables import Visit

if TYPE_CHECKING:
    from placeproof.patrols.outline_index import OutlineIndex

ORDER_FREE, CROSSINGS = "order-free", "crossings"
PATHS = (ORDER_FREE, CROSSINGS)
Progress = Callable[[str, int, int], None]
_TABLE = "table ping"


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


@dataclass(frozen=True)
class Visits:
    """
    Visits, and what must be known of how they came about.

    Parameters
    ----------
    visits : table `visit`
        The visits.
    device_days : DataFrame or None
        `device_id`, `operating_day`, `pings` of all positions; None where some are not packed.
    facts : dict
        Positions read and left out, the path and why, the engine, hot spots.
    cleaned : DataFrame or None
        What the path by crossings took out, and why; None on the path that needs no order.
    """

    visits: pl.DataFrame
    device_days: pl.DataFrame | None
    facts: dict[str, Any]
    cleaned: pl.DataFrame | None = None

    @property
    def observed_days(self) -> pl.Series | None:
        """Operating days on which any device reported; None where some positions are not packed."""
        if self.device_days is None:
            return None
        return self.device_days["operating_day"].unique().sort()


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


def visits_of_sources(
    positions: Positions,
    index: "OutlineIndex",
    *,
    longest_gap_s: float,
    shortest_dwell_s: float,
    engine: str = "local",
    threads: int | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Visits:
    """
    Find visits on the path that needs no order, whatever the number of positions.

    Parameters
    ----------
    positions : Positions
        What `positions_in` found.
    index : OutlineIndex
        Hot spots.
    longest_gap_s : float
        Seconds of silence that end a visit.
    shortest_dwell_s : float
        Shorter visits are dropped.
    engine : str
        "local" or "spark://host:port"; does not change the result.
    threads : int, optional
        Files read at once on this machine; else one for each core.
    checkpoint : Path, optional
        Folder of finished pieces, from which a stopped run goes on.
    progress : callable, optional
        Called with what is being done, what is done of it, and all of it.

    Returns
    -------
    Visits

    Raises
    ------
    InputError
        If a file is damaged or cannot be read.
    SettingsError
        If the engine is unknown.
    OutputError
        If the checkpoint cannot be written.
    """
    from placeproof.engines.local import run_local
    from placeproof.patrols.stays import to_frame, usual_intervals
    from placeproof.patrols.visits import visits_from_stays

    if not longest_gap_s > 0 or not shortest_dwell_s >= 0:
        raise SettingsError(
            "The longest gap must be above 0 seconds, and the shortest dwell not below 0.",
            mend="Choose a gap of at least 1.5 times the time between positions.",
        )
    reader, counted = reader_of(positions)
    told = _told(progress, "reading positions")
    if engine == "local":
        found = run_local(
            positions.sources,
            reader,
            index,
            longest_gap_s=longest_gap_s,
            threads=threads or os.cpu_count() or 1,
            checkpoint=checkpoint,
            progress=told,
        )
    elif engine.startswith("spark://"):
        from placeproof.engines.spark import run_spark

        found = run_spark(
            [_for_workers(one) for one in positions.sources],
            reader,
            index,
            longest_gap_s=longest_gap_s,
            master=engine,
            checkpoint=checkpoint,
            progress=told,
        )
    else:
        raise SettingsError(
            f'There is no engine "{engine}".', mend="Use local, or spark://host:port."
        )
    if counted is not None:
        # Counted where they were read, be it in an earlier run or on another machine.
        counted.rows_in, counted.rows_left_out = found.rows_in, found.rows_left_out
    made = visits_from_stays(
        to_frame(found.stays, list(found.device_ids), list(index.hotspot_ids)),
        usual_intervals(found.stays, list(found.device_ids), longest_gap_s=longest_gap_s),
        shortest_dwell_s=shortest_dwell_s,
    )
    facts = {
        **facts_of(positions, counted, engine),
        "path": ORDER_FREE,
        "why": _why_order_free(made, longest_gap_s, shortest_dwell_s),
    }
    return Visits(made, device_days_of(positions), facts)


def write_visits(made: Visits, path: Path) -> None:
    """
    Write table visit as Parquet: whole, or not at all, and the same whatever the engine.

    Parameters
    ----------
    made : Visits
        The visits.
    path : Path
        Where to write. With a suffix one file, which replaces an earlier one; without, a folder
        that is not there yet, with a part for each month of arrival (UTC): `month=2024-05/`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    metadata = {
        "placeproof.table": "visit",
        "placeproof.contract_version": str(Visit.contract_version),
        "placeproof.version": __version__,
        "placeproof.visits": json.dumps(
            {name: fact for name, fact in made.facts.items() if name != "engine"}, sort_keys=True
        ),
    }
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with refusals_explained(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix:
                made.visits.write_parquet(half, metadata=metadata, statistics=False)
            else:
                _write_months(made.visits, half, metadata)
            half.replace(path)
        finally:
            if half.is_dir():
                shutil.rmtree(half)
            half.unlink(missing_ok=True)


def _write_months(visits: pl.DataFrame, folder: Path, metadata: dict[str, str]) -> None:
    """Each part keeps the order of the table; no visits make one part without a row."""
    month = visits["arrived_at"].dt.strftime("%Y-%m")
    for name in month.unique().sort().to_list() or ["none"]:
        part = folder / f"month={name}" / "visits.parquet"
        part.parent.mkdir(parents=True)
        chosen = visits.filter(month == name)
        chosen.write_parquet(part, metadata=metadata, statistics=False)


def checkpoint_beside(path: Path) -> Path:
    """
    Where finished pieces of a run are kept until its result is written.

    Parameters
    ----------
    path : Path
        Where the result will stand.
    """
    return path.with_name(f".{path.name}.pieces")


def clear(checkpoint: Path) -> None:
    """
    Remove the pieces of a run that has ended well.

    Parameters
    ----------
    checkpoint : Path
        What `checkpoint_beside` named.
    """
    shutil.rmtree(checkpoint, ignore_errors=True)


def _for_workers(source: Source) -> Source:
    """Workers stand in another folder: paths in full."""
    devices = str(Path(source.devices).resolve()) if source.devices else ""
    return replace(source, path=str(Path(source.path).resolve()), devices=devices)


def _told(progress: Progress | None, doing: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, of: progress(doing, done, of)


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


def _why_order_free(visits: pl.DataFrame, longest_gap_s: float, shortest_dwell_s: float) -> str:
    from placeproof.patrols.visits import threshold_note

    usual = visits["interval_s"].drop_nulls().median()
    words = "Positions need no order and no cleaning: stays are linked over gaps"
    said = f"{words} of up to {longest_gap_s:g} s."
    if isinstance(usual, int | float):
        said += f" Devices report about every {usual:.0f} s."
        if longest_gap_s < 1.5 * usual:
            said += (
                " The longest gap is less than 1.5 times that, so visits are cut in two: choose a "
                "longer one."
            )
    note = threshold_note(visits, threshold_s=shortest_dwell_s) if shortest_dwell_s else None
    return f"{said} {note}" if note else said
