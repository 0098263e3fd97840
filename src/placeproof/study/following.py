"""Visits by the path that looks at crossings of boundaries: some devices at a time, in order."""

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from placeproof.errors import InputError, SettingsError
from placeproof.files import position_sources
from placeproof.study.position_files import (
    Positions,
    by_device,
    device_days_of,
    facts_of,
    reader_of,
)
from placeproof.study.visiting import CROSSINGS, Progress, Visits
from placeproof.tables import Visit

if TYPE_CHECKING:
    from placeproof.patrols.crossings import CrossingRules
    from placeproof.patrols.outline_index import OutlineIndex

PINGS_AT_A_TIME = 3_000_000
MOST_UNPACKED_ROWS = 20_000_000


def visits_by_crossing(
    positions: Positions,
    index: "OutlineIndex",
    *,
    rules: "CrossingRules",
    premises: "OutlineIndex | None" = None,
    progress: Progress | None = None,
    pings_at_a_time: int = PINGS_AT_A_TIME,
) -> Visits:
    """
    Find visits on the path that looks at crossings of boundaries, some devices at a time.

    Parameters
    ----------
    positions : Positions
        What `positions_in` found; exports are held in memory, so large ones have to be packed.
    index : OutlineIndex
        Hot spots.
    rules : CrossingRules
        Every choice of that path.
    premises : OutlineIndex, optional
        Stations and the like: time inside them is not visible.
    progress : callable, optional
        As for `visits_of_sources`.
    pings_at_a_time : int
        Packed positions held at once; does not change the result.

    Returns
    -------
    Visits

    Raises
    ------
    InputError
        If a file is damaged, or exports are too large to be held in memory.
    """
    from placeproof.patrols.crossings import crossings_of

    total = sum(source.rows for source in positions.sources)
    done = 0
    parts, cleaned = [], []
    counted = reader_of(positions)[1]
    for pings in _in_groups(positions, pings_at_a_time, counted):
        found = crossings_of(pings, index, premises=premises, rules=rules)
        parts.append(found.visits)
        cleaned.append(found.cleaned)
        done += pings.height
        if progress is not None:
            progress("following devices", min(done, total), total)
    order = ["device_id", "hotspot_id", "arrived_at"]
    made = pl.concat(parts).sort(order) if parts else Visit.create_empty()
    numbers = ["pings", "stretches", "hours"]
    whole = pl.concat(cleaned).group_by("reason", "treated", maintain_order=True).agg(
        # Null stands where a count means nothing: it must not become 0.
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in numbers
    )  # fmt: skip
    why = (
        "Asked for: positions are sorted, cleaned and weighed by their accuracy, and the time of "
        "crossing a boundary is estimated."
    )
    facts = {**facts_of(positions, counted, "local"), "path": CROSSINGS, "why": why}
    return Visits(made, device_days_of(positions), facts, whole)


def crossing_rules(
    file: Path | None, *, longest_gap_s: float, shortest_dwell_s: float
) -> "CrossingRules":
    """
    Read the choices of the path by crossings.

    Parameters
    ----------
    file : Path or None
        TOML with one key for each choice; "none" stands for None.
    longest_gap_s, shortest_dwell_s : float
        The two that both paths share.

    Raises
    ------
    SettingsError
        If a choice is missing or unknown: none has a default.
    """
    from placeproof.patrols.crossings import CrossingRules

    names = {one.name for one in fields(CrossingRules)} - {"longest_gap_s", "shortest_dwell_s"}
    listed = ", ".join(sorted(names))
    if file is None:
        raise SettingsError(
            "The path by crossings needs choices that have no default.",
            mend=f"write a TOML file with {listed}, and name it with --rules",
        )
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", mend="Correct it.") from None
    section = found.get("patrols", found)
    known = {name: value for name, value in section.items() if name in names}
    if missing := sorted(names - known.keys()):
        raise SettingsError(
            f"{file} lacks {', '.join(missing)}.", mend="None of the choices has a default."
        )
    values: dict[str, Any] = {
        name: None if value == "none" else value for name, value in known.items()
    }
    try:
        return CrossingRules(
            longest_gap_s=longest_gap_s, shortest_dwell_s=shortest_dwell_s, **values
        )
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{file}: {error}.", mend="Correct the number.") from None


def _in_groups(
    positions: Positions, most: int, counted: position_sources.ExportReader | None
) -> Iterator[pl.DataFrame]:
    """All positions of some devices at a time."""
    if not positions.exports:
        yield from by_device(positions, most=most)
        return
    rows = sum(source.rows for source in positions.exports)
    if rows > MOST_UNPACKED_ROWS or positions.folders:
        raise InputError(
            f"The path by crossings holds exports in memory, and these hold about {rows:,} "
            "positions."
            if rows > MOST_UNPACKED_ROWS
            else "The path by crossings takes packed folders or exports, not both.",
            mend="Pack the exports first: placeproof pack FILES --to FOLDER",
        )
    from placeproof import files

    assert positions.spec is not None
    result = files.read(positions.spec, positions.surroundings)
    if counted is not None:
        counted.rows_in = int(result.receipts["rows_in"].sum())
        counted.rows_left_out = int(result.receipts["rows_quarantined"].sum())
    yield result.tables["ping"]
