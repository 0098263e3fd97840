"""The step that asks compared with what, on a small study and in the cases in which it cannot."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import shapely

from placeproof.geometry import to_wkb
from placeproof.study import forging, reading
from placeproof.study.estimating import estimate_effects
from placeproof.study.lock import lock_state
from placeproof.study.plan import read_plan
from placeproof.study.run import STEPS
from placeproof.study.settings import read_study
from placeproof.study.work import Work
from tests.study.conftest import make_study, quiet

HEADLINES = {"puk-robbery", "puk-all-crime", "puk-asb", "puk-violence-and-sexual-offences"}


def _worked(folder: Path) -> Work:
    study, plan = read_study(folder), read_plan(folder)
    lock = lock_state(folder, plan, outcomes_public=False, mappings={})
    work = Work(study, plan, lock, reading.read_all(study, quiet), quiet)
    for name, _, steps in STEPS:
        if name == "effects":
            return work
        if name in ("outcomes", "places", "panel"):
            for step in steps[:2]:
                step(work)
    raise AssertionError


def _added(work: Work, step: Callable[[Work], None] = forging.forge_comparisons) -> pl.DataFrame:
    before = len(work.estimates)
    step(work)
    return pl.concat(work.estimates[before:]) if len(work.estimates) > before else pl.DataFrame()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    folder = make_study(
        tmp_path_factory.mktemp("forged") / "study", sets="12", pretended_starts="[2, 40]"
    )
    return _worked(folder)


def test_each_headline_outcome_is_estimated_under_every_set(work: Work) -> None:
    rows = _added(work)
    each = rows.filter(estimand="matched_set_rate_ratio")
    assert set(each["outcome"]) == HEADLINES
    assert each.group_by("outcome").len()["len"].to_list() == [12] * len(HEADLINES)
    assert set(each["horizon"].str.split("=").list.first()) == {"tessellated", "translated"}
    placebo = rows.filter(estimand="placebo_in_space_rate_ratio", horizon="all")
    assert placebo["p_value"].is_between(1 / 13, 1).all()
    time = rows.filter(estimand="placebo_in_time_rate_ratio")
    assert set(time.filter(horizon="month=-40")["status"]) == {"not_identified"}
    assert set(time.filter(horizon="month=-2")["status"]) == {"estimated"}
    left_out = rows.filter(estimand="one_left_out_rate_ratio", outcome="puk-asb")
    assert left_out.filter(pl.col("horizon").str.starts_with("hotspot=")).height == 5
    assert left_out.filter(pl.col("horizon").str.starts_with("comparison=")).height == 10


def test_the_headline_of_the_step_is_that_of_the_run(work: Work) -> None:
    rows = _added(work)
    made = _added(work, estimate_effects).filter(
        estimand="rate_ratio", population="treated hot spots", outcome="puk-asb", horizon="all",
        method="poisson_imputation_jackknife",
    )  # fmt: skip
    each = rows.filter(estimand="matched_set_rate_ratio", outcome="puk-asb")["estimate"]
    below = rows.filter(estimand="share_of_sets_below_the_headline", outcome="puk-asb")
    assert below["estimate"].item() == pytest.approx((each < made["estimate"].item()).mean())


def test_the_same_seed_gives_the_same_sets(work: Work) -> None:
    assert _added(work).equals(_added(work))
    other = replace(work, plan=replace(work.plan, seed=work.plan.seed + 1))
    assert not _added(other).equals(_added(work))


def test_paths_stop_before_the_first_patrols(work: Work) -> None:
    paths = _added(work).filter(estimand="events_per_place")
    assert set(paths["population"]) == {
        "treated hot spots", "comparison places", "comparison places of all sets",
    }  # fmt: skip
    assert paths["horizon"].max() == "2021-03"
    assert paths["horizon"].min() == "2020-01"


def test_outcomes_stay_masked_while_the_plan_is_open(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "open", exploratory="false", sets="4")
    rows = _added(_worked(folder))
    assert set(rows["estimand"]) == {"standardised_difference"}


def test_where_nothing_can_be_matched_each_headline_says_why(work: Work) -> None:
    nowhere = replace(work, inputs=replace(work.inputs, area_wkb=None))
    rows = _added(nowhere)
    assert set(rows["outcome"]) == HEADLINES
    assert set(rows["status"]) == {"not_supplied"}
    assert set(rows["reason"]) == {forging.NO_AREA}
    small = bytes(to_wkb([shapely.box(400_000, 300_000, 400_100, 300_100)])[0])
    rows = _added(replace(work, inputs=replace(work.inputs, area_wkb=small)))
    assert set(rows["status"]) == {"not_identified"}
    assert set(rows["reason"]) == {forging.NO_CANDIDATE}
    rows = _added(replace(work, places=work.places.filter(group="comparison")))  # type: ignore[union-attr]
    assert rows["reason"].str.contains("ever patrolled").all()


def test_no_sets_are_made_where_none_are_wanted_or_there_are_no_hot_spots(work: Work) -> None:
    none = replace(work.plan, forge=replace(work.plan.forge, sets=0))
    assert _added(replace(work, plan=none)).is_empty()
    assert _added(replace(work, hotspots=None, places=None)).is_empty()


def test_features_that_nobody_supplied_are_named(work: Work) -> None:
    plan = replace(work.plan, forge=replace(work.plan.forge, features=("residents",), sets=4))
    rows = _added(replace(work, plan=plan)).filter(outcome="feature:residents")
    assert rows["status"].to_list() == ["not_supplied"]
    assert "no file" in rows["reason"].item()


def test_supplied_features_are_matched_on(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "features", sets="4", features='["poor", "pubs"]')
    squares = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": code, "name": code},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[w, 52.6], [e, 52.6], [e, 52.66], [w, 52.66], [w, 52.6]]],
                },
            }
            for code, w, e in (("A1", -1.2, -1.15), ("A2", -1.15, -1.1))
        ],
    }
    (folder / "data" / "lsoa.geojson").write_text(json.dumps(squares), encoding="utf-8")
    (folder / "data" / "poor.csv").write_text("area,score\nA1,10\nA2,20\n", encoding="utf-8")
    (folder / "data" / "pubs.csv").write_text("lon,lat\n-1.16,52.62\n", encoding="utf-8")
    (folder / "study.toml").write_text(
        (folder / "study.toml").read_text(encoding="utf-8")
        + """
[lsoa]
file = "lsoa.geojson"
code = "code"
name = "name"
[data.poor]
contract = "place_feature"
files = ["poor.csv"]
columns = { area_code = "area", value = "score" }
constants = { feature = "poor", measure = "level", edition = "2019" }
[data.pubs]
contract = "place_feature"
files = ["pubs.csv"]
crs = "EPSG:4326"
columns = { longitude_deg = "lon", latitude_deg = "lat" }
constants = { feature = "pubs", measure = "point", edition = "2019" }
""",
        encoding="utf-8",
    )
    rows = _added(_worked(folder)).filter(estimand="standardised_difference")
    made = rows.filter(pl.col("outcome").str.starts_with("feature:"))
    assert made.group_by("outcome").len().sort("outcome").rows() == [
        ("feature:poor", 3),
        ("feature:pubs", 3),
    ]
    assert "not_supplied" not in set(made["status"])
    assert rows["feeds"].str.contains("place_feature").all()
