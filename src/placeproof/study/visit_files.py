"""Visits as files: whole or not there, and the pieces from which a stopped run goes on."""

import json
import os
import shutil
from pathlib import Path

import polars as pl

from placeproof import __version__
from placeproof.errors import OutputError
from placeproof.study.store import refusals_explained
from placeproof.study.visiting import Visits
from placeproof.tables import Visit


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


def require_writable(path: Path) -> None:
    """
    Refuse a place where visits cannot be written, before hours of reading.

    Parameters
    ----------
    path : Path
        As for `write_visits`; its folder is made.

    Raises
    ------
    OutputError
        If it is a folder, a file stands where a folder is needed, or the system refuses.
    """
    mend = "name a file, such as visits.parquet, in a folder in which you may write"
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder.", mend=mend)
        there = next(one for one in path.parents if one.exists())
        if not there.is_dir():
            raise OutputError(f"{there} is a file, so it holds no {path.name}.", mend=mend)
        path.parent.mkdir(parents=True, exist_ok=True)
        trial = path.with_name(f".{path.name}.{os.getpid()}")
        trial.touch()
        trial.unlink()
    except OSError as error:
        said = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {said}.", mend=mend) from error


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
