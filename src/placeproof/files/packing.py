"""Packs exports of positions into a folder that reads as fast as a disk: whole, or absent."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof import __version__
from placeproof.errors import InputError, OutputError
from placeproof.files import packed, positions, tracks
from placeproof.files.feed import QUARANTINE_SCHEMA, FeedSpec, Surroundings
from placeproof.files.position_pieces import PENDING, Facts, Piece, pieces
from placeproof.files.position_runs import Run, Writers

RUN_ROWS = 4_000_000
"""Positions held before they are sorted and written: the memory that packing needs."""

JUDGED_EARLY_ROWS = 200_000
Progress = Callable[[str, int, int], None]


@dataclass
class _Counts:
    """What has been seen so far."""

    rows_in: int = 0
    rows_packed: int = 0
    rows_quarantined: int = 0
    remarks: dict[str, int] = field(default_factory=dict)
    tally: positions.Tally = field(default_factory=positions.Tally)


def pack(
    spec: FeedSpec,
    folder: Path,
    *,
    surroundings: Surroundings,
    progress: Progress,
    run_rows: int = RUN_ROWS,
) -> dict[str, Any]:
    """
    Write a folder of packed positions from exports of any size, in bounded memory.

    Parameters
    ----------
    spec : FeedSpec
        Which files, and how their columns map.
    folder : Path
        Where to write; it must not be there yet.
    surroundings : Surroundings
        Positions after the cut-off are quarantined.
    progress : callable
        Called with what is being done, the bytes that are done, and all bytes.
    run_rows : int
        Positions held in memory at once.

    Returns
    -------
    dict
        What `packed.json` says. Rows in are rows packed and rows quarantined, for each file.

    Raises
    ------
    InputError
        If a file cannot be read or changes while it is read, if a choice is open, or if not one
        position can be kept.
    GeometryError
        If most positions are swapped, or degrees where metres are declared or the other way round.
    OutputError
        If the folder is there already or cannot be written. Nothing half-written stays.
    """
    if not spec.paths:
        raise InputError("No file to pack.", mend="Name at least one export.")
    if not spec.columns and all(_is_gpx(path) for path in spec.paths):
        spec = replace(spec, columns=tracks.GPX_COLUMNS)
    with _building(folder) as place:
        writing = _Packing(spec, place, surroundings, progress, run_rows)
        with writing.writers:
            for number, path in enumerate(spec.paths):
                writing.add(number, path)
            writing.flush()
        facts = writing.finish()
    return facts


class _Packing:
    """One folder in the making."""

    def __init__(
        self,
        spec: FeedSpec,
        place: Path,
        surroundings: Surroundings,
        progress: Progress,
        run_rows: int,
    ) -> None:
        self.spec, self.place = spec, place
        self.surroundings, self.progress = surroundings, progress
        self.counts = _Counts()
        self.run = Run(run_rows)
        self.writers = Writers(place)
        self.devices: dict[str, int] = {}
        self.sources: list[dict[str, Any]] = []
        self.hashes: dict[str, str] = {}
        self.sizes = [path.stat().st_size if path.is_file() else 0 for path in spec.paths]

    def add(self, number: int, path: Path) -> None:
        """Read one export to its end."""
        shown = self.spec.shown(path)
        before, facts = sum(self.sizes[:number]), Facts()
        mine = _Counts()
        quarantine = _Quarantine(self.place / f"quarantine-{number:05d}.parquet")
        with quarantine:
            for piece in pieces(self.spec, path, self.surroundings, facts):
                self._take(piece, mine)
                quarantine.add(piece.quarantine)
                if self.counts.tally.located > JUDGED_EARLY_ROWS:
                    positions.refuse_wrong_system(self.spec, self.counts.tally, shown)
                done = before + min(piece.bytes_done, self.sizes[number])
                self.progress(f"packing {path.name}", done, sum(self.sizes))
        if facts.sha256 in self.hashes:
            raise InputError(
                f"{self.hashes[facts.sha256]} and {shown} are the same file under two names.",
                mend="Remove one of them: each position would be read twice.",
            )
        self.hashes[facts.sha256] = shown
        quarantine.finish(facts.sha256)
        self.sources.append(
            {
                "path": shown,
                "sha256": facts.sha256,
                "bytes": facts.bytes,
                "encoding": facts.encoding,
                "separator": facts.separator,
                "rows_in": mine.rows_in,
                "rows_packed": mine.rows_packed,
                "rows_quarantined": mine.rows_quarantined,
            }
        )

    def _take(self, piece: Piece, mine: _Counts) -> None:
        for counts in (self.counts, mine):
            counts.rows_in += piece.rows_in
            counts.rows_packed += len(piece.device)
            counts.rows_quarantined += piece.rows_quarantined
        self.counts.tally += piece.tally
        for code, rows in piece.remarks.items():
            self.counts.remarks[code] = self.counts.remarks.get(code, 0) + rows
        if mine.rows_in != mine.rows_packed + mine.rows_quarantined:
            raise AssertionError("rows in are not rows packed and rows quarantined")
        if not len(piece.device):
            return
        lookup = np.full(len(piece.device_ids), -1, dtype=np.int32)
        for code in np.unique(piece.device):  # a device without a usable position has no number
            name = piece.device_ids[code]
            lookup[code] = self.devices.setdefault(name, len(self.devices))
        self.run.add(piece, lookup[piece.device])
        if self.run.full:
            self.flush()

    def flush(self) -> None:
        """Sort what is held, and write it."""
        if self.run.rows:
            self.writers.write(self.run.taken(list(self.devices)))

    def finish(self) -> dict[str, Any]:
        """Names, coverage, quarantine and, last of all, the page that says that it is whole."""
        where = self.sources[0]["path"] if len(self.sources) == 1 else f"[data.{self.spec.name}]"
        positions.refuse_wrong_system(self.spec, self.counts.tally, where)
        if not self.counts.rows_packed:
            raise InputError(
                f"{where}: not one of {self.counts.rows_in} positions could be kept."
                + self._commonest(),
                mend="One setting is probably wrong: look at `placeproof map` for this file.",
            )
        names = list(self.devices)
        pl.DataFrame(
            {"device": range(len(names)), "device_id": names},
            schema={"device": pl.Int32, "device_id": pl.String},
        ).with_columns(
            bucket=pl.Series([packed.bucket_of(name) for name in names], dtype=pl.Int16)
        ).write_parquet(self.place / packed.DEVICES)
        self.writers.coverage().write_parquet(self.place / packed.COVERAGE)
        rules = _gathered(self.place)
        first, last = self.writers.first_us, self.writers.last_us
        facts = {
            "schema": packed.SCHEMA,
            "buckets": packed.BUCKETS,
            "placeproof": __version__,
            "sources": self.sources,
            "rows_in": self.counts.rows_in,
            "rows_packed": self.counts.rows_packed,
            "rows_quarantined": self.counts.rows_quarantined,
            "quarantined_by_rule": rules,
            "remarks": dict(sorted(self.counts.remarks.items())),
            "devices": len(names),
            "first_at": _iso(first),
            "last_at": _iso(last),
            "median_interval_s": self.writers.median_interval_s(),
            "accuracy": self.writers.with_accuracy,
            "speed": self.writers.with_speed,
            "mapping": _mapping(self.spec),
            "files": self.writers.files(),
        }
        page = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
        with (self.place / packed.FACTS).open("w", encoding="utf-8", newline="\n") as file:
            file.write(page + "\n")
            file.flush()
            os.fsync(file.fileno())
        return facts

    def _commonest(self) -> str:
        rules = _gathered(self.place)
        if not rules:
            return ""
        rule = max(rules, key=lambda name: rules[name])
        return f" {rules[rule]} break the rule {rule}."


class _Quarantine:
    """Rows of one export that could not be packed, written as they are found."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Any = None

    def __enter__(self) -> "_Quarantine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        import pyarrow.parquet as pq

        table = rows.select(list(QUARANTINE_SCHEMA)).to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def finish(self, sha256: str) -> None:
        """The hash of the export is known at its end only."""
        if self._writer is None:
            return
        whole = pl.scan_parquet(self.path).with_columns(
            source_sha256=pl.col("source_sha256").replace(PENDING, sha256)
        )
        fresh = self.path.with_suffix(".named")
        whole.sink_parquet(fresh)
        fresh.replace(self.path)


