"""The words of `placeproof pack` and `placeproof visits`: what they do, and what they print."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from placeproof.errors import InputError, SettingsError, StudyError
from placeproof.files import packed
from placeproof.study import following, position_files, visit_files, visiting
from placeproof.study.exports import ANY_TIME, Options, for_command_line, spec_of, study_spec
from placeproof.study.waiting import estimated, words


def pack_exports(
    paths: list[Path], folder: Path, options: Options, *, study: Path | None, feed: str | None
) -> dict[str, Any]:
    """
    Pack exports of positions.

    Parameters
    ----------
    paths : list of Path
        Exports; empty: those of the study's feed.
    folder : Path
        Where to write.
    options : Options
        How columns map, where no study says it.
    study : Path or None
        Folder of a study.
    feed : str or None
        Its feed of positions.

    Returns
    -------
    dict
        What `packed.json` says, with `seconds` and `bytes_in`.
    """
    from placeproof.files import packing

    paths = _expanded(paths)
    if (study is None) != (feed is None):
        raise SettingsError("--study and --feed go together.", mend="Give both, or neither.")
    if study is not None and feed is not None:
        spec, surroundings = study_spec(study, feed)
        spec = replace(spec, paths=tuple(paths)) if paths else spec
    else:
        spec, surroundings = _spec(paths, options), ANY_TIME
    began = time.monotonic()
    with estimated("bytes") as progress:
        try:
            facts = packing.pack(spec, folder, surroundings=surroundings, progress=progress)
        except StudyError as error:
            raise (error if study is not None else for_command_line(error)) from error
    sizes = sum(int(one["bytes"]) for one in facts["sources"])
    return {**facts, "seconds": time.monotonic() - began, "bytes_in": sizes}


def packed_lines(facts: dict[str, Any], folder: Path) -> list[str]:
    """
    What a person is told of a packed folder.

    Parameters
    ----------
    facts : dict
        What `pack_exports` gave.
    folder : Path
        Where it lies.
    """
    size = sum(int(one["bytes"]) for one in facts["files"])
    rate = facts["bytes_in"] / 1e6 / max(facts["seconds"], 1e-3)
    lines = [
        f"Packed {facts['rows_packed']:,} positions of {facts['devices']:,} devices from "
        f"{_files(len(facts['sources']))} into {folder}",
        f"  {_size(facts['bytes_in'])} became {_size(size)}, "
        f"{size / max(facts['rows_packed'], 1):.1f} bytes a position; "
        f"{words(facts['seconds'])}, {rate:,.0f} MB/s",
        f"  from {facts['first_at'][:16].replace('T', ' ')} to "
        f"{facts['last_at'][:16].replace('T', ' ')} UTC"
        + (
            f", usually {facts['median_interval_s']:.0f} s apart"
            if facts["median_interval_s"] is not None
            else ""
        ),
        f"  rows in {facts['rows_in']:,} = packed {facts['rows_packed']:,} + quarantined "
        f"{facts['rows_quarantined']:,}",
    ]
    for rule, rows in sorted(facts["quarantined_by_rule"].items(), key=lambda one: -one[1]):
        lines.append(f"    {rule}: {rows:,}")
    if facts["rows_quarantined"]:
        lines.append(f"  each is named in {folder / packed.QUARANTINE}")
    if repeated := facts["remarks"].get("repeated-hour"):
        lines.append(
            f"  {repeated:,} times stand in the hour that October repeats; the first of the two "
            "was taken"
        )
    return lines


def find_visits(
    paths: list[Path],
    hotspots: Path,
    options: Options,
    *,
    longest_gap_s: float,
    shortest_dwell_s: float,
    engine: str,
    way: str,
    rules: Path | None,
    id_column: str | None,
    hotspot_crs: str | None,
    threads: int | None,
    to: Path | None,
) -> dict[str, Any]:
    """
    Find visits in packed folders and exports, and write them where that is asked for.

    Parameters
    ----------
    paths : list of Path
        Packed folders and exports.
    hotspots : Path
        File of outlines.
    options : Options
        How columns of exports map.
    longest_gap_s, shortest_dwell_s : float
        As for `visiting.visits_of_sources`.
    engine : str
        "local" or "spark://host:port".
    way : str
        "order_free" or "crossings".
    rules : Path or None
        Choices of the path by crossings.
    id_column, hotspot_crs : str or None
        Column that names hot spots, and the outlines' coordinate system.
    threads : int or None
        Files read at once.
    to : Path or None
        Parquet to write.

    Returns
    -------
    dict
        Figures and sentences; no visit and no device.
    """
    from placeproof.study.hotspot_file import index_of_file

    _refuse_wrong_words(way, engine, to)
    visiting.require_rules(longest_gap_s, shortest_dwell_s)
    paths = _expanded(paths)
    folders = [path for path in paths if path.is_dir()]
    exports = [path for path in paths if not path.is_dir()]
    spec = _spec(exports, options) if exports else None
    index, said = index_of_file(hotspots, id_column=id_column, crs=hotspot_crs)
    positions = position_files.positions_in([*folders, *exports], spec)
    kept = None if to is None else visit_files.checkpoint_beside(to)
    began = time.monotonic()
    with estimated("positions") as progress:
        try:
            if way == visiting.CROSSINGS:
                chosen = following.crossing_rules(
                    rules, longest_gap_s=longest_gap_s, shortest_dwell_s=shortest_dwell_s
                )
                made = following.visits_by_crossing(
                    positions, index, rules=chosen, progress=progress
                )
            else:
                made = visiting.visits_of_sources(
                    positions,
                    index,
                    longest_gap_s=longest_gap_s,
                    shortest_dwell_s=shortest_dwell_s,
                    engine=engine,
                    threads=threads,
                    checkpoint=kept,
                    progress=progress,
                )
        except StudyError as error:
            raise for_command_line(error) from error
    seconds = time.monotonic() - began
    choices = {"longest_gap_s": longest_gap_s, "shortest_dwell_s": shortest_dwell_s}
    made = replace(made, facts={**made.facts, **choices, "hotspots_file": hotspots.name})
    if to is not None:
        visit_files.write_visits(made, to)
        if kept is not None:
            visit_files.clear(kept)
    return _summary(made, len(index.hotspot_ids), said, seconds, to)


def _expanded(paths: list[Path]) -> list[Path]:
    """Patterns as files: not every shell does it."""
    made: list[Path] = []
    for path in paths:
        if path.exists() or not set(path.name) & set("*?["):
            made.append(path)
            continue
        matched = sorted(path.parent.glob(path.name))
        if not matched:
            raise InputError(f"No file is called {path}.", mend="Check the pattern.")
        made += matched
    return made


def _refuse_wrong_words(way: str, engine: str, to: Path | None) -> None:
    if way not in visiting.PATHS:
        raise SettingsError(
            f'There is no path "{way}".', mend=f"Use one of {', '.join(visiting.PATHS)}."
        )
    if way == visiting.CROSSINGS and engine != "local":
        raise SettingsError(
            "The path by crossings runs on this machine only.",
            mend="Leave out --engine, or use --path order_free.",
        )
    if to is not None:
        visit_files.require_writable(to)


def _spec(paths: list[Path], options: Options) -> Any:
    try:
        return spec_of(paths, options)
    except StudyError as error:
        raise for_command_line(error) from error


def _summary(
    made: visiting.Visits, hotspots: int, said: list[str], seconds: float, to: Path | None
) -> dict[str, Any]:
    visits = made.visits
    return {
        **made.facts,
        "hotspots": hotspots,
        "hotspots_visited": visits["hotspot_id"].n_unique(),
        "devices_seen_inside": visits["device_id"].n_unique(),
        "visits": visits.height,
        "minutes": float(visits["dwell_s"].sum()) / 60,
        "minutes_seen": float(visits["seen_s"].sum()) / 60,
        "visits_of_at_least": {
            str(minutes): int((visits["dwell_s"] >= 60 * minutes).sum())
            for minutes in (0, 5, 10, 15)
        },
        "cleaned": [] if made.cleaned is None else made.cleaned.to_dicts(),
        "remarks": said,
        "seconds": seconds,
        "written": None if to is None else str(to),
    }


def visit_lines(found: dict[str, Any]) -> list[str]:
    """
    What a person is told of visits.

    Parameters
    ----------
    found : dict
        What `find_visits` gave.
    """
    rate = found["pings"] / 1e6 / max(found["seconds"], 1e-3)
    at_least = found["visits_of_at_least"]
    lines = [
        f"{found['visits']:,} visits to {found['hotspots_visited']:,} of {found['hotspots']:,} "
        f"hot spots: {found['minutes']:,.0f} minutes",
        f"  as devices show them {found['minutes_seen']:,.0f} minutes; the rest is the time before "
        "the first and\n  after the last position inside, as it usually is",
        f"  of at least 5 minutes {at_least['5']:,}, 10 minutes {at_least['10']:,}, 15 minutes "
        f"{at_least['15']:,}",
        f"  from {found['pings']:,} positions in {_files(found['files'])}; "
        f"{words(found['seconds'])}, {rate:,.1f} million a second",
    ]
    if found["rows_left_out"]:
        lines.append(f"  {found['rows_left_out']:,} rows were no usable position")
    lines += _wrapped(f"path {found['path']}: {found['why']}")
    for one in found["cleaned"]:
        if one["pings"]:
            lines.append(f"    {one['treated']}: {one['reason']}: {one['pings']:,}")
    for sentence in found["remarks"]:
        lines += _wrapped(sentence)
    if found["written"] is not None:
        lines.append(f"wrote {found['written']}")
    return lines


def as_json(content: dict[str, Any]) -> str:
    """
    Figures for a program to read.

    Parameters
    ----------
    content : dict
        What `pack_exports` or `find_visits` gave.
    """
    return json.dumps(content, indent=1, sort_keys=True, default=str)


def _wrapped(sentence: str) -> list[str]:
    import textwrap

    return textwrap.wrap(sentence, 78, initial_indent="  ", subsequent_indent="  ")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _size(size: float) -> str:
    if size < 1000:
        return f"{size:,.0f} bytes"
    for unit in ("kB", "MB"):
        size /= 1000
        if size < 1000:
            return f"{size:,.1f} {unit}"
    return f"{size / 1000:,.1f} GB"
