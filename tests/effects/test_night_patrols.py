"""What became of the other hours: bands around the nights, and places by when they were tasked."""

import math
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from placeproof.calendar import NTE_PRESETS, nte_intervals
from placeproof.calendar.beside import beside_nights
from placeproof.effects import PlannedOutcome
from placeproof.effects.grid import Grid, grid
from placeproof.effects.night_patrols import band_rows, first_tasked_rows, without_bands
from tests.effects.panels import make_panel

PLANNED = PlannedOutcome("RQ1", "Planted", None, "headline")
STARTS: list[int | None] = [18] * 10 + [None] * 20


def drawn(rng: np.random.Generator, *, mean: float, ratio: np.ndarray | float) -> Grid:
    expected = mean * rng.gamma(8, 1 / 8, (30, 1)) * np.ones((30, 36))
    expected[:10, 18:] *= np.reshape(ratio, (-1, 1))
    made = grid(
        make_panel(rng.poisson(expected).astype(float), STARTS),
        outcome="planted", hours="all", kinds=("hotspot", "comparison"),
    )  # fmt: skip
    assert made is not None
    return made


def night(preset: str, first: date, last: date) -> pl.DataFrame:
    return nte_intervals(NTE_PRESETS[preset], first=first, last=last, events=None)


def test_an_effect_at_night_alone_leaves_every_other_band_unchanged() -> None:
    rng = np.random.default_rng(4)
    bands = {
        "nte": drawn(rng, mean=20, ratio=0.6),
        "before": drawn(rng, mean=5, ratio=1.0),
        "after": drawn(rng, mean=3, ratio=1.0),
        "rest": drawn(rng, mean=30, ratio=1.0),
    }
    rows = band_rows(bands, outcome="planted", planned=PLANNED, nte="nte-core", level=0.95)
    assert len(rows) == 6
    for name in ("before", "after", "rest"):
        alone, against = (row for row in rows if row["hours"] == f"{name}:nte-core")
        assert alone["lower"] < 1 < alone["upper"], name
        assert against["estimand"] == "ratio_of_rate_ratios"
        assert against["lower"] < 0.6 < against["upper"] < 1, name
    assert {row["role"] for row in rows} == {"robustness"}
    assert {row["question"] for row in rows} == {"RQ9"}


def test_crime_that_moved_into_the_next_hours_is_seen_there() -> None:
    rng = np.random.default_rng(8)
    bands = {
        "nte": drawn(rng, mean=30, ratio=0.7),
        "after": drawn(rng, mean=15, ratio=1.6),
        "rest": drawn(rng, mean=30, ratio=1.0),
    }
    rows = band_rows(bands, outcome="planted", planned=PLANNED, nte="nte-core", level=0.95)
    after = next(row for row in rows if row["hours"] == "after:nte-core")
    assert 1 < after["lower"] < 1.6 < after["upper"]


def test_the_rest_is_what_the_bands_leave_of_the_other_hours() -> None:
    rng = np.random.default_rng(2)
    before, after, rest = (drawn(rng, mean=mean, ratio=1.0) for mean in (2, 1, 9))
    counts = before.counts + after.counts + rest.counts
    other = grid(
        make_panel(counts, STARTS), outcome="planted", hours="all", kinds=("hotspot", "comparison")
    )
    assert other is not None
    assert np.allclose(without_bands(other, [before, after]).counts, rest.counts)


def test_an_empty_band_is_a_sentence() -> None:
    rng = np.random.default_rng(2)
    bands = {"nte": drawn(rng, mean=9, ratio=0.8), "after": drawn(rng, mean=0, ratio=1.0)}
    rows = band_rows(bands, outcome="planted", planned=PLANNED, nte="nte-core", level=0.95)
    assert {row["status"] for row in rows} == {"not_identified"}
    assert all(row["reason"] and row["estimate"] is None for row in rows)


def first(kinds: list[bool | None], ratio: np.ndarray | float = 1.0) -> list[dict]:
    rng = np.random.default_rng(6)
    tables = {name: drawn(rng, mean=25, ratio=ratio) for name in ("nte", "other")}
    known = {f"P{i:02d}": kind for i, kind in enumerate(kinds) if kind is not None}
    return first_tasked_rows(
        tables, known, outcome="planted", planned=PLANNED, nte="nte-core", level=0.95
    )


def test_places_first_tasked_at_night_are_held_against_the_others() -> None:
    rows = first([True] * 5 + [False] * 5, np.array([0.6] * 5 + [1.0] * 5))
    for hours in ("nte:nte-core", "other:nte-core"):
        night_first, day_first, against = (row for row in rows if row["hours"] == hours)
        assert night_first["upper"] < 1
        assert day_first["lower"] < 1 < day_first["upper"]
        assert against["lower"] < 0.6 < against["upper"] < 1
        ratio = night_first["estimate"] / day_first["estimate"]
        assert against["estimate"] == pytest.approx(ratio, rel=1e-12)
        assert math.isfinite(against["standard_error"])


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([True] * 10, "Every place was tasked in night-time hours"),
        ([False] * 10, "No place was tasked in night-time hours"),
        ([True] * 9 + [False], "Only one place was first tasked in other hours only"),
        ([True] + [False] * 9, "Only one place was first tasked at night"),
        ([None] * 10, "Nobody says"),
    ],
)
def test_tasking_all_alike_gives_a_sentence_and_no_number(kinds: list, words: str) -> None:
    (row,) = first(kinds)
    assert row["status"] == "not_identified"
    assert row["reason"].startswith(words)


def test_two_hours_beside_a_night_and_where_its_operating_day_ends() -> None:
    """Friday 5 November 2021, 20:00 to 05:00: the last hour after it belongs to Saturday."""
    friday = date(2021, 11, 5)
    found = beside_nights(night("nte-core", friday, friday), hours=2)
    at = [
        (row["side"], row["next_day"], row["starts_at"], row["ends_at"]) for row in found.to_dicts()
    ]

    def utc(day: int, hour: int) -> datetime:
        return datetime(2021, 11, day, hour, tzinfo=UTC)

    assert at == [
        ("before", False, utc(5, 18), utc(5, 20)),
        ("after", False, utc(6, 5), utc(6, 6)),
        ("after", True, utc(6, 6), utc(6, 7)),
    ]
    assert set(found["operating_day"]) == {friday}


@pytest.mark.parametrize("preset", sorted(NTE_PRESETS))
@pytest.mark.parametrize("hours", [0.5, 2, 6])
def test_stretches_beside_nights_never_touch_a_night_nor_each_other(
    preset: str, hours: float
) -> None:
    """Both clock changes of a year lie within."""
    nights = night(preset, date(2021, 3, 1), date(2021, 11, 30))
    found = beside_nights(nights, hours=hours)
    assert set(found["side"]) == {"before", "after"}
    both = pl.concat([nights, found.select(nights.columns)]).sort("starts_at")
    gaps = both["starts_at"].shift(-1) - both["ends_at"]
    assert gaps.drop_nulls().dt.total_seconds().min() >= 0  # type: ignore[operator]
    longest = (found["ends_at"] - found["starts_at"]).dt.total_seconds().max()
    assert longest <= hours * 3600  # type: ignore[operator]


def test_no_night_has_no_hours_beside_it() -> None:
    assert beside_nights(
        night("nte-core", date(2021, 11, 1), date(2021, 11, 2)), hours=2
    ).is_empty()
