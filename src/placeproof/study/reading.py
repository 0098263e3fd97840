"""Every feed of a study, read once: tables, what was left out, and which questions lack a feed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from placeproof import files
from placeproof.errors import StudyError
from placeproof.files import across, geo, withdrawals
from placeproof.files.feed import (
    NOTICE_SCHEMA,
    QUARANTINE_SCHEMA,
    FeedResult,
    FeedSpec,
    Surroundings,
    combined,
    notice,
    notices,
    stacked,
)
from placeproof.study.settings import Study

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many parts are done, and how many there are."""


@dataclass(frozen=True)
class Inputs:
    """
    What a study's files hold.

    Parameters
    ----------
    tables : mapping
        Canonical name to rows that meet the contract; an absent name was not supplied.
    result : FeedResult
        Quarantine, receipts, notices and flagged rows of all feeds together.
    area_wkb : bytes or None
        Outline of the study area in metres on the British National Grid.
    missing : mapping
        Canonical table to the reason why it is not supplied, where the study asked for it.
    """

    tables: Mapping[str, pl.DataFrame]
    result: FeedResult
    area_wkb: bytes | None
    missing: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> pl.DataFrame | None:
        """A canonical table, or None where it was not supplied or holds no row."""
        table = self.tables.get(name)
        return table if table is not None and table.height else None

    def noting(self, problems: list[dict[str, object]]) -> "Inputs":
        """The same inputs with further notices."""
        said = _joined(self.result.notices, problems)
        return replace(self, result=replace(self.result, notices=said))

    def sha256s(self, names: str) -> list[str]:
        """Hashes of the files behind some canonical tables, given separated by blanks."""
        wanted = set(names.split())
        receipts = self.result.receipts
        hits = [
            row["sha256"]
            for row in receipts.iter_rows(named=True)
            if wanted & set(str(row["table"] or "").split())
        ]
        return sorted(set(hits))


def read_all(study: Study, progress: Progress) -> Inputs:
    """
    Read every feed of a study.

    Parameters
    ----------
    study : Study
        The study.
    progress : callable
        Told of each feed.

    Returns
    -------
    Inputs
        A feed that cannot be read at all is not supplied: its reason stands among the notices as
        an error, and the questions that rest on it say so. People who withdrew are left out.
    """
    area_wkb = geo.outline(study.area, crs=study.area_crs) if study.area else None
    surroundings = Surroundings(area_wkb, study.start, study.cut_off)
    results: list[FeedResult] = []
    problems: list[dict[str, object]] = []
    missing: dict[str, str] = {}
    specs = sorted(study.feeds, key=lambda spec: (spec.contract != "hotspot", spec.name))
    for done, spec in enumerate(specs):
        progress(f"reading {spec.name}", done, len(specs))
        _note_empty_patterns(study, spec, problems, missing)
        if not spec.paths:
            continue
        try:
            results.append(files.read(spec, surroundings))
        except StudyError as error:
            problems.append(
                notice(spec.name, "unreadable", "error", error.message, mend=error.mend)
            )
            missing[spec.contract] = f"the feed {spec.name} cannot be read: {error.message}"
    progress("reading", len(specs), len(specs))
    whole = combined(results)
    for name, table in whole.tables.items():
        if table.is_empty():
            missing.setdefault(
                name, f"not one row of table {name} could be kept: see what was left out"
            )
    paths = dict(whole.receipts.select("sha256", "path").unique("sha256").iter_rows())
    between, flagged = across.check(whole.tables, paths=paths)
    problems += between.to_dicts()
    tables = _without_withdrawn(whole.tables, problems)
    whole = replace(
        whole,
        tables=tables,
        notices=_joined(whole.notices, problems),
        flagged=stacked([whole.flagged, flagged], QUARANTINE_SCHEMA),
    )
    return Inputs(tables, whole, area_wkb, missing)


def _without_withdrawn(
    tables: dict[str, pl.DataFrame], problems: list[dict[str, object]]
) -> dict[str, pl.DataFrame]:
    """The tables without the people who left; how many rows went is a notice, never who."""
    left = tables.get("withdrawal")
    if left is None or left.is_empty():
        return tables
    kept, counts = withdrawals.without(tables, left)
    for table, rows in counts.items():
        if rows:
            message = f"{rows} rows of table {table} were taken out: their people withdrew."
            problems.append(notice("withdrawals", "withdrawn", "note", message, rows=rows))
    return kept


def _note_empty_patterns(
    study: Study,
    spec: FeedSpec,
    problems: list[dict[str, object]],
    missing: dict[str, str],
) -> None:
    for name, pattern in study.empty_patterns:
        if name == spec.name:
            message = f"[data.{name}]: no file in data/ is called {pattern}."
            mend = "put the file there, or change the pattern in study.toml"
            problems.append(notice(name, "no_file", "error", message, mend=mend))
            if not spec.paths:
                missing[spec.contract] = f"no file was found for the feed {name} ({pattern})"


def _joined(found: pl.DataFrame, problems: list[dict[str, object]]) -> pl.DataFrame:
    if not problems:
        return found
    return notices([*problems, *found.select(list(NOTICE_SCHEMA)).iter_rows(named=True)])
