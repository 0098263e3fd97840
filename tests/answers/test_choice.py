"""An effect that other sets of comparison places do not show is trusted less."""

import pytest

from tests.answers.builder import answer, control, effect, findings, trend


def spread(low: float, high: float, **more: object) -> list[dict]:
    return [
        effect(
            ratio, role="robustness", horizon=f"quantile={share}", estimand="quantile_rate_ratio",
            method="poisson_imputation_over_matched_sets", lower=None, upper=None,
            minimum_detectable_effect=None, **more,
        )
        for share, ratio in ((5, low), (95, high))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("headline", "low", "high", "confidence"),
    [
        (0.8, 0.75, 0.9, "moderate"),
        (0.8, 0.75, 1.01, "low"),
        (0.8, 1.02, 1.2, "low"),
        (1.3, 1.05, 1.4, "moderate"),
        (1.3, 0.95, 1.4, "low"),
        # Where nothing is claimed, sets on either side take nothing away.
        (1.02, 0.8, 1.2, "moderate"),
    ],
)
def test_sets_that_reach_no_change_lower_the_grade(
    headline: float, low: float, high: float, confidence: str
) -> None:
    made = findings([effect(headline), trend(), control(), *spread(low, high)])
    told = answer(made, "RQ1")
    assert told["confidence"] == confidence
    said = "hangs on the choice of comparison places" in told["grade_reasons"]
    assert said == (confidence == "low")


def test_sets_of_another_outcome_or_place_say_nothing() -> None:
    other = spread(0.8, 1.3, outcome="outcome-RQ2")
    rings = spread(0.8, 1.3, population="ring 0-100 m")
    made = findings([effect(0.8), trend(), control(), *other, *rings])
    assert answer(made, "RQ1")["confidence"] == "moderate"


def test_an_effect_without_sets_is_graded_as_ever() -> None:
    made = findings([effect(0.8), trend(), control()])
    assert answer(made, "RQ1")["confidence"] == "moderate"
