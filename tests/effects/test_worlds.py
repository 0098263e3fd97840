"""The proof of the worlds at reduced counts, and that its kept result is the one that it makes."""

import json
import math

import pytest

from tests.effects.panels import PROOFS, load, simulate

assert simulate  # the proof imports it by name
proof = load("proof_of_worlds", "worlds.py")


def made(name: str, studies: int, *, alone: bool = True) -> dict:
    scores = proof.work(proof.Job(name, 0, studies, alone))
    return proof.many(name, scores)


@pytest.fixture(scope="module")
def results() -> dict:
    return {"base": made("base", 60), "null": made("null", 60)}


def test_intervals_hold_the_truth_within_monte_carlo_error(results) -> None:
    assert proof.failures(results) == []


def test_the_bias_is_small_against_the_standard_error(results) -> None:
    assert abs(results["base"]["bias_log"]) < 0.5 * results["base"]["mean_standard_error"]
    assert results["base"]["found"]["share"] > 0.9


def test_a_treated_trend_is_mistaken_for_an_effect_but_not_by_the_adjusted_estimate() -> None:
    trend = made("trend", 12, alone=False)
    assert trend["bias_log"] < -0.05
    assert abs(trend["adjusted_bias_log"]) < 0.08
    assert trend["control_found"]["share"] > 0.5


def test_choosing_on_last_year_looks_like_an_effect_until_the_baseline_took_no_part() -> None:
    chosen, unused = made("selected", 30), made("selected_unused", 30)
    assert chosen["bias_log"] < -0.03 < unused["bias_log"]


def test_the_truth_of_a_fading_effect_is_what_is_left_of_it() -> None:
    study = simulate.study(simulate.FADING, 1)
    assert simulate.FADING.rate_ratio < math.exp(study.truth) < 1


def test_only_comparison_places_are_lent_courses_in_the_placebo_in_space() -> None:
    table = simulate.study(simulate.EIGHT, 3).table
    before = table.patrolled.copy()
    proof._in_space(table, proof.np.random.default_rng(1))
    assert (table.patrolled == before).all()


def test_kept_results_meet_their_bands_and_make_the_kept_table() -> None:
    kept = json.loads((PROOFS / "worlds.json").read_text(encoding="utf-8"))
    kept = {name: kept[name] for name in proof.STUDIES}
    assert {name: one["studies"] for name, one in kept.items()} == proof.STUDIES | {
        "null": proof.ALONE
    }
    assert proof.failures(kept) == []
    assert proof.table(kept) == (PROOFS / "worlds.md").read_text(encoding="utf-8")


def test_the_judge_sees_a_bad_interval() -> None:
    bad = {"covered": proof.share(50, 60), "adjusted_covered": proof.share(57, 60)}
    assert proof.failures({"base": bad}) == []  # 60 studies cannot tell 83 % from 93 %
    worse = bad | {"covered": proof.share(400, 500)}
    assert proof.failures({"base": worse}) == ["base: covered 0.800"]
    assert proof.failures({"null": {"found": proof.share(700, 10_000)}}) == ["null: found 0.0700"]
