"""The strand whole: targets, levels, contrasts, belief, and bad input."""

import json

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.surveys import estimates
from placeproof.surveys.levels import holm
from placeproof.tables import Estimate

from .conftest import response

AREAS = [f"H{number:02d}" for number in range(20)]
CHOICES = {
    "hotspot": None,
    "consent": None,
    "withdrawal": None,
    "response_flag": None,
    "recorded": None,
    "recorded_label": "All crime recorded in the area",
    "headline_order": ("resident", "business", "user"),
    "people_target": 2000,
    "areas_target": 20,
    "per_area_target": 10,
    "min_items": 3,
    "min_people_per_area": 2,
    "level": 0.95,
}


def run(frame: pl.DataFrame | None, **changes: object) -> pl.DataFrame:
    return estimates(frame, **(CHOICES | changes))


def only(frame: pl.DataFrame, **where: str) -> dict[str, object]:
    found = frame.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def test_nineteen_areas_fail_the_gate_and_the_missing_one_is_named(city, hotspots) -> None:
    without = city.filter(pl.col("hotspot_id") != "H13")
    gate = only(run(without, hotspot=hotspots(AREAS)), outcome="survey_areas_covered")
    assert gate["estimate"] == 19
    assert json.loads(gate["diagnostics"])["met"] is False
    assert json.loads(gate["diagnostics"])["short"] == ["H13"]
    assert "H13" in gate["reason"]
    whole = only(run(city, hotspot=hotspots(AREAS)), outcome="survey_areas_covered")
    assert json.loads(whole["diagnostics"])["met"] is True


def test_board_counts_people_by_area_and_in_all(city, hotspots) -> None:
    found = run(city, hotspot=hotspots(AREAS))
    total = only(found, outcome="survey_people", subgroup="all", population="all who answered")
    assert total["estimate"] == 600
    assert json.loads(total["diagnostics"]) == {
        "answered_from": "2024-05-01",
        "answered_to": "2024-05-01",
        "met": False,
        "target": 2000,
    }
    areas = found.filter(pl.col("outcome") == "survey_people", pl.col("subgroup") != "all")
    assert areas["estimate"].sum() == 600
    steps = found.filter(pl.col("outcome").str.starts_with("survey_responses_"))
    counts = dict(steps.select("outcome", "estimate").iter_rows())
    assert counts["survey_responses_received"] == sum(
        counts[f"survey_responses_{step}"]
        for step in ("withdrawn", "no_consent", "excluded", "repeated", "conflicting", "eligible")
    )


def test_populations_and_ways_of_reaching_people_stay_apart(city) -> None:
    found = run(city).filter(pl.col("outcome") == "safe_at_night", pl.col("subgroup") == "all")
    assert sorted(found["population"]) == sorted(
        f"{who}, {how}"
        for who in ("residents", "businesses", "users of the place")
        for how in ("met by fieldworkers", "volunteers")
    )
    assert found["n"].sum() == city["safety_night"].count()
    headline = found.filter(pl.col("role") == "headline")
    assert headline["population"].to_list() == ["residents, met by fieldworkers"]
    volunteers = found.filter(pl.col("population") == "residents, volunteers").row(0, named=True)
    assert "Volunteers (kiosk link paper poster)" in volunteers["reason"]
    assert json.loads(volunteers["diagnostics"])["weighting"] == "unweighted volunteers"


def test_one_headline_per_question_and_outcome(city) -> None:
    heads = run(city).filter(pl.col("role") == "headline")
    assert heads.group_by("question", "outcome").len()["len"].to_list() == [1] * heads.height
    assert sorted(heads["question"]) == ["RQ4", "RQ5", "RQ6", "RQ7"]


def test_share_equals_the_count_of_people(city) -> None:
    found = only(
        run(city),
        outcome="aware_unprompted",
        population="businesses, met by fieldworkers",
        subgroup="all",
    )
    people = city.filter(pl.col("population") == "business", pl.col("mode") == "fieldworker")
    assert found["estimate"] == pytest.approx(people["aware_unprompted"].mean())
    assert found["n"] == people.height
    assert found["n_places"] == people["hotspot_id"].n_unique()
    assert 0 < found["lower"] < found["estimate"] < found["upper"] < 1


def test_night_time_users_differ_where_the_truth_says_so(city) -> None:
    found = run(city).filter(
        pl.col("question") == "RQ9",
        pl.col("outcome") == "confidence_scale",
        pl.col("estimand") == "difference_in_means",
    )
    assert found.height == 6
    assert set(found["subgroup"]) == {"hours_of_use=nte"}
    # Planted: 0.8 before rounding and clipping to 1..5.
    assert (found["lower"] > 0.2).all()
    assert (found["estimate"] < 1.2).all()