def _gathered(place: Path) -> dict[str, int]:
    """All quarantined rows in one file, and how many each rule has."""
    parts = sorted(place.glob("quarantine-*.parquet"))
    target = place / packed.QUARANTINE
    if parts:
        pl.scan_parquet(parts).sink_parquet(target)
        for part in parts:
            part.unlink()
    elif not target.exists():
        pl.DataFrame(schema=QUARANTINE_SCHEMA).write_parquet(target)
    rules = pl.scan_parquet(target).group_by("rule").len().sort("rule").collect()
    return {str(rule): int(count) for rule, count in rules.iter_rows()}


def _is_gpx(path: Path) -> bool:
    return path.name.lower().endswith((".gpx", ".gpx.gz"))


def _iso(us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat()


def _mapping(spec: FeedSpec) -> Mapping[str, object]:
    return {
        "columns": dict(spec.columns),
        "constants": {name: str(value) for name, value in spec.constants.items()},
        "time_format": spec.time_format,
        "time_zone": spec.time_zone,
        "crs": spec.crs,
    }


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A place beside the folder that becomes the folder when all went well, and goes otherwise."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 -- a link must not be followed
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            f"{folder} is there already; packing never adds to a folder or replaces one.",
            mend="Choose another name, or remove the folder first.",
        )
    place = folder.parent / f".{folder.name}.packing-{os.getpid()}"
    try:
        with _refusals_explained(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            for left in folder.parent.glob(f".{folder.name}.packing-*"):
                if not _alive(left):
                    shutil.rmtree(left)
            place.mkdir()
            yield place
            if folder.exists():
                folder.rmdir()
            place.replace(folder)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


@contextmanager
def _refusals_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = error.strerror or (str(error).splitlines() or ["refused"])[0]
        raise OutputError(
            f"{folder} cannot be written: {said}. Nothing half-written was left.",
            mend="Free the disk or choose another place, then start again.",
        ) from error
    except pl.exceptions.ComputeError as error:
        raise OutputError(
            f"{folder} cannot be written: {error}. Nothing half-written was left.",
            mend="Free the disk or choose another place, then start again.",
        ) from error


def _alive(place: Path) -> bool:
    digits = place.name.rpartition("-")[2]
    if not digits.isdigit() or int(digits) == os.getpid() or os.name == "nt":
        return False
    try:
        os.kill(int(digits), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
