"""The funder's return: sums are the tables' own, missing is missing, people are protected."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from placeproof.calendar import operating_day
from placeproof.patrols.returns import released, returned
from placeproof.tables import (
    Attendance,
    Cost,
    Crime,
    Dose,
    Hotspot,
    PatrolLog,
    ProblemPlan,
    StopSearch,
    Visit,
)
from tests.patrols.conftest import EAST, NORTH, filled, hotspot

FIRST, LAST = date(2024, 1, 1), date(2024, 6, 30)
NOTHING = dict.fromkeys(
    ["dose", "visits", "attendance", "patrol_log", "crime", "stop_search", "problem_plan", "cost",
     "hotspots"]
)  # fmt: skip


def given(**tables: object) -> pl.DataFrame:
    return returned(**(NOTHING | {"first": FIRST, "last": LAST, "target_minutes": 15.0} | tables))


def line(made: pl.DataFrame, measure: str, kind: str = "month", part: str | None = None):
    rows = made.filter(measure=measure, kind=kind)
    return rows if part is None else rows.filter(part=part)


def frame(table, rows: list[dict]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in table.columns().items()}
    made = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(made, schema=schema)


def moment(day: date, hour: float = 12) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


@pytest.fixture
def dose() -> pl.DataFrame:
    """Every day from January to June except March; uneven minutes."""
    rng = np.random.default_rng(3)
    days = [FIRST + timedelta(days=n) for n in range(182)]
    return frame(
        Dose,
        [
            {
                "hotspot_id": place, "operating_day": day, "hours": hours, "source": "pings",
                "minutes_in_hours": 1440.0, "patrol_minutes": float(rng.gamma(2, 13)),
            }
            for place in ("H01", "H02") for day in days for hours in ("all", "band:06-10")
            if day.month != 3
        ],
    )  # fmt: skip


def test_minutes_equal_the_sum_of_the_dose(dose: pl.DataFrame) -> None:
    made = given(dose=dose)
    whole = dose.filter(hours="all")
    months = line(made, "patrol_minutes")
    assert months["value"].sum() == pytest.approx(whole["patrol_minutes"].sum(), abs=1e-6)
    for row in months.iter_rows(named=True):
        own = whole.filter(pl.col("operating_day").dt.month_start() == row["period_start"])
        expected = own["patrol_minutes"].sum() if own.height else None
        assert row["value"] == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_released_minutes_are_whole_and_add_up_to_the_minute(dose: pl.DataFrame) -> None:
    made = released(given(dose=dose), counts_below=5, round_to=5)
    months, quarters = line(made, "patrol_minutes"), line(made, "patrol_minutes", "quarter")
    total = dose.filter(hours="all")["patrol_minutes"].sum()
    assert (
        months["value"].drop_nulls().map_elements(float.is_integer, return_dtype=pl.Boolean).all()
    )
    assert months["value"].sum() == round(total) == quarters["value"].sum()
    for quarter in quarters.iter_rows(named=True):
        own = months.filter(pl.col("period_start").dt.truncate("1q") == quarter["period_start"])
        assert own["value"].sum() == quarter["value"]
    exact = line(given(dose=dose), "patrol_minutes")["value"]
    assert ((months["value"] - exact).abs().drop_nulls() <= 1).all()


def test_a_missing_month_is_missing_and_its_quarter_incomplete(dose: pl.DataFrame) -> None:
    for made in (given(dose=dose), released(given(dose=dose), counts_below=5, round_to=5)):
        months = {row["period"]: row for row in line(made, "patrol_minutes").iter_rows(named=True)}
        assert months["2024-03"]["value"] is None
        assert months["2024-03"]["status"] == "not_supplied"
        quarters = line(made, "patrol_minutes", "quarter")
        assert quarters["period"].to_list() == ["2024Q1", "2024Q2"]
        assert quarters["status"].to_list() == ["incomplete", "supplied"]
        assert quarters["note"].to_list() == ["2 of 3 months", ""]


def test_a_quarter_that_the_study_cuts_says_so(dose: pl.DataFrame) -> None:
    made = given(dose=dose, last=date(2024, 5, 31))
    quarter = line(made, "patrol_minutes", "quarter").row(1, named=True)
    assert (quarter["status"], quarter["note"]) == ("incomplete", "2 months lie in the return")


def test_days_without_data_make_a_month_incomplete(dose: pl.DataFrame) -> None:
    made = given(dose=dose.filter(pl.col("operating_day") != date(2024, 5, 17)))
    may = line(made, "patrol_minutes").filter(period="2024-05").row(0, named=True)
    assert (may["status"], may["note"]) == ("incomplete", "30 of 31 days")


def test_sources_stand_beside_each_other(dose: pl.DataFrame) -> None:
    wardens = dose.filter(hours="all").with_columns(
        source=pl.lit("delivered"), delivered_by=pl.lit("Wardens")
    )
    made = line(given(dose=pl.concat([dose, wardens])), "patrol_minutes")
    assert set(made["part"]) == {"measured by positions", "stated by Wardens"}
    assert made.filter(period="2024-01")["value"].n_unique() == 1


def test_reconciled_minutes_are_one_line(dose: pl.DataFrame) -> None:
    by = pl.when(pl.col("operating_day").dt.day() > 15).then(pl.lit("Wardens"))
    made = given(dose=dose.with_columns(source=pl.lit("reconciled"), delivered_by=by))
    assert line(made, "patrol_minutes")["part"].n_unique() == 1
    total = dose.filter(hours="all")["patrol_minutes"].sum()
    assert line(made, "patrol_minutes")["value"].sum() == pytest.approx(total)


def test_visits_equal_the_visit_table_by_operating_day(dose: pl.DataFrame) -> None:
    visits = frame(
        Visit,
        [
            {"hotspot_id": "H01", "arrived_at": at, "dwell_s": 60.0 * n, "source": "pings"}
            for n, at in enumerate(
                [moment(date(2024, 2, 1), 3), moment(date(2024, 2, 2)), moment(date(2024, 5, 30))]
                * 20
            )
        ],
    )  # fmt: skip
    made = given(visits=visits, dose=dose)
    months = dict(line(made, "visits").select("period", "value").iter_rows())
    # Before 06:00 on 1 February is still January's last day; June was observed and had none.
    assert months == {
        "2024-01": 20, "2024-02": 20, "2024-03": None, "2024-04": 0, "2024-05": 20, "2024-06": 0,
    }  # fmt: skip
    fewer = given(visits=visits, dose=dose.filter(pl.col("operating_day") != date(2024, 5, 17)))
    for measure in ("visits", "visits_long_enough"):
        may = line(fewer, measure).filter(period="2024-05").row(0, named=True)
        assert (may["status"], may["note"]) == ("incomplete", "30 of 31 days")
    long = line(made, "visits_long_enough")["value"].sum()
    assert long == visits.filter(pl.col("dwell_s") >= 900).height
    by_day = visits.with_columns(day=operating_day(pl.col("arrived_at")))
    assert by_day.filter(pl.col("day") == date(2024, 1, 31)).height == 20


def logs(*rows: tuple[date, dict]) -> pl.DataFrame:
    return filled(
        PatrolLog,
        [
            {"log_id": str(n), "hotspot_id": "H01", "started_at": moment(day), **counts}
            for n, (day, counts) in enumerate(rows)
        ],
    )


def test_a_blank_count_is_not_nought() -> None:
    made = given(
        patrol_log=logs(
            (date(2024, 1, 3), {"stops": 7, "arrests": None}),
            (date(2024, 1, 4), {"stops": None, "arrests": None}),
        )
    )
    stops = line(made, "stops").row(0, named=True)
    assert (stops["value"], stops["status"], stops["note"]) == (
        7,
        "incomplete",
        "stated in 1 of 2 logs",
    )
    arrests = line(made, "arrests").row(0, named=True)
    assert (arrests["value"], arrests["status"]) == (None, "not_supplied")
    assert line(made, "stops")["value"].null_count() == 5


def test_counts_of_people_are_suppressed_and_rounded_and_time_is_not(dose: pl.DataFrame) -> None:
    days = [date(2024, month, 9) for month in range(1, 7)]
    people = [12, 4, 30, 13, 17, 22]
    log = logs(
        *((day, {"stops": n, "engagements": n}) for day, n in zip(days, people, strict=True))
    )
    made = released(given(patrol_log=log, dose=dose), counts_below=5, round_to=5)
    # Four in February: the whole of the first quarter's months go, its total stays.
    assert line(made, "stops")["value"].to_list() == [None, None, None, 15, 15, 20]
    assert line(made, "stops")["status"].to_list()[:3] == ["suppressed"] * 3
    assert line(made, "stops", "quarter")["value"].to_list() == [45, 50]
    assert line(made, "engagements")["value"].to_list() == people
    assert not any("4" in note for note in line(made, "stops")["note"])


def test_a_suppressed_month_cannot_be_worked_out() -> None:
    """Whatever the hidden month was, from 0 to 4, the released figures are the same."""
    days = [date(2024, month, 9) for month in range(1, 4)]
    seen = set()
    for hidden in range(5):
        log = logs(*((d, {"stops": n}) for d, n in zip(days, (20, hidden, 31), strict=True)))
        made = released(given(patrol_log=log), counts_below=5, round_to=5)
        seen.add(tuple(line(made, "stops")["value"].to_list()))
    assert seen == {(None,) * 6}


def test_weapons_are_counted_inside_the_outlines_only() -> None:
    place = filled(Hotspot, [hotspot("H01", 0, 0)])
    crimes = [
        {
            "crime_id": str(n), "month": date(2024, 2, 1),
            "occurred_from": moment(date(2024, 2, 9)), "easting_m": EAST + x,
            "northing_m": NORTH + 50, "location_quality": "exact",
            "category": "weapons", "weapon": weapon, "police_generated": found, "status": status,
        }
        for n, (x, weapon, found, status) in enumerate(
            [(50, True, True, "recorded")] * 6
            + [(900, True, True, "recorded"), (50, False, True, "recorded"),
               (50, True, False, "recorded"), (50, True, True, "cancelled")]
        )
    ]  # fmt: skip
    searches = [
        {
            "month": date(2024, 2, 1), "easting_m": EAST + 20.0, "northing_m": NORTH + 20.0,
            "location_quality": "snapped", "object_of_search": looked, "outcome": outcome,
        }
        for looked, outcome in [
            ("Offensive weapons", "Arrest"), ("Offensive weapons", "A no further action disposal"),
            ("Firearms", None), ("Controlled drugs", "Arrest"),
        ]
    ]  # fmt: skip
    made = given(
        crime=frame(Crime, crimes), stop_search=frame(StopSearch, searches), hotspots=place
    )
    assert line(made, "weapons_found")["value"].to_list() == [None, 6, None, None, None, None]
    assert line(made, "weapon_searches")["value"].to_list()[1] == 3
    assert line(made, "weapon_searches_with_outcome")["value"].to_list()[1] == 1
    without = given(crime=frame(Crime, crimes))
    assert line(without, "weapons_found")["value"].null_count() == 6
    free = released(made, counts_below=5, round_to=5)
    assert line(free, "weapons_found")["value"].to_list()[1] == 5
    assert line(free, "weapon_searches")["status"].to_list()[1] == "suppressed"


def test_plans_run_on_and_a_quarter_is_counted_anew() -> None:
    plans = filled(
        ProblemPlan,
        [
            {"plan_id": "A", "hotspot_id": "H01", "starts_on": date(2023, 5, 1)},
            {"plan_id": "B", "hotspot_id": "H01", "starts_on": date(2024, 2, 10),
             "ends_on": date(2024, 4, 2)},
        ],
    )  # fmt: skip
    made = given(problem_plan=plans)
    assert line(made, "plans_running")["value"].to_list() == [1, 2, 2, 2, 1, 1]
    assert line(made, "plans_running", "quarter")["value"].to_list() == [2, 2]
    assert line(made, "plans_begun", "quarter")["value"].to_list() == [1, 0]
    assert line(made, "plans_ended", "quarter")["value"].to_list() == [0, 1]
    none = given(problem_plan=None)
    assert line(none, "plans_running")["status"].unique().to_list() == ["not_supplied"]


def test_money_and_windows() -> None:
    cost = filled(
        Cost,
        [
            {"month": date(2024, 1, 1), "item": "Overtime", "hours": 10.0, "amount_gbp": 500.0},
            {"month": date(2024, 2, 1), "item": "Overtime", "amount_gbp": 250.0},
        ],
    )
    at = frame(
        Attendance,
        [
            {"task_id": str(n), "hotspot_id": "H01", "operating_day": date(2024, 1, 5),
             "level_1": level, "cancelled": False}
            for n, level in enumerate([True, True, False, None])
        ],
    )  # fmt: skip
    made = given(cost=cost, attendance=at)
    assert line(made, "amount_gbp", part="Overtime")["value"].to_list()[:3] == [500, 250, None]
    assert line(made, "hours", part="Overtime")["value"].to_list()[:2] == [10, None]
    assert line(made, "windows_asked")["value"].to_list()[:2] == [4, None]
    attended = line(made, "windows_attended").row(0, named=True)
    assert (attended["value"], attended["note"]) == (2, "not known for 1 windows")


def test_with_nothing_at_all_every_line_is_not_supplied() -> None:
    made = given()
    assert made["value"].null_count() == made.height > 0
    assert made["status"].unique().to_list() == ["not_supplied"]
    free = released(made, counts_below=5, round_to=5)
    assert free["value"].null_count() == free.height
    with pytest.raises(ValueError, match="thresholds"):
        released(made, counts_below=0, round_to=5)
