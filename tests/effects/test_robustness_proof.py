"""The proof of the robustness set at reduced counts, and that its kept result is what it makes."""

import json

import pytest

from tests.effects.panels import PROOFS, load, simulate

assert simulate  # the proof imports it by name
proof = load("proof_of_robustness", "robustness.py")
ESTIMATORS = ("callaway_santanna", "sun_abraham", "synthetic_did", "bounded_calibration")


@pytest.fixture(scope="module")
def kept() -> dict:
    return json.loads((PROOFS / "robustness.json").read_text(encoding="utf-8"))


def test_a_few_studies_stay_within_monte_carlo_error() -> None:
    made = proof.many("base", 6)
    assert set(made) == {*ESTIMATORS, "headline"}
    assert proof.failures({"base": made}) == []


def test_kept_results_make_the_kept_table_and_fail_nowhere(kept: dict) -> None:
    results = {name: kept["estimators"][name] for name in proof.STUDIES}
    results = {
        name: {m: one[m] for m in (*ESTIMATORS, "headline")} for name, one in results.items()
    }
    assert {name: one["headline"]["studies"] for name, one in results.items()} == proof.STUDIES
    assert proof.failures(results) == []
    sizes = ("relative_magnitudes=0", "relative_magnitudes=1", "smoothness=0", "smoothness=0.01")
    bounds = {name: {s: kept["honest"][name][s] for s in sizes} for name in proof.BOUNDED}
    text = (PROOFS / "robustness.md").read_text(encoding="utf-8")
    assert proof.table(results, bounds) == text


def test_the_judge_sees_bias_and_a_bad_interval() -> None:
    one = {"bias_log": 0.0, "bias_error": 0.005, "covered": proof.share(95, 100)}
    assert proof.failures({"base": {"x": one}}) == []
    assert proof.failures({"base": {"x": {**one, "covered": proof.share(75, 100)}}})
    assert proof.failures({"base": {"x": {**one, "bias_log": 0.05}}})
    assert proof.failures({"trend": {"x": {**one, "bias_log": 0.05}}}) == []
