"""Registers, the scan of recording, location bounds and displacement in a whole rehearsal."""

import json
from dataclasses import dataclass, replace
from datetime import date

import polars as pl
import pytest

from placeproof.errors import GeometryError
from placeproof.rehearsal import FEEDS, write_force
from placeproof.study import displacing, locating, rivals, scanning
from placeproof.study.work import Work
from tests.study.test_varying import added, with_tables, worked

KEPT = {"crimes", "incidents", "hotspots", "outreach", "problem_plans", "events", "shocks"}
HEADLINES = ("sv-street-nondom", "all-crime-reported", "asb-all")


@dataclass(frozen=True)
class Rehearsed:
    """A run up to its panel, what was planted, and what the steps add."""

    work: Work
    truth: dict
    beside: pl.DataFrame


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    folder = tmp_path_factory.mktemp("rivals") / "study"
    write_force(folder, seed=1, size="small", effect="rivals", without=set(FEEDS) - KEPT)
    work = worked(folder)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Rehearsed(work, truth, added(work, rivals.estimate_beside_rivals))


def one(rows: pl.DataFrame, **at: object) -> dict:
    return rows.filter(**at).row(0, named=True)


def test_outreach_and_plans_are_told_from_patrols_and_from_each_other(
    rehearsed: Rehearsed,
) -> None:
    method, rows = "poisson_imputation_joint", rehearsed.beside
    planted = {(r["rival"], r["outcome"]): r["rate_ratio"]
               for r in rehearsed.truth["rivals"]["rate_ratios"]}  # fmt: skip
    patrols = {r["outcome"]: r["rate_ratio"] for r in rehearsed.truth["effects"]
               if r["population"] == "treated hot spots" and r["hours"] == "all"}  # fmt: skip
    for outcome in HEADLINES:
        own = one(rows, outcome=outcome, method=method, horizon="term=patrols", hours="all")
        assert own["lower"] < patrols[outcome] < own["upper"], outcome
        plans = one(rows, outcome=outcome, method=method, hours="all",
                    horizon="term=problem-solving-plans")  # fmt: skip
        assert plans["lower"] < planted["problem plans", outcome] < plans["upper"], outcome
        hours = one(rows, outcome=outcome, method=method, hours="within:14:00-20:00",
                    horizon="term=street-outreach")  # fmt: skip
        assert hours["lower"] < planted["outreach, its hours", outcome] < hours["upper"], outcome
        assert hours["upper"] < 1, outcome


def test_without_the_register_what_rivals_did_is_credited_to_patrols(rehearsed: Rehearsed) -> None:
    for outcome in HEADLINES:
        change = one(rehearsed.beside, outcome=outcome, horizon="without=rivals",
                     estimand="change_in_rate_ratio")  # fmt: skip
        assert change["estimate"] > 1.04, outcome
    blind = with_tables(rehearsed.work, cointervention=None, problem_plan=None, event=None)
    rows = added(blind, rivals.estimate_beside_rivals)
    assert not rows.filter(pl.col("horizon").str.starts_with("term=")).height


def test_every_registered_event_and_change_is_left_out_or_split(rehearsed: Rehearsed) -> None:
    rows = rehearsed.beside.filter(outcome="asb-all")
    assert one(rows, horizon="without=events", estimand="rate_ratio")["estimate"] is not None
    for horizon in ("until=S3", "since=S3"):
        assert one(rows, horizon=horizon, estimand="rate_ratio")["n_places"] > 24
    outside = one(rows, hours="outside:14:00-20:00", horizon="term=patrols")
    assert "cointervention" in outside["feeds"]
    assert "problem_plan" in outside["feeds"]


