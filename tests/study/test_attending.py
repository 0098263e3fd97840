"""Attendances of the rehearsal: located where they were, and nobody's words are kept."""

import json
from pathlib import Path

import polars as pl
import pytest

from placeproof.study import attending, placing
from placeproof.study.lock import lock_state
from placeproof.study.plan import read_plan
from placeproof.study.reading import read_all
from placeproof.study.settings import read_study
from placeproof.study.work import Work
from tests.study.conftest import quiet


@pytest.fixture(scope="module")
def located(northmere: Path) -> Work:
    study, plan = read_study(northmere), read_plan(northmere)
    lock = lock_state(northmere, plan, outcomes_public=study.outcomes_public, mappings={})
    work = Work(study, plan, lock, read_all(study, quiet), quiet)
    placing.select_outcomes(work)
    placing.find_places(work)
    work.estimates.clear()
    attending.locate_attendances(work)
    return work


def test_what_is_located_lies_where_it_was_planted(northmere: Path, located: Work) -> None:
    told = json.loads((northmere / "truth.json").read_text(encoding="utf-8"))
    planted = told["feeds"]["ed"]["in_hot_spots"]
    table = located.inputs.tables["ed_assault"]
    places = attending.located(located, table)["place_id"].to_list()
    spots = set(located.places.filter(kind="hotspot")["place_id"])  # type: ignore[union-attr]
    pairs = zip(table["attendance_id"].to_list(), places, strict=True)
    found = {who: place for who, place in pairs if place in spots}
    right = sum(planted.get(who) == place for who, place in found.items())
    assert len(found) > 0.3 * len(planted)
    assert right / len(found) >= 0.98


def test_an_effect_stands_with_its_bounds_and_no_word_is_kept(located: Work) -> None:
    rows = pl.concat(located.estimates)
    head = rows.filter(role="headline").to_dicts()
    assert [row["status"] for row in head] == ["estimated"]
    assert head[0]["lower"] < 0.85 < head[0]["upper"]  # planted: 0.75 at night, 0.86 by day
    sides = rows.filter(pl.col("horizon").str.starts_with("unlocated="), estimand="rate_ratio")
    assert sides.height == 5
    assert "location_text" not in {
        name for table in located.tables.values() for name in table.columns
    }
