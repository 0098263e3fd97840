"""A study's feed of packed positions: receipts and quarantine, and no row in memory."""

from pathlib import PurePosixPath, PureWindowsPath

import polars as pl

from placeproof.errors import InputError, SettingsError
from placeproof.files import packed
from placeproof.files.feed import (
    QUARANTINE_SCHEMA,
    FeedResult,
    FeedSpec,
    Surroundings,
    notice,
    notices,
    receipts,
    stacked,
)

MOST_SHOWN = 10_000
"""Rows in quarantine that a run repeats; all of them stay in the packed folder."""


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Look at packed folders without reading a position.

    Parameters
    ----------
    spec : FeedSpec
        `paths` are packed folders; what their exports' columns were was settled when packing.
    surroundings : Surroundings
        Positions after the cut-off are left out when visits are made.

    Returns
    -------
    FeedResult
        No table: `study.visiting` makes visits of the folders. One receipt for each export.

    Raises
    ------
    InputError
        If a folder is not whole.
    SettingsError
        If the feed is not of table ping, or maps columns.
    """
    if spec.contract != "ping" or spec.columns or spec.constants:
        raise SettingsError(
            f'[data.{spec.name}] has format = "packed": it needs contract = "ping" and no columns.',
            mend="Map columns when you pack: placeproof pack EXPORTS --to FOLDER",
        )
    rows: list[dict[str, object]] = []
    left_out: list[pl.DataFrame] = []
    said = []
    for path in spec.paths:
        if not packed.is_packed(path):
            raise InputError(
                f"{spec.shown(path)} is no folder of packed positions.",
                mend="Name the folders that placeproof pack wrote.",
            )
        opened = packed.open_packed(path)
        rows += [_receipt(spec, opened, one) for one in opened.facts["sources"]]
        found = pl.scan_parquet(path / packed.QUARANTINE).head(MOST_SHOWN).collect()
        left_out.append(found.with_columns(feed=pl.lit(spec.name)))
        said += _said(spec, opened, surroundings)
    return FeedResult(
        tables={},
        quarantine=stacked(left_out, QUARANTINE_SCHEMA),
        receipts=receipts(rows),
        notices=notices(said),
    )


def _receipt(spec: FeedSpec, opened: packed.Packed, one: dict[str, object]) -> dict[str, object]:
    return {
        "feed": spec.name,
        "table": "ping",
        "path": f"{spec.shown(opened.folder)}, packed from {_source(str(one['path']))}",
        "sha256": one["sha256"],
        "bytes": one["bytes"],
        "rows_in": one["rows_in"],
        "rows_kept": one["rows_packed"],
        "rows_quarantined": one["rows_quarantined"],
        "encoding": one["encoding"],
        "separator": one["separator"],
        "months": f"{opened.facts['first_at'][:7]}/{opened.facts['last_at'][:7]}",
    }


def _source(path: str) -> str:
    """Packed without a study, an export is known by its path on a machine: only its name tells."""
    absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
    return PureWindowsPath(path).name if absolute else path


def _said(
    spec: FeedSpec, opened: packed.Packed, surroundings: Surroundings
) -> list[dict[str, object]]:
    shown, facts = spec.shown(opened.folder), opened.facts
    said = [
        notice(
            spec.name,
            rule,
            "warning",
            f"{shown}: {rows} rows were not packed ({rule}); each is named in "
            f"{shown}/{packed.QUARANTINE}.",
            rows=rows,
        )
        for rule, rows in facts["quarantined_by_rule"].items()
    ]
    if str(facts["last_at"])[:10] > surroundings.cut_off.isoformat():
        text = f"{shown} holds positions after the cut-off; they are left out."
        said.append(notice(spec.name, "future-date", "note", text))
    if repeated := facts["remarks"].get("repeated-hour"):
        text = (
            f"{shown}: {repeated} times stand in the hour that October repeats; the first of the "
            "two hours (summer time) was taken, so half of them may be an hour late."
        )
        mend = "Export times in UTC, and pack again."
        said.append(notice(spec.name, "repeated-hour", "warning", text, mend=mend, rows=repeated))
    return said
