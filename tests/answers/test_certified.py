"""What the recovery certificate says lowers a grade, or leaves a question without a headline."""

import json

import pytest

from tests.answers.builder import answers, control, effect, findings, trend

IMPUTATION = "poisson_imputation_jackknife"


def certificate(verdict: str, reason: str | None) -> dict:
    return {
        "question": "data",
        "outcome": "outcome-RQ1",
        "outcome_label": "Serious violence",
        "population": "simulated studies like this one",
        "estimand": "recovery_certificate",
        "method": IMPUTATION,
        "unit": "studies",
        "status": "estimated" if verdict == "certified" else "not_supplied",
        "estimate": 1000.0 if verdict == "certified" else None,
        "reason": reason,
        "diagnostics": json.dumps({"verdict": verdict}),
        "feeds": "crime hotspot",
    }


def told(*more: dict, **changed: object) -> dict:
    made = findings([effect(0.8, **changed), trend(), control(), *more])
    return answers(made).filter(question="RQ1").row(0, named=True)


@pytest.mark.parametrize(
    ("verdict", "confidence"),
    [
        ("certified", "moderate"),
        ("not_certified", "low"),
        ("not_certifiable", "low"),
        ("barred", "low"),
    ],
)
def test_the_grade_knows_the_verdict(verdict: str, confidence: str) -> None:
    reason = None if verdict == "certified" else "Not so, because of this."
    made = told(certificate(verdict, reason))
    assert made["confidence"] == confidence
    assert ("because of this" in made["grade_reasons"]) == (verdict != "certified")


def test_a_run_that_did_not_look_is_graded_as_ever() -> None:
    assert told()["confidence"] == "moderate"


def test_a_barred_headline_leaves_the_question_without_one() -> None:
    reason = "Barred from the headline by the recovery certificate: its interval is a fiction."
    made = told(role="beside", reason=reason)
    assert (made["status"], made["confidence"]) == ("partly", "none")
    assert "its interval is a fiction" in made["because"]
    assert "fell" not in made["summary"]