def test_contrasts_carry_the_smaller_group_and_a_multiplicity_note(city) -> None:
    found = only(
        run(city),
        question="RQ8",
        outcome="safe_at_night",
        population="residents, met by fieldworkers",
        subgroup="sex=female",
        estimand="difference_in_shares",
    )
    people = city.filter(pl.col("population") == "resident", pl.col("mode") == "fieldworker")
    female = people.filter(pl.col("sex") == "female")
    male = people.filter(pl.col("sex") == "male")
    gap = (female["safety_night"] >= 3).mean() - (male["safety_night"] >= 3).mean()
    assert found["estimate"] == pytest.approx(gap)
    assert found["n"] == min(female.height, male.height)
    diagnostics = json.loads(found["diagnostics"])
    assert diagnostics["multiplicity"].startswith("One of ")
    assert diagnostics["p_value_holm"] >= found["p_value"]


def test_holm_by_hand() -> None:
    import numpy as np

    adjusted = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    assert adjusted[[0, 2, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(adjusted[1])


def test_no_row_claims_an_effect(city) -> None:
    found = run(city).filter(pl.col("question") != "data")
    assert not found["estimand"].str.contains("effect_on|rate_ratio|prevented").any()
    levels = found.filter(pl.col("method") == "linearised_cluster_by_area")
    assert levels["reason"].str.contains("association").all()


def test_weights_are_used_where_everyone_has_one(responses) -> None:
    rows = [
        response(
            n, hotspot_id=f"H{n % 4:02d}", aware_prompted=n % 2 == 0, base_weight=1.0 + 2 * (n % 2)
        )
        for n in range(40)
    ]
    where = {"outcome": "aware_prompted", "subgroup": "all"}
    weighted = only(run(responses(rows)), **where)
    assert weighted["estimate"] == pytest.approx(0.25)
    assert json.loads(weighted["diagnostics"])["weighting"] == "weighted"
    board = only(run(responses(rows)), outcome="survey_effective_people")
    assert board["estimate"] == pytest.approx(80**2 / (20 * 1 + 20 * 9))
    one_missing = only(run(responses([*rows[:-1], rows[-1] | {"base_weight": None}])), **where)
    assert one_missing["estimate"] == pytest.approx(0.5)
    assert json.loads(one_missing["diagnostics"])["weighting"] == "unweighted"


def test_belief_stands_beside_the_record(responses) -> None:
    rows = [response(n, hotspot_id=f"H{n % 4:02d}", crime_belief=1 + n % 4) for n in range(40)]
    recorded = pl.DataFrame(
        {"hotspot_id": ["H00", "H01", "H02", "H03"], "events": [5.0, 10.0, 20.0, None]}
    )
    found = run(responses(rows), recorded=recorded)
    rank = only(found, outcome="crime_belief_against_recorded")
    assert rank["estimate"] == pytest.approx(1.0)
    assert rank["n_places"] == 3
    missing = only(found, outcome="recorded_beside_belief", subgroup="hotspot=H03")
    assert missing["status"] == "not_supplied"
    belief = only(found, outcome="crime_belief_by_area", subgroup="hotspot=H02")
    assert belief["estimate"] == 3.0


@pytest.mark.parametrize("empty", [True, False])
def test_nothing_supplied_gives_one_reason_per_question(empty, responses) -> None:
    found = run(responses([]) if empty else None)
    assert found["question"].to_list() == ["RQ4", "RQ5", "RQ6", "RQ7", "RQ8", "RQ9"]
    assert set(found["status"]) == {"not_supplied"}
    assert found["reason"].null_count() == 0


@pytest.mark.parametrize(
    "rows",
    [
        [response(1)],
        [response(1, aware_prompted=True)],
        [response(n, aware_prompted=n > 2, sex="x") for n in range(5)],
        [response(n, hotspot_id=f"H{n}", base_weight=0.0, safety_night=2) for n in range(5)],
        [response(1, hotspot_id=None)],
        [response(1, consent_survey=False)],
        [response(1, completed_at=None)],
    ],
    ids=["all null", "one person", "one area", "weights zero", "no area", "no consent", "undated"],
)
def test_bad_input_never_crashes_and_never_gives_a_silent_number(rows, responses) -> None:
    found = run(responses(rows))
    Estimate.validate(found)
    blank = found.filter(pl.col("estimate").is_null())
    assert set(blank["status"]) <= {"not_supplied", "not_identified"}
    assert blank["reason"].null_count() == 0
    assert found.filter(pl.col("lower").is_not_null()).is_empty()


def test_shuffled_rows_give_the_same_bytes(city) -> None:
    shuffled = city.sample(fraction=1, shuffle=True, seed=5)
    assert run(city).write_json() == run(shuffled).write_json()


def test_input_is_not_changed(city) -> None:
    before = city.clone()
    run(city)
    assert city.equals(before)


def test_no_two_rows_have_the_same_descriptive_keys(city) -> None:
    found = run(
        city,
        recorded=pl.DataFrame({"hotspot_id": AREAS, "events": [float(n) for n in range(20)]}),
    )
    assert found.select(DESCRIPTIVE_KEYS).is_unique().all()
