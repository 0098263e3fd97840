"""Findings made by hand, few and small."""

import math
from datetime import date

import polars as pl

from placeproof.answers import answer_all, from_estimates
from placeproof.tables.estimate import rows

INPUTS = {
    name: [f"{index:064x}"]
    for index, name in enumerate(
        ("crime", "incident", "hotspot", "response", "session", "turn", "ed_assault", "admission")
    )
}
SUPPLIED = {**dict.fromkeys(INPUTS, True), "ping": True, "coded_span": True}
LABELS = {"RQ1": "Serious violence", "RQ2": "All crime", "RQ3": "Anti-social behaviour"}


def effect(ratio: float, *, error: float = 0.04, **more: object) -> dict:
    question = str(more.get("question", "RQ1"))
    return {
        "question": question,
        "outcome": f"outcome-{question}",
        "outcome_label": LABELS.get(question, "Attendances"),
        "population": "treated hot spots",
        "estimand": "rate_ratio",
        "method": "poisson_imputation_jackknife",
        "role": "headline",
        "estimate": ratio,
        "lower": ratio * math.exp(-1.96 * error),
        "upper": ratio * math.exp(1.96 * error),
        "level": 0.95,
        "n": 900,
        "n_places": 24,
        "n_events": 4000.0,
        "unit": "ratio",
        "minimum_detectable_effect": math.exp(-2.8 * error),
        "window_start": date(2018, 7, 1),
        "window_end": date(2024, 6, 30),
        "feeds": "incident hotspot" if question == "RQ3" else "crime hotspot",
        **more,
    }


def trend(question: str = "RQ1", **more: object) -> dict:
    return effect(
        1.0,
        **{
            "question": question,
            "estimand": "pre_trend_slope",
            "method": "pre_trend_slope_jackknife",
            "unit": "ratio a year",
            "role": "beside",
            "p_value": 0.8,
            "diagnostics": '{"power_against_that_slope": 0.93}',
            **more,
        },
    )


def control(ratio: float = 1.0, **more: object) -> dict:
    return effect(
        ratio,
        **{
            "question": "RQ2",
            "outcome": "control",
            "outcome_label": "A control",
            "role": "negative_control",
            **more,
        },
    )


def share(question: str, value: float = 0.4, **more: object) -> dict:
    return {
        "question": question,
        "outcome": f"item-{question}",
        "outcome_label": f"An item for {question}",
        "population": "residents, met by fieldworkers",
        "estimand": "share",
        "method": "linearised_cluster_by_area",
        "role": "headline",
        "estimate": value,
        "lower": value - 0.05,
        "upper": value + 0.05,
        "level": 0.95,
        "n": 640,
        "n_places": 20,
        "unit": "share",
        "diagnostics": '{"weighting": "weighted"}',
        "feeds": "response consent response_flag",
        **more,
    }


def study() -> list[dict]:
    """Everything that a whole study has, every check passed."""
    made = [effect(0.85, question=question) for question in LABELS]
    made += [trend(question) for question in LABELS]
    made += [control()]
    made += [share(f"RQ{number}") for number in range(4, 8)]
    made += [
        share(f"RQ{number}", role="description", feeds="session turn coded_span", method="count",
              estimand="people", unit="people", estimate=61.0, lower=None, upper=None, level=None)
        for number in range(4, 8)
    ]  # fmt: skip
    for group in ("16-24", "25-49"):
        made.append(effect(0.9, role="beside", subgroup=f"age_band={group}", error=0.1))
        made.append(share("RQ8", role="beside", subgroup=f"age_band={group}"))
    for hours in ("nte:nte-core", "other:nte-core"):
        made.append(effect(0.8, question="RQ9", hours=hours, role="beside", error=0.08))
    made.append(share("RQ9", subgroup="hours_of_use=nte", role="beside"))
    made.append(effect(0.95, question="RQ10", outcome="ed", feeds="ed_assault hotspot", error=0.06))
    made.append(trend("RQ10", outcome="ed", feeds="ed_assault hotspot"))
    made += [
        effect(ratio, question="RQ10", outcome="ed", feeds="ed_assault hotspot", role="robustness",
               horizon=f"unlocated={side}", method="poisson_imputation_unlocated")
        for side, ratio in (("fewer", 0.8), ("proportional", 0.94), ("more", 1.1))
    ]  # fmt: skip
    made.append(
        share("RQ10", outcome="admissions", estimand="count", unit="admissions", estimate=120.0,
              lower=None, upper=None, level=None, n=None, role="description", population="force area",  # noqa: E501
              feeds="admission")
    )  # fmt: skip
    return made


def findings(made: list[dict]) -> pl.DataFrame:
    return from_estimates(rows(made), inputs=INPUTS)


def answers(found: pl.DataFrame, **more: object) -> pl.DataFrame:
    given = {
        "supplied": SUPPLIED,
        "exploratory": False,
        "retrospective": False,
        "plausible_effect": 0.2,
        "few_places_below": 10,
        "shocks": None,
        "first_start": None,
    }
    return answer_all(found, **{**given, **more})


def answer(found: pl.DataFrame, question: str, **more: object) -> dict:
    return answers(found, **more).row(by_predicate=pl.col("question") == question, named=True)
