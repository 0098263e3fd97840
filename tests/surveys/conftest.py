"""Invented responses for the survey room."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from placeproof.tables import Consent, Hotspot, Response, ResponseFlag, Withdrawal
from placeproof.tables.contract import Table

LINEAGE = {"source_sha256": "0" * 64, "source_row": 2}


def filled(table: type[Table], rows: list[dict[str, object]]) -> pl.DataFrame:
    """A frame that meets the contract, absent columns null."""
    schema = {name: column.dtype for name, column in table.columns().items()}
    full = [{name: row.get(name) for name in schema} | row for row in rows]
    return table.validate(pl.DataFrame(full, schema=schema), cast=True)


def response(number: int, **answers: object) -> dict[str, object]:
    """One response by a resident met by a fieldworker in area H01, unless told otherwise."""
    return {
        "response_id": f"r{number:04d}",
        "completed_at": datetime(2024, 5, 1, 12, tzinfo=UTC),
        "population": "resident",
        "mode": "fieldworker",
        "hotspot_id": "H01",
        "zone": "inside",
        "hours_of_use": "unknown",
        "consent_survey": True,
        **LINEAGE,
        "source_row": number + 2,
        **answers,
    }


@pytest.fixture
def responses() -> Callable[[list[dict[str, object]]], pl.DataFrame]:
    return lambda rows: filled(Response, rows)


@pytest.fixture
def consents() -> Callable[[list[tuple]], pl.DataFrame]:
    """Rows of (response number, scope, given, hour or None)."""
    return lambda rows: filled(
        Consent,
        [
            {
                "subject_id": f"r{number:04d}",
                "subject_kind": "response",
                "scope": scope,
                "given": given,
                "at": None if hour is None else datetime(2024, 5, 1, hour, tzinfo=UTC),
                **LINEAGE,
            }
            for number, scope, given, hour in rows
        ],
    )


@pytest.fixture
def flags() -> Callable[[list[tuple]], pl.DataFrame]:
    return lambda rows: filled(
        ResponseFlag,
        [
            {
                "response_id": f"r{number:04d}",
                "flag": "speed",
                "reason": "fast",
                "excluded": excluded,
                **LINEAGE,
            }
            for number, excluded in rows
        ],
    )


@pytest.fixture
def withdrawals() -> Callable[[list[int]], pl.DataFrame]:
    return lambda numbers: filled(
        Withdrawal,
        [
            {"subject_id": f"r{number:04d}", "subject_kind": "response", **LINEAGE}
            for number in numbers
        ],
    )


@pytest.fixture
def hotspots() -> Callable[[list[str]], pl.DataFrame]:
    """Areas by identifier; outlines are of no interest here."""
    return lambda ids: pl.DataFrame(
        {"hotspot_id": ids}, schema={"hotspot_id": Hotspot.hotspot_id.dtype}
    )


@pytest.fixture
def city() -> pl.DataFrame:
    """600 people of three populations in 20 areas; more confidence among night-time users."""
    rng = np.random.default_rng(7)
    people = []
    for number in range(600):
        area = int(rng.integers(0, 20))
        night = bool(rng.random() < 0.4)
        confidence = rng.normal(3.0 + 0.8 * night, 1, 5)
        item = {
            f"confidence_{name}": int(np.clip(np.round(value), 1, 5))
            for name, value in zip(
                ("effective", "fair", "engaged", "legitimate", "overall"), confidence, strict=True
            )
        }
        people.append(
            response(
                number,
                hotspot_id=f"H{area:02d}",
                population=str(rng.choice(["resident", "business", "user"])),
                mode=str(rng.choice(["fieldworker", "poster", "link", "kiosk", "paper"])),
                hours_of_use="nte" if night else "other",
                age_band=str(rng.choice(["18-24", "25-44", "45 and over"])),
                sex=str(rng.choice(["female", "male"])),
                ethnicity=str(rng.choice(["Asian", "White", "Other"])),
                disability=str(rng.choice(["yes", "no"])),
                aware_unprompted=bool(rng.random() < 0.3),
                aware_prompted=bool(rng.random() < 0.6),
                patrols_seen=int(rng.integers(1, 7)),
                crime_belief=int(rng.integers(1, 6)),
                patrol_effectiveness=int(rng.integers(1, 6)),
                safety_day=int(rng.integers(1, 5)),
                safety_evening=int(rng.integers(1, 5)),
                safety_night=int(rng.integers(1, 5)),
                asb_worry=int(rng.integers(1, 5)),
                over_policed=int(rng.integers(1, 6)),
                **item,
            )
        )
    return filled(Response, people)
