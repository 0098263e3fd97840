"""What can be identified, tasked days, dose and horizons as the report says them."""

import json
from types import SimpleNamespace
from typing import Any

from placeproof.report import dose
from placeproof.report.document import Bullets, Figure, Name, Number, Paragraph, Table, Text

PAGE: Any = SimpleNamespace(tag="")


def row(**changes: object) -> dict[str, object]:
    made: dict[str, object] = {
        "finding_id": "f1",
        "outcome": "planted", "outcome_label": "Planted crimes", "unit": "ratio",
        "population": "treated hot spots", "subgroup": "all", "hours": "all", "horizon": "all",
        "estimand": "rate_ratio", "method": "poisson_imputation_jackknife", "role": "beside",
        "status": "estimated", "estimate": 0.8, "lower": 0.7, "upper": 0.9, "level": 0.95,
        "standard_error": 0.06, "p_value": 0.01, "minimum_detectable_effect": 0.85, "n": 100,
        "n_places": 8, "n_events": 400.0, "reason": None, "diagnostics": "{}",
    }  # fmt: skip
    return made | changes


def words(block: object) -> str:
    spans: list[object] = []
    if isinstance(block, Table):
        spans = [s for line in block.rows for cell in line for s in cell] + list(block.note)
    elif isinstance(block, Bullets):
        spans = [s for item in block.items for s in item]
    elif isinstance(block, Paragraph):
        spans = list(block.spans)
    return " ".join(
        s.words if isinstance(s, Text | Name | Number) else "" for s in spans
    )  # fmt: skip


COHORTS = [
    row(estimand="untreated_periods", subgroup="cohort=2021-07-26", unit="weeks", estimate=0.0,
        lower=None, upper=None, reason="Its counts begin at or after its first day."),
    row(estimand="untreated_periods", subgroup="cohort=2022-01-10", unit="weeks", estimate=20.0,
        lower=None, upper=None),
    row(subgroup="cohort=2021-07-26", status="not_identified", estimate=None, lower=None,
        upper=None),
    row(subgroup="cohort=2022-01-10"),
]  # fmt: skip
BY_LOT = row(estimand="tasked_day_rate_ratio", subgroup="days=by lot",
             method="mantel_haenszel_randomisation_inference")  # fmt: skip
CHOSEN = row(estimand="tasked_day_rate_ratio", subgroup="days=not by lot",
             method="poisson_within_place_months_jackknife")  # fmt: skip


def test_a_cohort_without_a_time_before_has_a_reason_and_no_change() -> None:
    table, _, bullets = dose.identified(PAGE, "RQ2", COHORTS)
    assert isinstance(table, Table)
    assert "Not identified." in words(table)
    assert table.rows[0][4] == ()
    assert table.rows[1][4] != ()
    assert "Later cohorts bear" in words(bullets)


def test_the_turns_name_what_stands_and_what_it_bears() -> None:
    dosed = row(estimand="dose_rate_ratio", horizon="dose=planned")
    told = words(dose.identified(PAGE, "RQ1", [*COHORTS, BY_LOT, dosed])[2])
    assert "where chance allotted them" in told
    assert "Dose: more against fewer" in told
    told = words(dose.identified(PAGE, "RQ1", [*COHORTS, CHOSEN])[2])
    assert "an association only" in told
    refused = CHOSEN | {"status": "not_identified", "reason": "A patrol was asked for every day."}
    told = words(dose.identified(PAGE, "RQ1", [*COHORTS, refused])[2])
    assert "a patrol was asked for every day." in told


def test_where_every_cohort_is_identified_it_is_said_once() -> None:
    whole = [COHORTS[1], COHORTS[3]]
    assert len(dose.identified(PAGE, "RQ1", whole)) == 1
    assert dose.identified(PAGE, "RQ2", whole) == []
    assert dose.identified(PAGE, "RQ1", []) == []


def test_randomisation_inference_is_said_only_where_chance_allotted_days() -> None:
    table = dose.days(PAGE, "RQ1", [CHOSEN, BY_LOT])[0]
    assert isinstance(table, Table)
    assert "Randomisation inference" in words(table)
    assert [at for at, _ in table.groups] == [0, 1]
    told = words(dose.days(PAGE, "RQ1", [CHOSEN])[0])
    assert "andomisation" not in told
    assert "association" in told
    assert dose.days(PAGE, "RQ1", [CHOSEN | {"status": "not_identified"}]) == []


def test_what_is_left_of_a_patrol_is_a_figure_with_its_numbers() -> None:
    lags = [
        row(estimand="lag_rate_ratio", subgroup="days=by lot", horizon=f"day={k}") for k in range(4)
    ]
    figure = dose.days(PAGE, "RQ1", [BY_LOT, *lags])[1]
    assert isinstance(figure, Figure)
    assert figure.data is not None
    assert len(figure.data.rows) == 4


def test_dose_shows_slope_with_and_without_error_and_groups() -> None:
    more = '{"minutes_a_day_step": 10}'
    rows = [
        row(estimand="dose_rate_ratio", horizon="dose=delivered", diagnostics=more, method=method)
        for method in ("poisson_two_way_dose_calibrated", "poisson_two_way_dose_jackknife")
    ]
    rows += [
        row(estimand="dose_group_rate_ratio", horizon=f"group={k}",
            diagnostics=json.dumps({f"{end}minutes_a_day": k for end in ("", "least_", "most_")}))
        for k in (1, 2)
    ]  # fmt: skip
    table, figure = dose.minutes(PAGE, "RQ1", rows)
    assert isinstance(table, Table)
    assert "10 patrol minutes a day" in table.caption
    assert "as measured" in words(table)
    assert "corrected for their error" in words(table)
    assert isinstance(figure, Figure)
    assert dose.minutes(PAGE, "RQ1", []) == []


def test_a_half_life_is_said_only_where_decay_is_found() -> None:
    first = row(estimand="horizon_rate_ratio", horizon="first=week")
    trend = row(estimand="effect_change_per_year", unit="ratio a year")
    life = row(estimand="effect_half_life", unit="weeks", estimate=26.0, lower=14.0, upper=40.0)
    told = words(dose.lasting(PAGE, "RQ1", [first, trend, life])[1])
    assert "half of the effect is gone after" in told
    none = life | {"status": "not_identified", "estimate": None, "reason": "No decay is found."}
    told = words(dose.lasting(PAGE, "RQ1", [first, trend, none])[1])
    assert "No decay is found." in told
    assert "half of the effect" not in told