def test_a_drawn_area_says_which_places_a_rival_is_in(rehearsed: Rehearsed) -> None:
    work = rehearsed.work
    register = work.inputs.get("cointervention")
    assert register is not None
    spot = work.places.filter(kind="comparison").row(0, named=True)  # type: ignore[union-attr]
    x, y = spot["centre_easting_m"], spot["centre_northing_m"]
    ends = [(x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5), (x - 5, y - 5)]
    wkt = f"POLYGON (({', '.join(f'{a} {b}' for a, b in ends)}))"
    drawn = register.head(1).with_columns(hotspot_id=pl.lit(None, pl.String), area_wkt=pl.lit(wkt))
    tied, everywhere = rivals.registered(with_tables(work, cointervention=drawn))
    assert [spell[0] for spell in tied[0].spells] == [spot["place_id"]]
    assert everywhere == []
    wrong = drawn.with_columns(area_wkt=pl.lit("POLYGON ((1 1, 2 2"))
    with pytest.raises(GeometryError, match="no valid polygon"):
        rivals.registered(with_tables(work, cointervention=wrong))


def test_a_rival_tied_to_no_place_cannot_be_told_from_the_time(rehearsed: Rehearsed) -> None:
    register = rehearsed.work.inputs.get("cointervention")
    assert register is not None
    loose = register.head(1).with_columns(hotspot_id=pl.lit(None, pl.String))
    work = with_tables(rehearsed.work, cointervention=loose, problem_plan=None, event=None)
    rows = added(work, rivals.estimate_beside_rivals)
    row = one(rows, estimand="rival_rate_ratio", outcome="asb-all")
    assert row["status"] == "not_identified"
    assert "whole study area at once" in row["reason"]
    listed = rivals.listed(work)
    assert listed.row(0)[:2] == ("Street outreach", None)


def test_steps_are_flagged_before_effects_and_left_out(rehearsed: Rehearsed) -> None:
    work = rehearsed.work
    assert date(2020, 6, 1) in work.steps
    told = work.inputs.result.notices.filter(code="step_in_recording")
    assert told.height == len(work.steps)
    assert "warning" in set(told["severity"])
    rows = added(work, scanning.leave_steps_out)
    assert set(rows["horizon"]) == {"without=step-2020-06"}
    assert set(rows["outcome"]) == set(HEADLINES)


def test_headlines_are_bounded_and_displacement_stands_by_two_methods(
    rehearsed: Rehearsed,
) -> None:
    bounds = added(rehearsed.work, locating.bound_missing_locations)
    # No incident of this force lacks a location, so that nothing is to be bounded there.
    assert set(bounds["outcome"]) == {"sv-street-nondom", "all-crime-reported"}
    moved = added(rehearsed.work, displacing.estimate_displacement)
    assert set(moved["estimand"]) >= {
        "weighted_displacement_difference", "displaced_share", "log_relative_incident_rate_ratio"
    }  # fmt: skip
    share = one(moved, estimand="displaced_share", outcome="sv-street-nondom")
    assert share["lower"] < 0 < share["upper"]


def test_while_the_plan_is_open_nothing_is_estimated(rehearsed: Rehearsed) -> None:
    work = rehearsed.work
    masked = replace(work, lock=replace(work.lock, state="open"))
    for step in (
        rivals.estimate_beside_rivals,
        locating.bound_missing_locations,
        displacing.estimate_displacement,
        scanning.leave_steps_out,
    ):
        assert added(masked, step).is_empty()


def test_hours_that_cannot_be_read_are_passed_over(rehearsed: Rehearsed) -> None:
    register = rehearsed.work.inputs.get("cointervention")
    assert register is not None
    for hours in ("all day", "25:00-26:00", "14:00-14:00", None):
        odd = register.with_columns(hours=pl.lit(hours, pl.String))
        work = with_tables(rehearsed.work, cointervention=odd)
        tied, _ = rivals.registered(work)
        assert rivals._with_hours(work, tied) == []


def test_names_become_identifiers() -> None:
    assert rivals.slug("Street outreach (evenings)") == "street-outreach-evenings"
    assert rivals.slug("—") == "unnamed"
