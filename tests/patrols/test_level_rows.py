"""Rows about compliance: levels in parts, what stands beside them, what cannot be asked."""

import importlib
import inspect
import json
from datetime import date, timedelta
from types import ModuleType

import polars as pl
import pytest

from placeproof.calendar import NTE_PRESETS, nte_intervals
from placeproof.patrols import (
    activities,
    attendance,
    beside,
    claims,
    compliance,
    dividing,
    interactions,
    logs,
)
from placeproof.patrols.attendance import level_rows, presence_method
from placeproof.patrols.beside import control_rows, reason_rows
from placeproof.patrols.dividing import DIVISIONS, Night, divided
from placeproof.patrols.rows import finished
from placeproof.tables import Attendance, Dose, estimate

from .conftest import START, at, task, tasking
from .test_compliance import held, stay, stays

NIGHT = Night(
    nte_intervals(
        NTE_PRESETS["nte-core"], first=date(2024, 4, 1), last=date(2024, 6, 30), events=None
    ),
    "nte-core",
)
METHOD = "ping_with_interval"


def rows_of(frame: pl.DataFrame, method: str = METHOD) -> pl.DataFrame:
    return estimate.rows(finished(level_rows(frame, night=NIGHT, method=method)))


def whole(rows: pl.DataFrame, outcome: str, **where: str) -> dict[str, object]:
    chosen = {"subgroup": "all", "horizon": "all", "hours": "all", "outcome": outcome} | where
    found = rows.filter(*(pl.col(name) == value for name, value in chosen.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def test_the_twelve_windows_as_rows() -> None:
    rows = rows_of(held())
    shares = {
        "window_attended": 9 / 11,
        "window_long_enough": 9 / 11,
        "window_in_time_and_long_enough": 6 / 11,
        "window_on_foot": 5 / 11,
        "window_logged": 3 / 11,
        "window_unobserved": 1 / 12,
        "window_uncertain": 3 / 11,
    }
    for outcome, share in shares.items():
        assert whole(rows, outcome)["estimate"] == pytest.approx(share), outcome
    assert whole(rows, "window_attended")["n"] == 11
    # 15 + 12 + 15 + 0 + 15 + 15 + 0 + 8 + 5 + 0 + 20 of ten times 15, but one 5 and one 20.
    assert whole(rows, "planned_dose")["estimate"] == pytest.approx(105 / 160)


def test_parts_add_up_to_the_whole() -> None:
    rows = rows_of(held()).filter(outcome="window_in_time_and_long_enough")
    yes = rows.with_columns(yes=pl.col("estimate") * pl.col("n"))
    total = whole(yes, "window_in_time_and_long_enough")["yes"]
    for part in (
        pl.col("subgroup") != "all",
        pl.col("horizon") != "all",
        pl.col("hours") != "all",
    ):
        assert yes.filter(part)["yes"].sum() == pytest.approx(total)
    # Task 7 begins on Friday at 18:00: the one window outside the night.
    assert whole(rows, "window_in_time_and_long_enough", hours="other:nte-core")["n"] == 1


def test_error_of_minutes_stands_in_the_diagnostics() -> None:
    row = whole(rows_of(held()), "window_in_time_and_long_enough")
    told = json.loads(row["diagnostics"])
    assert told["uncertain_windows"] == 3
    assert told["windows_with_known_error"] == 11
    # Tasks 3 and 5 are sure; 9 has 8 ± 1 of 5; 6 and 11 are on the edge; 2 has 12 ± 4 of 15; and
    # visit c begins at the end of window 1, which leaves 20 ± 3 of 15.
    chances = 1 + 1 + 0.9987 + 0.5 + 0.5 + 0.2266 + 0.9522
    assert told["share_expected_with_error"] == pytest.approx(chances / 11, abs=1e-4)
    blind = stays(stay("H01", at(0), at(20)))
    unknown = rows_of(held(visit=blind, tasking=tasking(task(1, 0, 60, 15)), logs=None))
    assert whole(unknown, "window_uncertain")["status"] == "not_identified"


def test_targets_at_or_below_the_ping_interval_are_flagged() -> None:
    seen = stays(stay("H01", at(0), at(20), interval_s=120.0))
    tasks = tasking(task(1, 0, 60, 2), task(2, 0, 60, 2.1), task(3, 0, 60, 0))
    rows = rows_of(held(visit=seen, tasking=tasks, logs=None))
    assert whole(rows, "window_target_below_interval")["estimate"] == pytest.approx(1 / 3)
    assert "In 1 of 3 windows" in whole(rows, "window_long_enough")["reason"]
    assert "In 1 of" not in whole(rows, "window_attended")["reason"]


def test_levels_without_their_evidence_say_so() -> None:
    seen = stays(stay("H01", at(0), at(20)))
    rows = rows_of(held(visit=seen, tasking=tasking(task(1, 0, 60, 15)), logs=None))
    for outcome in ("window_on_foot", "window_logged"):
        assert whole(rows, outcome)["status"] == "not_supplied"
    unseen = rows_of(held(observed_days=pl.Series([], dtype=pl.Date)))
    assert whole(unseen, "window_attended")["status"] == "not_identified"
    assert whole(unseen, "window_unobserved")["estimate"] == 1.0


def test_raw_presence_is_told_for_the_whole_alone() -> None:
    raw = rows_of(held(), "ping_raw")
    assert set(raw.select("subgroup", "hours", "horizon").rows()) == {("all", "all", "all")}
    assert presence_method(stays(), add_interval=False) == "ping_raw"
    assert presence_method(stays(), add_interval=True) == METHOD
    crossed = stays(stay("H01", at(0), at(1)) | {"method": "crossings"})
    assert presence_method(crossed, add_interval=True) == "ping_crossings"
    ready = stays(stay("H01", at(0), at(1)) | {"method": "ready_made", "source": "delivered"})
    assert presence_method(ready, add_interval=True) == "stated_visit"


def short_of(*reasons: str | None) -> pl.DataFrame:
    one = held().filter(task_id="10")
    return pl.concat(one.with_columns(reason=pl.lit(reason, pl.String)) for reason in reasons)


def test_reasons_of_windows_that_fell_short() -> None:
    given = ["Weather"] * 6 + ["Custody"] * 5 + ["Constable Invented is ill"] * 4 + [None] * 5
    rows = estimate.rows(finished(reason_rows(short_of(*given))))
    assert dict(rows.select("subgroup", "estimate").rows()) == {
        "reason=Custody": pytest.approx(0.25),
        "reason=Weather": pytest.approx(0.3),
        "reason=none given": pytest.approx(0.25),
        "reason=other reasons": pytest.approx(0.2),
    }
    # Of the page only those count that fell short of level 3: 2, 4, 7, 8 and 10.
    assert set(estimate.rows(finished(reason_rows(held())))["n"]) == {5}


def test_a_long_list_of_reasons_is_cut() -> None:
    many = short_of(*[f"reason {n}" for n in range(30)] * beside.LEAST_TIMES)
    rows = estimate.rows(finished(reason_rows(many)))
    assert rows.height == beside.MOST_REASONS + 1
    assert rows["estimate"].sum() == pytest.approx(1)


def doses(*rows: tuple[str, int, float, float | None]) -> pl.DataFrame:
    """Rows of (hot spot, days after the start, minutes, background minutes)."""
    return filled_dose(
        [
            {
                "hotspot_id": place,
                "operating_day": START.date() + timedelta(days=day),
                "hours": hours,
                "source": "pings",
                "minutes_in_hours": 1440.0,
                "patrol_minutes": minutes,
                "background_minutes": beside_them,
                "additional_minutes": None if beside_them is None else minutes - beside_them,
            }
            for place, day, minutes, beside_them in rows
            for hours in ("all", "nte:nte-core")
        ]
    )


def filled_dose(rows: list[dict]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Dose.columns().items()}
    return Dose.validate(pl.DataFrame(rows, schema=schema), cast=True)


def test_presence_on_control_days() -> None:
    day = 1440.0
    tasks = tasking(
        task(1, 0, 60, 15, randomised=True),
        task(2, 4 * day, 4 * day + 60, 15, randomised=True),
        task(3, 2 * day, 2 * day + 60, 15, randomised=False),
        task(4, 0, 60, 15, hotspot_id="H02"),
    )
    dose = doses(
        ("H01", -1, 99, 0),  # before the first day that chance allotted
        ("H01", 0, 20, 0),
        ("H01", 1, 6, 6),
        ("H01", 2, 30, 0),  # tasked, though not by chance
        ("H01", 3, 0, 0),
        ("H01", 4, 10, 0),
        ("H02", 1, 50, 50),
    )
    rows = estimate.rows(finished(control_rows(tasks, dose, source="pings")))
    assert whole(rows, "control_day_presence")["estimate"] == pytest.approx(0.5)
    assert whole(rows, "control_day_minutes")["estimate"] == pytest.approx(3)
    assert whole(rows, "tasked_day_minutes")["estimate"] == pytest.approx(20)
    never = tasks.with_columns(randomised=pl.lit(value=False))
    none = estimate.rows(finished(control_rows(never, dose, source="pings")))
    assert set(none["status"]) == {"not_identified"}


# Nobody is ranked -----------------------------------------------------------------------------

as_planned_module = importlib.import_module("placeproof.patrols.as_planned")
MODULES = (
    activities,
    as_planned_module,
    attendance,
    beside,
    claims,
    compliance,
    dividing,
    interactions,
    logs,
)
PERSONAL = ("unit", "officer", "device", "callsign", "collar")


def public(module: ModuleType) -> list[object]:
    return [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    ]


@pytest.mark.parametrize(
    "by", ["unit_id", "unit", "officer", "officers", "device_id", "device", "task_id", "activity"]
)
def test_results_cannot_be_divided_by_a_unit(by: str) -> None:
    frame = held().with_columns(pl.lit("U1").alias("unit_id"))
    with pytest.raises(ValueError, match="divided by"):
        list(divided(frame, by=by, night=NIGHT))


def test_the_list_of_divisions_is_closed_and_holds_no_person() -> None:
    assert DIVISIONS == ("all", "place", "day", "month", "hours", "reason")
    for by in DIVISIONS:
        for key, part in divided(held(), by=by, night=NIGHT):
            assert set(key) <= {"subgroup", "horizon", "hours"}
            assert set(part.columns) == set(Attendance.column_names())


def test_no_other_function_takes_columns_to_group_by() -> None:
    names = ("by", "group", "groups", "group_by", "key", "keys", "column", "columns", "subgroup")
    taking = {
        (module.__name__.rpartition(".")[2], function.__name__, parameter)
        for module in MODULES
        for function in public(module)
        for parameter in inspect.signature(function).parameters
        if parameter in names or any(word in parameter for word in PERSONAL)
    }
    # Which unit carries a device is needed to match logs; no result names it.
    assert taking == {
        ("dividing", "divided", "by"),
        ("logs", "held_logs", "unit_of_device"),
    }


def test_no_row_names_a_unit_an_officer_or_a_device() -> None:
    secret = held(
        visit=stays(stay("H01", at(0), at(20), device="secret")),
        tasking=tasking(task(1, 0, 60, 15, unit_id="secret")),
        logs=None,
    )
    rows = pl.concat(
        [rows_of(secret), estimate.rows(finished(reason_rows(secret)))], how="vertical"
    )
    assert "secret" not in rows.write_json()
    assert not rows["subgroup"].str.contains("|".join(PERSONAL)).any()
