"""The robustness set as rows: every estimator has a number or a reason, and the plan is heeded."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome
from placeproof.effects.robustness import METHODS, Choices, robustness_set
from tests.effects.panels import make_panel, simulate

CHOICES = Choices(
    methods=METHODS,
    weeks_per_step=13,
    comparison_of_cohorts="not_yet",
    calibration_parts=3,
    largest_weight=5.0,
    honest_steps=2,
    honest_leads=2,
    relative_magnitudes=(0.5,),
    smoothness=(0.01,),
)
PLANNED = {"planted": PlannedOutcome("RQ1", "Planted", None, "headline")}


def made(panel: pl.DataFrame, **changes: object) -> pl.DataFrame:
    choices = replace(CHOICES, **changes)  # type: ignore[arg-type]
    return robustness_set(panel, outcomes=PLANNED, choices=choices, level=0.95)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    world = simulate.World(rate_ratio=0.6, rate=3.0)
    return made(simulate.panel(world, 2), methods=METHODS[:4])


def test_every_estimator_finds_what_was_planted(rows) -> None:
    ratios = rows.filter(estimand="rate_ratio", horizon="all")
    assert set(ratios["method"]) == set(METHODS[:4])
    assert (ratios["lower"] < 0.6).all()
    assert (ratios["upper"] > 0.6).all()
    assert (ratios["upper"] < 1).all()
    assert set(rows["role"]) == {"robustness"}
    assert set(rows["population"]) == {"treated hot spots"}


def test_events_and_ratio_of_one_estimator_say_the_same(rows) -> None:
    for method in ("callaway_santanna", "sun_abraham", "synthetic_did"):
        one = {row["estimand"]: row for row in rows.filter(method=method).to_dicts()}
        ratio, events = one["rate_ratio"], one["events_changed_per_step"]
        told = json.loads(ratio["diagnostics"])
        observed = told["observed_events_a_place_and_step"]
        assert ratio["estimate"] == pytest.approx(observed / (observed - events["estimate"]))
        assert ratio["p_value"] == pytest.approx(events["p_value"])
        assert events["unit"] == "events a place in 13 weeks"
        assert told["degrees_of_freedom"] == told["treated_places"] - 1 == 19


def test_the_plan_chooses_estimators_and_comparison() -> None:
    panel = simulate.panel(simulate.BASE, 3)
    some = made(panel, methods=("callaway_santanna",))
    assert set(some["method"]) == {"callaway_santanna"}
    never = made(panel, methods=("callaway_santanna",), comparison_of_cohorts="never")
    assert never["estimate"].to_list() != some["estimate"].to_list()
    assert made(panel, methods=()).is_empty()
    assert '"comparison_of_cohorts": "never"' in never["diagnostics"][0]


def test_the_same_again_is_the_same() -> None:
    panel = simulate.panel(simulate.EIGHT, 4)
    methods = METHODS[:4]
    assert made(panel, methods=methods).equals(made(panel.reverse(), methods=methods))


def test_counts_that_bear_no_effect_give_a_reason_for_each_estimator() -> None:
    some = np.random.default_rng(1).poisson(4, (6, 24)).astype(float)
    starts: list[int | None] = [12] * 3 + [None] * 3
    missing = np.full((6, 24), np.nan)
    panels = {
        "one start, nobody else": make_panel(some, [12] * 6),
        "zeros": make_panel(np.zeros((6, 24)), starts),
        "nothing supplied": make_panel(missing, starts),
        "nobody patrolled": make_panel(some, [None] * 6),
        "patrolled from the first": make_panel(some, [0] * 3 + [None] * 3),
    }
    for name, panel in panels.items():
        found = made(panel)
        assert found["estimate"].null_count() == found.height, name
        assert set(found["method"]) == set(METHODS), name
        assert found["reason"].null_count() == 0, name
        status = {"not_supplied"} if name == "nothing supplied" else {"not_identified"}
        assert set(found["status"]) == status, name


def test_a_small_study_has_numbers_or_reasons_and_never_an_interval_of_one_place() -> None:
    counts = np.random.default_rng(2).poisson(2, (7, 24)).astype(float)
    found = made(make_panel(counts, [12] + [None] * 6))
    assert set(found["method"]) == set(METHODS)
    assert found["lower"].null_count() == found.height
    assert found.filter(pl.col("status") == "estimated")["reason"].null_count() == 0


def test_totals_that_weights_do_not_meet_are_named() -> None:
    rng = np.random.default_rng(6)
    counts = rng.poisson(6, (10, 24)).astype(float)
    counts[:3, :4] *= 1.4  # hot in the first third of the past alone, as no other place is
    counts[:3, 8:12] *= 0.7
    found = made(
        make_panel(counts, [12] * 3 + [None] * 7), methods=("bounded_calibration",),
        largest_weight=1.5,
    )  # fmt: skip
    row = found.to_dicts()[0]
    assert row["status"] == "estimated"
    assert "totals are not met by weights within bounds" in row["reason"]
    assert "events from 2020-01-01 to 2020-04-30" in row["reason"]


def test_a_step_of_too_much_expected_fall_gives_no_ratio() -> None:
    # Comparison places fall by more events than the hot spots ever had.
    counts = np.vstack([np.full((3, 24), 3.0), np.full((4, 24), 40.0)])
    counts[3:, 12:] = 4.0
    counts += np.random.default_rng(3).integers(0, 2, counts.shape)
    found = made(make_panel(counts, [12] * 3 + [None] * 4), methods=("callaway_santanna",))
    by = {row["estimand"]: row for row in found.to_dicts()}
    assert by["rate_ratio"]["status"] == "not_identified"
    assert "Less than no event was to be expected" in by["rate_ratio"]["reason"]
    assert by["events_changed_per_step"]["estimate"] > 0
