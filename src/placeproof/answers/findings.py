"""Estimates get their identity and the hashes of what they rest on."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import polars as pl

from placeproof.tables import Finding

DESCRIPTIVE_KEYS: tuple[str, ...] = (
    "question",
    "outcome",
    "definition_edition",
    "population",
    "subgroup",
    "hours",
    "horizon",
    "window_start",
    "window_end",
    "estimand",
    "method",
)
"""What makes a finding the same finding in another run; never data."""

_LETTERS = 12


def from_estimates(estimates: pl.DataFrame, *, inputs: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """
    Give each estimate its identity and its provenance.

    Parameters
    ----------
    estimates : table `estimate`
        Any number of rows. Not modified.
    inputs : mapping
        Canonical table to the SHA-256 of every file that its rows came from. A table that an
        estimate names and that is not here rests on no file.

    Returns
    -------
    table `finding`
        One row per estimate, in the same order. `finding_id` is a hash of the descriptive keys,
        `value_id` a hash of that and of the inputs.

    Raises
    ------
    ValueError
        If two estimates have the same descriptive keys: a fault of the calling rooms.
    """
    identities = [_short(_canonical(row)) for row in estimates.iter_rows(named=True)]
    _refuse_twins(estimates, identities)
    hashes = [_hashes(str(feeds).split(), inputs) for feeds in estimates["feeds"]]
    values = [
        _short(json.dumps([identity, files], separators=(",", ":")))
        for identity, files in zip(identities, hashes, strict=True)
    ]
    findings = estimates.with_columns(
        pl.Series("finding_id", identities, dtype=pl.String),
        pl.Series("value_id", values, dtype=pl.String),
        pl.Series("inputs", [json.dumps(files) for files in hashes], dtype=pl.String),
        exploratory=pl.lit(None, dtype=pl.String),
    )
    return Finding.validate(findings.select(Finding.column_names()), cast=True)


def _canonical(row: Mapping[str, object]) -> str:
    keys = {name: None if row[name] is None else str(row[name]) for name in DESCRIPTIVE_KEYS}
    return json.dumps(keys, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _short(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8")).hexdigest()[:_LETTERS]


def _hashes(feeds: Sequence[str], inputs: Mapping[str, Sequence[str]]) -> list[str]:
    return sorted({digest for feed in feeds for digest in inputs.get(feed, ())})


def _refuse_twins(estimates: pl.DataFrame, identities: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    twins: list[str] = []
    for index, identity in enumerate(identities):
        if identity in seen:
            row = estimates.row(index, named=True)
            twins.append(" / ".join(str(row[name]) for name in DESCRIPTIVE_KEYS))
        seen[identity] = index
    if twins:
        raise ValueError(
            f"{len(twins)} estimates have the descriptive keys of another "
            f"({', '.join(DESCRIPTIVE_KEYS)}): {'; '.join(twins[:5])}"
        )
