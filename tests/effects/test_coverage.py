"""The proof of coverage at reduced counts, and that its kept result is the one that it makes."""

import json

import pytest

from tests.effects.panels import PROOFS, load, simulate

assert simulate  # the proof imports it by name
proof = load("proof_of_coverage", "coverage.py")


@pytest.fixture(scope="module")
def results() -> dict:
    return {"base": proof.many("base", 60), "null": proof.many("null", 40)}


def test_intervals_hold_the_truth_within_monte_carlo_error(results) -> None:
    assert proof.failures(results) == []


def test_the_bias_is_small_against_the_standard_error(results) -> None:
    assert abs(results["base"]["bias_log"]) < 0.5 * results["base"]["mean_standard_error"]
    assert results["base"]["found"]["share"] > 0.9


def test_a_treated_trend_is_mistaken_for_an_effect_but_not_by_the_adjusted_estimate() -> None:
    made = proof.many("trend", 15)
    assert made["bias_log"] < -0.05
    assert abs(made["trend_adjusted_bias_log"]) < 0.06


def test_kept_results_meet_their_bands_and_make_the_kept_table() -> None:
    kept = json.loads((PROOFS / "coverage.json").read_text(encoding="utf-8"))
    kept = {name: kept[name] for name in proof.STUDIES}
    assert {name: one["studies"] for name, one in kept.items()} == proof.STUDIES
    assert proof.failures(kept) == []
    assert proof.table(kept) == (PROOFS / "coverage.md").read_text(encoding="utf-8")


def test_the_judge_sees_a_bad_interval() -> None:
    bad = {
        "base": {
            "covered": proof.interval_of_share(50, 60),
            "trend_adjusted_covered": proof.interval_of_share(57, 60),
        }
    }
    assert proof.failures(bad) == []  # 60 studies cannot tell 83 % from 93 %
    worse = {"base": {**bad["base"], "covered": proof.interval_of_share(400, 500)}}
    assert proof.failures(worse) == ["base: covered 0.800"]
