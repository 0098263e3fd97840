"""Cost: hand calculations, one-sided answers, and months that nobody costed."""

from datetime import date

import polars as pl
import pytest

from placeproof.effects.cost import UnitCost, against, per_hour, spending
from placeproof.tables import estimate

MONTHS = [date(2021, 7, 1), date(2021, 8, 1), date(2021, 9, 1)]


def table(*rows: tuple[date, str, float | None, float | None]) -> pl.DataFrame:
    schema = {"month": pl.Date, "item": pl.String, "hours": pl.Float64, "amount_gbp": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


SPENT = spending(
    table(
        (MONTHS[0], "overtime", 100.0, 40_000.0),
        (MONTHS[1], "overtime", 100.0, 40_000.0),
        (MONTHS[1], "maps", None, 2_000.0),
        (MONTHS[2], "overtime", 400.0, None),
        (date(2021, 10, 1), "overtime", 9.0, 9_000.0),
    ),
    months=MONTHS,
    hour_gbp=45.0,
)


def prevented(middle: float, low: float | None, high: float | None, **more: object) -> dict:
    row = {
        "question": "RQ1", "outcome": "sv", "outcome_label": "Serious violence",
        "population": "treated hot spots", "estimand": "events_prevented",
        "method": "poisson_imputation_jackknife", "role": "beside", "estimate": middle,
        "lower": low, "upper": high, "level": None if low is None else 0.95, "unit": "events",
        "feeds": "crime hotspot", **more,
    }  # fmt: skip
    return estimate.rows([row]).to_dicts()[0]


def made(row: dict, **more: object) -> dict[tuple[str, str], dict]:
    unit_cost = UnitCost(5_000.0, "invented 2023")
    rows = against(row, **{"spent": SPENT, "unit_cost": unit_cost, **more})  # type: ignore[arg-type]
    return {(found["estimand"], found["horizon"]): found for found in rows.to_dicts()}


PER = ("cost_per_event_prevented", "all")
LEAST = ("cost_per_event_prevented", "at least")


def test_spending_counts_its_months_and_values_hours_at_the_rate() -> None:
    assert SPENT.gbp == 100_000.0  # 40 000 + 40 000 + 2 000 + 400 h at 45
    assert (SPENT.hours, SPENT.valued_hours, SPENT.missing, SPENT.unvalued) == (600.0, 400.0, (), 0)


def test_the_break_even_table_is_that_of_a_hand_calculation() -> None:
    rows = made(prevented(40.0, 25.0, 50.0))
    assert (rows[PER]["estimate"], rows[PER]["lower"], rows[PER]["upper"]) == (2500, 2000, 4000)
    assert rows["break_even_events", "all"]["estimate"] == 20.0  # 100 000 / 5 000
    worth = rows["benefit_per_pound", "all"]
    assert (worth["estimate"], worth["lower"], worth["upper"]) == (2.0, 1.25, 2.5)
    assert LEAST not in rows
    assert "invented 2023" in worth["diagnostics"]


def test_an_interval_that_holds_nought_gives_a_lower_end_and_no_upper_one() -> None:
    rows = made(prevented(40.0, -10.0, 80.0))
    assert rows[PER]["estimate"] == 2500.0
    assert rows[PER]["lower"] is None
    assert "no upper one" in rows[PER]["reason"]
    assert rows[LEAST]["estimate"] == 1250.0
    assert rows["benefit_per_pound", "all"]["lower"] == -0.5


def test_a_rise_costs_and_prevents_nothing() -> None:
    rows = made(prevented(-40.0, -60.0, -20.0))
    assert rows[PER]["status"] == "not_identified"
    assert "as many as expected, or more" in rows[PER]["reason"]
    assert LEAST not in rows
    assert rows["benefit_per_pound", "all"]["upper"] == -1.0


def test_a_month_without_a_row_is_not_0() -> None:
    gap = spending(table((MONTHS[0], "overtime", 1.0, 1.0)), months=MONTHS, hour_gbp=None)
    rows = made(prevented(40.0, 25.0, 50.0), spent=gap)
    assert set(rows) == {PER}
    assert rows[PER]["status"] == "not_supplied"
    assert "2 of 3 months" in rows[PER]["reason"]
    bare = spending(table((MONTHS[0], "x", 1.0, None)), months=MONTHS[:1], hour_gbp=None)
    assert "neither an amount" in made(prevented(4.0, 2.0, 5.0), spent=bare)[PER]["reason"]


def test_without_an_interval_or_a_unit_cost_none_is_made_up() -> None:
    rows = made(prevented(40.0, None, None), unit_cost=None)
    assert set(rows) == {PER}
    assert rows[PER]["estimate"] == 2500.0
    assert "no interval" in rows[PER]["reason"]


def test_harm_has_its_own_cost_and_no_unit_cost() -> None:
    rows = made(prevented(1000.0, 500.0, 2000.0, estimand="harm_prevented", unit="harm days"))
    assert set(rows) == {("cost_per_harm_prevented", "all")}
    found = rows["cost_per_harm_prevented", "all"]
    assert (found["estimate"], found["lower"], found["upper"]) == (100.0, 50.0, 200.0)


def test_an_hour_paid_is_not_an_hour_delivered() -> None:
    rows = per_hour(SPENT, delivered_hours=250.0, feeds="ping").to_dicts()
    found = {row["outcome"]: row["estimate"] for row in rows}
    assert found["paid_hour_cost"] == pytest.approx(100_000 / 600)
    assert found["delivered_hour_cost"] == 400.0
    none = per_hour(SPENT, delivered_hours=0.0, feeds="ping").to_dicts()
    assert {row["status"] for row in none} == {"estimated", "not_identified"}
