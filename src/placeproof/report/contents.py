"""Everything that a report is made of, gathered before a word is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

TEXT_KEYS: tuple[str, ...] = (
    "summary",
    "background",
    "aims",
    "methods",
    "delivery",
    *(f"RQ{number}" for number in range(1, 11)),
    "limitations",
    "recommendations",
)
"""The places where the authors' own paragraphs (`text/<key>.md`) stand in the report."""


@dataclass(frozen=True)
class StudyFacts:
    """Who, where and until when."""

    name: str
    force: str
    authors: tuple[str, ...]
    start: date
    cut_off: date
    exploratory: bool
    stamp: str = ""
    sponsor: str = ""
    contact: str = ""


@dataclass(frozen=True)
class ReportContents:
    """
    The tables and texts of one run, already past disclosure control.

    Parameters
    ----------
    study : StudyFacts
        Who, where and until when.
    findings : table `finding`
        Released findings; the only source of numbers about the world.
    answers : table `answer`
        One row per research question.
    places : table `place`
        Outlines for the map; may be empty.
    area_wkb : bytes or None
        Outline of the study area (WKB, British National Grid).
    texts : mapping
        The authors' Markdown by key of `TEXT_KEYS`.
    receipts, notices, quarantine : frames
        What reading the files left behind (one row per file, notice, or quarantined row).
    manifest : mapping
        Code version, seed, plan and whatever else the run records of itself.
    shocks : table `shock` or None
        Changes that move counts without moving crime.
    rivals : frame or None
        What else was done in places of the study: `name`, `place_id`, `starts_on`, `ends_on`.
    """

    study: StudyFacts
    findings: pl.DataFrame
    answers: pl.DataFrame
    places: pl.DataFrame
    area_wkb: bytes | None
    texts: Mapping[str, str]
    receipts: pl.DataFrame
    notices: pl.DataFrame
    quarantine: pl.DataFrame
    manifest: Mapping[str, object]
    shocks: pl.DataFrame | None = field(default=None)
    rivals: pl.DataFrame | None = field(default=None)
