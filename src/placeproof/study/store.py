"""Where a run is written: beside the last whole one, and put in its place only when it is whole."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from placeproof import __version__
from placeproof.errors import OutputError
from placeproof.tables import TABLES

CURRENT = Path("results") / "current.json"


@contextmanager
def refusals_explained(path: Path) -> Iterator[None]:
    """
    Turn the system's refusal to write into a plain message.

    Parameters
    ----------
    path : Path
        What was to be written.

    Raises
    ------
    OutputError
        Where the disk is full or read-only, or the file is open in another program.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written: {error.strerror or error}.",
            mend="free the disk, or close the file in the program that holds it, then run again",
        ) from error


@dataclass(frozen=True)
class Building:
    """A run that is being written; nothing reads it until it is whole."""

    study: Path
    folder: Path

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Write a table as Parquet, with its name and contract version in the metadata."""
        contract = TABLES.get(name.removesuffix("_lsoa"))
        metadata = {
            "placeproof.table": name,
            "placeproof.contract_version": str(contract.contract_version if contract else 0),
            "placeproof.version": __version__,
        }
        path = self.folder / "tables" / f"{name}.parquet"
        with refusals_explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            table.write_parquet(path, metadata=metadata, statistics=False)

    def write_quarantine(self, feed: str, rows: pl.DataFrame) -> None:
        """Write the rows that a feed could not keep, as a table that a spreadsheet opens."""
        path = self.folder / "quarantine" / f"{feed}.csv"
        with refusals_explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            rows.write_csv(path, include_bom=True)

    def write_json(self, name: str, content: object) -> None:
        """Write JSON with sorted keys."""
        path = self.folder / name
        with refusals_explained(path):
            text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=str)
            path.write_text(text + "\n", encoding="utf-8", newline="\n")


def start(study: Path) -> Building:
    """
    Make an empty place to build a run in; whatever a killed run left there is removed.

    Parameters
    ----------
    study : Path
        The study's folder.

    Returns
    -------
    Building
        The place.

    Raises
    ------
    OutputError
        If the place cannot be made, or another run is at work in the study.
    """
    folder = study / "runs" / f".building-{os.getpid()}"
    with refusals_explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in sorted(folder.parent.glob(".building-*")):
            if _alive(left):
                raise OutputError(
                    "Another run is at work in this study.",
                    mend="wait until it has ended; if surely none is at work, "
                    f"delete the folder runs/{left.name}",
                )
            _clear(left)
        folder.mkdir()
    return Building(study, folder)


def finish(building: Building, run_id: str, *, newest: bool) -> Path:
    """
    Put a whole run in its place, in one step for whoever reads.

    Parameters
    ----------
    building : Building
        The run.
    run_id : str
        Its identity: a hash of what went in.
    newest : bool
        Whether `results/current.json` shall name it. A run that stopped early never does.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    OutputError
        If something in it cannot be replaced; the last whole run then stays in place.
    """
    final = building.study / "runs" / run_id
    aside = building.study / "runs" / f".building-{os.getpid()}-old-{run_id}"
    with refusals_explained(final):
        if final.exists():
            final.replace(aside)
        try:
            building.folder.replace(final)
        except BaseException:
            if aside.exists():
                aside.replace(final)
            raise
        if aside.exists():
            shutil.rmtree(aside, ignore_errors=True)
        if newest:
            _point_at(building.study, run_id)
    return final


def abandon(building: Building) -> None:
    """
    Remove what a failed run wrote.

    Parameters
    ----------
    building : Building
        The run.
    """
    shutil.rmtree(building.folder, ignore_errors=True)


def current_run(study: Path) -> Path | None:
    """
    Find the newest whole run.

    Parameters
    ----------
    study : Path
        The study's folder.

    Returns
    -------
    Path or None
        Its folder; None where no whole run was made yet.
    """
    try:
        named = json.loads((study / CURRENT).read_text(encoding="utf-8"))["run"]
    except (OSError, ValueError, KeyError):
        return None
    folder = study / "runs" / str(named)
    return folder if (folder / "manifest.json").is_file() else None


def sha256_of(content: object) -> str:
    """
    Hash plain content in its canonical form.

    Parameters
    ----------
    content : object
        Anything that JSON can hold; days and paths as their text.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hashes_of_files(folder: Path) -> Mapping[str, str]:
    """
    Hash every file of a folder.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    mapping of str to str
        Path below the folder, with forward slashes, to SHA-256; sorted.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def _point_at(study: Path, run_id: str) -> None:
    path = study / CURRENT
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".json.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"run": run_id}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _clear(left: Path) -> None:
    """Remove what a killed run left; a whole run that it had put aside goes back to its place."""
    _, old, run_id = left.name.partition("-old-")
    if old and not (left.parent / run_id).exists():
        left.replace(left.parent / run_id)
    else:
        shutil.rmtree(left)


def _alive(building: Path) -> bool:
    digits = building.name.removeprefix(".building-").split("-")[0]
    if not digits.isdigit() or int(digits) == os.getpid():
        return False
    if os.name == "nt":
        # Windows refuses to delete files that a living run holds open; asking for it may end it.
        return False
    try:
        os.kill(int(digits), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
