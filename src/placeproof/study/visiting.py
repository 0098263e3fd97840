"""From files of positions and outlines to visits, on one machine or a cluster, with no study."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from placeproof.errors import SettingsError
from placeproof.files.packed import Source
from placeproof.study.patrol_keys import A_DAY_S
from placeproof.study.position_files import Positions, device_days_of, facts_of, reader_of

if TYPE_CHECKING:
    from placeproof.patrols.outline_index import OutlineIndex

ORDER_FREE, CROSSINGS = "order_free", "crossings"
PATHS = (ORDER_FREE, CROSSINGS)
Progress = Callable[[str, int, int], None]


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
        If the engine is unknown, or a time out of range.
    OutputError
        If the checkpoint cannot be written.
    """
    from placeproof.engines.local import run_local
    from placeproof.patrols.stays import to_frame, usual_intervals
    from placeproof.patrols.visits import visits_from_stays

    require_rules(longest_gap_s, shortest_dwell_s)
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


def require_rules(longest_gap_s: float, shortest_dwell_s: float) -> None:
    """
    Refuse times that cannot be meant, as a plan does.

    Parameters
    ----------
    longest_gap_s, shortest_dwell_s : float
        In seconds.

    Raises
    ------
    SettingsError
        If either is longer than a day, or below what makes a visit.
    """
    if not 0 < longest_gap_s <= A_DAY_S or not 0 <= shortest_dwell_s <= A_DAY_S:
        raise SettingsError(
            f"The longest gap must be above 0 and at most {A_DAY_S} seconds, found "
            f"{longest_gap_s:g}; the shortest dwell from 0 to {A_DAY_S}, found "
            f"{shortest_dwell_s:g}.",
            mend="Choose a gap of at least 1.5 times the time between positions.",
        )


def _for_workers(source: Source) -> Source:
    """Workers stand in another folder: paths in full."""
    devices = str(Path(source.devices).resolve()) if source.devices else ""
    return replace(source, path=str(Path(source.path).resolve()), devices=devices)


def _told(progress: Progress | None, doing: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, of: progress(doing, done, of)


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
